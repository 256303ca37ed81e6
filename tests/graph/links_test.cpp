/// Links, weights of changing graphs and lost messages, against plain dense computations.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/graph/changing.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/links.hpp"
#include "starling/graph/lossy.hpp"
#include "starling/graph/sequence.hpp"
#include "starling/graph/weights.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

using Dense = std::vector<std::vector<double>>;
using Active = std::vector<std::uint8_t>;
using Messages = std::vector<Edge>;  // (from, to), in the order of their numbers

struct DensePair {
  Dense pull, push;
  std::size_t pull_entries = 0, push_entries = 0;  ///< in sparse rows, zeros counted
};

Dense zeros(std::size_t nodes) { return Dense(nodes, std::vector<double>(nodes, 0)); }

double row_sum(const Dense& matrix, std::size_t row) {
  double sum = 0;
  for (const double value : matrix[row]) sum += value;
  return sum;
}

double column_sum(const Dense& matrix, std::size_t column) {
  double sum = 0;
  for (const std::vector<double>& row : matrix) sum += row[column];
  return sum;
}

/// The matrix, after a look at its rows: ascending, with the diagonal.
Dense dense_of(const SparseMatrix& matrix) {
  Dense dense = zeros(matrix.rows());
  EXPECT_EQ(matrix.offsets.back(), matrix.columns.size());
  EXPECT_EQ(matrix.columns.size(), matrix.values.size());
  for (Node i = 0; i < matrix.rows(); ++i) {
    const SparseMatrix::Row row = matrix.row(i);
    bool is_ascending = true, has_diagonal = false;
    for (std::size_t k = 0; k < row.columns.size(); ++k) {
      is_ascending = is_ascending && (k == 0 || row.columns[k - 1] < row.columns[k]);
      has_diagonal = has_diagonal || row.columns[k] == i;
      dense[i][row.columns[k]] = row.values[k];
    }
    EXPECT_TRUE(is_ascending && has_diagonal) << "row " << i;
  }
  return dense;
}

