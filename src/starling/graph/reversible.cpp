#include "starling/graph/reversible.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "starling/graph/checks.hpp"

namespace starling {

std::vector<double> reversible_measure(const SparseMatrix& matrix) {
  const std::size_t nodes = matrix.rows();
  if (facts_of(matrix).is_symmetric()) return std::vector<double>(nodes, 1);
  const SparseMatrix other = transposed(matrix);
  if (other.columns != matrix.columns || other.offsets != matrix.offsets) return {};
  std::vector<double> measure(nodes, 0);
  std::vector<Node> queue;
  for (std::size_t start = 0; start < nodes; ++start) {
    if (measure[start] != 0) continue;
    measure[start] = 1;
    queue.assign(1, static_cast<Node>(start));
    for (std::size_t at = 0; at < queue.size(); ++at) {
      const Node i = queue[at];
      for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k) {
        const Node j = matrix.columns[k];
        const double here = matrix.values[k], there = other.values[k];
        if (here == 0 && there == 0) continue;
        if (here <= 0 || there <= 0) return {};
        if (measure[j] == 0) {
          measure[j] = measure[i] * here / there;
          queue.push_back(j);
        }
        const double flow = measure[i] * here;
        if (!(std::abs(flow - measure[j] * there) <= 1e-9 * flow)) return {};
      }
    }
  }
  return measure;
}

}  // namespace starling
