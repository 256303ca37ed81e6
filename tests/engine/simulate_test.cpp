/// The simulate engine: same bits for any number of threads, and what theory says about rounds.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/engine/train.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/spectrum.hpp"
#include "starling/graph/weights.hpp"
#include "starling/method/amsgrad.hpp"
#include "starling/method/dadam.hpp"
#include "starling/method/dgd.hpp"
#include "starling/method/dsgd_atc.hpp"

namespace starling {
namespace {

using Fault = std::function<void(Node, Round, float& loss, std::span<float> g)>;

struct Settings {
  std::size_t nodes = 1, dimension = 1;
  float noise = 0;
  bool has_test_data = true;
  std::vector<Node> losses{};  ///< node i has loss losses[i]; empty: loss i
  Fault fault{};               ///< spoils a subgradient
};

/// Loss n is c_n / 2 ||x - a_n||^2; a subgradient has noise that loss and round decide.
class TestProblem final : public Problem {
 public:
  explicit TestProblem(Settings settings) : settings_(std::move(settings)) {
    if (settings_.losses.empty()) {
      settings_.losses.resize(settings_.nodes);
      std::iota(settings_.losses.begin(), settings_.losses.end(), Node{0});
    }
    for (const Node loss : settings_.losses) {
      std::vector<float>& center = centers_.emplace_back(settings_.dimension);
      for (std::size_t k = 0; k < center.size(); ++k)
        center[k] = static_cast<float>(
            std::sin(1.0 + 3.0 * static_cast<double>(loss) + 0.7 * static_cast<double>(k)));
    }
  }

  std::size_t nodes() const override { return settings_.nodes; }
  std::size_t dimension() const override { return settings_.dimension; }
  void start(std::span<float> x) const override {
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = static_cast<float>(k % 3) - 0.5f;
  }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Exact>(*this); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds) / 4; }
  std::string summary() const override { return "test"; }

 private:
  class Exact final : public Oracle {
   public:
    explicit Exact(const TestProblem& problem) : problem_(problem) {}

    float subgradient(Node node, Round round, std::span<const float> x,
                      std::span<float> g) override {
      auto loss = static_cast<float>(objective(node, x, g));
      const Settings& settings = problem_.settings_;
      const auto shake = static_cast<float>(
          Random(1, Purpose::problem, settings.losses[node], round).uniform() - 0.5);
      for (std::size_t k = 0; k < g.size(); ++k)
        g[k] += settings.noise * shake * (static_cast<float>(k % 3) - 1);
      if (settings.fault) settings.fault(node, round, loss, g);
      return loss;
    }
    double objective(Node node, std::span<const float> x, std::span<float> g) override {
      const std::vector<float>& center = problem_.centers_[node];
      const Node own = problem_.settings_.losses[node];
      const float curvature = 0.5f + 0.25f * static_cast<float>(own % 5);
      double squares = 0;
      for (std::size_t k = 0; k < x.size(); ++k) {
        const double difference = double{x[k]} - double{center[k]};
        squares += difference * difference;
      }
      for (std::size_t k = 0; k < g.size(); ++k) g[k] = curvature * (x[k] - center[k]);
      return double{curvature} / 2 * squares;
    }
    std::optional<double> accuracy(std::span<const float> x) override {
      if (!problem_.settings_.has_test_data) return std::nullopt;
      const auto right = std::ranges::count_if(x, [](float value) { return value > 0.1f; });
      return static_cast<double>(right) / static_cast<double>(x.size());
    }

   private:
    const TestProblem& problem_;
  };

  Settings settings_;
  std::vector<std::vector<float>> centers_;
};

/// Gradient tracking: x mixed by rows, y by columns; the one kind of method that combines first.
struct Tracking {
  static constexpr std::string_view variables[] = {"x", "y", "g"};
  static constexpr Mixing mixing[] = {Mixing::pull, Mixing::push};
  static constexpr Order order = Order::combine_first;

  struct Exchanged {
    float x, y;
  };
  struct State : Exchanged {
    float g;
  };

