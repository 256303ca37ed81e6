/// Families of graphs: sizes, degrees, chance, files.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "starling/base/error.hpp"
#include "starling/graph/checks.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/layout.hpp"

namespace starling {
namespace {

template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

#define EXPECT_ERROR(action, part)                                           \
  EXPECT_NE(error_of([&] { (void)(action); }).find(part), std::string::npos) \
      << error_of([&] { (void)(action); })

std::string written(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "starling_graph_" + name;
  std::ofstream(path) << text;
  return path;
}

bool same(const Graph& a, const Graph& b) {
  if (a.nodes() != b.nodes() || a.is_directed() != b.is_directed()) return false;
  for (Node i = 0; i < a.nodes(); ++i) {
    const auto x = a.hears(i), y = b.hears(i);
    if (!std::equal(x.begin(), x.end(), y.begin(), y.end())) return false;
  }
  return true;
}

bool all_degrees_are(const Graph& graph, std::size_t degree) {
  for (Node i = 0; i < graph.nodes(); ++i)
    if (graph.hears(i).size() != degree || graph.tells(i).size() != degree) return false;
  return true;
}

TEST(Graph, DropsLoopsAndRepetitionsAndSorts) {
  const Graph directed = Graph::directed(4, {{2, 0}, {1, 0}, {2, 0}, {3, 3}, {0, 2}});
  EXPECT_EQ(directed.edges(), 3u);
  ASSERT_EQ(directed.hears(0).size(), 2u);
  EXPECT_EQ(directed.hears(0)[0], 1u);
  EXPECT_EQ(directed.hears(0)[1], 2u);
  EXPECT_EQ(directed.tells(2).size(), 1u);
  EXPECT_TRUE(directed.hears(3).empty());
  const Graph undirected = Graph::undirected(3, {{0, 1}, {1, 0}, {2, 1}});
  EXPECT_EQ(undirected.edges(), 2u);
  EXPECT_EQ(undirected.hears(1).size(), 2u);
  EXPECT_THROW(Graph::directed(2, {{0, 2}}), std::invalid_argument);
}

TEST(Families, CountEdges) {
  EXPECT_EQ(Path{}.make(7, 0).edges(), 6u);
  EXPECT_EQ(Ring{}.make(7, 0).edges(), 7u);
  EXPECT_EQ(Ring{}.make(2, 0).edges(), 1u);
  EXPECT_EQ(Star{}.make(7, 0).edges(), 6u);
  EXPECT_EQ(Star{}.make(7, 0).hears(0).size(), 6u);
  EXPECT_EQ(Complete{}.make(7, 0).edges(), 21u);
  EXPECT_EQ(Grid{}.make(12, 0).edges(), 17u);  // 3 x 4
  EXPECT_EQ(Grid{.rows = 2}.make(12, 0).edges(), 16u);
  EXPECT_EQ(Torus{}.make(12, 0).edges(), 24u);
  EXPECT_TRUE(all_degrees_are(Torus{}.make(12, 0), 4));
  EXPECT_TRUE(same(Torus{.rows = 1}.make(9, 0), Ring{}.make(9, 0)));
  EXPECT_TRUE(all_degrees_are(Hypercube{}.make(16, 0), 4));
  EXPECT_TRUE(all_degrees_are(Exponential{}.make(16, 0), 7));  // +-1, 2, 4, and 8 once
  EXPECT_TRUE(all_degrees_are(DirectedRing{}.make(6, 0), 1));
  EXPECT_TRUE(all_degrees_are(DirectedExponential{}.make(8, 0), 3));
  EXPECT_EQ(BoWang{}.make(5, 0).edges(), 8u);
  EXPECT_EQ(DirectedRing{}.make(6, 0).tells(5)[0], 0u);
}

TEST(Families, AreConnectedAtAllSizes) {
  for (const std::size_t nodes : {1, 2, 3, 8, 17, 64}) {
    EXPECT_TRUE(is_connected(Path{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(Ring{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(Star{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(Complete{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(Grid{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(Torus{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(Exponential{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(DirectedRing{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(DirectedExponential{}.make(nodes, 0)));
    EXPECT_TRUE(is_connected(RandomDigraph{.probability = 0}.make(nodes, 1)));
  }
}

/// Same seed, same graph; another seed, another graph; always connected.
template <class Family>
void expect_seeded(const Family& family, std::size_t nodes) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Graph graph = family.make(nodes, seed);
    EXPECT_EQ(graph.nodes(), nodes);
    EXPECT_TRUE(is_connected(graph));
    EXPECT_TRUE(same(graph, family.make(nodes, seed)));
    EXPECT_FALSE(same(graph, family.make(nodes, seed + 1)));
  }
}

TEST(Families, AreSeeded) {
  expect_seeded(ErdosRenyi{}, 40);
  expect_seeded(RandomRegular{}, 40);
  expect_seeded(RandomRegular{.degree = 30}, 40);
  expect_seeded(WattsStrogatz{.rewire = 0.5}, 40);
  expect_seeded(BarabasiAlbert{}, 40);
  expect_seeded(RandomDigraph{}, 40);
}

TEST(Families, RandomOnesKeepTheirPromises) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    for (const std::int64_t degree : {3, 7, 12, 15})
      EXPECT_TRUE(all_degrees_are(RandomRegular{.degree = degree}.make(16, seed),
                                  static_cast<std::size_t>(degree)));
    EXPECT_EQ(WattsStrogatz{.rewire = 0.7}.make(50, seed).edges(), 100u);
    EXPECT_EQ(BarabasiAlbert{.attach = 3}.make(50, seed).edges(), 6u + 3 * 46);
    const double mean = 0.3 * 200 * 199 / 2, deviation = std::sqrt(mean * 0.7);
    const auto edges = static_cast<double>(ErdosRenyi{}.make(200, seed).edges());
    EXPECT_NEAR(edges, mean, 5 * deviation);
    const auto arcs = static_cast<double>(RandomDigraph{}.make(200, seed).edges());
    EXPECT_NEAR(arcs, 2 * mean + 200 * 0.7, 5 * 2 * deviation);
  }
  EXPECT_EQ(ErdosRenyi{.probability = 1}.make(9, 1).edges(), 36u);
  EXPECT_EQ(RandomDigraph{.probability = 1}.make(9, 1).edges(), 72u);
  EXPECT_TRUE(same(WattsStrogatz{.neighbours = 2, .rewire = 0}.make(9, 1), Ring{}.make(9, 1)));
}

TEST(Families, SparseRandomGraphsScale) {
  const Graph graph = ErdosRenyi{.probability = 2e-4}.make(100'000, 3);
  EXPECT_NEAR(static_cast<double>(graph.edges()), 1e6, 5e3);
  EXPECT_TRUE(all_degrees_are(RandomRegular{}.make(100'000, 3), 3));
}

TEST(Families, RefuseWhatCannotBe) {
  EXPECT_ERROR(Hypercube{}.make(6, 0), "hypercube: 6 nodes: must be a power of two (4 or 8 are)");
  EXPECT_ERROR(Ring{}.make(0, 0), "0 nodes");
  EXPECT_ERROR(Grid{.rows = 5}.make(12, 0), "rows must divide");
  EXPECT_ERROR(RandomRegular{}.make(5, 0), "must be even");
  EXPECT_ERROR(RandomRegular{.degree = 5}.make(4, 0), "must be 1 ... nodes-1");
  EXPECT_ERROR(WattsStrogatz{.neighbours = 3}.make(9, 0), "must be even");
  EXPECT_ERROR(BarabasiAlbert{.attach = 4}.make(4, 0), "attach must be");
  EXPECT_ERROR(BoWang{}.make(6, 0), "bo-wang: 6 nodes: the graph has 5");
  EXPECT_ERROR(ErdosRenyi{.probability = 0}.make(4, 0),
               "erdos-renyi: 4 nodes, probability 0: none of 100 draws was connected");
}

TEST(GraphFile, ReadsEdgeLists) {
  const std::string path = written("list.txt", "# a ring\n0 1\n1, 2\n\n2 0 % back\n");
  EXPECT_TRUE(same(GraphFile{.path = path}.make(0, 0), Ring{}.make(3, 0)));
  EXPECT_TRUE(
      same(GraphFile{.path = path, .directed = true}.make(3, 0), DirectedRing{}.make(3, 0)));
  EXPECT_ERROR(GraphFile{.path = path}.make(4, 0), "3 nodes: must have 4");
  EXPECT_ERROR(GraphFile{.path = path}.make(2, 0), "list.txt:3: node 2: must be 0 ... 1");
  const std::string bad = written("bad.txt", "0 1\n1 x\n");
  EXPECT_ERROR(GraphFile{.path = bad}.make(0, 0), "bad.txt:2: \"1 x\": must be two node numbers");
  EXPECT_ERROR(GraphFile{.path = path + "none"}.make(0, 0), "cannot be opened");
  EXPECT_ERROR(GraphFile{}.make(0, 0), "must name a file");
  EXPECT_ERROR(GraphFile{.path = written("empty.txt", "# nothing\n")}.make(0, 0), "no nodes");
}

std::string graphml(const std::string& kind) {
  return "<?xml version=\"1.0\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
         "<graph id=\"G\" edgedefault=\"" +
         kind +
         "\">\n"
         "<node id=\"a\"/><node id=\"b\"/><node id=\"c\"/>\n"
         "<edge source=\"a\" target=\"b\"/><edge source=\"b\" target=\"c\"/>"
         "<edge source=\"c\" target=\"a\"/>\n</graph></graphml>\n";
}

TEST(GraphFile, ReadsGraphml) {
  const std::string both = written("both.graphml", graphml("undirected"));
  const std::string one = written("one.graphml", graphml("directed"));
  EXPECT_TRUE(same(GraphFile{.path = both}.make(3, 0), Ring{}.make(3, 0)));
  EXPECT_TRUE(same(GraphFile{.path = one}.make(0, 0), DirectedRing{}.make(3, 0)));
  EXPECT_ERROR(GraphFile{.path = one}.make(5, 0), "3 nodes: must have 5");
  const std::string bad = written("bad.graphml", "<graphml>\n<graph>\n");
  EXPECT_ERROR(GraphFile{.path = bad}.make(0, 0), "not GraphML");
}

TEST(Layout, DrawsEveryNodeAndEdge) {
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  const std::string grid = to_svg(Grid{}.make(36, 0));
  EXPECT_EQ(count(grid, "<circle"), 36u);
  EXPECT_EQ(count(grid, "<line"), 60u);
  EXPECT_EQ(count(grid, "<text"), 36u);
  EXPECT_EQ(count(grid, "\"nan"), 0u);
  const std::string directed = to_svg(BoWang{}.make(5, 0), {"a<b"});
  EXPECT_EQ(count(directed, "marker-end"), 8u);
  EXPECT_EQ(count(directed, ">a&lt;b<"), 1u);
  EXPECT_EQ(count(to_svg(Ring{}.make(150, 0)), "<text"), 0u);
  EXPECT_EQ(count(to_svg(Path{}.make(1, 0)), "<circle"), 1u);
  EXPECT_ERROR(to_svg(Path{}.make(2001, 0)), "a drawing of 2001 nodes: must have 1 ... 2000");
}

}  // namespace
}  // namespace starling