/// Entries other than 0, and the diagonal where `with_diagonal`.
SparseMatrix sparse_of(const Dense& dense, bool with_diagonal = true) {
  SparseMatrix matrix;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    for (std::size_t j = 0; j < dense.size(); ++j) {
      if (dense[i][j] == 0 && !(with_diagonal && i == j)) continue;
      matrix.columns.push_back(static_cast<Node>(j));
      matrix.values.push_back(dense[i][j]);
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  return matrix;
}

void expect_near(const Dense& got, const Dense& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    for (std::size_t j = 0; j < got.size(); ++j)
      EXPECT_NEAR(got[i][j], expected[i][j], tolerance) << "(" << i << ", " << j << ")";
}

void expect_same(const SparseMatrix& got, const SparseMatrix& expected) {
  EXPECT_EQ(got.offsets, expected.offsets);
  EXPECT_EQ(got.columns, expected.columns);
  EXPECT_EQ(got.values, expected.values);
}

Messages messages_of(const Graph& graph) {
  Messages messages;
  for (Node i = 0; i < graph.nodes(); ++i)
    for (const Node j : graph.hears(i)) messages.emplace_back(j, i);
  return messages;
}

/// What the links choose; the places hold something else beforehand.
Active chosen(Links& links, std::size_t messages, Round round) {
  Active active(messages, 7);
  links.choose(round, active);
  return active;
}

/// How often each message is sent in the first rounds.
std::vector<double> frequencies(Links& links, std::size_t messages, Round rounds) {
  std::vector<double> counts(messages, 0);
  for (Round round = 1; round <= rounds; ++round) {
    const Active active = chosen(links, messages, round);
    for (std::size_t k = 0; k < messages; ++k) counts[k] += active[k];
  }
  for (double& count : counts) count /= static_cast<double>(rounds);
  return counts;
}

struct Kind {
  std::string name;
  Graph graph;
  std::function<std::unique_ptr<Links>(std::uint64_t)> make;
};

template <class Rule>
Kind kind_of(const std::string& name, const Graph& graph, const Rule& rule) {
  return {name, graph, [graph, rule](std::uint64_t seed) { return rule.make(graph, seed); }};
}

std::vector<Kind> random_kinds() {
  return {kind_of("matchings", ErdosRenyi{}.make(15, 1), Matchings{}),
          kind_of("random-edges, undirected", Torus{}.make(16, 0), RandomEdges{}),
          kind_of("random-edges, directed", RandomDigraph{}.make(9, 2), RandomEdges{})};
}

std::vector<Kind> kinds() {
  std::vector<Kind> all = random_kinds();
  all.push_back(kind_of("one-peer", DirectedExponential{}.make(12, 0), OnePeer{}));
  return all;
}

TEST(LinksChoice, IsAFunctionOfSeedAndRound) {
  for (const Kind& kind : kinds()) {
    const std::size_t messages = messages_of(kind.graph).size();
    const auto forwards = kind.make(3), backwards = kind.make(3);
    std::vector<Active> rounds;
    for (Round k = 1; k <= 20; ++k) rounds.push_back(chosen(*forwards, messages, k));
    for (Round k = 20; k > 0; --k) {
      EXPECT_EQ(chosen(*backwards, messages, k), rounds[k - 1]) << kind.name;
      EXPECT_EQ(chosen(*forwards, messages, k), rounds[k - 1]) << kind.name;
    }
  }
}

TEST(LinksChoice, OfChanceDiffersBetweenRoundsAndSeeds) {
  for (const Kind& kind : random_kinds()) {
    const std::size_t messages = messages_of(kind.graph).size();
    std::set<std::vector<int>> different;
    for (const std::uint64_t seed : {3, 4})
      for (Round k = 1; k <= 20; ++k) {
        const Active active = chosen(*kind.make(seed), messages, k);
        different.emplace(active.begin(), active.end());
      }
    EXPECT_GE(different.size(), 35u) << kind.name;
    EXPECT_EQ(kind.make(3)->period(), 0u);
  }
}

TEST(LinksChoice, TakesUndirectedEdgesBothWays) {
  for (const Kind& kind : random_kinds()) {
    const Messages messages = messages_of(kind.graph);
    const auto links = kind.make(5);
    int one_way = 0;
    for (Round round = 1; round <= 20; ++round) {
      const Active active = chosen(*links, messages.size(), round);
      std::set<Edge> on;
      for (std::size_t k = 0; k < messages.size(); ++k) {
        ASSERT_LE(active[k], 1) << kind.name;
        if (active[k] == 1) on.insert(messages[k]);
      }
      for (const auto& [from, to] : on) one_way += on.contains({to, from}) ? 0 : 1;
    }
    EXPECT_EQ(one_way > 0, kind.graph.is_directed()) << kind.name;
  }
}

TEST(OnePeerLinks, HopsTakeTurnsInAscendingOrder) {
  for (const std::size_t nodes : {8, 12, 16}) {
    const Graph graph = DirectedExponential{}.make(nodes, 0);
    const Messages messages = messages_of(graph);
    const auto links = OnePeer{}.make(graph, 0);
    const std::size_t period = nodes == 8 ? 3 : 4;
    EXPECT_EQ(links->period(), period);
    for (Round round = 1; round <= 2 * period + 1; ++round) {
      const std::size_t hop = std::size_t{1} << ((round - 1) % period);
      const Active active = chosen(*links, messages.size(), round);
      std::set<Node> senders, receivers;
      for (std::size_t k = 0; k < messages.size(); ++k) {
        const auto [from, to] = messages[k];
        EXPECT_EQ(active[k] == 1, (from + hop) % nodes == to) << "round " << round;
        if (active[k] == 0) continue;
        senders.insert(from);
        receivers.insert(to);
      }
      EXPECT_EQ(senders.size(), nodes);
      EXPECT_EQ(receivers.size(), nodes);
    }
  }
}

TEST(OnePeerLinks, WithOneHopAreTheWholeGraph) {
  const auto ring = OnePeer{}.make(DirectedRing{}.make(6, 0), 0);
  EXPECT_EQ(ring->period(), 1u);
  EXPECT_EQ(chosen(*ring, 6, 4), Active(6, 1));
  const auto alone = OnePeer{}.make(DirectedExponential{}.make(1, 0), 0);
  EXPECT_EQ(alone->period(), 1u);
  EXPECT_EQ(chosen(*alone, 0, 1), Active{});
}

TEST(OnePeerLinks, RefuseGraphsWithoutCommonHops) {
  const auto error = [](const Graph& graph) {
    return user_error_of([&] { (void)OnePeer{}.make(graph, 0); });
  };
  EXPECT_TRUE(says(error(Ring{}.make(6, 0)), "the graph is undirected"));
  EXPECT_TRUE(says(error(Ring{}.make(6, 0)), "\"directed-exponential\" or \"directed-ring\""));
  EXPECT_TRUE(says(error(BoWang{}.make(5, 0)), "must all have the same"));
  // The same number of hops is not enough: here 0 and 1 tell by hop 1, 2 and 3 by hop 2.
  EXPECT_TRUE(says(error(Graph::directed(4, {{0, 1}, {1, 2}, {2, 0}, {3, 1}})), "differ"));
}

TEST(MatchingLinks, AreMaximalMatchings) {
  for (const Graph& graph : {Ring{}.make(7, 0), Complete{}.make(6, 0), Star{}.make(9, 0),
                             ErdosRenyi{}.make(20, 3), Path{}.make(2, 0)}) {
    const Messages messages = messages_of(graph);
    const auto links = Matchings{}.make(graph, 11);
    for (Round round = 1; round <= 50; ++round) {
      const Active active = chosen(*links, messages.size(), round);
      std::vector<int> partners(graph.nodes(), 0);
      for (std::size_t k = 0; k < messages.size(); ++k)
        if (active[k] == 1) ++partners[messages[k].second];
      for (const int count : partners) EXPECT_LE(count, 1);
      for (const auto& [from, to] : messages) EXPECT_GE(partners[from] + partners[to], 1);
    }
  }
}

/// In a complete graph of 6 three of 15 edges are taken, in a ring of 5 two. In a ring of 6 the
/// first edge leaves a path of three, whose middle comes first one time in three: 1 + 5/3 of 6.
TEST(MatchingLinks, TakeEdgesAsOftenAsARandomOrderDoes) {
  const std::vector<std::pair<Graph, double>> cases{
      {Complete{}.make(6, 0), 1.0 / 5}, {Ring{}.make(5, 0), 2.0 / 5}, {Ring{}.make(6, 0), 4.0 / 9}};
  for (const auto& [graph, expected] : cases) {
    const auto links = Matchings{}.make(graph, 1);
    for (const double frequency : frequencies(*links, messages_of(graph).size(), 4000))
      EXPECT_NEAR(frequency, expected, 0.04);  // five standard deviations
  }
}

TEST(MatchingLinks, RefuseDirectedGraphs) {
  EXPECT_TRUE(says(user_error_of([] { (void)Matchings{}.make(DirectedRing{}.make(4, 0), 0); }),
                   "\"matchings\": the graph is directed, must be undirected"));
}

TEST(RandomEdgeLinks, AreActiveWithTheirProbabilityInEveryRound) {
  const Graph graph = Complete{}.make(10, 0);
  const std::size_t messages = messages_of(graph).size();
  const auto links = RandomEdges{.fraction = 0.3}.make(graph, 1);
  double mean = 0, both = 0;
  for (const double frequency : frequencies(*links, messages, 2000)) {
    EXPECT_NEAR(frequency, 0.3, 0.055);
    mean += frequency / 90;
  }
  EXPECT_NEAR(mean, 0.3, 0.008);
  for (Round round = 1; round <= 2000; ++round) {  // a round says nothing about the next
    const Active now = chosen(*links, messages, round), next = chosen(*links, messages, round + 1);
    for (std::size_t k = 0; k < messages; ++k) both += now[k] * next[k];
  }
  EXPECT_NEAR(both / (2000 * 90), 0.09, 0.008);
}

TEST(RandomEdgeLinks, OfADirectedGraphAreIndependentEachWay) {
  const Graph graph = RandomDigraph{.probability = 1}.make(7, 0);
  const Messages messages = messages_of(graph);
  const auto links = RandomEdges{.fraction = 0.5}.make(graph, 1);
  double both = 0;
  for (Round round = 1; round <= 2000; ++round) {
    const Active active = chosen(*links, messages.size(), round);
    std::set<Edge> on;
    for (std::size_t k = 0; k < messages.size(); ++k)
      if (active[k] == 1) on.insert(messages[k]);
    for (const auto& [from, to] : on) both += from < to && on.contains({to, from}) ? 1 : 0;
  }
  EXPECT_NEAR(both / (2000 * 21), 0.25, 0.012);
}

TEST(LinkFilesTest, TakeTurnsInTheOrderOfTheList) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.path() / "sub");
  folder.write("first.txt", "0 1\n3 2\n");
  folder.write("sub/second.txt", "# nobody talks\n0 0\n");
  const std::string list =
      folder.write("rounds.txt", "# two rounds\nfirst.txt # a pair each\r\n\n  sub/second.txt\n")
          .string();
  const Graph ring = Ring{}.make(5, 0);
  const Messages messages = messages_of(ring);
  const auto links = LinkFiles{.path = list}.make(ring, 0);
  EXPECT_EQ(links->period(), 2u);
  const std::set<Edge> first{{0, 1}, {1, 0}, {2, 3}, {3, 2}};
  for (Round round = 1; round <= 6; ++round) {
    const Active active = chosen(*links, messages.size(), round);
    for (std::size_t k = 0; k < messages.size(); ++k)
      EXPECT_EQ(active[k], round % 2 == 1 && first.contains(messages[k]) ? 1 : 0);
  }
}

