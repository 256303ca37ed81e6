#include "starling/engine/mix.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "starling/base/versions.hpp"

namespace starling {

namespace {

/// Below 1/128 of the largest weight the nearest float is taken, whose sums are off by 1e-8 or so.
constexpr double fewest_steps = 1 << 17;

/// The largest power of 2 of which floats hold every multiple up to the largest value.
double grid_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  int exponent = 0;
  std::frexp(largest, &exponent);  // largest < 2^exponent
  return std::ldexp(1, exponent - std::numeric_limits<float>::digits);
}

}  // namespace

void KernelWeights::assign(const SparseMatrix& matrix, SumsToOne what) {
  // Room for the largest matrix that the caller's memory has room for: later ones may be larger.
  columns_.reserve(matrix.columns.capacity());
  values_.reserve(matrix.columns.capacity());
  offsets_.assign(matrix.offsets.begin(), matrix.offsets.end());
  columns_.assign(matrix.columns.begin(), matrix.columns.end());
  values_.resize(matrix.values.size());
  const double grid = grid_of(matrix.values);
  std::ranges::transform(matrix.values, values_.begin(), [grid](double value) {
    const double steps = value / grid;  // few of them would be a coarse approximation
    return static_cast<float>(std::abs(steps) < fewest_steps ? value : std::round(steps) * grid);
  });
  others_.assign(rows(), 0.0);
  const auto for_each_entry = [&](auto&& visit) {
    for (Node i = 0; i < rows(); ++i)
      for (std::size_t k = offsets_[i]; k < offsets_[i + 1]; ++k) visit(i, columns_[k], k);
  };
  for_each_entry([&](Node i, Node j, std::size_t k) {
    if (i != j) others_[what == SumsToOne::rows ? i : j] += double{values_[k]};
  });
  for_each_entry([&](Node i, Node j, std::size_t k) {
    if (i == j) values_[k] = static_cast<float>(1.0 - others_[i]);
  });
}

namespace {

/// Adds K terms to out (or starts it with them), one after the other as a plain loop would.
template <int K, bool first>
inline void add_terms(const float* weights, const float* const* sources, float* __restrict out,
                      std::size_t count) {
  float w[K];
  const float* s[K];
  for (int k = 0; k < K; ++k) {
    w[k] = weights[k];
    s[k] = sources[k];
  }
#pragma GCC ivdep
  for (std::size_t i = 0; i < count; ++i) {
    float sum = first ? w[0] * s[0][i] : out[i] + w[0] * s[0][i];
    for (int k = 1; k < K; ++k) sum += w[k] * s[k][i];
    out[i] = sum;
  }
}

template <bool first>
inline void add_up_to_four(std::size_t terms, const float* weights, const float* const* sources,
                           float* out, std::size_t count) {
  switch (terms) {
    case 1:
      return add_terms<1, first>(weights, sources, out, count);
    case 2:
      return add_terms<2, first>(weights, sources, out, count);
    case 3:
      return add_terms<3, first>(weights, sources, out, count);
    default:
      return add_terms<4, first>(weights, sources, out, count);
  }
}

/// Four terms a pass over `out` keep it in registers for most graphs; the order of summation is the
/// same whatever the grouping.
inline void mix_kernel(const float* weights, const float* const* sources, std::size_t terms,
                       float* out, std::size_t count) {
  add_up_to_four<true>(std::min<std::size_t>(4, terms), weights, sources, out, count);
  for (std::size_t k = 4; k < terms; k += 4)
    add_up_to_four<false>(std::min<std::size_t>(4, terms - k), weights + k, sources + k, out,
                          count);
}

/// Columns whose sums fit in the first-level cache.
constexpr std::size_t summed_at_once = 512;

inline void average_kernel(const float* const* sources, std::size_t count_of_sources, float* out,
                           std::size_t count) {
  double sums[summed_at_once];
  for (std::size_t first = 0; first < count; first += summed_at_once) {
    const std::size_t columns = std::min(summed_at_once, count - first);
    for (std::size_t c = 0; c < columns; ++c) sums[c] = 0;
    for (std::size_t k = 0; k < count_of_sources; ++k) {
      const float* source = sources[k] + first;
      for (std::size_t c = 0; c < columns; ++c) sums[c] += double{source[c]};
    }
    for (std::size_t c = 0; c < columns; ++c)
      out[first + c] = static_cast<float>(sums[c] / static_cast<double>(count_of_sources));
  }
}

}  // namespace

void average(const float* const* sources, std::size_t count_of_sources, float* out,
             std::size_t count) {
  static const auto kernel = Versions<&average_kernel>::widest();
  kernel(sources, count_of_sources, out, count);
}

void mix(const float* weights, const float* const* sources, std::size_t terms, float* out,
         std::size_t count) {
  static const auto kernel = Versions<&mix_kernel>::widest();
  kernel(weights, sources, terms, out, count);
}

}  // namespace starling
