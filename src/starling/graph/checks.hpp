/// What the papers assume of graphs and weights, and whether it holds.
#pragma once

#include <optional>
#include <string>

#include "starling/graph/graph.hpp"
#include "starling/graph/weights.hpp"

namespace starling {

/// Whether everybody reaches everybody along the edges; for a directed graph, along their direction
/// (strongly connected). A single node is connected.
bool is_connected(const Graph& graph);

/// A node that reaches everybody along the flow of information, if there is one: the root of a
/// spanning tree. Assumption 4 of arXiv 2601.03566 asks R's graph for it.
std::optional<Node> root_of(const Graph& graph);

/// The greatest common divisor of the lengths of all closed walks from node 0, which everybody must
/// be connected to: 1 where mixing settles if nobody keeps weight for itself, 2 where the graph is
/// bipartite, N on a directed ring. 0 where there is no closed walk.
std::size_t period_of(const Graph& graph);

/// Who hears whom by a matrix: j tells i where entry (i, j) is not zero.
Graph graph_of(const SparseMatrix& matrix);

/// The matrix with rows and columns exchanged.
SparseMatrix transposed(const SparseMatrix& matrix);

/// What can be said of a matrix without its eigenvalues.
struct MatrixFacts {
  static constexpr double tolerance = 1e-6;  ///< matrices from files may be rounded

  double row_deviation = 0;     ///< largest |row sum - 1|
  Node worst_row = 0;           ///< where it is
  double worst_row_sum = 1;     ///< the sum there
  double column_deviation = 0;  ///< the same of columns
  Node worst_column = 0;
  double worst_column_sum = 1;
  double smallest = 0;           ///< the smallest entry, 0 for absent ones
  double smallest_diagonal = 0;  ///< the smallest entry of the diagonal
  double largest_diagonal = 0;
  double asymmetry = 0;  ///< largest |entry (i, j) - entry (j, i)|

  bool is_nonnegative() const { return smallest >= 0; }
  bool has_positive_diagonal() const { return smallest_diagonal > 0; }
  bool is_symmetric() const { return asymmetry <= 1e-12; }
  bool is_row_stochastic() const { return is_nonnegative() && row_deviation <= tolerance; }
  bool is_column_stochastic() const { return is_nonnegative() && column_deviation <= tolerance; }
  bool is_doubly_stochastic() const { return is_row_stochastic() && is_column_stochastic(); }
};

/// Measures a matrix; the cost is that of its entries.
MatrixFacts facts_of(const SparseMatrix& matrix);

/// "" where the weights are one doubly stochastic matrix W on a connected graph, as arXiv
/// 2403.11565 and assumption A4 of arXiv 2109.03194 ask; otherwise one phrase that says what is
/// violated, by how much, and what would help. Connected means through weights that are not zero.
/// Other eigenvalues of modulus 1 are found without eigenvalues: an empty diagonal and a period.
std::string why_not_doubly_stochastic(const Graph& graph, const MixingWeights& weights);

}  // namespace starling
