/// The reference against what does not come from it: golden trajectories of an independent
/// program, the closed forms of DAG's counterexamples, and what theory says about the rest.
#include "reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "golden.hpp"

namespace reference {
namespace {

// Golden trajectories -----------------------------------------------------------------------------

/// max_l |actual_l - expected_l| / max_l |expected_l|.
double relative_error(const Vector& actual, const Vector& expected) {
  double difference = 0;
  double size = 0;
  for (std::size_t l = 0; l < expected.size(); ++l) {
    difference = std::max(difference, std::abs(actual.at(l) - expected[l]));
    size = std::max(size, std::abs(expected[l]));
  }
  return difference / size;
}

/// Compares all runs in a folder; returns how many there were.
int compare_with_golden(const std::filesystem::path& folder) {
  int compared = 0;
  for (const GoldenCase& golden : read_golden_folder(folder)) {
    for (const GoldenRun& run : golden.runs) {
      SCOPED_TRACE(testing::Message() << golden.name << ", " << run.method);
      const Trajectory trajectory =
          reference::run(run.method, setting_of(golden, run), run.options);
      EXPECT_FALSE(trajectory.empty());
      ++compared;
      for (const auto& [rounds, expected] : run.x_after) {
        const Nodes& actual = trajectory.at(static_cast<std::size_t>(rounds));
        EXPECT_EQ(actual.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_LE(relative_error(actual.at(i), expected[i]), 1e-10)
              << "node " << i << " after " << rounds << " rounds";
        }
      }
    }
  }
  return compared;
}

TEST(ReferenceGolden, RepeatsTheCommittedTrajectories) {
  EXPECT_EQ(compare_with_golden(STARLING_TEST_DATA), 30);
}

TEST(ReferenceGolden, RepeatsTheTrajectoriesOfAnotherFolder) {
  const char* folder = std::getenv("STARLING_GOLDEN");
  if (folder == nullptr) GTEST_SKIP() << "STARLING_GOLDEN names no folder of golden files";
  EXPECT_GT(compare_with_golden(folder), 0);
}

// DAG, Theorem 1: two nodes that average, no momentum ---------------------------------------------

constexpr int kManyRounds = 30000;

/// The counterexample of the 2019 text: f_1 = x^2/2, f_2 = (x - 1)^2/2 from x = 0.
Setting quadratic_pair() {
  Setting setting;
  setting.w = {{0.5, 0.5}, {0.5, 0.5}};
  setting.start = Nodes(2, Vector(1, 0.0));
  setting.gradient = [](int node, int, const Vector& x) { return Vector(1, x[0] - node); };
  setting.step = constant_step(0.001);
  setting.rounds = kManyRounds;
  return setting;
}

/// The counterexample of the 2022 text: f_1 = 2 x^2 and f_2 = (x - 1)^2, linear from distance 1 on,
/// from x = -1.
Setting huber_pair() {
  Setting setting = quadratic_pair();
  setting.start = Nodes(2, Vector(1, -1.0));
  setting.gradient = [](int node, int, const Vector& x) {
    const double g =
        node == 0 ? std::clamp(4 * x[0], -4.0, 4.0) : std::clamp(2 * (x[0] - 1), -2.0, 2.0);
    return Vector(1, g);
  };
  setting.step = constant_step(0.01);
  return setting;
}

AmsgradOptions amsgrad_without_memory(double epsilon) {
  AmsgradOptions options;
  options.beta1 = 0;
  options.beta2 = 0;
  options.epsilon = epsilon;
  return options;
}

DadamOptions dadam_without_memory(double epsilon) {
  DadamOptions options;
  options.beta1 = 0;
  options.beta2 = 0;
  options.beta3 = 0;
  options.epsilon = epsilon;
  return options;
}

/// The mean of two nodes' scalars.
double mean(const Nodes& x) { return (x.at(0).at(0) + x.at(1).at(0)) / 2; }

/// Expects the printed six digits of the mean after 1000, 2000, 5000 and 10000 rounds.
void expect_means(const Trajectory& trajectory, const std::vector<double>& printed) {
  const std::vector<std::size_t> rounds = {1000, 2000, 5000, 10000};
  for (std::size_t k = 0; k < rounds.size(); ++k) {
    EXPECT_NEAR(mean(trajectory.at(rounds[k])), printed.at(k), 5.1e-7) << rounds[k] << " rounds";
  }
}

TEST(ReferenceQuadraticPair, DadamStopsBesideTheOptimum) {
  const Trajectory trajectory = run_dadam(quadratic_pair(), dadam_without_memory(0.6));
  expect_means(trajectory, {0.297796, 0.392454, 0.435147, 0.436559});

  const double c1 = 0.001 / std::sqrt(0.6);
  const double c2 = 0.001;
  const double x1 = c2 / (c1 + c2 + 2 * c1 * c2);
  const double x2 = (1 + 2 * c1) * x1;
  EXPECT_NEAR(x1, 0.4360002935, 1e-10);
  EXPECT_NEAR(x2, 0.4371260414, 1e-10);
  EXPECT_NEAR(trajectory.back()[0][0], x1, 1e-9);
  EXPECT_NEAR(trajectory.back()[1][0], x2, 1e-9);
}

TEST(ReferenceQuadraticPair, AmsgradFindsTheOptimum) {
  const Trajectory trajectory = run_amsgrad(quadratic_pair(), amsgrad_without_memory(0.6));
  expect_means(trajectory, {0.336670, 0.446637, 0.498139, 0.499993});

  const double c = 0.001 / std::sqrt(0.8);  // u = (0.6 + 1) / 2 on both nodes
  EXPECT_NEAR(trajectory.back()[0][0], 1 / (2 + 2 * c), 1e-9);
  EXPECT_NEAR(trajectory.back()[1][0], (1 + 2 * c) / (2 + 2 * c), 1e-9);
  EXPECT_NEAR(mean(trajectory.back()), 0.5, 1e-9);
}

TEST(ReferenceQuadraticPair, DsgdFindsTheOptimum) {
  const Trajectory trajectory = run_dsgd(quadratic_pair());
  expect_means(trajectory, {0.316152, 0.432400, 0.496639, 0.499977});

  const double c = 0.001;
  EXPECT_NEAR(trajectory.back()[0][0], 1 / (2 + 2 * c), 1e-9);
  EXPECT_NEAR(trajectory.back()[1][0], (1 + 2 * c) / (2 + 2 * c), 1e-9);
}

TEST(ReferenceQuadraticPair, AdaptThenCombineShrinksTheErrorByOneMinusStep) {
  // With W = 1/2 both nodes hold the mean, and its error shrinks by 1 - step a round.
  const Trajectory trajectory = run_dsgd_atc(quadratic_pair());
  EXPECT_NEAR(trajectory[1000][0][0], 0.5 * (1 - std::pow(0.999, 1000)), 1e-12);
  EXPECT_EQ(trajectory[1000][0][0], trajectory[1000][1][0]);
}

TEST(ReferenceHuberPair, HasTheClosedFormLimits) {
  const auto limit = [](double c) { return (1 + 4 * c) / (3 + 8 * c); };
  EXPECT_NEAR(mean(run_dadam(huber_pair(), dadam_without_memory(1e-6)).back()), 0.5, 1e-9);
  EXPECT_NEAR(mean(run_amsgrad(huber_pair(), amsgrad_without_memory(1e-6)).back()),
              limit(0.01 / std::sqrt(10.0)), 1e-9);
  EXPECT_NEAR(mean(run_dsgd(huber_pair()).back()), limit(0.01), 1e-9);
}

// One node alone ----------------------------------------------------------------------------------

/// One node, a quartic loss in three coordinates, step sizes that fall.
Setting one_node() {
  QuarticLosses losses;
  losses.curvature = {{0.5, 1, 2}};
  losses.center = {{3, -2, 0.5}};
  losses.quartic = {0.02};
  Setting setting;
  setting.w = {{1}};
  setting.r = {{1}};
  setting.c = {{1}};
  setting.start = {{1, 2, -1}};
  setting.gradient = [losses](int node, int, const Vector& x) { return losses.gradient(node, x); };
  setting.step = sqrt_step(0.3);
  setting.rounds = 30;
  return setting;
}

/// Expects a trajectory of one node that equals `expected` after 0, 1, ... rounds.
void expect_alone(const Trajectory& found, const std::vector<Vector>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_LE(relative_error(found[k].at(0), expected[k]), 1e-12) << k << " rounds";
  }
}

TEST(ReferenceOneNode, IsSubgradientDescent) {
  const Setting setting = one_node();
  std::vector<Vector> expected = {setting.start[0]};
  for (int k = 1; k <= setting.rounds; ++k) {
    Vector x = expected.back();
    const Vector g = setting.gradient(0, k, x);
    for (std::size_t l = 0; l < x.size(); ++l) x[l] -= 0.3 / std::sqrt(k) * g[l];
    expected.push_back(x);
  }
  for (const char* method :
       {"sgp", "d2", "extra", "push-pull", "push-pull-cta", "local-sgd", "centralized"}) {
    SCOPED_TRACE(method);
    expect_alone(run(method, setting, {{"every", 3}}), expected);
  }
}

TEST(ReferenceOneNode, PublishedVelocityIsTheHeavyBall) {
  const Setting setting = one_node();
  std::vector<Vector> expected = {setting.start[0]};
  Vector before = setting.start[0];
  for (int k = 1; k <= setting.rounds; ++k) {
    const Vector x = expected.back();
    const Vector g = setting.gradient(0, k, x);
    Vector next = x;
    for (std::size_t l = 0; l < x.size(); ++l) {
      next[l] += 0.6 * (x[l] - before[l]) - setting.step(k) * g[l];
    }
    before = x;
    expected.push_back(next);
  }
  expect_alone(run_cdsgd_p_published(setting, 0.6), expected);
}

TEST(ReferenceOneNode, TextbookFormLooksAheadAsNesterovDoes) {
  const Setting setting = one_node();
  std::vector<Vector> expected = {setting.start[0]};
  std::vector<Vector> looked_at = {setting.start[0]};
  for (int k = 1; k <= setting.rounds; ++k) {
    const Vector x = expected.back();
    const Vector z = looked_at.back();
    const Vector g = setting.gradient(0, k, z);
    Vector next = z;
    Vector ahead = z;
    for (std::size_t l = 0; l < x.size(); ++l) {
      next[l] = z[l] - setting.step(k) * g[l];
      ahead[l] = next[l] + 0.6 * (next[l] - x[l]);
    }
    expected.push_back(next);
    looked_at.push_back(ahead);
  }
  expect_alone(run_cdsgd_n_textbook(setting, 0.6), expected);
  // The form of the authors' code follows the points that this one looks at.
  expect_alone(run_cdsgd_momentum(setting, 0.6, true), looked_at);
}

TEST(ReferenceOneNode, QuasiGlobalMomentumHasItsClosedForm) {
  // Alone, d = momentum m + g: m+ = (1 - (1 - momentum)^2) m + (1 - momentum) g.
  const Setting setting = one_node();
  std::vector<Vector> expected = {setting.start[0]};
  Vector m(3, 0.0);
  for (int k = 1; k <= setting.rounds; ++k) {
    Vector x = expected.back();
    const Vector g = setting.gradient(0, k, x);
    for (std::size_t l = 0; l < x.size(); ++l) {
      x[l] -= setting.step(k) * (0.6 * m[l] + g[l]);
      m[l] = 0.84 * m[l] + 0.4 * g[l];
    }
    expected.push_back(x);
  }
  expect_alone(run_qg_dsgdm(setting, 0.6), expected);
}

TEST(ReferenceOneNode, LocalMomentumOfAConstantIsItsRunningShare) {
  // m_k = (1 - beta^k) g, so x_k = x_0 - step g (k - (beta + ... + beta^k)).
  Setting setting = one_node();
  setting.gradient = [](int, int, const Vector& x) { return Vector(x.size(), 2.0); };
  setting.step = constant_step(0.1);
  std::vector<Vector> expected;
  for (int k = 0; k <= setting.rounds; ++k) {
    Vector x = setting.start[0];
    for (double& value : x) value -= 0.2 * (k - 0.8 * (1 - std::pow(0.8, k)) / 0.2);
    expected.push_back(x);
  }
  expect_alone(run_dsgd_m_local(setting, 0.8), expected);
}

TEST(ReferenceOneNode, ClippedStepsHaveTheThresholdsLength) {
  // f = x^2/2 from 10: steps of 0.1 until x is 1, then a factor 0.9 a round.
  Setting setting = one_node();
  setting.start = {{10}};
  setting.gradient = [](int, int, const Vector& x) { return x; };
  setting.step = constant_step(0.1);
  setting.rounds = 100;
  const Trajectory trajectory = run("clipped-tracking-atc", setting, {{"threshold", 1}});
  EXPECT_NEAR(trajectory[45][0][0], 5.5, 1e-12);
  EXPECT_NEAR(trajectory[90][0][0], 1, 1e-12);
  EXPECT_NEAR(trajectory[100][0][0], std::pow(0.9, 10), 1e-12);
}

// Different losses on a ring ----------------------------------------------------------------------

/// Five nodes on a ring with f_i = k_i/2 (x - a_i)^2; the mean is least at 1.
Setting ring_of_five() {
  const double t = 1.0 / 3;
  Setting setting;
  setting.w = {{t, t, 0, 0, t}, {t, t, t, 0, 0}, {0, t, t, t, 0}, {0, 0, t, t, t}, {t, 0, 0, t, t}};
  setting.start = Nodes(5, Vector(1, 0.0));
  setting.gradient = [](int node, int, const Vector& x) {
    const Vector k = {0.5, 1, 1.5, 2, 1};
    const Vector a = {1, -2, 3, 0.5, 2};
    const auto i = static_cast<std::size_t>(node);
    return Vector(1, k[i] * (x[0] - a[i]));
  };
  setting.step = constant_step(0.1);
  setting.rounds = 400;
  return setting;
}

/// The largest distance of a node's scalar from `point`.
double farthest(const Nodes& x, double point) {
  double distance = 0;
  for (const Vector& row : x) distance = std::max(distance, std::abs(row.at(0) - point));
  return distance;
}

/// Expects two trajectories of scalars to be the same but for rounding.
void expect_same(const Trajectory& found, const Trajectory& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    for (std::size_t i = 0; i < expected[k].size(); ++i) {
      EXPECT_NEAR(found[k].at(i).at(0), expected[k][i].at(0), 1e-12)
          << "node " << i << " after " << k << " rounds";
    }
  }
}

