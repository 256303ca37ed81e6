/// Sums whose order never changes.
#pragma once

#include <array>
#include <cstddef>
#include <numeric>
#include <span>

namespace starling {

/// term(0) + ... + term(count - 1), in a fixed order that vector units can follow.
double sum_of(std::size_t count, const auto& term) {
  std::array<double, 8> lanes{};
  for (std::size_t c = 0; c < count; ++c) lanes[c % lanes.size()] += term(c);
  return std::accumulate(lanes.begin(), lanes.end(), 0.0);
}

/// The sum of the squares, in double and in an order that depends on the length alone.
double sum_of_squares(std::span<const float> values);

}  // namespace starling