  constexpr State start(float x) const { return {{x, 0}, 0}; }
  constexpr void combine(State& s, const Exchanged& mixed, float step) const {
    s.x = mixed.x - step * s.y;
    s.y = mixed.y;
  }
  constexpr void adapt(State& s, float g, float) const {
    s.y += g - s.g;
    s.g = g;
  }
};

std::vector<std::unique_ptr<RowUpdate>> undirected_methods() {
  std::vector<std::unique_ptr<RowUpdate>> methods;
  methods.push_back(std::make_unique<RowUpdateOf<Dgd>>());
  methods.push_back(std::make_unique<RowUpdateOf<DsgdAtc>>());
  methods.push_back(std::make_unique<RowUpdateOf<Amsgrad>>());
  methods.push_back(std::make_unique<RowUpdateOf<Dadam>>());
  return methods;
}

double decaying(Round round) { return 0.1 / std::sqrt(static_cast<double>(round)); }

struct Outcome {
  std::vector<std::vector<float>> state;  ///< variable by variable, node by node
  Metrics metrics;
};

std::vector<std::vector<float>> copy_of(const std::vector<NodeRows>& state) {
  std::vector<std::vector<float>> rows;
  for (const NodeRows& variable : state)
    for (std::size_t i = 0; i < variable.nodes(); ++i)
      rows.emplace_back(variable.row(i).begin(), variable.row(i).end());
  return rows;
}

Outcome run(const RowUpdate& update, Problem& problem, const MixingWeights& weights,
            std::size_t threads, Round rounds) {
  Pool pool(threads);
  Simulation simulation(update, problem, weights, decaying, pool);
  for (Round round = 0; round < rounds; ++round)
    EXPECT_FALSE(simulation.advance().has_value()) << "round " << round + 1;
  Outcome outcome{copy_of(simulation.state()), simulation.evaluate({})};
  return outcome;
}

void expect_same_metrics(const Metrics& a, const Metrics& b) {
  EXPECT_EQ(a.round, b.round);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.bytes_sent, b.bytes_sent);
  EXPECT_EQ(a.minibatch_loss, b.minibatch_loss);
  EXPECT_EQ(a.objective, b.objective);
  EXPECT_EQ(a.test_accuracy, b.test_accuracy);
  EXPECT_EQ(a.node_accuracy_mean, b.node_accuracy_mean);
  EXPECT_EQ(a.node_accuracy_min, b.node_accuracy_min);
  EXPECT_EQ(a.consensus_error, b.consensus_error);
  EXPECT_EQ(a.gradient_norm, b.gradient_norm);
}

constexpr std::size_t dimensions[] = {1, 7, 64, 1000, 20000};

void expect_same_bits(const RowUpdate& update, Problem& problem, const MixingWeights& weights) {
  const Outcome expected = run(update, problem, weights, 1, 4);
  for (std::size_t threads = 2; threads <= 4; ++threads) {
    const Outcome found = run(update, problem, weights, threads, 4);
    EXPECT_TRUE(found.state == expected.state) << threads << " threads";
    expect_same_metrics(found.metrics, expected.metrics);
  }
}

TEST(SimulateTest, SameBitsForAnyNumberOfThreads) {
  const std::vector<Graph> graphs{Ring{}.make(9, 0), Star{}.make(9, 0), Complete{}.make(9, 0),
                                  ErdosRenyi{}.make(9, 1)};
  for (const std::size_t dimension : dimensions) {
    TestProblem problem(Settings{.nodes = 9, .dimension = dimension, .noise = 0.5f});
    for (const Graph& graph : graphs)
      for (const auto& update : undirected_methods()) {
        SCOPED_TRACE("dimension " + std::to_string(dimension) + ", " +
                     std::to_string(graph.edges()) + " edges, " +
                     std::to_string(update->state_count()) + " variables");
        expect_same_bits(*update, problem, Metropolis{}.make(graph));
      }
  }
}

