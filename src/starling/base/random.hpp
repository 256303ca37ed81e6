/// Counter-based random numbers: a stream is a pure function of what it is for.
///
/// Nothing is shared between streams, so any thread or rank can draw any of them in any order and
/// get the same numbers. Generator: Philox4x32-10 (Salmon et al., SC 2011) of Random123.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

#include <Random123/philox.h>

#include "starling/base/types.hpp"

namespace starling {

/// What a stream is drawn for. The numbers are part of the format: the same file must give the
/// same bits in later versions, so append, never renumber.
enum class Purpose : std::uint32_t {
  graph = 1,
  partition = 2,
  start = 3,
  batch = 4,
  problem = 5,
  links = 6,
  loss = 7,
  stationarity = 8,
  delays = 9
};

/// One stream of random numbers, keyed by (seed, purpose, node, round).
class Random {
 public:
  using result_type = std::uint32_t;

  Random(std::uint64_t seed, Purpose purpose, Node node = 0, Round round = 0)
      : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
        counter_{
            {0, node, static_cast<std::uint32_t>(round),
             static_cast<std::uint32_t>(purpose) | static_cast<std::uint32_t>(round >> 32) << 8}} {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xffffffffu; }

  /// The next 32 random bits.
  result_type operator()() {
    if (used_ == 4) {
      block_ = r123::Philox4x32{}(counter_, key_);
      ++counter_.v[0];
      used_ = 0;
    }
    return block_.v[used_++];
  }

  /// A number in [0, 1) with 53 random bits.
  double uniform() {
    const std::uint64_t high = (*this)() >> 5, low = (*this)() >> 6;
    return static_cast<double>(high << 26 | low) * 0x1p-53;
  }

  /// A whole number in [0, bound), each equally likely (Lemire's multiplication with rejection).
  std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{(*this)()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t threshold = -bound % bound;
      while (static_cast<std::uint32_t>(product) < threshold)
        product = std::uint64_t{(*this)()} * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  /// A standard normal number (Box-Muller; 1 - u keeps the logarithm finite).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

  /// Puts the items in a random order, each order equally likely (Fisher-Yates).
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[below(static_cast<std::uint32_t>(i))]);
  }

 private:
  r123::Philox4x32::key_type key_;
  r123::Philox4x32::ctr_type counter_;
  r123::Philox4x32::ctr_type block_{};
  int used_ = 4;
};

}  // namespace starling
