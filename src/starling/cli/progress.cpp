#include "starling/cli/progress.hpp"

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

namespace starling {

Progress::Progress(std::string label, Round rounds, bool quiet, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      rounds_(rounds),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (quiet_) return;
  show(true);
}

void Progress::advanced(Round round) {
  round_ = round;
  if (quiet_ || round < next_look_ || round == rounds_) return;
  // A look at the clock is not free in the smallest rounds: about fifty a second are enough.
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  next_look_ = round + 1 + static_cast<Round>(0.02 * static_cast<double>(round) / seconds);
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(5);
  if (Clock::now() - shown_ >= interval) show(false);
}

void Progress::evaluated(const Metrics& metrics) {
  metrics_ = metrics;
  if (metrics.round == 0) begin_ = Clock::now();  // the pace is that of rounds
  if (!quiet_ && terminal_) show(false);
}

void Progress::show(bool last) {
  shown_ = Clock::now();
  if (terminal_)
    fmt::print(stderr, "\r\033[K{}{}", line(), last ? "\n" : "");
  else
    fmt::print(stderr, "{}\n", line());
  std::fflush(stderr);
}

std::string Progress::line() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  const double pace = static_cast<double>(round_) / std::max(seconds, 1e-9);
  std::string text = fmt::format("{:<12} {} {}/{}", label_, unit_, round_, rounds_);
  if (metrics_) {
    const auto add = [&](const char* name, const std::optional<double>& value) {
      if (value) text += fmt::format("  {} {:.4g}", name, *value);
    };
    add("loss", metrics_->objective);
    add("accuracy", metrics_->test_accuracy);
    add("consensus", metrics_->consensus_error);
  }
  if (round_ > 0) text += fmt::format("  {:.4g} {}s/s", pace, unit_);
  if (round_ > 0 && round_ < rounds_)
    text += fmt::format("  {:.0f} s left", static_cast<double>(rounds_ - round_) / pace);
  return text;
}

}  // namespace starling