TEST(SimulateTest, SameBitsForAnyNumberOfThreadsOnDirectedGraphs) {
  const RowUpdateOf<Tracking> update;
  const MixingWeights weights = Uniform{}.make(RandomDigraph{}.make(9, 1));
  for (const std::size_t dimension : dimensions) {
    SCOPED_TRACE("dimension " + std::to_string(dimension));
    TestProblem problem(Settings{.nodes = 9, .dimension = dimension, .noise = 0.5f});
    expect_same_bits(update, problem, weights);
  }
}

TEST(SimulateTest, StateDoesNotDependOnHowColumnsAreCutIntoBlocks) {
  // Columns do not know each other: those of a short problem are those of a long one.
  const MixingWeights weights = Metropolis{}.make(Grid{}.make(9, 0));
  TestProblem small(Settings{.nodes = 9, .dimension = 70, .noise = 0.5f});
  TestProblem large(Settings{.nodes = 9, .dimension = 20000, .noise = 0.5f});
  for (const auto& update : undirected_methods()) {
    const Outcome few = run(*update, small, weights, 1, 5);
    const Outcome many = run(*update, large, weights, 2, 5);
    ASSERT_EQ(few.state.size(), many.state.size());
    for (std::size_t row = 0; row < few.state.size(); ++row)
      EXPECT_TRUE(
          std::equal(few.state[row].begin(), few.state[row].end(), many.state[row].begin()));
  }
}

/// Means of a variable over the nodes, column by column.
std::vector<double> mean_of(const NodeRows& variable) {
  std::vector<double> mean(variable.dimension());
  for (std::size_t i = 0; i < variable.nodes(); ++i)
    for (std::size_t k = 0; k < mean.size(); ++k)
      mean[k] += double{variable.row(i)[k]} / static_cast<double>(variable.nodes());
  return mean;
}

TEST(SimulateTest, AverageOfDgdFollowsTheAverageGradient) {
  for (const Graph& graph : {Star{}.make(7, 0), Ring{}.make(7, 0), ErdosRenyi{}.make(7, 2)}) {
    TestProblem problem(Settings{.nodes = 7, .dimension = 33, .noise = 0.5f});
    const RowUpdateOf<Dgd> update;
    const MixingWeights weights = Metropolis{}.make(graph);
    Pool pool(2);
    Simulation simulation(update, problem, weights, decaying, pool);
    const auto oracle = problem.oracle();
    for (Round round = 1; round <= 12; ++round) {
      std::vector<double> expected = mean_of(simulation.state()[0]);
      for (Node i = 0; i < 7; ++i) {
        std::vector<float> g(33);
        oracle->subgradient(i, round, simulation.state()[0].row(i), g);
        for (std::size_t k = 0; k < 33; ++k) expected[k] -= decaying(round) * double{g[k]} / 7;
      }
      ASSERT_FALSE(simulation.advance().has_value());
      const std::vector<double> found = mean_of(simulation.state()[0]);
      for (std::size_t k = 0; k < 33; ++k) ASSERT_NEAR(found[k], expected[k], 2e-6) << round;
    }
  }
}