TEST(LinkFilesTest, OfADirectedGraphGoOneWay) {
  const TempFolder folder;
  folder.write("one.txt", "0 1\n");
  const std::string list = folder.write("rounds.txt", "one.txt\n").string();
  const Graph graph = Graph::directed(3, {{0, 1}, {1, 0}, {1, 2}});
  const auto links = LinkFiles{.path = list}.make(graph, 0);
  EXPECT_EQ(links->period(), 1u);
  EXPECT_EQ(chosen(*links, 3, 1), (Active{0, 1, 0}));  // 1 to 0, 0 to 1, 1 to 2
}

TEST(LinkFilesTest, NameFileAndEdgeThatDoNotFit) {
  const TempFolder folder;
  const auto error = [&](const Graph& graph, const std::string& edges) {
    folder.write("edges.txt", edges);
    const std::string list = folder.write("rounds.txt", "edges.txt\n").string();
    return user_error_of([&] { (void)LinkFiles{.path = list}.make(graph, 0); });
  };
  const auto list_error = [&](const std::string& path) {
    return user_error_of([&] { (void)LinkFiles{.path = path}.make(Ring{}.make(5, 0), 0); });
  };
  const Graph ring = Ring{}.make(5, 0), one_way = DirectedRing{}.make(5, 0);
  EXPECT_TRUE(says(error(ring, "0 1\n2 0\n"), "edges.txt: edge 0 2: must be an edge"));
  EXPECT_TRUE(says(error(one_way, "1 0\n"), "edges.txt: edge 1 0: must be an edge"));
  EXPECT_TRUE(says(error(ring, "0 9\n"), "edges.txt: node 9: must be 0 ... 4"));
  EXPECT_TRUE(says(error(ring, "0 x\n"), "edges.txt:1: \"0 x\": must be two node numbers"));
  EXPECT_TRUE(says(list_error(""), "path: must name a file"));
  EXPECT_TRUE(says(list_error((folder.path() / "none").string()), "none: cannot be opened"));
  EXPECT_TRUE(
      says(list_error(folder.write("a.txt", "gone.txt\n").string()), "gone.txt: cannot be opened"));
  EXPECT_TRUE(says(list_error(folder.write("b.txt", "# no\n \n").string()), "names no file"));
}

