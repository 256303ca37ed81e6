/// Mixing weights: sums, symmetry, support, files, and the papers' assumptions.
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/error.hpp"
#include "starling/graph/checks.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/weights.hpp"

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

std::string written(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "starling_weights_" + name;
  std::ofstream(path) << text;
  return path;
}

std::vector<Graph> undirected_graphs() {
  return {Path{}.make(1, 0),       Path{}.make(9, 0),           Ring{}.make(6, 0),
          Star{}.make(8, 0),       Complete{}.make(5, 0),       Grid{}.make(12, 0),
          Hypercube{}.make(16, 0), ErdosRenyi{}.make(20, 1),    RandomRegular{}.make(20, 2),
          Torus{}.make(25, 0),     WattsStrogatz{}.make(30, 3), BarabasiAlbert{}.make(25, 4)};
}

std::vector<Graph> directed_graphs() {
  return {DirectedRing{}.make(7, 0), DirectedExponential{}.make(12, 0), RandomDigraph{}.make(15, 1),
          BoWang{}.make(5, 0)};
}

/// Entries in ascending order on edges and the diagonal, which is always there.
void expect_on_graph(const SparseMatrix& matrix, const Graph& graph) {
  ASSERT_EQ(matrix.rows(), graph.nodes());
  for (Node i = 0; i < graph.nodes(); ++i) {
    std::vector<Node> expected(graph.hears(i).begin(), graph.hears(i).end());
    expected.push_back(i);
    std::sort(expected.begin(), expected.end());
    const auto columns = matrix.row(i).columns;
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), columns.begin(), columns.end()));
  }
}

TEST(Weights, UndirectedRulesAreSymmetricAndDoublyStochastic) {
  for (const Graph& graph : undirected_graphs()) {
    for (const MixingWeights& weights :
         {Metropolis{}.make(graph), MaxDegree{}.make(graph), Lazy{}.make(graph),
          Lazy{.of = "max-degree", .gamma = 0.2}.make(graph)}) {
      const MatrixFacts facts = facts_of(weights.pull);
      EXPECT_LT(facts.row_deviation, 1e-14);
      EXPECT_LT(facts.column_deviation, 1e-14);
      EXPECT_EQ(facts.asymmetry, 0);
      EXPECT_TRUE(facts.is_nonnegative());
      EXPECT_EQ(weights.pull.values, weights.push.values);
      expect_on_graph(weights.pull, graph);
    }
    EXPECT_TRUE(facts_of(Metropolis{}.make(graph).pull).has_positive_diagonal());
    EXPECT_EQ(why_not_doubly_stochastic(graph, Metropolis{}.make(graph)), "");
  }
}

TEST(Weights, UniformIsRowAndColumnStochastic) {
  std::vector<Graph> graphs = undirected_graphs();
  for (const Graph& graph : directed_graphs()) graphs.push_back(graph);
  for (const Graph& graph : graphs)
    for (const MixingWeights& weights :
         {Uniform{}.make(graph), Lazy{.of = "uniform"}.make(graph)}) {
      EXPECT_LT(facts_of(weights.pull).row_deviation, 1e-14);
      EXPECT_LT(facts_of(weights.push).column_deviation, 1e-14);
      EXPECT_TRUE(facts_of(weights.pull).has_positive_diagonal());
      expect_on_graph(weights.pull, graph);
      expect_on_graph(weights.push, graph);
    }
}

