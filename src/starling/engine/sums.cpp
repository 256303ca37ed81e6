#include "starling/engine/sums.hpp"

#include "starling/base/versions.hpp"

namespace starling {
namespace {

/// Enough sums side by side that none waits for the one before, on any vector unit.
constexpr std::size_t lanes = 32;

inline double squares_kernel(const float* values, std::size_t count) {
  std::array<double, lanes> sums{};
  std::size_t c = 0;
  for (; c + lanes <= count; c += lanes)
    for (std::size_t l = 0; l < lanes; ++l)
      sums[l] += double{values[c + l]} * double{values[c + l]};
  for (; c < count; ++c) sums[c % lanes] += double{values[c]} * double{values[c]};
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

double sum_of_squares(std::span<const float> values) {
  static const auto kernel = Versions<&squares_kernel>::widest();
  return kernel(values.data(), values.size());
}

}  // namespace starling
