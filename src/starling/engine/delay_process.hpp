/// Who updates next, and how old is what it has read: the probabilistic model of asynchrony.
///
/// Kungurtsev, Egan, Chatterjee & Alistarh, arXiv 1905.11845, Algorithm 2: iteration k draws
/// (i^k, d^k, xi^k), a core with its block, a delay for every block, and a minibatch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/base/types.hpp"

namespace starling {

struct DelayEvent {
  Node core;
  std::span<const Round> delays;  ///< one a block: it was read as x^{k - delay} had it
  std::optional<Round> sample;    ///< the round to draw the minibatch for, where it is recorded
};

class DelayProcess {
 public:
  virtual ~DelayProcess() = default;

  /// The event of iteration k; to be asked for k = 0, 1, ... in turn. No delay is larger than
  /// min(k, most()). What it points to is valid until the next call.
  virtual DelayEvent next(Round k) = 0;

  /// No delay is larger: delta of Assumption 3.1.
  virtual Round most() const = 0;

  /// The least chance of a core to be the next one, whatever has been: p_min of Assumption 3.1.
  /// Nothing where the next core follows from the past.
  virtual std::optional<double> least_chance() const { return std::nullopt; }

  /// The number of events there are; nothing where there is no end.
  virtual std::optional<Round> length() const { return std::nullopt; }
};

/// The same delay for every block; the next core is any with equal chance.
struct FixedDelay {
  std::int64_t delay = 1;
  static void options(auto& self, auto&& option) {
    option("delay", self.delay, between(0, 1e6), "delay, in updates, of every block");
  }
  std::unique_ptr<DelayProcess> make(std::size_t cores, std::size_t blocks,
                                     std::uint64_t seed) const;
};

/// Every delay up to a bound is equally likely, block by block; the next core is any.
struct UniformDelay {
  std::int64_t most = 8;
  static void options(auto& self, auto&& option) {
    option("most", self.most, between(0, 1e6), "the largest delay, in updates");
  }
  std::unique_ptr<DelayProcess> make(std::size_t cores, std::size_t blocks,
                                     std::uint64_t seed) const;
};

/// P(delay >= d) = (mean / (1 + mean))^d, cut at a bound, block by block; the next core is any.
struct GeometricDelay {
  double mean = 4;
  std::int64_t most = 64;
  static void options(auto& self, auto&& option) {
    option("mean", self.mean, Range{.low = 0, .high = 1e6, .low_open = true},
           "mean delay, in updates, before the cut");
    option("most", self.most, between(0, 1e6), "the largest delay");
  }
  std::unique_ptr<DelayProcess> make(std::size_t cores, std::size_t blocks,
                                     std::uint64_t seed) const;
};

/// Cores of given speeds, each of which reads again as soon as it has written; order and delays
/// follow from that.
struct CoreSpeeds {
  std::vector<double> speeds{1.0};
  double jitter = 0.2;
  static void options(auto& self, auto&& option) {
    option("speeds", self.speeds, between(1e-6, 1e6),
           "updates a second, one for all cores or one a core");
    option("jitter", self.jitter, between(0, 0.99),
           "an update takes (1 + jitter U) / speed, U uniform in [-1, 1)");
  }
  /// Methods with fewer cores take the first speeds. Throws UserError where there are too few.
  std::unique_ptr<DelayProcess> make(std::size_t cores, std::size_t blocks,
                                     std::uint64_t seed) const;
};

/// The events of a run of the threads engine.
struct TracedDelays {
  std::string path;
  static void options(auto& self, auto&& option) {
    option("path", self.path, Words{}, "trace that engine \"threads\" has recorded");
  }
  /// Throws UserError where the file is no trace of so many cores and blocks.
  std::unique_ptr<DelayProcess> make(std::size_t cores, std::size_t blocks,
                                     std::uint64_t seed) const;
};

}  // namespace starling
