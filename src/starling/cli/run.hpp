/// What the parts of `starling run` share.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "starling/engine/mpi_world.hpp"
#include "starling/experiment/experiment.hpp"
#include "starling/record/metrics_file.hpp"

namespace starling {

struct RunArguments {
  std::string file, out;
  std::vector<std::string> overrides;
  std::size_t threads = 0;  ///< 0: as many as there are cores for each rank
  bool dry_run = false, quiet = false;
};

/// Where a run leaves what it finds.
struct Record {
  std::filesystem::path folder;
  MetricsFile metrics;
};

/// What the table at the end says of a method.
struct Outcome {
  std::string label;
  std::optional<Metrics> last;
  std::optional<Divergence> divergence;
  std::vector<float> average;  ///< the average x, where it is short enough to print
  std::optional<std::size_t> cores;
};

/// Throws UserError where a measure costs more than anybody would wait for.
void check_measures(const Measures& measures, const Problem& problem);

/// Creates the run's folder with the resolved experiment.
std::unique_ptr<Record> create_record(const RunArguments& arguments, const Experiment& experiment);

/// The table of all methods, what else there is to say, and the folder; then, on stderr, what went
/// wrong. The exit status.
int report(const std::vector<Outcome>& outcomes, const std::string& notes, const Record& record,
           bool quiet);

/// Runs methods of nodes that exchange. `world` is null but for ranks.
int run_rounds(const RunArguments& arguments, Experiment experiment,
               std::unique_ptr<MpiWorld> world);

/// Runs methods of cores that share memory.
int run_asynchronous(const RunArguments& arguments, const Experiment& experiment);

}  // namespace starling