TEST(SimulateTest, DgdIsMixingThenAStepNodeByNode) {
  const MixingWeights weights = Metropolis{}.make(ErdosRenyi{}.make(7, 2));
  TestProblem problem(Settings{.nodes = 7, .dimension = 33, .noise = 0.5f});
  const RowUpdateOf<Dgd> cta;
  const RowUpdateOf<DsgdAtc> atc;
  Pool pool(2);
  Simulation combines(cta, problem, weights, decaying, pool);
  Simulation adapts(atc, problem, weights, decaying, pool);
  const auto oracle = problem.oracle();
  const auto start = [&] {
    std::vector<float> x(33);
    problem.start(x);
    return std::vector<std::vector<double>>(7, std::vector<double>(x.begin(), x.end()));
  };
  std::vector<std::vector<double>> x = start(), z = start();
  const auto gradient = [&](Node node, Round round, const std::vector<double>& at) {
    const std::vector<float> point(at.begin(), at.end());
    std::vector<float> g(33);
    oracle->subgradient(node, round, point, g);
    return g;
  };
  for (Round round = 1; round <= 6; ++round) {
    std::vector<std::vector<double>> mixed_x(7, std::vector<double>(33)), mixed_z = mixed_x;
    std::vector<std::vector<double>> moved = z;
    for (Node i = 0; i < 7; ++i) {
      const std::vector<float> g = gradient(i, round, z[i]);
      for (std::size_t k = 0; k < 33; ++k) moved[i][k] -= decaying(round) * double{g[k]};
    }
    for (Node i = 0; i < 7; ++i) {
      const std::vector<float> g = gradient(i, round, x[i]);
      const auto [columns, values] = weights.pull.row(i);
      for (std::size_t k = 0; k < 33; ++k) {
        for (std::size_t j = 0; j < columns.size(); ++j) {
          mixed_x[i][k] += values[j] * x[columns[j]][k];
          mixed_z[i][k] += values[j] * moved[columns[j]][k];
        }
        mixed_x[i][k] -= decaying(round) * double{g[k]};
      }
    }
    x = mixed_x;
    z = mixed_z;
    ASSERT_FALSE(combines.advance().has_value());
    ASSERT_FALSE(adapts.advance().has_value());
  }
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t k = 0; k < 33; ++k) {
      EXPECT_NEAR(combines.state()[0].row(i)[k], x[i][k], 3e-6);
      EXPECT_NEAR(adapts.state()[0].row(i)[k], z[i][k], 3e-6);
    }
}

TEST(SimulateTest, TrackingKeepsTheAverageOfYThatOfTheGradients) {
  TestProblem problem(Settings{.nodes = 9, .dimension = 40, .noise = 0.5f});
  const RowUpdateOf<Tracking> update;
  const MixingWeights weights = Uniform{}.make(RandomDigraph{}.make(9, 1));
  Pool pool(2);
  Simulation simulation(
      update, problem, weights, [](Round) { return 0.01; }, pool);
  for (Round round = 1; round <= 20; ++round) {
    ASSERT_FALSE(simulation.advance().has_value());
    const std::vector<double> y = mean_of(simulation.state()[1]);
    const std::vector<double> g = mean_of(simulation.state()[2]);
    for (std::size_t k = 0; k < y.size(); ++k) ASSERT_NEAR(y[k], g[k], 1e-5) << round;
  }
}

TEST(SimulateTest, MixingAloneContractsByTheSquareOfLambda) {
  for (const Graph& graph : {Path{}.make(8, 0), Star{}.make(8, 0), Grid{}.make(8, 0)}) {
    const MixingWeights weights = Metropolis{}.make(graph);
    const double lambda = spectrum_of(weights.pull).second;
    TestProblem problem(Settings{.nodes = 8, .dimension = 64});
    const RowUpdateOf<Dgd> update;
    Pool pool(2);
    // All nodes start at the same x: some rounds drive them apart first.
    Simulation simulation(
        update, problem, weights, [](Round round) { return round <= 3 ? 0.3 : 0.0; }, pool);
    for (int round = 0; round < 3; ++round) ASSERT_FALSE(simulation.advance().has_value());
    double before = simulation.evaluate({}).consensus_error.value();
    const std::vector<double> mean = mean_of(simulation.state()[0]);
    ASSERT_GT(before, 0.01);
    for (int round = 0; round < 20; ++round) {
      ASSERT_FALSE(simulation.advance().has_value());
      const double after = simulation.evaluate({}).consensus_error.value();
      EXPECT_LE(after, lambda * lambda * before * (1 + 1e-3) + 1e-11) << round;
      before = after;
    }
    const std::vector<double> still = mean_of(simulation.state()[0]);
    for (std::size_t k = 0; k < mean.size(); ++k) EXPECT_NEAR(still[k], mean[k], 4e-6);
  }
}

