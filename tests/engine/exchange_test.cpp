/// Whom a round reaches: weights that change, lost messages, rounds without an exchange, exact
/// averages, push-sum weights. Every method has to give the same bits with any number of threads.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "method_support.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/graph/changing.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/lossy.hpp"
#include "starling/method/dgd.hpp"
#include "starling/method/dsgd_atc.hpp"
#include "starling/problem/quadratic.hpp"

namespace starling {
namespace {

constexpr std::size_t nodes = 6, dimension = 37;
constexpr double step = 0.05;

using SequenceRule = std::function<std::unique_ptr<WeightsSequence>()>;

std::unique_ptr<WeightsSequence> matchings() {
  const Graph graph = Complete{}.make(nodes, 0);
  return std::make_unique<ChangingWeights>(graph, Matchings{}.make(graph, 3), Shares::metropolis);
}

std::unique_ptr<WeightsSequence> one_peer() {
  const Graph graph = DirectedExponential{}.make(nodes, 0);
  return std::make_unique<ChangingWeights>(graph, OnePeer{}.make(graph, 0), Shares::uniform);
}

/// R and C of a directed graph whose links lose every fourth message.
std::unique_ptr<WeightsSequence> lossy_digraph() {
  const Graph graph = RandomDigraph{.probability = 0.4}.make(nodes, 5);
  return std::make_unique<LossyWeights>(std::make_unique<FixedWeights>(Uniform{}.make(graph)), 0.25,
                                        7);
}

std::unique_ptr<WeightsSequence> ring() {
  return std::make_unique<FixedWeights>(Metropolis{}.make(Ring{}.make(nodes, 0)));
}

/// The losses and start of every test here.
Instance instance() { return random_instance(nodes, dimension, 4); }

reference::Nodes rows_of(const NodeRows& rows) {
  reference::Nodes copy;
  for (std::size_t i = 0; i < rows.nodes(); ++i)
    copy.emplace_back(rows.row(i).begin(), rows.row(i).end());
  return copy;
}

reference::Matrix dense(const SparseMatrix& matrix) {
  reference::Matrix result(matrix.rows(), reference::Vector(matrix.rows(), 0));
  for (Node i = 0; i < matrix.rows(); ++i)
    for (std::size_t k = 0; k < matrix.row(i).columns.size(); ++k)
      result[i][matrix.row(i).columns[k]] = matrix.row(i).values[k];
  return result;
}

reference::Vector mean_of(const reference::Nodes& rows) {
  reference::Vector mean(rows[0].size(), 0);
  for (const auto& row : rows)
    for (std::size_t l = 0; l < mean.size(); ++l)
      mean[l] += row[l] / static_cast<double>(rows.size());
  return mean;
}

TEST(ExchangeTest, DgdMixesWithEachRoundsOwnWeights) {
  for (const SequenceRule& rule : {SequenceRule{matchings}, SequenceRule{one_peer}}) {
    Instance at = instance();
    const auto update = method_of("dgd", {});
    const auto given = rule(), again = rule();
    Pool pool(2);
    Simulation simulation(
        *update, at.problem, *given, [](Round) { return step; }, pool);
    reference::Nodes expected = rows_of(simulation.state()[0]);
    MixingWeights weights;
    for (Round round = 1; round <= 30; ++round) {
      ASSERT_FALSE(simulation.advance());
      again->weights(round, weights);
      reference::Nodes next = reference::mix(dense(weights.pull), expected);
      for (int i = 0; i < static_cast<int>(nodes); ++i) {
        const auto n = static_cast<std::size_t>(i);
        const reference::Vector g = at.losses.gradient(i, expected[n]);
        for (std::size_t l = 0; l < dimension; ++l) next[n][l] -= step * g[l];
      }
      expected = next;
      EXPECT_LT(relative_error(rows_of(simulation.state()[0]), expected), 1e-5) << round;
    }
  }
}

TEST(ExchangeTest, OnePeerRoundsSendOneMessageANode) {
  Instance at = instance();
  const auto update = method_of("dgd", {});
  const auto weights = one_peer();
  Pool pool(1);
  Simulation simulation(
      *update, at.problem, *weights, [](Round) { return step; }, pool);
  for (int round = 0; round < 5; ++round) simulation.advance();
  EXPECT_EQ(simulation.evaluate({}).bytes_sent, 5 * nodes * dimension * sizeof(float));
}

TEST(ExchangeTest, RoundsWithoutAnExchangeSendNothingAndMixNothing) {
  Instance at = instance();
  const auto update = method_of("local-sgd", {{"every", 4}});
  const auto weights = ring();
  Pool pool(2);
  Simulation simulation(
      *update, at.problem, *weights, [](Round) { return step; }, pool);
  reference::Nodes alone = rows_of(simulation.state()[0]);
  for (int round = 1; round <= 3; ++round) {
    simulation.advance();
    for (int i = 0; i < static_cast<int>(nodes); ++i) {
      auto& x = alone[static_cast<std::size_t>(i)];
      const reference::Vector g = at.losses.gradient(i, x);
      for (std::size_t l = 0; l < dimension; ++l) x[l] -= step * g[l];
    }
  }
  EXPECT_LT(relative_error(rows_of(simulation.state()[0]), alone), 1e-6);
  EXPECT_EQ(simulation.evaluate({}).bytes_sent, 0u);
  simulation.advance();
  EXPECT_EQ(simulation.evaluate({}).bytes_sent, 2 * nodes * dimension * sizeof(float));
}

TEST(ExchangeTest, ExactAveragesAreTheMeanAndCountAsATree) {
  Instance at = instance();
  const auto update = method_of("dsgd-atc", {});
  update->average_exactly();
  const auto weights = ring();
  Pool pool(2);
  Simulation simulation(
      *update, at.problem, *weights, [](Round) { return step; }, pool);
  reference::Vector x = at.setting.start[0];
  for (int round = 1; round <= 20; ++round) {
    ASSERT_FALSE(simulation.advance());
    const reference::Vector before = x;
    for (int i = 0; i < static_cast<int>(nodes); ++i) {
      const reference::Vector g = at.losses.gradient(i, before);
      for (std::size_t l = 0; l < dimension; ++l) x[l] -= step * g[l] / double{nodes};
    }
    EXPECT_LT(relative_error(rows_of(simulation.state()[0]), reference::Nodes(nodes, x)), 1e-5);
  }
  const Metrics metrics = simulation.evaluate({});
  EXPECT_EQ(metrics.bytes_sent, 20 * 2 * (nodes - 1) * dimension * sizeof(float));
  EXPECT_LT(metrics.consensus_error.value(), 1e-10);
}

TEST(ExchangeTest, ExactAveragesOfManyNodesDoNotDrift) {
  constexpr std::size_t many = 10000;
  Quadratic losses{.dimension = 1, .start = {100}};
  const auto problem = losses.make(many, 1);
  RowUpdateOf<Dgd> update;
  update.average_exactly();
  const MixingWeights weights = Metropolis{}.make(Ring{}.make(many, 0));
  Pool pool(2);
  Simulation simulation(
      update, *problem, weights, [](Round) { return 1e-12; }, pool);
  for (int round = 0; round < 100; ++round) simulation.advance();
  EXPECT_NEAR(simulation.average()[0], 100, 1e-5);
}

TEST(ExchangeTest, LinksTakeTurnsFromExchangeToExchange) {
  // Every eighth round of sixteen nodes would always see the same quarter of the links.
  constexpr std::size_t many = 16;
  const Graph graph = DirectedExponential{}.make(many, 0);
  ChangingWeights weights(graph, OnePeer{}.make(graph, 0), Shares::uniform);
  const auto problem = Quadratic{.dimension = 5}.make(many, 1);
  const RowUpdateOf<LocalSgd> update(LocalSgd{{}, 8});
  Pool pool(1);
  // Steps end after the first rounds: then four exchanges average exactly.
  Simulation simulation(
      update, *problem, weights, [](Round k) { return k < 8 ? 0.1 : 0; }, pool);
  for (int round = 0; round < 7; ++round) simulation.advance();
  EXPECT_GT(simulation.evaluate({}).consensus_error.value(), 1e-3);
  for (int round = 0; round < 32; ++round) simulation.advance();
  EXPECT_LT(simulation.evaluate({}).consensus_error.value(), 1e-10);
}

TEST(ExchangeTest, LostMessagesHaveBeenSent) {
  const MixingWeights fixed = Metropolis{}.make(Ring{}.make(nodes, 0));
  LossyWeights lossy(std::make_unique<FixedWeights>(fixed), 0.5, 1);
  Instance at = instance();
  const RowUpdateOf<Dgd> update;
  Pool pool(1);
  Simulation simulation(
      update, at.problem, lossy, [](Round) { return step; }, pool);
  for (int round = 0; round < 20; ++round) simulation.advance();
  EXPECT_EQ(simulation.evaluate({}).bytes_sent, 20 * 2 * nodes * dimension * sizeof(float));
}

TEST(ExchangeTest, QuasiGlobalMomentumStandsAStepOfZero) {
  Instance at = instance();
  const auto update = method_of("qg-dsgdm", {});
  const auto weights = ring();
  Pool pool(1);
  Simulation simulation(
      *update, at.problem, *weights, [](Round k) { return k < 5 ? step : 0; }, pool);
  for (int round = 0; round < 20; ++round) EXPECT_FALSE(simulation.advance());
}

TEST(ExchangeTest, PushWeightsAndTrackedSumsSurviveLostMessages) {
  for (const std::string name : {"sgp", "dgt", "push-pull", "clipped-tracking"}) {
    Instance at = instance();
    const auto update = method_of(name, {});
    const auto weights = lossy_digraph();
    Pool pool(2);
    Simulation simulation(
        *update, at.problem, *weights, [](Round) { return 0.01; }, pool);
    for (int round = 1; round <= 60; ++round) {
      ASSERT_FALSE(simulation.advance());
      if (name == "sgp") {
        const auto w = simulation.push_weights();
        EXPECT_NEAR(std::accumulate(w.begin(), w.end(), 0.0), double{nodes}, 1e-5) << round;
        continue;
      }
      const reference::Vector y = mean_of(rows_of(simulation.state()[1]));
      const reference::Vector g = mean_of(rows_of(simulation.state()[2]));
      EXPECT_LT(relative_error({y}, {g}), 1e-4) << name << ", round " << round;
    }
  }
}

TEST(ExchangeTest, GradientPushFindsTheOptimumOverLossyLinks) {
  Instance at = instance();
  const auto update = method_of("sgp", {});
  const auto weights = lossy_digraph();
  Pool pool(2);
  Simulation simulation(
      *update, at.problem, *weights,
      [](Round k) { return 0.5 / std::sqrt(static_cast<double>(k) + 100); }, pool);
  for (int round = 0; round < 20000; ++round) ASSERT_FALSE(simulation.advance());
  // Of the mean of the losses: local optima are some units apart.
  EXPECT_LT(*simulation.evaluate({}).gradient_norm, 0.05);
}

/// Every variable of every node after some rounds.
std::vector<float> bits_of(const RowUpdate& update, const SequenceRule& rule, std::size_t threads) {
  Instance at = random_instance(nodes, 3000, 9);
  const auto weights = rule();
  Pool pool(threads);
  Simulation simulation(
      update, at.problem, *weights, [](Round) { return 0.01; }, pool);
  for (int round = 0; round < 12; ++round) simulation.advance();
  std::vector<float> bits;
  for (const NodeRows& rows : simulation.state())
    for (Node i = 0; i < nodes; ++i)
      bits.insert(bits.end(), rows.row(i).begin(), rows.row(i).end());
  return bits;
}

TEST(ExchangeTest, ThreadsDoNotChangeABitWhicheverTheMethodAndTheLinks) {
  for (const auto& entry : methods())
    for (const SequenceRule& rule :
         {SequenceRule{ring}, SequenceRule{matchings}, SequenceRule{lossy_digraph}}) {
      const auto update = method_of(std::string{entry.name}, {});
      const std::vector<float> one = bits_of(*update, rule, 1);
      EXPECT_EQ(one, bits_of(*update, rule, 2)) << entry.name;
      EXPECT_EQ(one, bits_of(*update, rule, 3)) << entry.name;
    }
}

/// f_i(x) = |x - i|, whose mean has no gradient at the median.
class Distances final : public Problem {
 public:
  std::size_t nodes() const override { return 3; }
  std::size_t dimension() const override { return 1; }
  void start(std::span<float> x) const override { x[0] = start_; }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "distances"; }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Exact>(); }
  explicit Distances(float start) : start_(start) {}