TEST(Weights, HaveTheValuesOfTheirFormulas) {
  const Graph star = Star{}.make(4, 0);
  const auto metropolis = Metropolis{}.make(star).pull;
  EXPECT_DOUBLE_EQ(metropolis.row(0).values[0], 0.25);
  EXPECT_DOUBLE_EQ(metropolis.row(2).values[1], 0.75);
  const auto uniform = Uniform{}.make(star);
  EXPECT_DOUBLE_EQ(uniform.pull.row(2).values[0], 0.5);   // node 2 hears node 0 alone
  EXPECT_DOUBLE_EQ(uniform.push.row(2).values[0], 0.25);  // node 0 tells three and itself
  const auto lazy = Lazy{.gamma = 0.5}.make(star).pull;
  EXPECT_DOUBLE_EQ(lazy.row(2).values[1], 0.875);
  EXPECT_DOUBLE_EQ(lazy.row(2).values[0], 0.125);
  EXPECT_EQ(MaxDegree{}.make(Ring{}.make(6, 0)).pull.row(0).values[0], 0);
}

TEST(Weights, DirectedGraphsRefuseSymmetricRules) {
  const Graph graph = DirectedRing{}.make(4, 0);
  EXPECT_NE(error_of([&] { Metropolis{}.make(graph); }).find("must be undirected: use \"uniform\""),
            std::string::npos);
  EXPECT_THROW(MaxDegree{}.make(graph), UserError);
  EXPECT_THROW(Lazy{}.make(graph), UserError);
  EXPECT_THROW(Lazy{.of = "ring"}.make(Ring{}.make(4, 0)), UserError);
}

TEST(Weights, BoWangIsDoublyStochasticAndNotSymmetric) {
  const Graph graph = BoWang{}.make(5, 0);
  const MixingWeights weights = BoWangWeights{}.make(graph);
  EXPECT_TRUE(facts_of(weights.pull).is_doubly_stochastic());
  EXPECT_GT(facts_of(weights.pull).asymmetry, 0.1);
  EXPECT_EQ(why_not_doubly_stochastic(graph, weights), "");
  EXPECT_THROW(BoWangWeights{}.make(DirectedRing{}.make(5, 0)), UserError);
  EXPECT_THROW(BoWangWeights{}.make(Ring{}.make(4, 0)), UserError);
}

TEST(Checks, SayWhatIsViolated) {
  const auto why = [](const Graph& graph, const MixingWeights& weights) {
    return why_not_doubly_stochastic(graph, weights);
  };
  const Graph ring = Ring{}.make(6, 0), star = Star{}.make(4, 0);
  EXPECT_NE(why(ring, MaxDegree{}.make(ring)).find("use weights \"lazy\""), std::string::npos);
  EXPECT_EQ(why(ring, Lazy{.of = "max-degree"}.make(ring)), "");
  const Graph odd = Ring{}.make(5, 0);
  EXPECT_EQ(why(odd, MaxDegree{}.make(odd)), "");
  EXPECT_NE(why(star, Uniform{}.make(star)).find("column 0 sums to 1.75"), std::string::npos);
  EXPECT_NE(why(star, Uniform{}.make(star)).find("\"metropolis\""), std::string::npos);
  const Graph apart = Graph::undirected(4, {{0, 1}, {2, 3}});
  EXPECT_NE(why(apart, Metropolis{}.make(apart)).find("not connected"), std::string::npos);
}

