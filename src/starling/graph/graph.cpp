#include "starling/graph/graph.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace starling {
namespace {

/// Edges gathered by their first node; a template because Graph's rows are its own affair.
template <class Rows>
Rows gather(std::size_t nodes, const std::vector<Edge>& edges) {
  Rows rows;
  rows.offsets.assign(nodes + 1, 0);
  rows.neighbours.reserve(edges.size());
  for (const auto& [owner, neighbour] : edges) {
    ++rows.offsets[std::size_t{owner} + 1];
    rows.neighbours.push_back(neighbour);
  }
  std::partial_sum(rows.offsets.begin(), rows.offsets.end(), rows.offsets.begin());
  return rows;
}

/// Sorted, without self-loops and repetitions.
std::vector<Edge> cleaned(std::size_t nodes, std::vector<Edge> edges) {
  for (const auto& [from, to] : edges)
    if (from >= nodes || to >= nodes) throw std::invalid_argument("an edge leaves the graph");
  std::erase_if(edges, [](const Edge& edge) { return edge.first == edge.second; });
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

void reverse(std::vector<Edge>& edges) {
  for (Edge& edge : edges) std::swap(edge.first, edge.second);
  std::sort(edges.begin(), edges.end());
}

}  // namespace

Graph Graph::undirected(std::size_t nodes, const std::vector<Edge>& edges) {
  std::vector<Edge> both = edges;
  both.reserve(2 * edges.size());
  for (const auto& [from, to] : edges) both.emplace_back(to, from);
  Graph graph;
  graph.hears_ = gather<Rows>(nodes, cleaned(nodes, std::move(both)));
  graph.tells_ = graph.hears_;
  return graph;
}

Graph Graph::directed(std::size_t nodes, const std::vector<Edge>& edges) {
  std::vector<Edge> clean = cleaned(nodes, edges);
  Graph graph;
  graph.directed_ = true;
  graph.tells_ = gather<Rows>(nodes, clean);
  reverse(clean);
  graph.hears_ = gather<Rows>(nodes, clean);
  return graph;
}

std::size_t Graph::edges() const {
  return directed_ ? hears_.neighbours.size() : hears_.neighbours.size() / 2;
}

}  // namespace starling
