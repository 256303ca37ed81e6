#include "starling/engine/placement.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace starling {
namespace {

/// How many more messages cross between ranks once `node` has gone to rank `to`.
std::ptrdiff_t cost_of_move(const Graph& graph, const std::vector<int>& owners, Node node, int to) {
  const int from = owners[node];
  std::ptrdiff_t cost = 0;
  for (const std::span<const Node> neighbours : {graph.hears(node), graph.tells(node)})
    for (const Node neighbour : neighbours) {
      if (owners[neighbour] == from) ++cost;
      if (owners[neighbour] == to) --cost;
    }
  return cost;
}

/// The node of a rank with `most` nodes that costs least to move.
Node cheapest_node(const Graph& graph, const std::vector<int>& owners,
                   const std::vector<std::size_t>& counts, std::size_t most, int to) {
  Node cheapest = 0;
  std::ptrdiff_t least = std::numeric_limits<std::ptrdiff_t>::max();
  for (Node i = 0; i < owners.size(); ++i) {
    if (counts[static_cast<std::size_t>(owners[i])] < most) continue;
    const std::ptrdiff_t cost = cost_of_move(graph, owners, i, to);
    if (cost >= least) continue;
    cheapest = i;
    least = cost;
  }
  return cheapest;
}

}  // namespace

Placement::Placement(std::vector<int> owners, int ranks)
    : owners_(std::move(owners)), nodes_of_(static_cast<std::size_t>(ranks)) {
  indices_.reserve(owners_.size());
  for (Node i = 0; i < owners_.size(); ++i) {
    if (owners_[i] < 0 || owners_[i] >= ranks)
      throw std::invalid_argument("a node is placed on a rank that is not there");
    std::vector<Node>& held = nodes_of_[static_cast<std::size_t>(owners_[i])];
    indices_.push_back(held.size());
    held.push_back(i);
  }
}

std::size_t Placement::most() const {
  std::size_t count = 0;
  for (const std::vector<Node>& held : nodes_of_) count = std::max(count, held.size());
  return count;
}

std::vector<Placement::Run> Placement::runs() const {
  std::vector<Run> list;
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    if (list.empty() || list.back().rank != owners_[i])
      list.push_back({owners_[i], indices_[i], 0});
    ++list.back().count;
  }
  return list;
}

Placement blocks(std::size_t nodes, int ranks) {
  std::vector<int> owners;
  owners.reserve(nodes);
  for (int rank = 0; rank < ranks; ++rank) {
    const std::size_t next = static_cast<std::size_t>(rank) + 1;
    owners.resize(nodes * next / static_cast<std::size_t>(ranks), rank);
  }
  return {std::move(owners), ranks};
}

std::size_t crossing_edges(const Graph& graph, const Placement& placement) {
  std::size_t messages = 0;
  for (Node i = 0; i < graph.nodes(); ++i)
    for (const Node j : graph.hears(i))
      if (placement.owner(i) != placement.owner(j)) ++messages;
  return graph.is_directed() ? messages : messages / 2;
}

std::vector<int> even_out(const Graph& graph, std::vector<int> owners, int ranks) {
  std::vector<std::size_t> counts(static_cast<std::size_t>(ranks));
  for (const int rank : owners) ++counts[static_cast<std::size_t>(rank)];
  while (true) {
    const auto smallest = std::ranges::min_element(counts);
    const std::size_t most = *std::ranges::max_element(counts);
    if (most - *smallest <= 1) return owners;
    const auto to = static_cast<int>(smallest - counts.begin());
    const Node node = cheapest_node(graph, owners, counts, most, to);
    --counts[static_cast<std::size_t>(owners[node])];
    ++*smallest;
    owners[node] = to;
  }
}

std::string to_text(std::span<const Node> nodes) {
  constexpr std::size_t listed = 8;
  if (nodes.empty()) return "no nodes";
  if (nodes.size() == 1) return fmt::format("node {}", nodes[0]);
  if (nodes.back() - nodes.front() == nodes.size() - 1)
    return fmt::format("nodes {} to {}", nodes.front(), nodes.back());
  return fmt::format("{} nodes: {}{}", nodes.size(),
                     fmt::join(nodes.first(std::min(listed, nodes.size())), ", "),
                     nodes.size() > listed ? ", ..." : "");
}

}  // namespace starling
