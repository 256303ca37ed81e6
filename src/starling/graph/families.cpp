#include "starling/graph/families.hpp"

#include <bit>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"

namespace starling {
namespace {

using Edges = std::vector<Edge>;

Node node(std::size_t number) { return static_cast<Node>(number); }

void require_a_node(std::size_t nodes) {
  if (nodes == 0) throw UserError("0 nodes: a graph has at least 1");
}

/// The rows of a rectangle with `nodes` nodes; `wanted` 0 asks for the most square one.
std::size_t rows_of(const char* family, std::size_t nodes, std::int64_t wanted) {
  require_a_node(nodes);
  if (wanted != 0) {
    const auto rows = static_cast<std::size_t>(wanted);
    if (wanted < 0 || nodes % rows != 0)
      throw UserError(fmt::format("{}: {} nodes in {} rows: rows must divide the number of nodes",
                                  family, nodes, wanted));
    return rows;
  }
  std::size_t rows = 1;
  for (std::size_t divisor = 1; divisor * divisor <= nodes; ++divisor)
    if (nodes % divisor == 0) rows = divisor;
  return rows;
}

/// From each node to the nodes 1, 2, 4, ... further on.
Edges exponential_edges(std::size_t nodes) {
  Edges edges;
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t hop = 1; hop < nodes; hop *= 2)
      edges.emplace_back(node(i), node((i + hop) % nodes));
  return edges;
}

/// From each node to the next, the last to the first.
Edges circle_edges(std::size_t nodes) {
  Edges edges;
  for (std::size_t i = 0; i < nodes; ++i) edges.emplace_back(node(i), node((i + 1) % nodes));
  return edges;
}

}  // namespace

Graph Path::make(std::size_t nodes, std::uint64_t) const {
  require_a_node(nodes);
  Edges edges;
  for (std::size_t i = 1; i < nodes; ++i) edges.emplace_back(node(i - 1), node(i));
  return Graph::undirected(nodes, edges);
}

Graph Ring::make(std::size_t nodes, std::uint64_t) const {
  require_a_node(nodes);
  return Graph::undirected(nodes, circle_edges(nodes));
}

Graph Star::make(std::size_t nodes, std::uint64_t) const {
  require_a_node(nodes);
  Edges edges;
  for (std::size_t i = 1; i < nodes; ++i) edges.emplace_back(Node{0}, node(i));
  return Graph::undirected(nodes, edges);
}

Graph Complete::make(std::size_t nodes, std::uint64_t) const {
  require_a_node(nodes);
  Edges edges;
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t j = i + 1; j < nodes; ++j) edges.emplace_back(node(i), node(j));
  return Graph::undirected(nodes, edges);
}

Graph Grid::make(std::size_t nodes, std::uint64_t) const {
  const std::size_t columns = nodes / rows_of("grid", nodes, rows);
  Edges edges;
  for (std::size_t i = 0; i < nodes; ++i) {
    if ((i + 1) % columns != 0) edges.emplace_back(node(i), node(i + 1));
    if (i + columns < nodes) edges.emplace_back(node(i), node(i + columns));
  }
  return Graph::undirected(nodes, edges);
}

Graph Torus::make(std::size_t nodes, std::uint64_t) const {
  const std::size_t columns = nodes / rows_of("torus", nodes, rows);
  Edges edges;
  for (std::size_t i = 0; i < nodes; ++i) {
    const std::size_t row_start = i - i % columns;
    edges.emplace_back(node(i), node(row_start + (i + 1) % columns));
    edges.emplace_back(node(i), node((i + columns) % nodes));
  }
  return Graph::undirected(nodes, edges);
}

Graph Hypercube::make(std::size_t nodes, std::uint64_t) const {
  require_a_node(nodes);
  if (!std::has_single_bit(nodes))
    throw UserError(fmt::format("hypercube: {} nodes: must be a power of two ({} or {} are)", nodes,
                                std::bit_floor(nodes), std::bit_ceil(nodes)));
  Edges edges;
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t digit = 1; digit < nodes; digit *= 2)
      edges.emplace_back(node(i), node(i ^ digit));
  return Graph::undirected(nodes, edges);
}

Graph Exponential::make(std::size_t nodes, std::uint64_t) const {
  require_a_node(nodes);
  return Graph::undirected(nodes, exponential_edges(nodes));
}

Graph DirectedRing::make(std::size_t nodes, std::uint64_t) const {
  require_a_node(nodes);
  return Graph::directed(nodes, circle_edges(nodes));
}

Graph DirectedExponential::make(std::size_t nodes, std::uint64_t) const {
  require_a_node(nodes);
  return Graph::directed(nodes, exponential_edges(nodes));
}

Graph BoWang::make(std::size_t nodes, std::uint64_t) const {
  if (nodes != 5) throw UserError(fmt::format("bo-wang: {} nodes: the graph has 5", nodes));
  return Graph::directed(5, {{3, 0}, {0, 1}, {0, 2}, {1, 2}, {4, 2}, {4, 3}, {1, 4}, {2, 4}});
}

}  // namespace starling
