/// Who hears whom.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "starling/base/types.hpp"

namespace starling {

/// (from, to): `to` hears what `from` sends.
using Edge = std::pair<Node, Node>;

/// A graph over nodes 0 ... N-1 without self-loops or double edges. An undirected edge is kept as
/// its two directions, so `hears` and `tells` serve both kinds.
class Graph {
 public:
  /// Each edge is heard both ways; repeated edges and self-loops are dropped.
  static Graph undirected(std::size_t nodes, const std::vector<Edge>& edges);

  /// Each edge is heard one way, from first to second; the same clean-up.
  static Graph directed(std::size_t nodes, const std::vector<Edge>& edges);

  std::size_t nodes() const { return hears_.offsets.size() - 1; }
  bool is_directed() const { return directed_; }

  /// Edges; an undirected edge counts once.
  std::size_t edges() const;

  /// The in-neighbours of a node, ascending, itself left out.
  std::span<const Node> hears(Node node) const { return hears_.row(node); }

  /// The out-neighbours of a node, ascending, itself left out.
  std::span<const Node> tells(Node node) const { return tells_.row(node); }

 private:
  struct Rows {
    std::vector<std::size_t> offsets{0};
    std::vector<Node> neighbours;
    std::span<const Node> row(Node node) const {
      return {neighbours.data() + offsets[node], offsets[node + 1] - offsets[node]};
    }
  };
  Rows hears_, tells_;
  bool directed_ = false;
};

}  // namespace starling
