/// The graph of all messages of a sequence.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "starling/graph/period.hpp"

namespace starling {
namespace {

/// Whom each node heard so far, ascending.
using Heard = std::vector<std::vector<Node>>;

void add_messages(const SparseMatrix& matrix, Heard& heard) {
  for (Node i = 0; i < matrix.rows(); ++i) {
    const auto [columns, values] = matrix.row(i);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (columns[k] == i || values[k] == 0) continue;
      const auto at = std::lower_bound(heard[i].begin(), heard[i].end(), columns[k]);
      if (at == heard[i].end() || *at != columns[k]) heard[i].insert(at, columns[k]);
    }
  }
}

bool goes_both_ways(const Graph& graph) {
  for (Node i = 0; i < graph.nodes(); ++i)
    if (!std::ranges::equal(graph.hears(i), graph.tells(i))) return false;
  return true;
}

}  // namespace

Graph union_of(WeightsSequence& sequence, Round rounds) {
  const Round last = sequence.period() == 0 ? rounds : sequence.period();
  Heard heard(sequence.nodes());
  MixingWeights weights;
  for (Round k = 1; k <= last; ++k) {
    sequence.weights(k, weights);
    add_messages(weights.pull, heard);
    add_messages(weights.push, heard);
  }
  std::vector<Edge> edges;
  for (Node i = 0; i < sequence.nodes(); ++i)
    for (const Node j : heard[i]) edges.emplace_back(j, i);
  const Graph directed = Graph::directed(sequence.nodes(), edges);
  return goes_both_ways(directed) ? Graph::undirected(sequence.nodes(), edges) : directed;
}

}  // namespace starling
