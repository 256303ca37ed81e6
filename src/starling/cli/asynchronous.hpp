/// What the commands say and make of experiments whose cores share memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "starling/engine/delay_process.hpp"
#include "starling/experiment/asynchronous_setup.hpp"
#include "starling/experiment/experiment.hpp"

namespace starling {

/// An asynchronous experiment with all that it needs, made and checked. The experiment must outlive
/// this.
struct PreparedCores {
  const Experiment& experiment;
  std::unique_ptr<Problem> problem;
  Round updates;                                         ///< by all cores together
  std::vector<AsynchronousSetup> setups;                 ///< one a method
  std::vector<std::unique_ptr<DelayProcess>> processes;  ///< one a method, of engine delays
};

/// Throws UserError where problem, measures, engine and methods do not fit together, or a recorded
/// trace is shorter than the run.
PreparedCores prepare_cores(const Experiment& experiment);

/// How many coordinates each block has.
std::string lengths_of(const std::vector<Part>& blocks);

/// What a core reads, and what locks make of it.
std::string reads_of(const Asynchronous& method);

/// What a core updates, and what locks make of it.
std::string updates_of(const Asynchronous& method);

}  // namespace starling