TEST(ReferenceRing, ConstantStepsReachTheOptimumByD2AndExtraOnly) {
  EXPECT_LT(farthest(run_d2(ring_of_five()).back(), 1), 1e-9);
  EXPECT_LT(farthest(run_extra(ring_of_five()).back(), 1), 1e-9);
  EXPECT_GT(farthest(run_dsgd_atc(ring_of_five()).back(), 1), 0.1);
  EXPECT_GT(farthest(run_dsgd(ring_of_five()).back(), 1), 0.1);
}

TEST(ReferenceRing, EqualLossesMakeAllNodesDescendTogether) {
  Setting setting = ring_of_five();
  setting.gradient = [](int, int, const Vector& x) { return Vector(1, x[0] - 4); };
  setting.step = sqrt_step(0.3);
  double error = 4;
  for (int k = 1; k <= 50; ++k) error *= 1 - setting.step(k);
  for (const char* method : {"d2", "extra", "local-sgd", "centralized"}) {
    const Trajectory trajectory = run(method, setting, {{"every", 3}});
    EXPECT_LT(farthest(trajectory.at(50), 4 - error), 1e-12) << method;
  }
}

TEST(ReferenceRing, WithoutMomentumNothingIsLeftOfIt) {
  const Setting setting = ring_of_five();
  expect_same(run_qg_dsgdm(setting, 0), run_dsgd_atc(setting));
  expect_same(run_dsgd_m_local(setting, 0), run_dsgd(setting));
  expect_same(run_cdsgd_p_published(setting, 0), run_dsgd(setting));
  expect_same(run_cdsgd_n_textbook(setting, 0), run_dsgd(setting));
}

