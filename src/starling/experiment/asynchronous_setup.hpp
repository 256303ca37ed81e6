/// An asynchronous method of an experiment, fitted to the problem and the cores.
#pragma once

#include <string>
#include <vector>

#include "starling/engine/delay_process.hpp"
#include "starling/engine/shared_access.hpp"
#include "starling/engine/threads.hpp"
#include "starling/experiment/assumptions.hpp"
#include "starling/experiment/experiment.hpp"

namespace starling {

struct AsynchronousSetup {
  std::size_t cores = 1;
  std::vector<Part> blocks;
  CoreStep step_size;
};

/// Throws UserError, naming the method, where cores, factors, locks and partition do not fit
/// together. `updates` are those of all cores; the method must outlive what this returns.
AsynchronousSetup set_up(const MethodPlan& method, const EnginePlan& engine, const Problem& problem,
                         Round updates);

/// The access that the engine is asked for. Throws UserError where this processor has no fast one.
SharedAccess access_of(const ThreadsOptions& options);

/// What Kungurtsev et al., arXiv 1905.11845, assume: delays and blocks (3.1), subgradients (3.2),
/// step sizes (eq. 5). `process` is null where real threads make the delays.
std::vector<Assumption> asynchronous_assumptions(const MethodPlan& method,
                                                 const DelayProcess* process,
                                                 const Constants& constants);

}  // namespace starling
