/// What the parts of `starling check` share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "starling/experiment/assumptions.hpp"
#include "starling/experiment/experiment.hpp"

namespace starling {

/// Everything that is looked at, made before anything is printed.
struct CheckedExperiment {
  Experiment experiment;
  Network network;
  std::unique_ptr<Problem> problem;
  std::vector<std::unique_ptr<RowUpdate>> updates;
  Round rounds;
};

/// One method of it, with what is known of the network and the losses.
struct Case {
  CheckedExperiment& checked;
  const MethodPlan& plan;
  const RowUpdate& update;
  const Table& options;  ///< of the method, defaults included
  const NetworkFacts& network;
  const Constants& constants;
};

/// One line, aligned with the others.
void print_line(std::string_view name, const std::string& value);

/// A choice as people write it: ring, or { name = "lazy", gamma = 0.3 }.
std::string shown(const Value& choice);

void print_assumption(const Assumption& assumption);
void print_assumption(std::string name, bool holds, std::string detail);

/// What Chen, Karimi, Zhao & Li, arXiv 2109.03194, assume and prove of the method, with its
/// numbers; prints nothing of methods that do not scale by second moments.
void print_adaptive(const Case& c);

/// The whole of `starling check` for methods of cores that share memory; returns the exit status.
/// Throws UserError, before anything is printed, where `starling run` would refuse the experiment.
int check_asynchronous(const Experiment& experiment);

}  // namespace starling