TEST(ReferenceRing, LocalSgdCombinesInEveryFewRoundsOnly) {
  Setting setting = ring_of_five();
  expect_same(run_local_sgd(setting, 1), run_dsgd_atc(setting));
  // Before they first combine, each node goes its own way: a_i (1 - (1 - step k_i)^k).
  setting.rounds = 3;
  const Trajectory apart = run_local_sgd(setting, 3);
  EXPECT_NEAR(apart[2][2][0], 3 * (1 - std::pow(0.85, 2)), 1e-12);
  const double left = -2 * (1 - std::pow(0.9, 3));
  const double own = 3 * (1 - std::pow(0.85, 3));
  const double right = 0.5 * (1 - std::pow(0.8, 3));
  EXPECT_NEAR(apart[3][2][0], (left + own + right) / 3, 1e-12);
}

TEST(ReferenceRing, CentralizedIsTheCompleteGraph) {
  Setting setting = ring_of_five();
  const Trajectory centralized = run_centralized(setting);
  setting.w = Matrix(5, Vector(5, 0.2));
  expect_same(centralized, run_dsgd(setting));
}

TEST(ReferencePair, PublishedVelocityHoldsTheConsensus) {
  // Two nodes at 1 and -1, W = 1/2, no gradients. By hand with momentum 0.7: v = -1, -0.7,
  // 0.21, 0.637; in the form of the authors' code the nodes agree after one round and stay.
  Setting setting = quadratic_pair();
  setting.start = {{1}, {-1}};
  setting.gradient = [](int, int, const Vector&) { return Vector(1, 0.0); };
  setting.rounds = 4;
  const Trajectory trajectory = run_cdsgd_p_published(setting, 0.7);
  const Vector expected = {1, 0, -0.7, -0.49, 0.147};
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_NEAR(trajectory[k][0][0], expected[k], 1e-12) << k << " rounds";
    EXPECT_NEAR(trajectory[k][1][0], -expected[k], 1e-12) << k << " rounds";
  }
  EXPECT_NEAR(run_cdsgd_momentum(setting, 0.7, false).back()[0][0], 0, 1e-12);
}

