#include "starling/cli/asynchronous.hpp"

#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "starling/base/error.hpp"
#include "starling/cli/naming.hpp"
#include "starling/cli/run.hpp"
#include "starling/engine/blocks.hpp"

namespace starling {
namespace {

/// Throws UserError where a recorded trace is shorter than the run.
std::unique_ptr<DelayProcess> make_process(const Experiment& experiment,
                                           const AsynchronousSetup& setup, Round updates) {
  auto process = experiment.engine.delays(setup.cores, setup.blocks.size(), experiment.seed);
  if (process->length() && *process->length() < updates)
    throw UserError{
        fmt::format("rounds: {} updates, the trace has {}", updates, *process->length())};
  return process;
}

}  // namespace

PreparedCores prepare_cores(const Experiment& experiment) {
  return naming(experiment.file, [&] {
    PreparedCores prepared{experiment, experiment.problem(1, experiment.seed), 0, {}, {}};
    check_measures(experiment.measures, *prepared.problem);
    if (experiment.engine.name == "threads") access_of(experiment.engine.threads);
    prepared.updates = experiment.rounds_on(*prepared.problem);
    for (const MethodPlan& method : experiment.methods) {
      const AsynchronousSetup& setup = prepared.setups.emplace_back(
          set_up(method, experiment.engine, *prepared.problem, prepared.updates));
      if (experiment.engine.delays)
        prepared.processes.push_back(make_process(experiment, setup, prepared.updates));
    }
    return prepared;
  });
}

std::string lengths_of(const std::vector<Part>& blocks) {
  std::vector<std::size_t> lengths;
  for (const Part& block : blocks) lengths.push_back(block.count);
  return fmt::format("{}", fmt::join(lengths, " "));
}

std::string reads_of(const Asynchronous& method) {
  if (method.cores == 1) return "all of x, which nobody else writes";
  if (method.read_lock == "whole") return "all of x under its lock: as one update left it";
  if (method.read_lock == "block")
    return "all of x, block by block under their locks: each as one update left it";
  return "all of x, free of locks: what it gets may be of different ages";
}

std::string updates_of(const Asynchronous& method) {
  const bool owns = is_partitioned(method);
  const std::string_view what = owns ? "its own block" : "all of x";
  if (method.cores == 1) return "all of x, alone";
  if (method.write_lock == "whole") return fmt::format("{} under the lock of x", what);
  if (method.write_lock == "block")
    return owns ? "its own block under that block's lock"
                : "all of x, block by block under their locks";
  return fmt::format("{}, free of locks: {}", what,
                     owns ? "nobody else writes it" : "updates of others may get lost");
}

}  // namespace starling
