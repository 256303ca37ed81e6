/// The last versions of a block of x.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

#include "starling/base/types.hpp"
#include "starling/engine/arena.hpp"

namespace starling {

/// x^0, x^1, ... restricted to a block, as far back as delays reach: a ring of delta + 1 versions.
/// Versions are stored where the block changes only.
class BlockHistory {
 public:
  /// `start` is the block in x^0. Memory is taken as versions come.
  BlockHistory(std::span<const float> start, Round most_delay)
      : count_(start.size()), since_(most_delay + 1), versions_(count_ * since_.size()) {
    std::memcpy(versions_.data(), start.data(), count_ * sizeof(float));
  }

  /// The block in x^k; k may lie `most_delay` before the newest version at most.
  std::span<const float> at(Round k) const {
    std::size_t slot = newest_;
    while (since_[slot] > k) {
      slot = (slot + since_.size() - 1) % since_.size();
      if (slot == newest_) throw std::logic_error{"a delay larger than its bound"};
    }
    return {versions_.data() + slot * count_, count_};
  }

  std::span<const float> newest() const { return {versions_.data() + newest_ * count_, count_}; }

  /// A copy of the newest version, to be changed: the block from x^k on.
  std::span<float> add(Round k) {
    assert(k > since_[newest_]);
    const float* const before = newest().data();
    newest_ = (newest_ + 1) % since_.size();
    since_[newest_] = k;
    float* const next = versions_.data() + newest_ * count_;
    if (next != before) std::memcpy(next, before, count_ * sizeof(float));
    return {next, count_};
  }

 private:
  std::size_t count_;
  std::vector<Round> since_;  ///< the k of each slot's version
  Arena versions_;
  std::size_t newest_ = 0;
};

}  // namespace starling