TEST(ReferencePair, PushPullAdaptsBeforeItCombines) {
  // With R = C = 1/2 both nodes hold the mean, and its error shrinks by 1 - step a round.
  Setting setting = quadratic_pair();
  setting.r = setting.w;
  setting.c = setting.w;
  setting.rounds = 1000;
  const Trajectory trajectory = run("push-pull", setting, {});
  EXPECT_NEAR(trajectory[1000][0][0], 0.5 * (1 - std::pow(0.999, 1000)), 1e-12);
  EXPECT_EQ(trajectory[1][0][0], trajectory[1][1][0]);
  const Trajectory combined_first = run("push-pull-cta", setting, {});
  EXPECT_NEAR(combined_first[1][1][0] - combined_first[1][0][0], 0.001, 1e-15);
}

// Directed graphs ---------------------------------------------------------------------------------

/// Bo & Wang's directed graph with equal shares; f_i = (x - a_i)^2/2, a = 10 on node 2, else 0.
Setting directed_five() {
  const Adjacency hears = {
      {0, 0, 0, 1, 0}, {1, 0, 0, 0, 0}, {1, 1, 0, 0, 1}, {0, 0, 0, 0, 1}, {0, 1, 1, 0, 0}};
  Setting setting;
  setting.r = uniform_weights(hears);
  setting.c = uniform_column_weights(hears);
  setting.start = Nodes(5, Vector(1, 0.0));
  setting.gradient = [](int node, int, const Vector& x) {
    return Vector(1, x[0] - (node == 2 ? 10 : 0));
  };
  setting.step = constant_step(0.02);
  setting.rounds = 3000;
  return setting;
}

