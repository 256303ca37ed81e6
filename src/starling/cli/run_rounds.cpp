/// `starling run` for nodes that exchange: the engines simulate and mpi.

#include <algorithm>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "starling/cli/commands.hpp"
#include "starling/cli/interrupt.hpp"
#include "starling/cli/naming.hpp"
#include "starling/cli/progress.hpp"
#include "starling/cli/run.hpp"
#include "starling/cli/together.hpp"
#include "starling/engine/cut.hpp"
#include "starling/engine/mpi.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/engine/train.hpp"
#include "starling/experiment/toml.hpp"
#include "starling/record/safetensors.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;

/// Everything an experiment needs, made and checked, before anything is written.
struct PreparedRun {
  Experiment experiment;
  Network network;
  std::unique_ptr<Problem> problem;
  std::vector<std::unique_ptr<RowUpdate>> updates;
  Round rounds;
  std::optional<Placement> placement{};  ///< of ranks
};

PreparedRun prepare(Experiment experiment) {
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
    return PreparedRun{std::move(experiment), std::move(network), std::move(problem),
                       std::move(updates), rounds};
  });
}

std::string introduction(const PreparedRun& prepared) {
  const Graph& graph = prepared.network.graph;
  return fmt::format("{}\n{} nodes, {} {}edges, {} rounds\n{}\n", prepared.experiment.title,
                     graph.nodes(), graph.edges(), graph.is_directed() ? "directed " : "",
                     prepared.rounds, prepared.problem->summary());
}

/// Which nodes each rank holds.
Placement placement_on(const PreparedRun& prepared, int ranks) {
  const Graph& graph = prepared.network.graph;
  return prepared.experiment.engine.ranks.placement == "cut" ? cut(graph, ranks)
                                                             : blocks(graph.nodes(), ranks);
}

/// What all nodes together send in round 1, method by method.
std::string traffic(const PreparedRun& prepared) {
  std::string text;
  for (std::size_t m = 0; m < prepared.updates.size(); ++m) {
    RoundWeights weights(*prepared.updates[m], *prepared.network.weights);
    weights.advance_to(1);
    text +=
        fmt::format("{}: {:.6g} MB sent in round 1\n", prepared.experiment.methods[m].label,
                    static_cast<double>(weights.bytes_sent(prepared.problem->dimension())) / 1e6);
  }
  if (prepared.placement)
    text += fmt::format("{} of {} edges cross between {} ranks\n",
                        crossing_edges(prepared.network.graph, *prepared.placement),
                        prepared.network.graph.edges(), prepared.placement->ranks());
  return text;
}

std::unique_ptr<Engine> make_engine(const PreparedRun& prepared, std::size_t m, Pool& pool,
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
                         {.messages_only = experiment.engine.ranks.exchange == "messages",
                          .timeout = experiment.engine.ranks.timeout,
                          .agree_every = experiment.every,
                          .rounds = prepared.rounds,
                          .placement = prepared.placement});
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

Outcome run_method(const PreparedRun& prepared, std::size_t m, Record* record, Pool& pool,
                   bool quiet, const MpiWorld* world) {
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
                              .advanced = [&](Round round) { progress.advanced(round); },
                              .stop = [world] { return !world && interrupted(); }});
  if (prepared.problem->dimension() <= 3) outcome.average = engine->average();
  if (!outcome.divergence)
    save_state(*engine, *prepared.updates[m], *prepared.problem,
               record ? record->folder / "checkpoints" / (plan.label + ".safetensors") : fs::path{},
               record);
  return outcome;
}

std::size_t threads_for(const RunArguments& arguments, const MpiWorld* world) {
  if (arguments.threads > 0) return arguments.threads;
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  return std::max(std::size_t{1}, cores / (world ? world->ranks_here() : 1));
}

void check_engine(const Experiment& experiment, const MpiWorld* world) {
  if (experiment.engine.name == "simulate" && world)
    throw UserError{
        fmt::format("{}: engine.name = \"simulate\" runs in one process, not as one of several "
                    "ranks: use \"auto\" or \"mpi\"",
                    experiment.file)};
}

/// All methods, then the table and what went wrong, from the first rank.
int run_all(const RunArguments& arguments, const PreparedRun& prepared, Record* record,
            const MpiWorld* world) {
  Pool pool(threads_for(arguments, world));
  std::vector<Outcome> outcomes;
  for (std::size_t m = 0; m < prepared.updates.size() && !interrupted(); ++m)
    outcomes.push_back(run_method(prepared, m, record, pool, arguments.quiet, world));
  if (record) return report(outcomes, "", *record, arguments.quiet);
  const bool finite = std::ranges::none_of(
      outcomes, [](const Outcome& outcome) { return outcome.divergence.has_value(); });
  return finite ? success : diverged;
}

}  // namespace

int run_rounds(const RunArguments& arguments, Experiment experiment,
               std::unique_ptr<MpiWorld> world) {
  std::optional<PreparedRun> prepared;
  together(world.get(), [&] {
    check_engine(experiment, world.get());
    prepared = prepare(std::move(experiment));
    if (world) prepared->placement = placement_on(*prepared, world->size());
  });
  if (prepared->experiment.engine.name == "mpi" && !world) world = std::make_unique<MpiWorld>();
  const bool is_first = !world || world->rank() == 0;
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
    if (is_first) record = create_record(arguments, prepared->experiment);
  });
  if (!world) {
    note_interrupts();
    return run_all(arguments, *prepared, record.get(), nullptr);
  }
  try {
    return run_all(arguments, *prepared, record.get(), world.get());
  } catch (const std::exception& error) {  // the others wait for this rank: end them too
    if (*error.what() != '\0') fmt::print(stderr, "starling: {}\n", error.what());
    std::fflush(stderr);
    world->abort(failed);
  }
}

}  // namespace starling
