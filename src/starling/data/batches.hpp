/// Which samples each node uses in each round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "starling/base/types.hpp"
#include "starling/data/partition.hpp"

namespace starling {

/// The batch of a node in a round is a function of (seed, node, round) alone: rounds may be asked
/// in any order, and a resumed run gets the batches of an uninterrupted one.
///
/// With `reshuffle`, a node goes through its n samples again and again, in an order drawn anew for
/// each pass (its epoch): ceil(n / batch) rounds, of which the last is smaller where batch does not
/// divide n. Where batch >= n, every round uses all samples, ascending. Without `reshuffle`, every
/// round draws `batch` samples with replacement.
///
/// Rounds begin with 1. Round 0 is the subgradient that some methods take before the first: its
/// batch is as large as round 1's but belongs to no epoch.
class Batches {
 public:
  /// `batch` must be at least 1 and every node must have a sample.
  Batches(Partition partition, std::size_t batch, bool reshuffle, std::uint64_t seed);

  /// Passes over the data after that many rounds: samples used by all nodes / samples of all nodes.
  double epochs(Round rounds) const;

  std::size_t samples(Node node) const { return partition_[node].size(); }
  const Partition& partition() const { return partition_; }

 private:
  friend class BatchReader;
  Round rounds_per_epoch(std::size_t samples) const {
    return samples / batch_ + (samples % batch_ != 0);
  }

  Partition partition_;
  std::size_t batch_;
  bool reshuffle_;
  std::uint64_t seed_;
};

/// Works out batches. One thread uses one reader; it remembers each node's last epoch.
class BatchReader {
 public:
  /// `batches` must outlive the reader.
  explicit BatchReader(const Batches& batches);

  /// The samples of a round, valid until the same node is asked again. Allocates nothing.
  std::span<const std::uint32_t> batch(Node node, Round round);

 private:
  struct Cache {
    bool filled = false;
    Round epoch = 0;
    std::vector<std::uint32_t> samples;  // an epoch's order, or a batch drawn with replacement
  };

  void fill_epoch(Node node, Round epoch);

  const Batches& batches_;
  std::vector<Cache> caches_;
};

}  // namespace starling
