/// `starling run` for cores that share memory: the engines threads and delays.

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "starling/cli/asynchronous.hpp"
#include "starling/cli/commands.hpp"
#include "starling/cli/interrupt.hpp"
#include "starling/cli/progress.hpp"
#include "starling/cli/run.hpp"
#include "starling/engine/blocks.hpp"
#include "starling/engine/delays.hpp"
#include "starling/engine/train.hpp"
#include "starling/experiment/asynchronous_setup.hpp"
#include "starling/experiment/toml.hpp"
#include "starling/record/csv.hpp"
#include "starling/record/safetensors.hpp"
#include "starling/record/trace.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;

/// Who updates what.
std::string blocks_text(const MethodPlan& method, const AsynchronousSetup& setup) {
  if (!is_partitioned(method.asynchronous))
    return fmt::format("{}: {} {} all of x\n", method.label, setup.cores,
                       setup.cores == 1 ? "core updates" : "cores update");
  return fmt::format("{}: {} cores, each updates its block of x: {}\n", method.label, setup.cores,
                     lengths_of(setup.blocks));
}

std::string introduction(const PreparedCores& prepared) {
  const Experiment& experiment = prepared.experiment;
  std::string text =
      fmt::format("{}\nengine {}, {} updates\n{}\n", experiment.title, experiment.engine.name,
                  prepared.updates, prepared.problem->summary());
  for (std::size_t m = 0; m < prepared.setups.size(); ++m)
    text += blocks_text(experiment.methods[m], prepared.setups[m]);
  return text;
}

void save_vectors(const fs::path& path, std::span<const float> x, std::span<const float> u) {
  const auto one_row = [](const char* name, std::span<const float> values) {
    return TensorRows{name, {1, values.size()}, 1, [values](std::size_t) { return values; }};
  };
  write_whole_file(path, [&](const Sink& sink) {
    write_safetensors({one_row("x", x), one_row("u", u)}, sink);
  });
}

/// staleness.csv: how many updates of each core were how stale.
class StalenessTable {
 public:
  void add(const std::string& label, const std::vector<CoreReport>& cores) {
    for (std::size_t core = 0; core < cores.size(); ++core)
      for (std::size_t stale = 0; stale < cores[core].staleness.size(); ++stale)
        if (const Round updates = cores[core].staleness[stale]; updates > 0)
          text_ += fmt::format("{},{},{},{}\n", csv_cell(label), core, stale, updates);
  }
  void write(const fs::path& path) const { write_whole_file(path, text_); }

 private:
  std::string text_ = "method,core,staleness,updates\n";
};

std::string cores_text(const std::string& label, const std::vector<CoreReport>& cores) {
  std::vector<std::string> shares, most;
  Round all = 0;
  for (const CoreReport& core : cores) all += core.updates;
  for (const CoreReport& core : cores) {
    shares.push_back(fmt::format("{:.1f}%", 100 * static_cast<double>(core.updates) /
                                                static_cast<double>(std::max<Round>(1, all))));
    most.push_back(fmt::format("{}", core.staleness_most));
  }
  return fmt::format("{}: updates by core {}; largest staleness {}\n", label,
                     fmt::join(shares, " "), fmt::join(most, " "));
}

/// The callbacks of a run of one method.
struct Watching {
  const PreparedCores& prepared;
  Record& record;
  Outcome& outcome;
  Progress& progress;

  void evaluated(const Metrics& metrics) const {
    record.metrics.append(outcome.label, prepared.experiment.seed, metrics);
    outcome.last = metrics;
    progress.evaluated(metrics);
  }
};

/// With real threads. Returns what the cores did.
std::string run_on_threads(const PreparedCores& prepared, std::size_t m, const Watching& watching,
                           StalenessTable& staleness) {
  const Experiment& experiment = prepared.experiment;
  const MethodPlan& method = experiment.methods[m];
  const AsynchronousSetup& setup = prepared.setups[m];
  const ThreadsPlan plan{.method = method.asynchronous,
                         .cores = setup.cores,
                         .blocks = setup.blocks,
                         .step_size = setup.step_size,
                         .updates = prepared.updates,
                         .access = access_of(experiment.engine.threads),
                         .trace = experiment.engine.threads.trace,
                         .every = experiment.every,
                         .seconds = experiment.every_seconds,
                         .measures = experiment.measures};
  const ThreadsResult result =
      run_threads(plan, *prepared.problem,
                  {.evaluated = [&](const Metrics& metrics) { watching.evaluated(metrics); },
                   .advanced = [&](Round updates) { watching.progress.advanced(updates); },
                   .stop = interrupted});
  watching.outcome.divergence = result.divergence;
  if (result.x.size() <= 3) watching.outcome.average = result.x;
  const fs::path& folder = watching.record.folder;
  staleness.add(method.label, result.cores);
  staleness.write(folder / "staleness.csv");
  if (result.trace)
    write_whole_file(folder / "traces" / (method.label + ".csv"), [&](const Sink& sink) {
      write_trace(*result.trace, is_partitioned(method.asynchronous), sink);
    });
  if (!result.divergence)
    save_vectors(folder / "checkpoints" / (method.label + ".safetensors"), result.x, result.u);
  return cores_text(method.label, result.cores);
}

/// Under the model of delays.
void run_with_delays(const PreparedCores& prepared, std::size_t m, const Watching& watching) {
  const Experiment& experiment = prepared.experiment;
  const MethodPlan& method = experiment.methods[m];
  const AsynchronousSetup& setup = prepared.setups[m];
  Delays engine(method.asynchronous, setup.blocks, setup.cores, setup.step_size,
                *prepared.processes[m], *prepared.problem, prepared.updates);
  Outcome& outcome = watching.outcome;
  outcome.divergence =
      train(engine, {prepared.updates, experiment.every, experiment.measures},
            {.evaluated = [&](const Metrics& metrics) { watching.evaluated(metrics); },
             .advanced = [&](Round updates) { watching.progress.advanced(updates); },
             .stop = interrupted});
  const std::vector<float> x = engine.average();
  if (x.size() <= 3) outcome.average = x;
  if (!outcome.divergence)
    save_vectors(watching.record.folder / "checkpoints" / (method.label + ".safetensors"), x,
                 engine.row(1, 0));
}

}  // namespace

int run_asynchronous(const RunArguments& arguments, const Experiment& experiment) {
  const PreparedCores prepared = prepare_cores(experiment);
  if (!arguments.quiet || arguments.dry_run) fmt::print("{}\n", introduction(prepared));
  std::fflush(stdout);  // progress goes to stderr and comes after it
  if (arguments.dry_run) {
    fmt::print("{}", to_toml_document(experiment.resolved));
    return success;
  }
  const std::unique_ptr<Record> record = create_record(arguments, experiment);
  if (experiment.engine.threads.trace) fs::create_directory(record->folder / "traces");
  note_interrupts();
  std::vector<Outcome> outcomes;
  StalenessTable staleness;
  std::string notes;
  for (std::size_t m = 0; m < prepared.setups.size() && !interrupted(); ++m) {
    Outcome& outcome = outcomes.emplace_back(
        Outcome{.label = experiment.methods[m].label, .cores = prepared.setups[m].cores});
    Progress progress(outcome.label, prepared.updates, arguments.quiet, "update");
    const Watching watching{prepared, *record, outcome, progress};
    if (experiment.engine.name == "threads")
      notes += run_on_threads(prepared, m, watching, staleness);
    else
      run_with_delays(prepared, m, watching);
  }
  return report(outcomes, notes.empty() ? notes : notes + '\n', *record, arguments.quiet);
}

}  // namespace starling
