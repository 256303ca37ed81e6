/// Which rank holds which nodes: nobody is forgotten, no rank idles, few edges cross.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/engine/cut.hpp"
#include "starling/engine/placement.hpp"
#include "starling/graph/families.hpp"

namespace starling {
namespace {

/// The same graph with its nodes' numbers in a random order.
Graph renumbered(const Graph& graph, std::uint64_t seed) {
  std::vector<Node> number(graph.nodes());
  std::iota(number.begin(), number.end(), Node{0});
  Random(seed, Purpose::graph).shuffle(std::span(number));
  std::vector<Edge> edges;
  for (Node i = 0; i < graph.nodes(); ++i)
    for (const Node j : graph.hears(i)) edges.emplace_back(number[j], number[i]);
  return graph.is_directed() ? Graph::directed(graph.nodes(), edges)
                             : Graph::undirected(graph.nodes(), edges);
}

std::vector<Graph> some_graphs() {
  std::vector<Graph> graphs;
  graphs.push_back(Ring{}.make(8, 0));
  graphs.push_back(Star{}.make(9, 0));
  graphs.push_back(Complete{}.make(7, 0));
  graphs.push_back(renumbered(Grid{.rows = 5}.make(35, 0), 1));
  graphs.push_back(RandomRegular{.degree = 3}.make(40, 2));
  graphs.push_back(ErdosRenyi{.probability = 0.2}.make(30, 3));
  graphs.push_back(RandomDigraph{.probability = 0.1}.make(30, 4));
  graphs.push_back(Graph::undirected(12, {{0, 5}, {5, 11}, {2, 3}}));  // most nodes have no edge
  graphs.push_back(Graph::undirected(6, {}));
  return graphs;
}

/// What a placement says of its nodes, held to its owners.
void expect_consistent(const Placement& placement) {
  std::size_t held = 0, most = 0;
  for (int rank = 0; rank < placement.ranks(); ++rank) {
    const std::span<const Node> nodes = placement.nodes_of(rank);
    EXPECT_TRUE(std::ranges::is_sorted(nodes)) << rank;
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      ASSERT_LT(nodes[k], placement.nodes());
      EXPECT_EQ(placement.owner(nodes[k]), rank);
      EXPECT_EQ(placement.owners()[nodes[k]], rank);
      EXPECT_EQ(placement.index(nodes[k]), k);
    }
    held += nodes.size();
    most = std::max(most, nodes.size());
  }
  EXPECT_EQ(held, placement.nodes());
  EXPECT_EQ(placement.most(), most);
}

void expect_even(const Placement& placement) {
  const std::size_t least = placement.nodes() / static_cast<std::size_t>(placement.ranks());
  for (int rank = 0; rank < placement.ranks(); ++rank) {
    EXPECT_GE(placement.nodes_of(rank).size(), least) << rank;
    EXPECT_LE(placement.nodes_of(rank).size(), least + 1) << rank;
  }
}

TEST(PlacementTest, EveryNodeIsOnOneRankAndRanksAreEven) {
  for (const Graph& graph : some_graphs())
    for (const int ranks : {1, 2, 3, 5, 6})
      for (const Placement& placement : {blocks(graph.nodes(), ranks), cut(graph, ranks)}) {
        SCOPED_TRACE(std::to_string(graph.nodes()) + " nodes, " + std::to_string(ranks));
        ASSERT_EQ(placement.nodes(), graph.nodes());
        ASSERT_EQ(placement.ranks(), ranks);
        expect_consistent(placement);
        expect_even(placement);
      }
}

TEST(PlacementTest, BlocksAreConsecutiveNodes) {
  EXPECT_EQ(blocks(8, 3).owners(), (std::vector<int>{0, 0, 1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(blocks(3, 3).owners(), (std::vector<int>{0, 1, 2}));
}

TEST(PlacementTest, RanksWithoutNodesAreLeftOnlyWhereNodesAreFewer) {
  for (const Placement& placement : {blocks(3, 5), cut(Ring{}.make(3, 0), 5)}) {
    EXPECT_EQ(placement.owners(), (std::vector<int>{1, 3, 4}));
    EXPECT_TRUE(placement.nodes_of(0).empty());
    EXPECT_TRUE(placement.nodes_of(2).empty());
    expect_consistent(placement);
  }
}

TEST(PlacementTest, RunsGoThroughAllNodesInOrder) {
  const Placement placement({0, 0, 1, 0, 2, 2, 1}, 3);
  const std::vector<Placement::Run> runs = placement.runs();
  std::vector<std::vector<std::size_t>> found;
  for (const Placement::Run& run : runs)
    found.push_back({static_cast<std::size_t>(run.rank), run.index, run.count});
  const std::vector<std::vector<std::size_t>> expected{
      {0, 0, 2}, {1, 0, 1}, {0, 2, 1}, {2, 0, 2}, {1, 1, 1}};
  EXPECT_EQ(found, expected);
  for (const Graph& graph : some_graphs()) {
    const Placement other = cut(graph, 3);
    Node next = 0;
    int before = -1;
    for (const Placement::Run& run : other.runs()) {
      EXPECT_NE(run.rank, before);
      before = run.rank;
      for (std::size_t k = 0; k < run.count; ++k)
        EXPECT_EQ(other.nodes_of(run.rank)[run.index + k], next++);
    }
    EXPECT_EQ(next, graph.nodes());
  }
}

TEST(PlacementTest, ARankThatIsNotThereIsRefused) {
  EXPECT_THROW(Placement({0, 2}, 2), std::invalid_argument);
  EXPECT_THROW(Placement({0, -1}, 2), std::invalid_argument);
}

TEST(PlacementTest, CrossingEdgesCountAnUndirectedEdgeOnceAndDirectedOnesEach) {
  const Placement halves({0, 0, 1, 1}, 2);
  EXPECT_EQ(crossing_edges(Path{}.make(4, 0), halves), 1u);
  EXPECT_EQ(crossing_edges(Ring{}.make(4, 0), halves), 2u);
  EXPECT_EQ(crossing_edges(Complete{}.make(4, 0), halves), 4u);
  EXPECT_EQ(crossing_edges(Graph::directed(4, {{0, 2}, {2, 0}, {1, 3}, {0, 1}}), halves), 3u);
  EXPECT_EQ(crossing_edges(Complete{}.make(4, 0), blocks(4, 1)), 0u);
}

TEST(PlacementTest, EveningOutMovesWhatCostsLeast) {
  const Graph path = Path{}.make(6, 0);
  EXPECT_EQ(even_out(path, {0, 0, 0, 0, 0, 1}, 2), (std::vector<int>{0, 0, 0, 1, 1, 1}));
  // Nobody is on rank 1: an end of the path goes first, and its neighbour follows it.
  EXPECT_EQ(even_out(Path{}.make(4, 0), {0, 0, 0, 0}, 2), (std::vector<int>{1, 1, 0, 0}));
  // What is even stays.
  EXPECT_EQ(even_out(path, {1, 0, 1, 0, 0, 1}, 2), (std::vector<int>{1, 0, 1, 0, 0, 1}));
  // Senders count as well as those that are heard: nodes 0 and 1 tell node 3 and hear nobody.
  const Graph digraph = Graph::directed(4, {{1, 3}, {0, 3}, {0, 2}});
  EXPECT_EQ(even_out(digraph, {0, 0, 0, 1}, 2), (std::vector<int>{0, 1, 0, 1}));
}

TEST(PlacementTest, ARingIsCutOnceForEachRankHoweverItIsNumbered) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Graph ring = renumbered(Ring{}.make(8, 0), seed);
    EXPECT_EQ(crossing_edges(ring, cut(ring, 2)), 2u) << seed;
    EXPECT_EQ(crossing_edges(ring, cut(ring, 4)), 4u) << seed;
  }
}

TEST(PlacementTest, RenumberedGridsAreCutAlmostAsWellAsCanBe) {
  const Graph grid = Grid{.rows = 8}.make(64, 0);
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Graph other = renumbered(grid, seed);
    const std::size_t crossing = crossing_edges(other, cut(other, 4));
    EXPECT_LE(crossing, 20u) << seed;  // the four quarters: 16
    EXPECT_LT(2 * crossing, crossing_edges(other, blocks(64, 4))) << seed;
  }
}

TEST(PlacementTest, CutNeverCrossesMoreEdgesThanBlocks) {
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (const int ranks : {2, 3, 7, 11}) {
      for (const Graph& graph : {RandomRegular{.degree = 3}.make(12, seed),
                                 ErdosRenyi{.probability = 0.4}.make(12, seed),
                                 RandomDigraph{.probability = 0.2}.make(12, seed)})
        EXPECT_LE(crossing_edges(graph, cut(graph, ranks)),
                  crossing_edges(graph, blocks(12, ranks)))
            << seed << ", " << ranks << " ranks";
      const Graph graph = RandomRegular{.degree = 3}.make(60, seed);
      EXPECT_LT(crossing_edges(graph, cut(graph, ranks)), crossing_edges(graph, blocks(60, ranks)))
          << seed << ", " << ranks << " ranks";
    }
}

TEST(PlacementTest, WhatBlocksDoAsWellIsLeftToBlocks) {
  const Graph ring = Ring{}.make(30, 0), path = Path{}.make(30, 0);
  for (const int ranks : {1, 2, 3, 7}) {
    EXPECT_EQ(cut(ring, ranks).owners(), blocks(30, ranks).owners());
    EXPECT_EQ(cut(path, ranks).owners(), blocks(30, ranks).owners());
  }
}

TEST(PlacementTest, MessagesBothWaysAreKeptTogether) {
  // A circle one way, and two edges both ways across it: 0 with 2, and 1 with 3.
  const Graph graph =
      Graph::directed(4, {{0, 2}, {2, 0}, {1, 3}, {3, 1}, {0, 1}, {1, 2}, {2, 3}, {3, 0}});
  const Placement placement = cut(graph, 2);
  EXPECT_EQ(placement.owner(0), placement.owner(2));
  EXPECT_EQ(placement.owner(1), placement.owner(3));
  EXPECT_EQ(crossing_edges(graph, placement), 4u);
}

TEST(PlacementTest, TheSameGraphIsAlwaysCutInTheSameWay) {
  const Graph graph = renumbered(Grid{.rows = 9}.make(99, 0), 5);
  const std::vector<int> owners = cut(graph, 5).owners();
  for (unsigned seed = 1; seed < 4; ++seed) {
    std::srand(seed);  // METIS draws from the same generator
    std::rand();
    EXPECT_EQ(cut(graph, 5).owners(), owners);
  }
}

TEST(PlacementTest, NodesAreNamedShortly) {
  const auto text = [](std::vector<Node> nodes) { return to_text(nodes); };
  EXPECT_EQ(text({}), "no nodes");
  EXPECT_EQ(text({4}), "node 4");
  EXPECT_EQ(text({4, 5, 6}), "nodes 4 to 6");
  EXPECT_EQ(text({0, 3, 4}), "3 nodes: 0, 3, 4");
  EXPECT_EQ(text({0, 2, 4, 6, 8, 10, 12, 14, 16}), "9 nodes: 0, 2, 4, 6, 8, 10, 12, 14, ...");
}

}  // namespace
}  // namespace starling
