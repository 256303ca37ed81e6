/// `starling run`: an experiment from file to table.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "starling/cli/commands.hpp"
#include "starling/cli/progress.hpp"
#include "starling/cli/text_table.hpp"
#include "starling/cli/together.hpp"
#include "starling/engine/mpi.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/engine/train.hpp"
#include "starling/experiment/experiment.hpp"
#include "starling/experiment/toml.hpp"
#include "starling/record/metrics_file.hpp"
#include "starling/record/run_folder.hpp"
#include "starling/record/safetensors.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string file, out;
  std::vector<std::string> overrides;
  std::size_t threads = 0;  ///< 0: as many as there are cores for each rank
  bool dry_run = false, quiet = false;
};

/// Everything an experiment needs, made and checked, before anything is written.
struct Prepared {
  Experiment experiment;
  Network network;
  std::unique_ptr<Problem> problem;
  std::vector<std::unique_ptr<RowUpdate>> updates;
  Round rounds;
};

/// Says which file a mistake is in, where the error does not say so itself.
template <class F>
auto naming(const std::string& file, const F& make) {
  try {
    return make();
  } catch (const UserError& error) {
    const std::string text = error.what();
    throw text.find(": ") != std::string::npos && text.starts_with(file)
        ? error
        : UserError{file + ": " + text};
  }
}

/// The measure of stationarity asks for twice as many full subgradients as there are dimensions.
void check_measures(const Measures& measures, const Problem& problem) {
  constexpr std::size_t most = 200;
  if (measures.stationarity > 0 && problem.dimension() > most)
    throw UserError{
        fmt::format("record.stationarity: for problems of dimension {} at most, this one has {}",
                    most, problem.dimension())};
}

Prepared prepare(const Arguments& arguments) {
  Experiment experiment = read_experiment(arguments.file, arguments.overrides);
  return naming(experiment.file, [&] {
    Network network = experiment.network.make();
    std::vector<std::unique_ptr<RowUpdate>> updates;
    for (const MethodPlan& plan : experiment.methods) {
      updates.push_back(plan.method());
      check_network(plan.label, *updates.back(), experiment.network, network);
    }
    network.weights = experiment.network.with_drops(std::move(network.weights));
    // A graph file may say itself how many nodes there are.
    std::unique_ptr<Problem> problem = experiment.problem(network.graph.nodes(), experiment.seed);
    check_measures(experiment.measures, *problem);
    const Round rounds = experiment.rounds_on(*problem);
    return Prepared{std::move(experiment), std::move(network), std::move(problem),
                    std::move(updates), rounds};
  });
}

std::string introduction(const Prepared& prepared) {
  const Graph& graph = prepared.network.graph;
  return fmt::format("{}\n{} nodes, {} {}edges, {} rounds\n{}\n", prepared.experiment.title,
                     graph.nodes(), graph.edges(), graph.is_directed() ? "directed " : "",
                     prepared.rounds, prepared.problem->summary());
}

/// What all nodes together send in round 1, method by method.
std::string traffic(const Prepared& prepared) {
  std::string text;
  for (std::size_t m = 0; m < prepared.updates.size(); ++m) {
    RoundWeights weights(*prepared.updates[m], *prepared.network.weights);
    weights.advance_to(1);
    text +=
        fmt::format("{}: {:.6g} MB sent in round 1\n", prepared.experiment.methods[m].label,
                    static_cast<double>(weights.bytes_sent(prepared.problem->dimension())) / 1e6);
  }
  return text;
}

/// What the table at the end says of a method.
struct Outcome {
  std::string label;
  std::optional<Metrics> last;
  std::optional<Divergence> divergence;
  std::vector<float> average;  ///< the average x, where it is short enough to print
};

/// Where a run leaves what it finds. Only the first rank has one.
struct Record {
  fs::path folder;
  MetricsFile metrics;
};

std::unique_ptr<Engine> make_engine(const Prepared& prepared, std::size_t m, Pool& pool,
                                    const MpiWorld* world) {
  const Experiment& experiment = prepared.experiment;
  const MethodPlan& plan = experiment.methods[m];
  const RowUpdate& update = *prepared.updates[m];
  const StepSize step_size = [&plan, rounds = prepared.rounds](Round k) {
    return plan.step * plan.schedule(k, rounds);
  };
  if (!world)
    return std::make_unique<Simulation>(update, *prepared.problem, *prepared.network.weights,
                                        step_size, pool);
  return make_mpi_engine(*world, update, *prepared.problem, *prepared.network.weights, step_size,
                         pool,
                         {.messages_only = experiment.engine.exchange == "messages",
                          .timeout = experiment.engine.timeout,
                          .agree_every = experiment.every,
                          .rounds = prepared.rounds});
}