TEST(Checks, KnowConnectionAndRoots) {
  const Graph chain = Graph::directed(3, {{2, 1}, {1, 0}});
  EXPECT_FALSE(is_connected(chain));
  ASSERT_TRUE(root_of(chain).has_value());
  EXPECT_EQ(*root_of(chain), 2u);
  EXPECT_FALSE(root_of(Graph::directed(3, {{0, 2}, {1, 2}})).has_value());
  EXPECT_TRUE(is_connected(Path{}.make(100'000, 0)));
  EXPECT_EQ(transposed(transposed(BoWangWeights{}.make(BoWang{}.make(5, 0)).pull)).values,
            BoWangWeights{}.make(BoWang{}.make(5, 0)).pull.values);
}

TEST(WeightsFile, ReadsMatrixMarket) {
  const Graph path = Path{}.make(3, 0);
  const std::string banner = "%%MatrixMarket matrix ";
  const std::string list = written("list.mtx", banner +
                                                   "coordinate real symmetric\n% why\n3 3 4\n"
                                                   "1 1 0.5\n2 1 0.5\n3 2 .5\n3 3 .5\n");
  const MixingWeights read = WeightsFile{.path = list}.make(path);
  EXPECT_TRUE(facts_of(read.pull).is_doubly_stochastic());
  expect_on_graph(read.pull, path);
  EXPECT_EQ(read.pull.row(1).values[1], 0);
  const std::string array = written("array.mtx", banner +
                                                     "array real general\n3 3\n"
                                                     ".5\n.5\n0\n.25\n.5\n.5\n0\n.2\n.8\n");
  const MixingWeights two = WeightsFile{.pull = array, .push = list}.make(path);
  EXPECT_EQ(two.pull.row(0).values[1], 0.25);  // array files go column by column
  EXPECT_EQ(two.push.row(0).values[1], 0.5);
}

TEST(WeightsFile, NamesFileLineAndEntry) {
  const Graph path = Path{}.make(3, 0);
  const auto error = [&](const std::string& text) {
    const std::string file = written("bad.mtx", text);
    return error_of([&] { WeightsFile{.path = file}.make(path); });
  };
  const std::string head = "%%MatrixMarket matrix coordinate real general\n";
  const auto expect = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect(error(head + "3 3 1\n1 3 0.5\n"), "bad.mtx:3: entry (1, 3) = 0.5: node 0 does not hear");
  expect(error(head + "3 3 1\n1 4 0.5\n"), "bad.mtx:3: entry (1, 4): must be within 1 ... 3");
  expect(error(head + "4 4 1\n1 1 1\n"), "bad.mtx:2: 4 x 4: must be 3 x 3");
  expect(error(head + "3 3 2\n1 1 1\n"), "1 entries: 2 announced");
  expect(error(head + "3 3 1\n1 1 1\n2 2 1\n"), "more entries than announced");
  expect(error(head + "3 3 1\n1 1 one\n"), "must be row, column and value");
  expect(error(head + "3 3 2\n1 1 1\n1 1 1\n"), "entry (1, 1) stands there twice");
  expect(error("%%MatrixMarket matrix coordinate complex general\n"), "bad.mtx:1: must be");
  expect(error_of([&] { WeightsFile{.path = "/no/such"}.make(path); }), "cannot be opened");
  expect(error_of([&] { WeightsFile{.pull = "x"}.make(path); }), "either path, or both");
}

TEST(WhyNotDoublyStochastic, LooksAtTheWeightsNotTheEdges) {
  // W = I on a ring: every edge is there, nothing travels.
  const Graph ring = Ring{}.make(5, 0);
  SparseMatrix identity;
  SparseMatrix shift;
  for (Node i = 0; i < 5; ++i) {
    identity.columns.push_back(i);
    shift.columns.push_back((i + 4) % 5);
    identity.values.push_back(1);
    shift.values.push_back(1);
    identity.offsets.push_back(i + 1);
    shift.offsets.push_back(i + 1);
  }
  EXPECT_NE(why_not_doubly_stochastic(ring, {identity, identity}).find("not connected"),
            std::string::npos);
  // Everybody hands everything on: after five rounds all is as before.
  const std::string why = why_not_doubly_stochastic(DirectedRing{}.make(5, 0), {shift, shift});
  EXPECT_NE(why.find("every 5 rounds"), std::string::npos) << why;
}

TEST(PeriodOf, IsTheGcdOfClosedWalks) {
  EXPECT_EQ(period_of(DirectedRing{}.make(6, 0)), 6u);
  EXPECT_EQ(period_of(Ring{}.make(6, 0)), 2u);
  EXPECT_EQ(period_of(Ring{}.make(5, 0)), 1u);
  EXPECT_EQ(period_of(Complete{}.make(4, 0)), 1u);
}

}  // namespace
}  // namespace starling
