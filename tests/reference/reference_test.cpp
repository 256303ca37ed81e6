/// The reference against what does not come from it: golden trajectories of an independent
/// program, and the closed forms of DAG's counterexamples.
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