/// Rows of other ranks come to the first one, which writes.
void save_state(Engine& engine, const RowUpdate& update, const Problem& problem,
                const fs::path& path, const Record* record) {
  if (!record) {
    for (std::size_t v = 0; v < update.state_count(); ++v)
      for (Node i = 0; i < problem.nodes(); ++i) engine.row(v, i);
    return;
  }
  std::vector<TensorRows> tensors;
  for (std::size_t v = 0; v < update.state_count(); ++v)
    tensors.push_back(
        {std::string{update.variables()[v]},
         {problem.nodes(), problem.dimension()},
         problem.nodes(),
         [&engine, v](std::size_t row) { return engine.row(v, static_cast<Node>(row)); }});
  write_whole_file(path, [&](const Sink& sink) { write_safetensors(tensors, sink); });
}

Outcome run_method(const Prepared& prepared, std::size_t m, Record* record, Pool& pool, bool quiet,
                   const MpiWorld* world) {
  const Experiment& experiment = prepared.experiment;
  const MethodPlan& plan = experiment.methods[m];
  const std::unique_ptr<Engine> engine = make_engine(prepared, m, pool, world);
  Outcome outcome{.label = plan.label};
  Progress progress(plan.label, prepared.rounds, quiet || !record);
  outcome.divergence = train(*engine, {prepared.rounds, experiment.every, experiment.measures},
                             {.evaluated =
                                  [&](const Metrics& metrics) {
                                    if (record)
                                      record->metrics.append(plan.label, experiment.seed, metrics);
                                    outcome.last = metrics;
                                    progress.evaluated(metrics);
                                  },
                              .advanced = [&](Round round) { progress.advanced(round); }});
  if (prepared.problem->dimension() <= 3) outcome.average = engine->average();
  if (!outcome.divergence)
    save_state(*engine, *prepared.updates[m], *prepared.problem,
               record ? record->folder / "checkpoints" / (plan.label + ".safetensors") : fs::path{},
               record);
  return outcome;
}

std::size_t threads_for(const Arguments& arguments, const MpiWorld* world) {
  if (arguments.threads > 0) return arguments.threads;
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  return std::max(std::size_t{1}, cores / (world ? world->ranks_here() : 1));
}

std::string final_table(const std::vector<Outcome>& outcomes) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.5g}", *value) : "-";
  };
  std::vector<std::vector<std::string>> rows{{"method", "rounds", "objective", "test accuracy",
                                              "worst node", "consensus error", "gradient norm",
                                              "stationarity", "MB sent", "seconds", "average x"}};
  for (const Outcome& outcome : outcomes) {
    const Metrics last = outcome.last.value_or(Metrics{});
    rows.push_back(
        {outcome.label + (outcome.divergence ? " (diverged)" : ""), fmt::format("{}", last.round),
         number(last.objective), number(last.test_accuracy), number(last.node_accuracy_min),
         number(last.consensus_error), number(last.gradient_norm), number(last.stationarity),
         fmt::format("{:.1f}", static_cast<double>(last.bytes_sent) / 1e6),
         fmt::format("{:.1f}", last.seconds),
         outcome.average.empty() ? "-" : fmt::format("{:.4f}", fmt::join(outcome.average, " "))});
  }
  // A column in which nobody has a value says nothing.
  for (std::size_t c = rows[0].size(); c-- > 1;) {
    const auto empty = [c](const auto& row) { return row[c] == "-"; };
    if (std::all_of(rows.begin() + 1, rows.end(), empty))
      for (auto& row : rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(c));
  }
  return text_table(rows);
}

void check_engine(const Experiment& experiment, const MpiWorld* world) {
  if (experiment.engine.name == "simulate" && world)
    throw UserError{
        fmt::format("{}: engine.name = \"simulate\" runs in one process, not as one of several "
                    "ranks: use \"auto\" or \"mpi\"",
                    experiment.file)};
}

