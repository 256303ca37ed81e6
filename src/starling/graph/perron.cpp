/// Perron vectors.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include <Eigen/SparseCore>
#include <Eigen/SparseLU>

#include "starling/base/error.hpp"
#include "starling/graph/checks.hpp"
#include "starling/graph/reversible.hpp"
#include "starling/graph/spectrum.hpp"

namespace starling {
namespace {

using Vector = std::vector<double>;

Vector scaled_to_nodes(Vector u) {
  const double factor = static_cast<double>(u.size()) / std::accumulate(u.begin(), u.end(), 0.0);
  for (double& value : u) value *= factor;
  return u;
}

/// Power iteration on u'R = u' from the uniform vector; empty if it does not settle. It starts with
/// the answer where R is doubly stochastic.
Vector by_iteration(const SparseMatrix& matrix) {
  const std::size_t nodes = matrix.rows();
  const std::size_t limit = 100 + 200'000'000 / (matrix.values.size() + 1);
  Vector u(nodes, 1), next(nodes);
  for (std::size_t round = 0; round < std::min<std::size_t>(limit, 20'000); ++round) {
    std::fill(next.begin(), next.end(), 0.0);
    for (std::size_t i = 0; i < nodes; ++i)
      for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k)
        next[matrix.columns[k]] += u[i] * matrix.values[k];
    double change = 0;
    for (std::size_t i = 0; i < nodes; ++i) change += std::abs(next[i] - u[i]);
    u.swap(next);
    if (change <= 1e-13 * static_cast<double>(nodes)) return u;
  }
  return {};
}

/// Solves u'(R - I) = 0 with u = 1 at `root`; the other equations are regular when `root` reaches
/// everybody.
Vector by_elimination(const SparseMatrix& matrix, Node root) {
  const auto nodes = static_cast<Eigen::Index>(matrix.rows());
  std::vector<Eigen::Triplet<double>> entries;
  Eigen::VectorXd right = Eigen::VectorXd::Zero(nodes);
  right[root] = 1;
  entries.emplace_back(static_cast<int>(root), static_cast<int>(root), 1.0);
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    const int column = static_cast<int>(i);
    if (i != root) entries.emplace_back(column, column, -1.0);
    for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k)
      if (matrix.columns[k] != root)
        entries.emplace_back(static_cast<int>(matrix.columns[k]), column, matrix.values[k]);
  }
  Eigen::SparseMatrix<double> system(nodes, nodes);
  system.setFromTriplets(entries.begin(), entries.end());
  Eigen::SparseLU<Eigen::SparseMatrix<double>> solver(system);
  if (solver.info() != Eigen::Success) throw RunError("the Perron vector could not be computed");
  const Eigen::VectorXd u = solver.solve(right);
  return Vector(u.data(), u.data() + u.size());
}

}  // namespace

std::vector<double> left_perron(const SparseMatrix& matrix) {
  const auto root = root_of(graph_of(matrix));
  if (!root) throw RunError("no Perron vector: the graph has no spanning tree");
  Vector u = reversible_measure(matrix);
  if (u.empty()) u = by_iteration(matrix);
  if (u.empty()) u = by_elimination(matrix, *root);
  return scaled_to_nodes(std::move(u));
}

std::vector<double> right_perron(const SparseMatrix& matrix) {
  return left_perron(transposed(matrix));
}

}  // namespace starling
