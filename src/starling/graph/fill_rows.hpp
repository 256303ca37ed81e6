/// Mixing weights written row by row, for fixed links and for those that change.
#pragma once

#include <cstddef>

#include "starling/graph/graph.hpp"
#include "starling/graph/weights.hpp"

namespace starling {

/// An equal share among so many others and oneself.
inline double share(std::size_t degree) { return 1.0 / (static_cast<double>(degree) + 1); }

/// Appends the rows of a matrix on the graph to an empty one: `edge(i, j)` is the weight with which
/// i hears j, and `own(i, sum)` what it keeps for itself, given the sum of the others. Of the
/// messages, numbered receiver by receiver, only those that `is_sent` have entries.
void fill_rows(SparseMatrix& matrix, const Graph& graph, const auto& is_sent, const auto& edge,
               const auto& own) {
  std::size_t message = 0;
  for (Node i = 0; i < graph.nodes(); ++i) {
    std::size_t diagonal = matrix.columns.size();
    double sum = 0;
    for (const Node j : graph.hears(i)) {
      if (!is_sent(message++)) continue;
      if (j < i) ++diagonal;
      matrix.columns.push_back(j);
      matrix.values.push_back(edge(i, j));
      sum += matrix.values.back();
    }
    const auto at = static_cast<std::ptrdiff_t>(diagonal);
    matrix.columns.insert(matrix.columns.begin() + at, i);
    matrix.values.insert(matrix.values.begin() + at, own(i, sum));
    matrix.offsets.push_back(matrix.columns.size());
  }
}

}  // namespace starling
