/// What `starling check` says of cores that share memory: the engines threads and delays.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "starling/cli/asynchronous.hpp"
#include "starling/cli/check.hpp"
#include "starling/cli/commands.hpp"
#include "starling/engine/blocks.hpp"
#include "starling/experiment/asynchronous_setup.hpp"

namespace starling {
namespace {

void print_engine(const PreparedCores& prepared) {
  const Experiment& experiment = prepared.experiment;
  fmt::print("engine\n");
  print_line("name", experiment.engine.name);
  if (experiment.engine.name == "threads")
    print_line("access", access_of(experiment.engine.threads).load == strict_access().load
                             ? "strict: float by float"
                             : "fast: vectors at a time");
  else
    print_line("delay", shown(*experiment.resolved.find("engine")->table()->find("delay")));
  print_line("updates", fmt::format("{}, by all cores together", prepared.updates));
  const Problem& problem = *prepared.problem;
  const std::size_t tensors = problem.tensors().size();
  print_line("x", fmt::format("{} coordinates in {} tensor{}", problem.dimension(), tensors,
                              tensors == 1 ? "" : "s"));
}

void print_blocks(const std::vector<Part>& blocks) {
  print_line("blocks", blocks.size() == 1 ? "1, all of x"
                                          : fmt::format("{}, of {} coordinates", blocks.size(),
                                                        lengths_of(blocks)));
}

/// Who reads and writes what. Under the model of delays updates are made one after the other, so
/// locks do no more there than to divide x into blocks.
void print_memory(const Asynchronous& method, bool real) {
  if (real) {
    print_line("locks",
               fmt::format("to read: {}, to write: {}", method.read_lock, method.write_lock));
    print_line("a core reads", reads_of(method));
    print_line("a core writes", updates_of(method));
    return;
  }
  print_line("locks", "none: updates are made one after the other");
  print_line("a core reads", "every block as it was some updates ago");
  print_line("a core writes", is_partitioned(method) ? "its own block" : "all of x");
}

/// The first and the last of a core that makes its share of the updates.
void print_steps(const MethodPlan& method, const AsynchronousSetup& setup, Round last) {
  const bool alike = method.asynchronous.alpha.size() == 1;
  for (std::size_t core = 0; core < (alike ? std::size_t{1} : setup.cores); ++core) {
    const double first_step = setup.step_size(static_cast<Node>(core), 1);
    const double last_step = setup.step_size(static_cast<Node>(core), last);
    print_line(alike ? "step sizes of a core" : fmt::format("step sizes of core {}", core),
               first_step == last_step
                   ? fmt::format("{:.6g} in every update", first_step)
                   : fmt::format("{:.6g} in its update 1, {:.6g} in its update {}", first_step,
                                 last_step, last));
  }
}

void print_method(const PreparedCores& prepared, std::size_t m, const Constants& constants) {
  const MethodPlan& plan = prepared.experiment.methods[m];
  const AsynchronousSetup& setup = prepared.setups[m];
  const Round share = std::max<Round>(1, prepared.updates / setup.cores);
  const DelayProcess* process = prepared.processes.empty() ? nullptr : prepared.processes[m].get();
  Asynchronous method = plan.asynchronous;
  method.cores = static_cast<std::int64_t>(setup.cores);
  fmt::print("\n{}: {}\n", plan.label, Asynchronous::paper);
  print_line("cores", setup.cores == 1
                          ? "1"
                          : fmt::format("{}, {} updates each on average", setup.cores, share));
  print_blocks(setup.blocks);
  print_memory(method, process == nullptr);
  for (const Assumption& assumption : asynchronous_assumptions(plan, process, constants))
    print_assumption(assumption);
  print_steps(plan, setup, share);
}

}  // namespace

int check_asynchronous(const Experiment& experiment) {
  const PreparedCores prepared = prepare_cores(experiment);
  const Constants constants = prepared.problem->constants();
  fmt::print("{}\n", experiment.title);
  print_engine(prepared);
  for (std::size_t m = 0; m < prepared.setups.size(); ++m) print_method(prepared, m, constants);
  return success;
}

}  // namespace starling