TEST(LinkFilesTest, RefuseGraphmlOfTheOtherKind) {
  const TempFolder folder;
  folder.write("one.graphml",
               "<?xml version=\"1.0\"?>\n"
               "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
               "<graph id=\"G\" edgedefault=\"directed\"><node id=\"a\"/><node id=\"b\"/>\n"
               "<edge source=\"a\" target=\"b\"/></graph></graphml>\n");
  const std::string list = folder.write("rounds.txt", "one.graphml\n").string();
  EXPECT_TRUE(says(user_error_of([&] { (void)LinkFiles{.path = list}.make(Ring{}.make(3, 0), 0); }),
                   "one.graphml: directed edges: must be undirected"));
}

/// The rule's formulas on the active messages.
DensePair expected_weights(const Graph& graph, const Active& active, Shares shares) {
  const Messages messages = messages_of(graph);
  const std::size_t nodes = graph.nodes();
  std::vector<double> in(nodes, 0), out(nodes, 0);
  for (std::size_t k = 0; k < messages.size(); ++k) {
    out[messages[k].first] += active[k];
    in[messages[k].second] += active[k];
  }
  DensePair expected{zeros(nodes), zeros(nodes)};
  expected.pull_entries = nodes;
  for (std::size_t i = 0; i < nodes; ++i) {
    expected.pull[i][i] = 1 / (in[i] + 1);
    expected.push[i][i] = 1 / (out[i] + 1);
  }
  for (std::size_t k = 0; k < messages.size(); ++k) {
    if (active[k] == 0) continue;
    const auto [from, to] = messages[k];
    ++expected.pull_entries;
    expected.pull[to][from] = 1 / (in[to] + 1);
    expected.push[to][from] = 1 / (out[from] + 1);
    if (shares == Shares::metropolis)
      expected.pull[to][from] = 1 / (1 + std::max(in[from], in[to]));
  }
  expected.push_entries = expected.pull_entries;
  if (shares == Shares::uniform) return expected;
  for (std::size_t i = 0; i < nodes; ++i) {
    expected.pull[i][i] = 0;
    expected.pull[i][i] = 1 - row_sum(expected.pull, i);
  }
  expected.push = expected.pull;
  return expected;
}

