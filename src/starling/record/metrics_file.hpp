/// metrics.csv: what a run recorded, one row an evaluation.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "starling/record/metrics.hpp"

namespace starling {

/// Appends rows as they come and flushes each, so that what was recorded stays readable whatever
/// happens next. Numbers are written with the fewest digits that read back to the same bits.
class MetricsFile {
 public:
  /// Creates the file and writes the header. Throws RunError if that fails.
  explicit MetricsFile(const std::filesystem::path& path);

  /// Throws RunError if the row cannot be written.
  void append(const std::string& method, std::uint64_t seed, const Metrics& metrics);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace starling
