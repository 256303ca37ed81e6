#include "starling/graph/checks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <fmt/format.h>
#include <limits>

namespace starling {
namespace {

/// Marks what `start` reaches and returns how many nodes that added. `next` lists the nodes that
/// follow a node. A queue, not recursion: a path may be 100,000 nodes long.
template <class Next>
std::size_t mark_reached(Node start, std::vector<bool>& seen, Next next) {
  if (seen[start]) return 0;
  std::vector<Node> queue{start};
  seen[start] = true;
  for (std::size_t at = 0; at < queue.size(); ++at)
    for (const Node node : next(queue[at]))
      if (!seen[node]) {
        seen[node] = true;
        queue.push_back(node);
      }
  return queue.size();
}

/// Whether `start` reaches everybody.
template <class Next>
bool reaches_all(const Graph& graph, Node start, Next next) {
  std::vector<bool> seen(graph.nodes(), false);
  return mark_reached(start, seen, next) == graph.nodes();
}

double entry(const SparseMatrix& matrix, Node row, Node column) {
  const auto [columns, values] = matrix.row(row);
  const auto at = std::lower_bound(columns.begin(), columns.end(), column);
  if (at == columns.end() || *at != column) return 0;
  return values[static_cast<std::size_t>(at - columns.begin())];
}

/// Finds the sum that is furthest from 1.
void find_worst(const std::vector<double>& sums, double& deviation, Node& worst, double& sum) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double here = std::abs(sums[i] - 1);
    if (here > deviation || std::isnan(here)) {
      deviation = here;
      worst = static_cast<Node>(i);
      sum = sums[i];
    }
  }
}

}  // namespace

bool is_connected(const Graph& graph) {
  if (graph.nodes() == 0) return false;
  const auto tells = [&](Node node) { return graph.tells(node); };
  const auto hears = [&](Node node) { return graph.hears(node); };
  return reaches_all(graph, 0, tells) && (!graph.is_directed() || reaches_all(graph, 0, hears));
}

std::optional<Node> root_of(const Graph& graph) {
  // Search from each node not yet seen. If a root exists, the search that first meets one started
  // at a root, and leaves nothing to start from afterwards: the last start is the only candidate.
  const auto tells = [&](Node node) { return graph.tells(node); };
  std::vector<bool> seen(graph.nodes(), false);
  Node candidate = 0;
  for (std::size_t i = 0; i < graph.nodes(); ++i) {
    const Node node = static_cast<Node>(i);
    if (mark_reached(node, seen, tells) > 0) candidate = node;
  }
  if (graph.nodes() == 0 || !reaches_all(graph, candidate, tells)) return std::nullopt;
  return candidate;
}

Graph graph_of(const SparseMatrix& matrix) {
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < matrix.rows(); ++i)
    for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k)
      if (matrix.values[k] != 0) edges.emplace_back(matrix.columns[k], static_cast<Node>(i));
  return Graph::directed(matrix.rows(), edges);
}

SparseMatrix transposed(const SparseMatrix& matrix) {
  SparseMatrix result;
  result.offsets.assign(matrix.rows() + 1, 0);
  result.columns.resize(matrix.columns.size());
  result.values.resize(matrix.values.size());
  for (const Node column : matrix.columns) ++result.offsets[std::size_t{column} + 1];
  std::partial_sum(result.offsets.begin(), result.offsets.end(), result.offsets.begin());
  std::vector<std::size_t> place(result.offsets.begin(), result.offsets.end() - 1);
  for (std::size_t i = 0; i < matrix.rows(); ++i)
    for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k) {
      const std::size_t to = place[matrix.columns[k]]++;
      result.columns[to] = static_cast<Node>(i);
      result.values[to] = matrix.values[k];
    }
  return result;
}

MatrixFacts facts_of(const SparseMatrix& matrix) {
  MatrixFacts facts;
  const std::size_t nodes = matrix.rows();
  std::vector<double> row_sums(nodes, 0), column_sums(nodes, 0);
  for (std::size_t i = 0; i < nodes; ++i) {
    const Node row = static_cast<Node>(i);
    for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k) {
      const double value = matrix.values[k];
      row_sums[i] += value;
      column_sums[matrix.columns[k]] += value;
      facts.smallest = std::min(facts.smallest, value);
      const double difference = std::abs(value - entry(matrix, matrix.columns[k], row));
      facts.asymmetry = std::max(facts.asymmetry, difference);
    }
    const double diagonal = entry(matrix, row, row);
    facts.smallest_diagonal = i == 0 ? diagonal : std::min(facts.smallest_diagonal, diagonal);
    facts.largest_diagonal = i == 0 ? diagonal : std::max(facts.largest_diagonal, diagonal);
  }
  find_worst(row_sums, facts.row_deviation, facts.worst_row, facts.worst_row_sum);
  find_worst(column_sums, facts.column_deviation, facts.worst_column, facts.worst_column_sum);
  return facts;
}

std::size_t period_of(const Graph& graph) {
  constexpr std::size_t unseen = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> level(graph.nodes(), unseen);
  std::vector<Node> queue{0};
  level[0] = 0;
  std::size_t period = 0;
  for (std::size_t at = 0; at < queue.size(); ++at)
    for (const Node next : graph.tells(queue[at])) {
      if (level[next] == unseen) {
        level[next] = level[queue[at]] + 1;
        queue.push_back(next);
      }
      const std::size_t here = level[queue[at]] + 1, there = level[next];
      period = std::gcd(period, here > there ? here - there : there - here);
    }
  return period;
}

std::string why_not_doubly_stochastic(const Graph& graph, const MixingWeights& weights) {
  const char* const advice = graph.is_directed()
                                 ? "use a method for directed graphs, or a doubly stochastic file"
                                 : "use weights \"metropolis\"";
  const MatrixFacts facts = facts_of(weights.pull);
  const Graph heard = graph_of(weights.pull);  // an edge may have weight 0
  if (!is_connected(heard))
    return fmt::format("the graph is not {}connected: add edges, or use another graph",
                       graph.is_directed() ? "strongly " : "");
  if (!facts.is_nonnegative())
    return fmt::format("an entry is {:g}, W must not be negative: {}", facts.smallest, advice);
  if (!facts.is_row_stochastic())
    return fmt::format("row {} sums to {:g}, W must be doubly stochastic: {}", facts.worst_row,
                       facts.worst_row_sum, advice);
  if (!facts.is_column_stochastic())
    return fmt::format("column {} sums to {:g}, W must be doubly stochastic: {}",
                       facts.worst_column, facts.worst_column_sum, advice);
  const std::size_t period = facts.largest_diagonal == 0 ? period_of(heard) : 1;
  if (graph.nodes() > 1 && period == 2)
    return "the graph is bipartite and nobody keeps weight for itself, so W has the eigenvalue -1 "
           "and the nodes never agree: use weights \"lazy\"";
  if (graph.nodes() > 1 && period > 2)
    return fmt::format(
        "nobody keeps weight for itself and what is sent comes back every {} rounds "
        "only, so the nodes never agree: leave some weight on the diagonal",
        period);
  return "";
}

}  // namespace starling