TEST(SimulateTest, MixingAloneContractsNoFasterThanLambdaInTheLongRun) {
  const MixingWeights weights = Metropolis{}.make(Path{}.make(8, 0));
  const double lambda = spectrum_of(weights.pull).second;
  TestProblem problem(Settings{.nodes = 8, .dimension = 64});
  const RowUpdateOf<Dgd> update;
  Pool pool(1);
  Simulation simulation(
      update, problem, weights, [](Round round) { return round <= 3 ? 0.3 : 0.0; }, pool);
  for (int round = 0; round < 43; ++round) ASSERT_FALSE(simulation.advance().has_value());
  const double before = simulation.evaluate({}).consensus_error.value();
  ASSERT_FALSE(simulation.advance().has_value());
  EXPECT_NEAR(simulation.evaluate({}).consensus_error.value() / before, lambda * lambda, 0.02);
}

TEST(SimulateTest, AmsgradKeepsTheAverageOfUThatOfVHat) {
  TestProblem problem(Settings{.nodes = 8, .dimension = 50, .noise = 0.5f});
  const RowUpdateOf<Amsgrad> update;
  const MixingWeights weights = Metropolis{}.make(Ring{}.make(8, 0));
  Pool pool(2);
  Simulation simulation(
      update, problem, weights, [](Round) { return 0.01; }, pool);
  for (int round = 0; round < 20; ++round) {
    ASSERT_FALSE(simulation.advance().has_value());
    const std::vector<double> u = mean_of(simulation.state()[1]);
    const std::vector<double> v_hat = mean_of(simulation.state()[4]);
    for (std::size_t k = 0; k < u.size(); ++k) ASSERT_NEAR(u[k], v_hat[k], 1e-5 * v_hat[k]) << k;
  }
  // The nodes' own differ: mixing does something.
  const float u = simulation.state()[1].row(0)[0], v_hat = simulation.state()[4].row(0)[0];
  EXPECT_GT(std::abs(u - v_hat), 1e-3f * v_hat);
}

TEST(SimulateTest, CompleteGraphWithEqualLossesIsOneNodeAlone) {
  constexpr std::size_t nodes = 5;
  TestProblem together(Settings{
      .nodes = nodes, .dimension = 30, .noise = 0.5f, .losses = std::vector<Node>(nodes, 2)});
  TestProblem alone(Settings{.nodes = 1, .dimension = 30, .noise = 0.5f, .losses = {2}});
  const RowUpdateOf<Dgd> update;
  const Outcome many = run(update, together, Uniform{}.make(Complete{}.make(nodes, 0)), 2, 25);
  const Outcome one = run(update, alone, Uniform{}.make(Complete{}.make(1, 0)), 1, 25);
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t k = 0; k < 30; ++k) EXPECT_NEAR(many.state[i][k], one.state[0][k], 1e-5);
  EXPECT_EQ(one.metrics.bytes_sent, 0u);
  EXPECT_EQ(one.metrics.consensus_error, 0);
}

TEST(SimulateTest, RelabellingTheNodesRelabelsTheResult) {
  const std::vector<Edge> edges{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {0, 3}, {3, 6}};
  const std::vector<Node> new_name{4, 2, 6, 0, 5, 1, 3};  // node i becomes new_name[i]
  std::vector<Edge> renamed;
  for (const auto& [from, to] : edges) renamed.emplace_back(new_name[from], new_name[to]);
  std::vector<Node> losses(7);
  for (Node i = 0; i < 7; ++i) losses[new_name[i]] = i;

  TestProblem problem(Settings{.nodes = 7, .dimension = 40, .noise = 0.5f});
  TestProblem relabelled(Settings{.nodes = 7, .dimension = 40, .noise = 0.5f, .losses = losses});
  const MixingWeights weights = Metropolis{}.make(Graph::undirected(7, edges));
  const MixingWeights new_weights = Metropolis{}.make(Graph::undirected(7, renamed));
  for (const auto& update : undirected_methods()) {
    const Outcome before = run(*update, problem, weights, 2, 15);
    const Outcome after = run(*update, relabelled, new_weights, 2, 15);
    for (Node i = 0; i < 7; ++i) {
      const std::vector<float>& x = before.state[i];  // x is the first variable
      const std::vector<float>& renamed_x = after.state[new_name[i]];
      for (std::size_t k = 0; k < 40; ++k)
        ASSERT_NEAR(x[k], renamed_x[k], 2e-4 * (1 + std::abs(x[k])));
    }
    const double objective = before.metrics.objective.value();
    EXPECT_NEAR(after.metrics.objective.value(), objective, 1e-3 * (1 + objective));
  }
}

