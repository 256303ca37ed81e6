/// How many updates of others land while a core works on its own.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "starling/base/types.hpp"

namespace starling {

/// The histogram of one core. The core counts; others may look at the same time.
class alignas(64) Staleness {
 public:
  /// Counted one by one below this, all in one beyond.
  static constexpr std::size_t kinds = 1024;

  /// By the core itself.
  void count(Round stale) {
    add(counts_[std::min<Round>(stale, kinds)], 1);
    add(sum_, stale);
    add(updates_, 1);
    if (stale > most()) most_.store(stale, std::memory_order_relaxed);
  }

  /// Updates that were so stale; `kinds` stands for all from there on.
  Round updates_with(std::size_t stale) const {
    return counts_[stale].load(std::memory_order_relaxed);
  }
  Round updates() const { return updates_.load(std::memory_order_relaxed); }
  Round sum() const { return sum_.load(std::memory_order_relaxed); }
  Round most() const { return most_.load(std::memory_order_relaxed); }

 private:
  /// One thread writes, so load and store do; that is several times cheaper than fetch_add.
  static void add(std::atomic<Round>& number, Round amount) {
    number.store(number.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  std::array<std::atomic<Round>, kinds + 1> counts_{};
  std::atomic<Round> sum_{0}, updates_{0}, most_{0};
};

}  // namespace starling
