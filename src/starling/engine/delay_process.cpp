#include "starling/engine/delay_process.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"
#include "starling/record/trace.hpp"

namespace starling {
namespace {

/// Ages drawn one by one, and the next core with equal chances.
class DrawnDelays final : public DelayProcess {
 public:
  using Draw = std::function<Round(Random&)>;

  DrawnDelays(std::size_t cores, std::size_t blocks, std::uint64_t seed, std::int64_t most,
              Draw draw)
      : cores_(static_cast<std::uint32_t>(cores)),
        seed_(seed),
        most_(static_cast<Round>(most)),
        draw_(std::move(draw)),
        delays_(blocks) {}

  DelayEvent next(Round k) override {
    Random random(seed_, Purpose::delays, 0, k);
    const Node core = random.below(cores_);
    for (Round& delay : delays_) delay = std::min({draw_(random), most_, k});
    return {core, delays_, std::nullopt};
  }
  Round most() const override { return most_; }
  std::optional<double> least_chance() const override { return 1.0 / cores_; }

 private:
  std::uint32_t cores_;
  std::uint64_t seed_;
  Round most_;
  Draw draw_;
  std::vector<Round> delays_;
};

class SpeedDelays final : public DelayProcess {
 public:
  SpeedDelays(std::vector<double> speeds, double jitter, std::size_t blocks, std::uint64_t seed)
      : speeds_(std::move(speeds)),
        jitter_(jitter),
        seed_(seed),
        ends_(speeds_.size()),
        seen_(speeds_.size()),
        done_(speeds_.size()),
        delays_(blocks) {
    for (Node core = 0; core < ends_.size(); ++core) ends_[core] = duration(core);
  }

  DelayEvent next(Round k) override {
    const auto first = std::ranges::min_element(ends_);
    const auto core = static_cast<Node>(first - ends_.begin());
    std::ranges::fill(delays_, k - seen_[core]);
    seen_[core] = k + 1;
    ++done_[core];
    ends_[core] += duration(core);
    return {core, delays_, std::nullopt};
  }

  /// While the slowest update runs, another core ends at most so many of its shortest ones, and one
  /// that had begun before.
  Round most() const override {
    Round worst = 0;
    for (std::size_t core = 0; core < speeds_.size(); ++core) {
      Round others = 0;
      for (std::size_t other = 0; other < speeds_.size(); ++other)
        if (other != core)
          // A little more, because times are rounded, and ties may end either way.
          others += static_cast<Round>((1 + 1e-9) * (1 + jitter_) / speeds_[core] * speeds_[other] /
                                       (1 - jitter_)) +
                    1;
      worst = std::max(worst, others);
    }
    return worst;
  }

 private:
  double duration(Node core) const {
    const double u = Random(seed_, Purpose::delays, core, done_[core]).uniform();
    return (1 + jitter_ * (2 * u - 1)) / speeds_[core];
  }

  std::vector<double> speeds_;
  double jitter_;
  std::uint64_t seed_;
  std::vector<double> ends_;  ///< when the update that a core is at ends
  std::vector<Round> seen_;   ///< updates that had landed when it read
  std::vector<Round> done_;
  std::vector<Round> delays_;
};

class TraceDelays final : public DelayProcess {
 public:
  explicit TraceDelays(Trace trace) : trace_(std::move(trace)) {}

  DelayEvent next(Round k) override {
    const Trace::Update& update = trace_.updates[k];
    return {update.core, {trace_.delays_of(k), trace_.blocks}, update.sample};
  }
  Round most() const override {
    return trace_.delays.empty() ? 0 : *std::ranges::max_element(trace_.delays);
  }
  std::optional<Round> length() const override { return trace_.updates.size(); }

 private:
  Trace trace_;
};

}  // namespace

std::unique_ptr<DelayProcess> FixedDelay::make(std::size_t cores, std::size_t blocks,
                                               std::uint64_t seed) const {
  return std::make_unique<DrawnDelays>(cores, blocks, seed, delay,
                                       [age = static_cast<Round>(delay)](Random&) { return age; });
}

std::unique_ptr<DelayProcess> UniformDelay::make(std::size_t cores, std::size_t blocks,
                                                 std::uint64_t seed) const {
  return std::make_unique<DrawnDelays>(
      cores, blocks, seed, most, [kinds = static_cast<std::uint32_t>(most + 1)](Random& random) {
        return Round{random.below(kinds)};
      });
}

std::unique_ptr<DelayProcess> GeometricDelay::make(std::size_t cores, std::size_t blocks,
                                                   std::uint64_t seed) const {
  return std::make_unique<DrawnDelays>(
      cores, blocks, seed, most,
      [scale = 1 / std::log(mean / (1 + mean)), limit = static_cast<double>(most)](Random& random) {
        return static_cast<Round>(std::min(limit, std::log(1 - random.uniform()) * scale));
      });
}

std::unique_ptr<DelayProcess> CoreSpeeds::make(std::size_t cores, std::size_t blocks,
                                               std::uint64_t seed) const {
  if (speeds.size() != 1 && speeds.size() < cores)
    throw UserError{
        fmt::format("engine.delay.speeds: {} numbers for {} cores: must be one for all "
                    "or one a core",
                    speeds.size(), cores)};
  std::vector<double> all(cores);
  for (std::size_t core = 0; core < cores; ++core)
    all[core] = speeds[speeds.size() == 1 ? 0 : core];
  return std::make_unique<SpeedDelays>(std::move(all), jitter, blocks, seed);
}

std::unique_ptr<DelayProcess> TracedDelays::make(std::size_t cores, std::size_t blocks,
                                                 std::uint64_t) const {
  if (path.empty())
    throw UserError{"engine.delay.path: empty: name a trace, as engine.trace = true records it"};
  Trace trace = read_trace(path);
  if (trace.blocks != blocks)
    throw UserError{
        fmt::format("{}: has delays of {} blocks, the method makes {} of x: cores, "
                    "locks and partition must be those of the recorded run",
                    path, trace.blocks, blocks)};
  for (std::size_t k = 0; k < trace.updates.size(); ++k)
    if (trace.updates[k].core >= cores)
      throw UserError{fmt::format("{}:{}: core = {}: there are {} cores", path, k + 2,
                                  trace.updates[k].core, cores)};
  return std::make_unique<TraceDelays>(std::move(trace));
}

}  // namespace starling