void expect_changing(const Kind& kind, Shares shares) {
  ChangingWeights sequence(kind.graph, kind.make(3), shares);
  const auto links = kind.make(3);
  EXPECT_EQ(sequence.nodes(), kind.graph.nodes());
  EXPECT_EQ(sequence.period(), links->period());
  MixingWeights weights;
  for (const Round round : {5, 1, 2, 3, 4, 5, 6, 7, 8, 1'000'000}) {
    sequence.weights(round, weights);
    const Active active = chosen(*links, messages_of(kind.graph).size(), round);
    const DensePair expected = expected_weights(kind.graph, active, shares);
    const Dense pull = dense_of(weights.pull), push = dense_of(weights.push);
    expect_near(pull, expected.pull, 1e-15);
    expect_near(push, expected.push, 1e-15);
    EXPECT_EQ(weights.pull.columns.size(), expected.pull_entries) << kind.name;
    EXPECT_EQ(weights.push.columns.size(), expected.push_entries) << kind.name;
    for (std::size_t i = 0; i < pull.size(); ++i) {
      EXPECT_NEAR(row_sum(pull, i), 1, 1e-14);
      EXPECT_NEAR(column_sum(push, i), 1, 1e-14);
      if (shares == Shares::uniform) continue;
      EXPECT_NEAR(column_sum(pull, i), 1, 1e-14);
      EXPECT_NEAR(row_sum(push, i), 1, 1e-14);
    }
  }
}

TEST(ChangingWeightsTest, AreTheRuleOfTheActiveEdges) {
  for (const Kind& kind : kinds()) {
    expect_changing(kind, Shares::uniform);
    if (!kind.graph.is_directed()) expect_changing(kind, Shares::metropolis);
  }
}

TEST(ChangingWeightsTest, WithAllEdgesActiveAreTheFixedWeights) {
  const RandomEdges all{.fraction = 1};
  MixingWeights weights;
  for (const Graph& graph : {Star{}.make(9, 0), ErdosRenyi{}.make(14, 1), Path{}.make(1, 0)}) {
    ChangingWeights metropolis(graph, all.make(graph, 1), Shares::metropolis);
    metropolis.weights(3, weights);
    expect_same(weights.pull, Metropolis{}.make(graph).pull);
    expect_same(weights.push, Metropolis{}.make(graph).push);
  }
  const Graph graph = RandomDigraph{}.make(11, 1);
  ChangingWeights uniform(graph, all.make(graph, 1), Shares::uniform);
  uniform.weights(3, weights);
  expect_same(weights.pull, Uniform{}.make(graph).pull);
  expect_same(weights.push, Uniform{}.make(graph).push);
}

TEST(ChangingWeightsTest, OnePeerGivesHalfAwayAndIsDoublyStochastic) {
  const Graph graph = DirectedExponential{}.make(8, 0);
  ChangingWeights sequence(graph, OnePeer{}.make(graph, 0), Shares::uniform);
  MixingWeights weights;
  for (Round round = 1; round <= 3; ++round) {
    sequence.weights(round, weights);
    expect_same(weights.pull, weights.push);
    EXPECT_EQ(weights.pull.values, std::vector<double>(16, 0.5));
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(column_sum(dense_of(weights.pull), i), 1);
  }
}

