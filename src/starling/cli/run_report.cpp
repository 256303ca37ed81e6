/// What a run prints in the end, and the folder that it leaves.

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "starling/cli/commands.hpp"
#include "starling/cli/interrupt.hpp"
#include "starling/cli/run.hpp"
#include "starling/cli/text_table.hpp"
#include "starling/experiment/toml.hpp"
#include "starling/record/run_folder.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;

/// Mean and largest.
std::string staleness_of(const Metrics& last) {
  if (!last.staleness_mean || !last.staleness_most) return "-";
  return fmt::format("{:.2f} (max {:.0f})", *last.staleness_mean, *last.staleness_most);
}

std::string final_table(const std::vector<Outcome>& outcomes) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.5g}", *value) : "-";
  };
  const char* const counted = !outcomes.empty() && outcomes[0].cores ? "updates" : "rounds";
  std::vector<std::vector<std::string>> rows{
      {"method", "cores", counted, "objective", "test accuracy", "worst node", "consensus error",
       "gradient norm", "stationarity", "staleness", "MB sent", "seconds", "average x"}};
  for (const Outcome& outcome : outcomes) {
    const Metrics last = outcome.last.value_or(Metrics{});
    const std::optional<std::size_t>& cores = outcome.cores;
    rows.push_back(
        {outcome.label + (outcome.divergence ? " (diverged)" : ""),
         cores ? fmt::format("{}", *cores) : "-", fmt::format("{}", last.round),
         number(last.objective), number(last.test_accuracy), number(last.node_accuracy_min),
         number(last.consensus_error), number(last.gradient_norm), number(last.stationarity),
         staleness_of(last),
         cores ? "-" : fmt::format("{:.1f}", static_cast<double>(last.bytes_sent) / 1e6),
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

}  // namespace

/// The measure of stationarity asks for twice as many full subgradients as there are dimensions.
void check_measures(const Measures& measures, const Problem& problem) {
  constexpr std::size_t most = 200;
  if (measures.stationarity > 0 && problem.dimension() > most)
    throw UserError{
        fmt::format("record.stationarity: for problems of dimension {} at most, this one has {}",
                    most, problem.dimension())};
}

std::unique_ptr<Record> create_record(const RunArguments& arguments, const Experiment& experiment) {
  const fs::path folder = arguments.out.empty()
                              ? free_run_folder(fs::path{arguments.file}.stem().string())
                              : fs::path{arguments.out};
  create_run_folder(folder);
  fs::create_directory(folder / "checkpoints");
  write_whole_file(folder / "experiment.toml", to_toml_document(experiment.resolved));
  return std::make_unique<Record>(Record{folder, MetricsFile(folder / "metrics.csv")});
}

int report(const std::vector<Outcome>& outcomes, const std::string& notes, const Record& record,
           bool quiet) {
  if (!quiet) fmt::print("\n{}\n{}", final_table(outcomes), notes);
  fmt::print("{}\n", record.folder.string());
  int status = success;
  for (const Outcome& outcome : outcomes)
    if (const auto& d = outcome.divergence) {
      fmt::print(stderr,
                 "starling: {} diverged in {} {}: {} {}, {} is not finite (try a smaller step)\n",
                 outcome.label, outcome.cores ? "update" : "round", d->round,
                 outcome.cores ? "core" : "node", d->node, d->variable);
      status = diverged;
    }
  if (!interrupted()) return status;
  fmt::print(stderr, "starling: interrupted: what was recorded until then is in {}\n",
             record.folder.string());
  return ended_by_signal;
}

}  // namespace starling
