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

  /// The least chance of a core to be the next one: p_min of Assumption 3.1; for recorded events
  /// the least share.
  virtual double least_chance() const = 0;

  /// The number of events there are; nothing where there is no end.
  virtual std::optional<Round> length() const { return std::nullopt; }
};

/// Every block is equally old; the next core is any with equal chance.
struct FixedDelay {
  std::int64_t delay = 1;
  static void options(auto& self, auto&& option) {
    option("delay", self.delay, between(0, 1e6), "age, in updates, of every block read");
  }
  std::unique_ptr<DelayProcess> make(std::size_t cores, std::size_t blocks,
                                     std::uint64_t seed) const;
};

/// Every age up to a bound is equally likely, block by block; the next core is any.
struct UniformDelay {
  std::int64_t most = 8;
  static void options(auto& self, auto&& option) {
    option("most", self.most, between(0, 1e6), "the largest age, in updates");
  }
  std::unique_ptr<DelayProcess> make(std::size_t cores, std::size_t blocks,
                                     std::uint64_t seed) const;
};

/// P(age >= d) = (mean / (1 + mean))^d, cut at a bound, block by block; the next core is any.
struct GeometricDelay {
  double mean = 4;
  std::int64_t most = 64;
  static void options(auto& self, auto&& option) {
    option("mean", self.mean, positive, "mean age, in updates, before the cut");
    option("most", self.most, between(0, 1e6), "the largest age");
  }
  std::unique_ptr<DelayProcess> make(std::size_t cores, std::size_t blocks,
                                     std::uint64_t seed) const;
};

/// Cores of given speeds, each of which reads again as soon as it has written; order and ages
/// follow from that.
struct CoreSpeeds {
  std::vector<double> speeds{1.0};
  double jitter = 0.2;
  static void options(auto& self, auto&& option) {
    option("speeds", self.speeds, positive, "updates a second, one for all cores or one a core");
    option("jitter", self.jitter, decay_rate,
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