/// sum_i weights_i x_i / sum_i weights_i of scalars.
double weighted_mean(const Nodes& x, const Vector& weights) {
  double sum = 0;
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += weights.at(i) * x[i].at(0);
    total += weights[i];
  }
  return sum / total;
}

TEST(ReferenceDirected, GradientPushFindsTheOptimumOfTheMeanAndRowStochasticDgdDoesNot) {
  // Where x stops changing, the subgradients add up to 0: by push-sum all count the same, mixed by
  // R they count by its left Perron vector u = (50, 40, 20, 50, 45) / 41.
  Setting setting = directed_five();
  const Nodes pushed = run_sgp(setting).back();
  EXPECT_NEAR(weighted_mean(pushed, Vector(5, 1.0)), 2, 1e-9);
  EXPECT_LT(farthest(pushed, 2), 0.5);

  setting.w = setting.r;
  const Nodes pulled = run_dsgd(setting).back();
  EXPECT_NEAR(weighted_mean(pulled, {50, 40, 20, 50, 45}), 40.0 / 41, 1e-9);
  EXPECT_LT(farthest(pulled, 40.0 / 41), 0.5);
}

TEST(ReferenceDirected, PushSumAverages) {
  Setting setting = directed_five();
  setting.start = {{2}, {4}, {6}, {8}, {10}};
  setting.gradient = [](int, int, const Vector&) { return Vector(1, 0.0); };
  const Trajectory trajectory = run_sgp(setting);
  EXPECT_GT(farthest(trajectory[1], 6), 0.1);
  EXPECT_LT(farthest(trajectory[100], 6), 1e-9);
}

TEST(ReferenceDirected, PushPullFindsTheOptimumWithAConstantStep) {
  const Setting setting = directed_five();
  EXPECT_LT(farthest(run("push-pull", setting, {}).back(), 2), 1e-9);
  EXPECT_LT(farthest(run("push-pull-cta", setting, {}).back(), 2), 1e-9);
  EXPECT_LT(farthest(run("clipped-tracking-atc", setting, {{"threshold", 0.5}}).back(), 2), 1e-9);
}