/// Where a run of at most 8 rounds ends.
std::optional<Divergence> end_of(const RowUpdate& update, const Fault& fault, std::size_t threads) {
  TestProblem problem(Settings{.nodes = 6, .dimension = 20, .fault = fault});
  const MixingWeights weights = Metropolis{}.make(Ring{}.make(6, 0));
  Pool pool(threads);
  Simulation simulation(update, problem, weights, decaying, pool);
  while (simulation.round() < 8)
    if (const auto divergence = simulation.advance()) return divergence;
  return std::nullopt;
}

void spoil_gradient(Node node, Round round, float&, std::span<float> g) {
  if (node == 3 && round == 5) g[11] = std::numeric_limits<float>::quiet_NaN();
}

void spoil_loss(Node node, Round round, float& loss, std::span<float>) {
  if (node == 2 && round == 3) loss = std::numeric_limits<float>::infinity();
}

TEST(SimulateTest, DivergenceNamesRoundNodeAndVariable) {
  const RowUpdateOf<Dgd> dgd;
  const RowUpdateOf<Amsgrad> amsgrad;
  const RowUpdateOf<Dadam> dadam;
  for (const RowUpdate* update : std::initializer_list<const RowUpdate*>{&dgd, &amsgrad, &dadam})
    for (const std::size_t threads : {1, 2}) {
      const auto divergence = end_of(*update, spoil_gradient, threads);
      ASSERT_TRUE(divergence.has_value());
      EXPECT_EQ(divergence->round, 5u);
      EXPECT_EQ(divergence->node, 3u);
      EXPECT_EQ(divergence->variable, "x");
    }
}

TEST(SimulateTest, DivergenceNamesTheNodeItBeganAtWhereNeighboursHearOfItAtOnce) {
  const RowUpdateOf<DsgdAtc> update;
  const auto divergence = end_of(update, spoil_gradient, 1);
  ASSERT_TRUE(divergence.has_value());
  EXPECT_EQ(divergence->round, 5u);
  EXPECT_EQ(divergence->node, 3u);
}

TEST(SimulateTest, InfiniteMinibatchLossIsADivergence) {
  for (const auto& update : undirected_methods()) {
    const auto divergence = end_of(*update, spoil_loss, 2);
    ASSERT_TRUE(divergence.has_value());
    EXPECT_EQ(divergence->round, 3u);
    EXPECT_EQ(divergence->node, 2u);
    EXPECT_EQ(divergence->variable, "minibatch loss");
  }
}

TEST(SimulateTest, FiniteRunsHaveNoDivergence) {
  for (const auto& update : undirected_methods()) EXPECT_FALSE(end_of(*update, {}, 2).has_value());
}

TEST(SimulateTest, BytesAreEdgesTimesExchangedVariables) {
  TestProblem problem(Settings{.nodes = 9, .dimension = 21});
  for (const Graph& graph : {Ring{}.make(9, 0), Star{}.make(9, 0), Complete{}.make(9, 0)})
    for (const auto& update : undirected_methods()) {
      const Outcome outcome = run(*update, problem, Metropolis{}.make(graph), 1, 3);
      EXPECT_EQ(outcome.metrics.bytes_sent,
                2 * graph.edges() * update->exchanged_count() * 21 * 4 * 3);
    }
  const RowUpdateOf<Tracking> tracking;
  const Graph directed = RandomDigraph{}.make(9, 1);
  const Outcome outcome = run(tracking, problem, Uniform{}.make(directed), 1, 3);
  EXPECT_EQ(outcome.metrics.bytes_sent, directed.edges() * 2 * 21 * 4 * 3);
}

