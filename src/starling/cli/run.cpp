/// `starling run`: an experiment from file to table.

#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "starling/cli/commands.hpp"
#include "starling/cli/run.hpp"
#include "starling/cli/together.hpp"

namespace starling {
namespace {

int run(const RunArguments& arguments) {
  std::unique_ptr<MpiWorld> world = started_as_rank() ? std::make_unique<MpiWorld>() : nullptr;
  Experiment experiment;
  together(world.get(), [&] {
    experiment = read_experiment(arguments.file, arguments.overrides);
    if (world && experiment.engine.shares_memory())
      throw UserError{
          fmt::format("{}: engine.name = \"{}\" runs in one process, not as one of "
                      "several ranks: start it without mpirun",
                      experiment.file, experiment.engine.name)};
  });
  if (experiment.engine.shares_memory()) return run_asynchronous(arguments, experiment);
  return run_rounds(arguments, std::move(experiment), std::move(world));
}

}  // namespace

Command run_command(CLI::App& program) {
  auto* app = program.add_subcommand("run", "Run an experiment");
  auto arguments = std::make_shared<RunArguments>();
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
      "and checkpoints/METHOD.safetensors (every node's last state); with engine threads also\n"
      "staleness.csv and, on request, traces/METHOD.csv.\n"
      "Under mpirun the nodes are spread over its ranks, with the same results:\n"
      "  mpirun -n 4 starling run experiments/heterogeneous-ring.toml\n"
      "Exit status: 0 done, 1 failed, 2 a mistake in the input, 3 diverged, 130 ended by Ctrl-C\n"
      "(what was recorded until then stays).");
  return {app, [arguments] { return run(*arguments); }};
}

}  // namespace starling
