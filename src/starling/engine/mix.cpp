#include "starling/engine/mix.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "starling/base/versions.hpp"

namespace starling {

namespace {

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
    return static_cast<float>(std::round(value / grid) * grid);
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
/// row's whatever the grouping.
inline void mix_kernel(const KernelWeights::Row* row, const float* base, std::size_t stride,
                       float* out, std::size_t count) {
  for (std::size_t k = 0; k < row->count; k += 4) {
    const std::size_t terms = std::min<std::size_t>(4, row->count - k);
    const float* sources[4] = {};
    for (std::size_t t = 0; t < terms; ++t) sources[t] = base + row->columns[k + t] * stride;
    if (k == 0)
      add_up_to_four<true>(terms, row->values, sources, out, count);
    else
      add_up_to_four<false>(terms, row->values + k, sources, out, count);
  }
}

}  // namespace

void mix(const KernelWeights::Row& row, const float* base, std::size_t stride, float* out,
         std::size_t count) {
  static const auto kernel = Versions<&mix_kernel>::widest();
  kernel(&row, base, stride, out, count);
}

}  // namespace starling