TEST(SimulateTest, EvaluationMatchesPlainSums) {
  constexpr std::size_t nodes = 6, dimension = 1500;
  TestProblem problem(Settings{.nodes = nodes, .dimension = dimension, .noise = 0.5f});
  const RowUpdateOf<Dgd> update;
  const MixingWeights weights = Metropolis{}.make(Star{}.make(nodes, 0));
  Pool pool(2);
  Simulation simulation(update, problem, weights, decaying, pool);
  for (int round = 0; round < 2; ++round) ASSERT_FALSE(simulation.advance().has_value());
  const auto oracle = problem.oracle();
  double minibatch_loss = 0;
  for (Node i = 0; i < nodes; ++i) {
    std::vector<float> g(dimension);
    minibatch_loss += double{oracle->subgradient(i, 3, simulation.state()[0].row(i), g)} / nodes;
  }
  ASSERT_FALSE(simulation.advance().has_value());

  const std::vector<double> mean = mean_of(simulation.state()[0]);
  const std::vector<float> average(mean.begin(), mean.end());
  const std::vector<float> found_average = simulation.average();
  for (std::size_t k = 0; k < dimension; ++k) EXPECT_NEAR(found_average[k], mean[k], 1e-6);
  double consensus_error = 0, objective = 0, square = 0, accuracies = 0, least = 1;
  std::vector<double> slope(dimension);
  for (Node i = 0; i < nodes; ++i) {
    const auto x = simulation.state()[0].row(i);
    for (std::size_t k = 0; k < dimension; ++k)
      consensus_error += (double{x[k]} - mean[k]) * (double{x[k]} - mean[k]) / nodes;
    std::vector<float> g(dimension);
    objective += oracle->objective(i, average, g) / nodes;
    for (std::size_t k = 0; k < dimension; ++k) slope[k] += double{g[k]} / nodes;
    const double accuracy = oracle->accuracy(x).value();
    accuracies += accuracy / nodes;
    least = std::min(least, accuracy);
  }
  for (const double value : slope) square += value * value;

  const Metrics metrics = simulation.evaluate({});
  EXPECT_EQ(metrics.round, 3u);
  EXPECT_EQ(metrics.epoch, 0.75);
  EXPECT_NEAR(metrics.minibatch_loss.value(), minibatch_loss, 1e-5 * minibatch_loss);
  EXPECT_NEAR(metrics.objective.value(), objective, 1e-6 * objective);
  EXPECT_NEAR(metrics.gradient_norm.value(), std::sqrt(square), 1e-5 * std::sqrt(square));
  EXPECT_GT(consensus_error, 1e-3);
  EXPECT_NEAR(metrics.consensus_error.value(), consensus_error, 1e-5 * consensus_error);
  EXPECT_NEAR(metrics.test_accuracy.value(), oracle->accuracy(found_average).value(), 1e-12);
  EXPECT_NEAR(metrics.node_accuracy_mean.value(), accuracies, 1e-12);
  EXPECT_NEAR(metrics.node_accuracy_min.value(), least, 1e-12);
  EXPECT_LT(least, accuracies) << "all nodes are equally good";
}

TEST(SimulateTest, EvaluationLeavesOutWhatIsNotThereOrNotAsked) {
  TestProblem problem(Settings{.nodes = 4, .dimension = 10, .has_test_data = false});
  const RowUpdateOf<Dgd> update;
  const MixingWeights weights = Metropolis{}.make(Ring{}.make(4, 0));
  Pool pool(1);
  Simulation simulation(update, problem, weights, decaying, pool);
  const Metrics metrics = simulation.evaluate({});
  EXPECT_EQ(metrics.round, 0u);
  EXPECT_EQ(metrics.bytes_sent, 0u);
  EXPECT_EQ(metrics.consensus_error, 0);
  EXPECT_FALSE(metrics.minibatch_loss.has_value());
  EXPECT_TRUE(metrics.objective.has_value());
  EXPECT_TRUE(metrics.gradient_norm.has_value());
  EXPECT_FALSE(metrics.test_accuracy.has_value());
  EXPECT_FALSE(metrics.node_accuracy_mean.has_value());
  EXPECT_FALSE(metrics.node_accuracy_min.has_value());

  TestProblem tested(Settings{.nodes = 4, .dimension = 10});
  Simulation cheap(update, tested, weights, decaying, pool);
  const Metrics few = cheap.evaluate({.gradient_norm = false, .node_accuracy = false});
  EXPECT_FALSE(few.gradient_norm.has_value());
  EXPECT_TRUE(few.test_accuracy.has_value());
  EXPECT_FALSE(few.node_accuracy_mean.has_value());
  EXPECT_FALSE(few.node_accuracy_min.has_value());
}

