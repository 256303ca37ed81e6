/// How far a run is, on the terminal.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "starling/record/metrics.hpp"

namespace starling {

/// Writes to stderr: one line that updates where that is a terminal, otherwise a plain line every
/// few seconds. Quiet: nothing.
class Progress {
 public:
  /// `unit` is what is counted: rounds, or updates.
  Progress(std::string label, Round rounds, bool quiet, std::string unit = "round");
  ~Progress();
  Progress(const Progress&) = delete;

  void advanced(Round round);
  void evaluated(const Metrics& metrics);

 private:
  using Clock = std::chrono::steady_clock;
  void show(bool last);
  std::string line() const;

  std::string label_, unit_;
  Round rounds_;
  bool quiet_, terminal_;
  Round round_ = 0, next_look_ = 0;
  std::optional<Metrics> metrics_;
  Clock::time_point begin_ = Clock::now(), shown_{};
};

}  // namespace starling