TEST(ChangingWeightsTest, MetropolisRefusesDirectedGraphs) {
  const Graph graph = DirectedRing{}.make(4, 0);
  EXPECT_TRUE(says(
      user_error_of([&] { ChangingWeights(graph, OnePeer{}.make(graph, 0), Shares::metropolis); }),
      "must be undirected: use \"uniform\""));
}

TEST(FixedWeightsTest, AreTheSameInEveryRound) {
  const MixingWeights given = Uniform{}.make(RandomDigraph{}.make(9, 1));
  FixedWeights sequence(given);
  EXPECT_EQ(sequence.nodes(), 9u);
  EXPECT_EQ(sequence.period(), 1u);
  MixingWeights weights = Uniform{}.make(Ring{}.make(4, 0));  // something else before
  for (const Round round : {1, 1000}) {
    sequence.weights(round, weights);
    expect_same(weights.pull, given.pull);
    expect_same(weights.push, given.push);
  }
}

/// A pull and a push that take different messages, as files may have them.
MixingWeights uneven_pair() {
  return {sparse_of({{.5, .5, 0, 0}, {0, .25, .75, 0}, {0, 0, .4, .6}, {1, 0, 0, 0}}),
          sparse_of({{.5, 0, .3, 0}, {.5, .2, 0, 0}, {0, .8, .7, .9}, {0, 0, 0, .1}})};
}

using MakeSequence = std::function<std::unique_ptr<WeightsSequence>()>;

MakeSequence fixed(const MixingWeights& weights) {
  return [weights] { return std::make_unique<FixedWeights>(weights); };
}

MakeSequence changing(const Kind& kind, Shares shares) {
  return [=] { return std::make_unique<ChangingWeights>(kind.graph, kind.make(3), shares); };
}

std::vector<MakeSequence> sequences() {
  std::vector<MakeSequence> all{fixed(Uniform{}.make(RandomDigraph{}.make(9, 1))),
                                fixed(Metropolis{}.make(ErdosRenyi{}.make(12, 1))),
                                fixed(uneven_pair())};
  for (const Kind& kind : kinds())
    all.push_back(changing(kind, kind.graph.is_directed() ? Shares::uniform : Shares::metropolis));
  return all;
}

bool has_entry(const SparseMatrix& matrix, Node row, Node column) {
  const auto columns = matrix.row(row).columns;
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

/// Goes through all pairs of nodes, moving the weight of lost messages.
DensePair expected_loss(const MixingWeights& of, double probability, std::uint64_t seed,
                        Round round) {
  DensePair rest{dense_of(of.pull), dense_of(of.push), of.pull.columns.size(),
                 of.push.columns.size()};
  for (Node i = 0; i < of.pull.rows(); ++i) {
    Random random(seed, Purpose::loss, i, round);
    for (Node j = 0; j < of.pull.rows(); ++j) {
      const bool is_pulled = has_entry(of.pull, i, j), is_pushed = has_entry(of.push, i, j);
      if (i == j || (!is_pulled && !is_pushed) || random.uniform() >= probability) continue;
      rest.pull[i][i] += rest.pull[i][j];
      rest.push[j][j] += rest.push[i][j];
      rest.pull[i][j] = rest.push[i][j] = 0;
      rest.pull_entries -= is_pulled ? 1 : 0;
      rest.push_entries -= is_pushed ? 1 : 0;
    }
  }
  return rest;
}

TEST(LossyWeightsTest, MoveTheWeightOfLostMessages) {
  for (const MakeSequence& make : sequences()) {
    const auto of = make();
    LossyWeights lossy(make(), 0.4, 7);
    EXPECT_EQ(lossy.nodes(), of->nodes());
    EXPECT_EQ(lossy.period(), 0u);
    MixingWeights given, weights;
    for (Round round = 1; round <= 60; ++round) {
      of->weights(round, given);
      lossy.weights(round, weights);
      const DensePair expected = expected_loss(given, 0.4, 7, round);
      const Dense pull = dense_of(weights.pull), push = dense_of(weights.push);
      expect_near(pull, expected.pull, 1e-14);
      expect_near(push, expected.push, 1e-14);
      EXPECT_EQ(weights.pull.columns.size(), expected.pull_entries);
      EXPECT_EQ(weights.push.columns.size(), expected.push_entries);
      for (std::size_t i = 0; i < pull.size(); ++i) {
        EXPECT_NEAR(row_sum(pull, i), 1, 1e-14);
        EXPECT_NEAR(column_sum(push, i), 1, 1e-14);
      }
    }
  }
}

TEST(LossyWeightsTest, AreAFunctionOfSeedAndRound) {
  const MakeSequence make = fixed(Uniform{}.make(Complete{}.make(8, 0)));
  LossyWeights forwards(make(), 0.5, 1), backwards(make(), 0.5, 1), other(make(), 0.5, 2);
  std::vector<MixingWeights> rounds(10);
  for (Round k = 1; k <= 10; ++k) forwards.weights(k, rounds[k - 1]);
  MixingWeights weights;
  for (Round k = 10; k > 0; --k) {
    backwards.weights(k, weights);
    expect_same(weights.pull, rounds[k - 1].pull);
    expect_same(weights.push, rounds[k - 1].push);
    EXPECT_EQ(weights.pull.columns, weights.push.columns);  // both lose the same messages
    other.weights(k, weights);
    EXPECT_NE(weights.pull.columns, rounds[k - 1].pull.columns);
    EXPECT_NE(rounds[k - 1].pull.columns, rounds[k % 10].pull.columns);
  }
}

TEST(LossyWeightsTest, LoseEachMessageAsOftenAsAsked) {
  LossyWeights lossy(fixed(Metropolis{}.make(Complete{}.make(6, 0)))(), 0.2, 1);
  constexpr int rounds = 4000;
  Dense lost = zeros(6);
  double mean = 0, both_ways = 0;
  MixingWeights weights;
  for (Round round = 1; round <= rounds; ++round) {
    lossy.weights(round, weights);
    for (Node i = 0; i < 6; ++i)
      for (Node j = 0; j < 6; ++j) {
        if (has_entry(weights.pull, i, j)) continue;
        lost[i][j] += 1.0 / rounds;
        mean += 1.0 / (30 * rounds);
        if (i < j && !has_entry(weights.pull, j, i)) both_ways += 1.0 / (15 * rounds);
      }
  }
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t j = 0; j < 6; ++j)
      EXPECT_NEAR(lost[i][j], i == j ? 0 : 0.2, 0.033);  // five standard deviations
  EXPECT_NEAR(mean, 0.2, 0.006);
  EXPECT_NEAR(both_ways, 0.04, 0.005);  // 0.2 squared: each way by itself
}