 private:
  struct Exact final : Oracle {
    float subgradient(Node node, Round, std::span<const float> x, std::span<float> g) override {
      return static_cast<float>(objective(node, x, g));
    }
    double objective(Node node, std::span<const float> x, std::span<float> g) override {
      const float distance = x[0] - static_cast<float>(node);
      if (!g.empty()) g[0] = distance > 0 ? 1.0f : distance < 0 ? -1.0f : 0.0f;
      return std::abs(double{distance});
    }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }
  };
  float start_;
};

/// The measures at a start, where all nodes are.
Metrics measured_at(float start, double radius) {
  Distances problem(start);
  const RowUpdateOf<Dgd> update;
  const MixingWeights weights = Metropolis{}.make(Path{}.make(3, 0));
  Pool pool(2);
  Simulation simulation(
      update, problem, weights, [](Round) { return 0.1; }, pool);
  return simulation.evaluate({.stationarity = radius});
}

TEST(StationarityTest, IsZeroWhereTheMeanOfTheLossesHasAKinkAtItsMinimum) {
  // Beside the median 1 the slope is 1/3; around it, both signs are there.
  EXPECT_NEAR(*measured_at(1.001f, 0.01).stationarity, 0, 1e-12);
  EXPECT_NEAR(*measured_at(1.001f, 0.01).gradient_norm, 1.0 / 3, 1e-6);
}

TEST(StationarityTest, IsTheSlopeWhereNoKinkIsNear) {
  EXPECT_NEAR(*measured_at(1.5f, 0.01).stationarity, 1.0 / 3, 1e-6);
  EXPECT_NEAR(*measured_at(5, 0.01).stationarity, 1, 1e-6);
  // A kink that is no minimum: slopes 1/3 and 1 beside it.
  EXPECT_NEAR(*measured_at(2, 0.01).stationarity, 1.0 / 3, 1e-6);
}

TEST(StationarityTest, IsLeftOutUnlessAskedFor) { EXPECT_FALSE(measured_at(1, 0).stationarity); }

}  // namespace
}  // namespace starling