std::unique_ptr<Record> create_record(const Arguments& arguments, const Prepared& prepared) {
  const fs::path folder = arguments.out.empty()
                              ? free_run_folder(fs::path{arguments.file}.stem().string())
                              : fs::path{arguments.out};
  create_run_folder(folder);
  fs::create_directory(folder / "checkpoints");
  write_whole_file(folder / "experiment.toml", to_toml_document(prepared.experiment.resolved));
  return std::make_unique<Record>(Record{folder, MetricsFile(folder / "metrics.csv")});
}

/// All methods, then the table and what went wrong, from the first rank.
int run_all(const Arguments& arguments, const Prepared& prepared, Record* record,
            const MpiWorld* world) {
  Pool pool(threads_for(arguments, world));
  std::vector<Outcome> outcomes;
  for (std::size_t m = 0; m < prepared.updates.size(); ++m)
    outcomes.push_back(run_method(prepared, m, record, pool, arguments.quiet, world));
  if (record) {
    if (!arguments.quiet) fmt::print("\n{}\n", final_table(outcomes));
    fmt::print("{}\n", record->folder.string());
  }
  int status = success;
  for (const Outcome& outcome : outcomes)
    if (const auto& d = outcome.divergence) {
      if (record)
        fmt::print(stderr,
                   "starling: {} diverged in round {}: node {}, {} is not finite (try a smaller "
                   "step)\n",
                   outcome.label, d->round, d->node, d->variable);
      status = diverged;
    }
  return status;
}

int run(const Arguments& arguments) {
  std::unique_ptr<MpiWorld> world = started_as_rank() ? std::make_unique<MpiWorld>() : nullptr;
  const bool is_first = !world || world->rank() == 0;
  std::optional<Prepared> prepared;
  together(world.get(), [&] {
    prepared = prepare(arguments);
    check_engine(prepared->experiment, world.get());
  });
  if (prepared->experiment.engine.name == "mpi" && !world) world = std::make_unique<MpiWorld>();
  if (is_first && (!arguments.quiet || arguments.dry_run))
    fmt::print("{}\n", introduction(*prepared));
  std::fflush(stdout);  // progress goes to stderr and comes after it
  if (arguments.dry_run) {
    if (is_first)
      fmt::print("{}\n{}", traffic(*prepared), to_toml_document(prepared->experiment.resolved));
    return success;
  }
  std::unique_ptr<Record> record;
  together(world.get(), [&] {
    if (is_first) record = create_record(arguments, *prepared);
  });
  if (!world) return run_all(arguments, *prepared, record.get(), nullptr);
  try {
    return run_all(arguments, *prepared, record.get(), world.get());
  } catch (const std::exception& error) {  // the others wait for this rank: end them too
    if (*error.what() != '\0') fmt::print(stderr, "starling: {}\n", error.what());
    std::fflush(stderr);
    world->abort(failed);
  }
}

}  // namespace

Command run_command(CLI::App& program) {
  auto* app = program.add_subcommand("run", "Run an experiment");
  auto arguments = std::make_shared<Arguments>();
  app->add_option("file", arguments->file, "Experiment, a TOML file")->required();
  app->add_option("--set", arguments->overrides,
                  "Change a value of the file, e.g. method.step=1e-3 (every method's step)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app->add_option("--out", arguments->out, "Folder of the run (default: runs/NAME)")
      ->type_name("DIR");
  app->add_option("--threads", arguments->threads,
                  "Threads; the results are the same for any number")
      ->check(CLI::Range(1, 1024));
  app->add_flag("--dry-run", arguments->dry_run,
                "Check everything, show the data of each node and the resolved file; run nothing");
  app->add_flag("--quiet", arguments->quiet, "Print the run's folder only");
  app->footer(
      "Example:\n"
      "  starling run experiments/heterogeneous-ring.toml --set rounds=200 --out runs/short\n"
      "\n"
      "The run's folder gets experiment.toml (as resolved), metrics.csv (one row an evaluation)\n"
      "and checkpoints/METHOD.safetensors (every node's last state).\n"
      "Under mpirun the nodes are spread over its ranks, with the same results:\n"
      "  mpirun -n 4 starling run experiments/heterogeneous-ring.toml\n"
      "Exit status: 0 done, 1 failed, 2 a mistake in the input, 3 diverged.");
  return {app, [arguments] { return run(*arguments); }};
}

}  // namespace starling