TEST(ReferenceDirected, VariantsOfPushPullAgreeWhereTheyMust) {
  const Setting setting = directed_five();
  expect_same(run("push-pull-cta", setting, {}), run("dgt", setting, {}));
  expect_same(run("clipped-tracking-atc", setting, {{"threshold", 1e6}}),
              run("push-pull", setting, {}));
}

TEST(Reference, KnowsNoOtherMethods) { EXPECT_TRUE(run("nothing", one_node(), {}).empty()); }

// Step sizes, weights, losses ---------------------------------------------------------------------

TEST(ReferenceSteps, FollowTheirFormulas) {
  EXPECT_DOUBLE_EQ(constant_step(0.1)(7), 0.1);
  EXPECT_DOUBLE_EQ(sqrt_step(0.1)(1), 0.1);
  EXPECT_DOUBLE_EQ(sqrt_step(0.1)(4), 0.05);
  EXPECT_DOUBLE_EQ(power_step(0.8, 3)(2), 0.1);
  EXPECT_DOUBLE_EQ(cosine_step(0.1, 4)(1), 0.1);
  EXPECT_DOUBLE_EQ(cosine_step(0.1, 4)(3), 0.05);
  EXPECT_DOUBLE_EQ(staircase_step(1, 0.5, 10)(10), 1);
  EXPECT_DOUBLE_EQ(staircase_step(1, 0.5, 10)(11), 0.5);
  EXPECT_DOUBLE_EQ(staircase_step(1, 0.5, 10)(21), 0.25);
}

TEST(ReferenceWeights, MatchAStar) {
  const Adjacency star = {{0, 1, 1}, {1, 0, 0}, {1, 0, 0}};
  const double third = 1.0 / 3;
  const Matrix metropolis = {{third, third, third}, {third, 2 * third, 0}, {third, 0, 2 * third}};
  const Matrix uniform = {{third, third, third}, {0.5, 0.5, 0}, {0.5, 0, 0.5}};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(metropolis_weights(star)[i][j], metropolis[i][j], 1e-15);
      EXPECT_NEAR(uniform_weights(star)[i][j], uniform[i][j], 1e-15);
    }
  }
}

TEST(ReferenceWeights, ConnectedMeansReachable) {
  EXPECT_TRUE(connected({{0, 1, 0}, {1, 0, 1}, {0, 1, 0}}));
  EXPECT_FALSE(connected({{0, 1, 0}, {1, 0, 0}, {0, 0, 0}}));
}

TEST(ReferenceWeights, AreStochasticOnRandomGraphs) {
  std::mt19937_64 random(1);
  for (std::size_t nodes = 1; nodes <= 12; ++nodes) {
    const Adjacency adjacency = random_adjacency(nodes, 0.4, random);
    const Matrix metropolis = metropolis_weights(adjacency);
    const Matrix uniform = uniform_weights(adjacency);
    EXPECT_TRUE(connected(adjacency));
    for (std::size_t i = 0; i < nodes; ++i) {
      double metropolis_row = 0;
      double metropolis_column = 0;
      double uniform_row = 0;
      EXPECT_EQ(adjacency[i][i], 0);
      for (std::size_t j = 0; j < nodes; ++j) {
        EXPECT_EQ(adjacency[i][j], adjacency[j][i]);
        EXPECT_GE(metropolis[i][j], 0);
        metropolis_row += metropolis[i][j];
        metropolis_column += metropolis[j][i];
        uniform_row += uniform[i][j];
      }
      EXPECT_NEAR(metropolis_row, 1, 1e-14);
      EXPECT_NEAR(metropolis_column, 1, 1e-14);
      EXPECT_NEAR(uniform_row, 1, 1e-14);
    }
  }
}

TEST(ReferenceLosses, GradientIsTheSlopeOfTheValue) {
  QuarticLosses losses;
  losses.curvature = {{1, 2}, {0.5, 3}};
  losses.center = {{-1, 2}, {4, 0.5}};
  losses.quartic = {0.1, 0.7};
  const Vector x = {0.3, -1.2};
  const double h = 1e-5;
  for (int node = 0; node < 2; ++node) {
    const Vector g = losses.gradient(node, x);
    for (std::size_t l = 0; l < x.size(); ++l) {
      Vector above = x;
      Vector below = x;
      above[l] += h;
      below[l] -= h;
      const double slope = (losses.value(node, above) - losses.value(node, below)) / (2 * h);
      EXPECT_NEAR(g[l], slope, 1e-8);
    }
  }
}

}  // namespace
}  // namespace reference
