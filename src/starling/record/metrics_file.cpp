#include "starling/record/metrics_file.hpp"

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/record/csv.hpp"

namespace starling {
namespace {

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "";
}

}  // namespace

MetricsFile::MetricsFile(const std::filesystem::path& path) : path_(path), file_(path) {
  file_ << "method,seed,round,epoch,seconds,bytes_sent,minibatch_loss,objective,test_accuracy,"
           "node_accuracy_mean,node_accuracy_min,consensus_error,gradient_norm,stationarity,"
           "staleness_mean,staleness_max\n"
        << std::flush;
  if (!file_) throw RunError{path_.string() + ": cannot be written"};
}

void MetricsFile::append(const std::string& method, std::uint64_t seed, const Metrics& m) {
  file_ << fmt::format("{},{},{},{},{:.6f},{},{},{},{},{},{},{},{},{},{},{}\n", csv_cell(method),
                       seed, m.round, m.epoch, m.seconds, m.bytes_sent, cell(m.minibatch_loss),
                       cell(m.objective), cell(m.test_accuracy), cell(m.node_accuracy_mean),
                       cell(m.node_accuracy_min), cell(m.consensus_error), cell(m.gradient_norm),
                       cell(m.stationarity), cell(m.staleness_mean), cell(m.staleness_most))
        << std::flush;
  if (!file_) throw RunError{path_.string() + ": cannot be written (disk full?)"};
}

}  // namespace starling
