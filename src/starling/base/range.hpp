/// The values that an option of a method, graph, problem, ... may take.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

namespace starling {

/// An interval; an open end does not belong to it, and neither does anything infinite.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;

  constexpr bool contains(double value) const {
    if (!(value - value == 0)) return false;  // not finite
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  }
};

inline constexpr Range any_number{};
inline constexpr Range positive{.low = 0, .low_open = true};
inline constexpr Range not_negative{.low = 0};
inline constexpr Range fraction{.low = 0, .high = 1};                       ///< [0, 1]
inline constexpr Range decay_rate{.low = 0, .high = 1, .high_open = true};  ///< [0, 1)
constexpr Range at_least(double low) { return {.low = low}; }
constexpr Range between(double low, double high) { return {.low = low, .high = high}; }

/// The words that a text option may be; empty where any text is allowed.
using Words = std::vector<std::string_view>;

}  // namespace starling