TEST(LossyWeightsTest, WithoutLossAreTheGivenWeights) {
  for (const MakeSequence& make : sequences()) {
    const auto of = make();
    LossyWeights lossy(make(), 0, 7);
    MixingWeights given, weights;
    for (Round round = 1; round <= 5; ++round) {
      of->weights(round, given);
      lossy.weights(round, weights);
      expect_same(weights.pull, given.pull);
      expect_same(weights.push, given.push);
    }
  }
}

TEST(LossyWeightsTest, LosingEverythingLeavesEveryNodeAlone) {
  const Dense shift{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}};
  const Dense identity{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  const SparseMatrix bare = sparse_of(shift, false);  // no diagonal to give the weight to
  for (const double probability : {0.0, 1.0}) {
    LossyWeights lossy(fixed({bare, bare})(), probability, 1);
    MixingWeights weights;
    lossy.weights(1, weights);
    expect_near(dense_of(weights.pull), probability == 1 ? identity : shift, 0);
    expect_near(dense_of(weights.push), probability == 1 ? identity : shift, 0);
    EXPECT_EQ(weights.pull.columns.size(), probability == 1 ? 3u : 6u);
  }
}

TEST(SequenceMemory, StaysWhereItIsFromTheFirstRoundOn) {
  for (const MakeSequence& make : sequences()) {
    std::vector<std::unique_ptr<WeightsSequence>> both;
    both.push_back(make());
    both.push_back(std::make_unique<LossyWeights>(make(), 0.3, 1));
    for (const auto& sequence : both) {
      MixingWeights weights;
      sequence->weights(1, weights);
      const auto where = [&] {
        return std::vector<const void*>{weights.pull.offsets.data(), weights.pull.columns.data(),
                                        weights.pull.values.data(),  weights.push.offsets.data(),
                                        weights.push.columns.data(), weights.push.values.data()};
      };
      const std::vector<const void*> before = where();
      for (Round round = 2; round <= 100; ++round) {
        sequence->weights(round, weights);
        ASSERT_EQ(where(), before) << "round " << round;
      }
    }
  }
}

}  // namespace
}  // namespace starling