TEST(SimulateTest, EvaluatingDoesNotChangeTheRun) {
  TestProblem problem(Settings{.nodes = 6, .dimension = 100, .noise = 0.5f});
  const MixingWeights weights = Metropolis{}.make(Ring{}.make(6, 0));
  for (const auto& update : undirected_methods()) {
    Pool pool(2);
    Simulation watched(*update, problem, weights, decaying, pool);
    for (int round = 0; round < 6; ++round) {
      watched.evaluate({});
      ASSERT_FALSE(watched.advance().has_value());
    }
    EXPECT_TRUE(copy_of(watched.state()) == run(*update, problem, weights, 2, 6).state);
  }
}

TEST(SimulateTest, EveryNodeStartsAtTheProblemsStart) {
  TestProblem problem(Settings{.nodes = 5, .dimension = 12});
  std::vector<float> start(12);
  problem.start(start);
  const Outcome outcome =
      run(RowUpdateOf<Amsgrad>{}, problem, Metropolis{}.make(Ring{}.make(5, 0)), 2, 0);
  ASSERT_EQ(outcome.state.size(), 25u);
  const float epsilon = Amsgrad{}.epsilon;
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(outcome.state[i], start);
    EXPECT_EQ(outcome.state[5 + i], std::vector<float>(12, epsilon));   // u
    EXPECT_EQ(outcome.state[10 + i], std::vector<float>(12, 0.0f));     // m
    EXPECT_EQ(outcome.state[15 + i], std::vector<float>(12, 0.0f));     // v
    EXPECT_EQ(outcome.state[20 + i], std::vector<float>(12, epsilon));  // v_hat
  }
}

/// The rounds that a whole run evaluates and advances through.
struct Seen {
  std::vector<Round> evaluated, advanced;
  std::optional<Divergence> divergence;
};

Seen trained(const TrainPlan& plan, const Fault& fault) {
  TestProblem problem(Settings{.nodes = 6, .dimension = 20, .fault = fault});
  const RowUpdateOf<Dgd> update;
  const MixingWeights weights = Metropolis{}.make(Ring{}.make(6, 0));
  Pool pool(2);
  Simulation simulation(update, problem, weights, decaying, pool);
  Seen seen;
  seen.divergence =
      train(simulation, plan,
            {.evaluated = [&](const Metrics& metrics) { seen.evaluated.push_back(metrics.round); },
             .advanced = [&](Round round) { seen.advanced.push_back(round); }});
  return seen;
}

TEST(TrainTest, EvaluatesStartEveryAndLastRound) {
  const Seen seen = trained({.rounds = 7, .every = 3, .measures = {}}, {});
  EXPECT_FALSE(seen.divergence.has_value());
  EXPECT_EQ(seen.evaluated, (std::vector<Round>{0, 3, 6, 7}));
  EXPECT_EQ(seen.advanced, (std::vector<Round>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(trained({.rounds = 6, .every = 3, .measures = {}}, {}).evaluated,
            (std::vector<Round>{0, 3, 6}));
}

TEST(TrainTest, StopsWhereValuesStopBeingFinite) {
  const Seen seen = trained({.rounds = 9, .every = 2, .measures = {}}, spoil_gradient);
  ASSERT_TRUE(seen.divergence.has_value());
  EXPECT_EQ(seen.divergence->round, 5u);
  EXPECT_EQ(seen.evaluated, (std::vector<Round>{0, 2, 4}));
}

}  // namespace
}  // namespace starling
