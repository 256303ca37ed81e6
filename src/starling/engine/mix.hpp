/// Mixing: weighted sums of neighbours' rows.
#pragma once

#include <cstddef>
#include <vector>

#include "starling/graph/weights.hpp"

namespace starling {

/// Mixing weights as the kernels read them: single precision, rows in ascending neighbour order.
///
/// Every row (pull) or column (push) sums to 1 exactly, unless its
/// weights are very different: entries are multiples of one power of 2,
/// and the diagonal is what is left. Three times the float nearest to 1/3 is 1 + 3e-8; a mean that
/// grows by that much every round is off by 0.3% after 100,000 rounds, and methods that add up what
/// mixing changes (EXTRA, D^2) see it sooner.
class KernelWeights {
 public:
  enum class SumsToOne { rows, columns };
  KernelWeights() = default;
  KernelWeights(const SparseMatrix& matrix, SumsToOne what) { assign(matrix, what); }

  /// Takes up another matrix; allocates nothing where this has held one as large.
  void assign(const SparseMatrix& matrix, SumsToOne what);

  struct Row {
    const Node* columns;
    const float* values;
    std::size_t count;
  };
  Row row(Node node) const {
    const std::size_t first = offsets_[node];
    return {&columns_[first], &values_[first], offsets_[node + 1] - first};
  }
  std::size_t rows() const { return offsets_.size() - 1; }

 private:
  std::vector<std::size_t> offsets_{0};
  std::vector<Node> columns_;
  std::vector<float> values_;
  std::vector<double> others_;  // sums without the diagonal
};

/// out[i] = sum over k < terms of weights[k] * sources[k][i], i < count, in that order. `out` must
/// not overlap the sources.
void mix(const float* weights, const float* const* sources, std::size_t terms, float* out,
         std::size_t count);

/// out[i] = (sources[0][i] + ... + sources[count_of_sources - 1][i]) / count_of_sources, i < count,
/// added up in that order in double.
void average(const float* const* sources, std::size_t count_of_sources, float* out,
             std::size_t count);

}  // namespace starling
