/// Which rank holds which nodes, where a run is spread over several processes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "starling/base/types.hpp"
#include "starling/graph/graph.hpp"

namespace starling {

/// Every node is held by one of the ranks 0 ... ranks - 1; a rank may be left without nodes.
class Placement {
 public:
  /// Nodes whose numbers follow each other, all of one rank; the nodes before and after them are
  /// held by other ranks.
  struct Run {
    int rank;
    std::size_t index;  ///< of the first one, among the nodes of the rank
    std::size_t count;
  };

  /// `owners`: the rank of each node. std::invalid_argument where one is not below `ranks`.
  Placement(std::vector<int> owners, int ranks);

  std::size_t nodes() const { return owners_.size(); }
  int ranks() const { return static_cast<int>(nodes_of_.size()); }

  /// The rank of each node.
  const std::vector<int>& owners() const { return owners_; }
  int owner(Node node) const { return owners_[node]; }

  /// The nodes of a rank, ascending.
  std::span<const Node> nodes_of(int rank) const {
    return nodes_of_[static_cast<std::size_t>(rank)];
  }

  /// Where a node stands among the nodes of its rank.
  std::size_t index(Node node) const { return indices_[node]; }

  /// How many nodes the rank holds that holds most.
  std::size_t most() const;

  /// All nodes in order, as runs that are as long as can be.
  std::vector<Run> runs() const;

 private:
  std::vector<int> owners_;
  std::vector<std::size_t> indices_;
  std::vector<std::vector<Node>> nodes_of_;
};

/// Consecutive nodes for each rank, as even as can be: rank r begins with node (nodes r / ranks),
/// rounded down.
Placement blocks(std::size_t nodes, int ranks);

/// Edges between nodes of different ranks; an undirected edge counts once.
std::size_t crossing_edges(const Graph& graph, const Placement& placement);

/// `owners`, changed so that the ranks' numbers of nodes differ by one at most, and none is left
/// without where there are enough: nodes of a largest rank go, one by one, to the smallest, first
/// the one that makes fewest messages cross. Of equals the lowest number goes first.
std::vector<int> even_out(const Graph& graph, std::vector<int> owners, int ranks);

/// For people: "no nodes", "node 4", "nodes 4 to 7", or "9 nodes: 0, 3, 4, ...".
std::string to_text(std::span<const Node> nodes);

}  // namespace starling
