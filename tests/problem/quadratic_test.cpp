/// Quadratic losses against plainly written formulas.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/options.hpp"
#include "starling/base/random.hpp"
#include "starling/problem/quadratic.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

struct Answer {
  double value = 0;
  std::vector<float> gradient;
  bool operator==(const Answer&) const = default;
};

Answer ask(Problem& problem, Node node, const std::vector<float>& x) {
  Answer answer;
  answer.gradient.resize(x.size());
  answer.value = problem.oracle()->objective(node, x, answer.gradient);
  return answer;
}

std::vector<float> random_point(std::size_t dimension, std::uint64_t seed) {
  Random random(seed, Purpose::start);
  std::vector<float> x(dimension);
  for (float& value : x) value = static_cast<float>(random.normal());
  return x;
}

std::vector<float> unit(std::size_t dimension, std::size_t k) {
  std::vector<float> x(dimension);
  x[k] = 1;
  return x;
}

/// 0.5 (x - a)' A (x - a) and its gradient, A given row by row.
void expect_plain(const Answer& answer, const std::vector<float>& x, const std::vector<double>& a,
                  const std::vector<double>& matrix) {
  const std::size_t n = x.size();
  double value = 0;
  for (std::size_t r = 0; r < n; ++r) {
    double slope = 0;
    for (std::size_t c = 0; c < n; ++c) slope += matrix[r * n + c] * (double{x[c]} - a[c]);
    value += 0.5 * (double{x[r]} - a[r]) * slope;
    EXPECT_NEAR(answer.gradient[r], slope, 1e-6 * (1 + std::abs(slope)));
  }
  EXPECT_NEAR(answer.value, value, 1e-12 * (1 + std::abs(value)));
}

TEST(QuadraticTest, GivenDiagonalMatchesTheFormula) {
  const std::vector<std::vector<double>> centers{{1, -2, 0.5}, {0, 3, -1}};
  const std::vector<std::vector<double>> curvatures{{2, 0.1, 1}, {0, 5, 0.25}};
  const auto problem =
      Quadratic{.dimension = 3, .centers = centers, .curvatures = curvatures}.make(2, 1);
  for (Node i = 0; i < 2; ++i) {
    const std::vector<double>& c = curvatures[i];
    const std::vector<float> x = random_point(3, i);
    expect_plain(ask(*problem, i, x), x, centers[i], {c[0], 0, 0, 0, c[1], 0, 0, 0, c[2]});
  }
}

TEST(QuadraticTest, GivenMatricesMatchTheFormula) {
  const std::vector<std::vector<double>> centers{{1, -2, 0.5}, {0, 3, -1}};
  const std::vector<std::vector<double>> matrices{{2, 1, 0, 1, 3, -0.5, 0, -0.5, 1},
                                                  {-1, 0.5, 2, 0.5, 0, 1, 2, 1, 4}};
  const auto problem =
      Quadratic{.dimension = 3, .centers = centers, .matrices = matrices}.make(2, 1);
  for (Node i = 0; i < 2; ++i) {
    const std::vector<float> x = random_point(3, 7 + i);
    expect_plain(ask(*problem, i, x), x, centers[i], matrices[i]);
  }
}

TEST(QuadraticTest, SubgradientIsTheGradientInEveryRound) {
  const auto problem = Quadratic{.dimension = 5, .rotated = true}.make(3, 4);
  const std::vector<float> x = random_point(5, 2);
  const Answer exact = ask(*problem, 1, x);
  const auto oracle = problem->oracle();
  for (const Round round : {0, 1, 17}) {
    std::vector<float> g(5, 99.0f);
    EXPECT_EQ(oracle->subgradient(1, round, x, g), static_cast<float>(exact.value));
    EXPECT_EQ(g, exact.gradient);
  }
  EXPECT_EQ(oracle->objective(1, x, {}), exact.value);
  EXPECT_FALSE(oracle->accuracy(x).has_value());
}

/// Central differences of a quadratic are exact but for rounding.
void expect_central_differences(const Quadratic& options) {
  const auto problem = options.make(4, 3);
  const auto oracle = problem->oracle();
  const std::size_t n = problem->dimension();
  for (Node i = 0; i < 4; ++i) {
    const std::vector<float> x = random_point(n, 11 + i);
    const Answer answer = ask(*problem, i, x);
    for (std::size_t k = 0; k < n; ++k) {
      std::vector<float> above = x, below = x;
      above[k] += 0.125f;
      below[k] -= 0.125f;
      const double slope = (oracle->objective(i, above, {}) - oracle->objective(i, below, {})) /
                           (double{above[k]} - double{below[k]});
      // The points are rounded, so that the middle between them is x up to 1e-7.
      EXPECT_NEAR(answer.gradient[k], slope, 3e-6 * (1 + std::abs(slope)));
    }
  }
}

TEST(QuadraticTest, RandomDiagonalGradientIsThatOfTheValue) {
  expect_central_differences({.dimension = 9});
}

TEST(QuadraticTest, RotatedGradientIsThatOfTheValue) {
  expect_central_differences({.dimension = 9, .rotated = true});
}

/// A_i of a problem without spread, whose centers are 0: column k is the gradient at unit vector k.
std::vector<std::vector<float>> columns_of(Problem& problem, Node node) {
  std::vector<std::vector<float>> columns;
  for (std::size_t k = 0; k < problem.dimension(); ++k)
    columns.push_back(ask(problem, node, unit(problem.dimension(), k)).gradient);
  return columns;
}

TEST(QuadraticTest, RotatedCurvatureStaysInItsRangeAndFillsIt) {
  const Quadratic options{
      .dimension = 6, .curvature_min = 0.5, .curvature_max = 2, .spread = 0, .rotated = true};
  const auto problem = options.make(10, 5);
  double least = 10, largest = 0;
  for (Node i = 0; i < 10; ++i)
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const std::vector<float> x = random_point(6, 100 * i + seed);
      const Answer answer = ask(*problem, i, x);
      double square = 0, curved = 0;
      for (std::size_t k = 0; k < 6; ++k) {
        square += double{x[k]} * double{x[k]};
        curved += double{x[k]} * double{answer.gradient[k]};
      }
      EXPECT_GE(curved, 0.5 * square * (1 - 1e-6));
      EXPECT_LE(curved, 2 * square * (1 + 1e-6));
      EXPECT_NEAR(answer.value, curved / 2, 1e-6 * curved);
      least = std::min(least, curved / square);
      largest = std::max(largest, curved / square);
    }
  EXPECT_LT(least, 0.95);
  EXPECT_GT(largest, 1.55);
}

TEST(QuadraticTest, RotatedCurvatureIsSymmetricAndNotDiagonal) {
  const auto problem = Quadratic{.dimension = 5, .spread = 0, .rotated = true}.make(3, 5);
  for (Node i = 0; i < 3; ++i) {
    const auto columns = columns_of(*problem, i);
    double off_diagonal = 0;
    for (std::size_t r = 0; r < 5; ++r)
      for (std::size_t c = 0; c < r; ++c) {
        EXPECT_NEAR(columns[r][c], columns[c][r], 1e-6);
        off_diagonal += std::abs(double{columns[r][c]});
      }
    EXPECT_GT(off_diagonal, 1e-3);
  }
}

TEST(QuadraticTest, UnrotatedCurvatureIsDiagonalAndInItsRange) {
  const auto problem =
      Quadratic{.dimension = 5, .curvature_min = 3, .curvature_max = 4, .spread = 0}.make(3, 5);
  for (Node i = 0; i < 3; ++i) {
    const auto columns = columns_of(*problem, i);
    for (std::size_t r = 0; r < 5; ++r)
      for (std::size_t c = 0; c < 5; ++c) {
        EXPECT_GE(columns[c][r], r == c ? 3 : 0);
        EXPECT_LE(columns[c][r], r == c ? 4 : 0);
      }
    EXPECT_NE(columns[0][0], columns[1][1]);
  }
}

TEST(QuadraticTest, RandomCentersLieWithinTheSpread) {
  const auto problem = Quadratic{.dimension = 20, .spread = 2.5}.make(5, 8);
  const std::vector<float> high(20, 2.5f), low(20, -2.5f), zero(20);
  double furthest = 0;
  for (Node i = 0; i < 5; ++i) {
    const Answer above = ask(*problem, i, high), below = ask(*problem, i, low);
    const Answer middle = ask(*problem, i, zero);
    for (std::size_t k = 0; k < 20; ++k) {
      EXPECT_GE(above.gradient[k], 0);
      EXPECT_LE(below.gradient[k], 0);
      // Gradients A (x - a) at -s and s: their difference is 2 s A, at 0 it is -A a.
      const double curvature = (double{above.gradient[k]} - double{below.gradient[k]}) / 5;
      furthest = std::max(furthest, std::abs(middle.gradient[k] / curvature));
    }
  }
  EXPECT_GT(furthest, 2);
  EXPECT_LE(furthest, 2.5 * (1 + 1e-5));
}

TEST(QuadraticTest, SameSeedGivesTheSameLossesAndAnotherSeedOthers) {
  for (const bool rotated : {false, true}) {
    const Quadratic options{.dimension = 8, .rotated = rotated};
    const auto problem = options.make(4, 21), again = options.make(4, 21),
               other = options.make(4, 22);
    const std::vector<float> x = random_point(8, 1);
    for (Node i = 0; i < 4; ++i) {
      EXPECT_EQ(ask(*problem, i, x), ask(*again, i, x));
      EXPECT_NE(ask(*problem, i, x), ask(*other, i, x));
    }
  }
}

TEST(QuadraticTest, EveryNodeHasALossOfItsOwn) {
  for (const bool rotated : {false, true}) {
    const auto problem = Quadratic{.dimension = 8, .rotated = rotated}.make(6, 21);
    const std::vector<float> x = random_point(8, 1);
    for (Node i = 0; i < 6; ++i)
      for (Node j = 0; j < i; ++j) EXPECT_NE(ask(*problem, i, x), ask(*problem, j, x));
  }
}

TEST(QuadraticTest, LossesOfANodeDoNotDependOnWhatWasAskedBefore) {
  const auto problem = Quadratic{.dimension = 8, .rotated = true}.make(6, 21);
  const std::vector<float> x = random_point(8, 1);
  const auto oracle = problem->oracle();
  std::vector<float> first(8), second(8), other(8);
  const double before = oracle->objective(2, x, first);
  oracle->objective(5, x, other);
  EXPECT_EQ(oracle->objective(2, x, second), before);
  EXPECT_EQ(first, second);
}

TEST(QuadraticTest, StartsWhereToldOrAtZero) {
  std::vector<float> x(3, 9.0f);
  Quadratic{.dimension = 3}.make(2, 1)->start(x);
  EXPECT_EQ(x, std::vector<float>(3, 0.0f));
  Quadratic{.dimension = 3, .start = {1, -2, 0.5}}.make(2, 1)->start(x);
  EXPECT_EQ(x, (std::vector<float>{1.0f, -2.0f, 0.5f}));
}

TEST(QuadraticTest, KnowsItsSizeAndCountsEveryRoundAsAPass) {
  const auto problem = Quadratic{.dimension = 3}.make(4, 1);
  EXPECT_EQ(problem->nodes(), 4u);
  EXPECT_EQ(problem->dimension(), 3u);
  EXPECT_EQ(problem->epochs(17), 17);
  EXPECT_NE(problem->summary().find("dimension 3, random centers, random curvatures"),
            std::string::npos);
}

/// The mean of the gradients at the optimum is 0, the objective is the mean of the values there,
/// and no point around is lower.
void expect_optimum(const Quadratic& options, std::size_t nodes) {
  const auto problem = options.make(nodes, 6);
  const std::optional<Optimum> optimum = problem->optimum();
  ASSERT_TRUE(optimum.has_value());
  const std::size_t n = problem->dimension();
  ASSERT_EQ(optimum->x.size(), n);
  std::vector<double> mean(n);
  double value = 0;
  for (Node i = 0; i < nodes; ++i) {
    const Answer answer = ask(*problem, i, optimum->x);
    value += answer.value / static_cast<double>(nodes);
    for (std::size_t k = 0; k < n; ++k) mean[k] += double{answer.gradient[k]};
  }
  EXPECT_NEAR(optimum->objective, value, 1e-12 * (1 + std::abs(value)));
  for (std::size_t k = 0; k < n; ++k)
    EXPECT_NEAR(mean[k] / static_cast<double>(nodes), 0, 1e-5) << k;
  const auto oracle = problem->oracle();
  for (std::uint64_t trial = 0; trial < 50; ++trial) {
    const std::vector<float> step = random_point(n, 300 + trial);
    std::vector<float> x = optimum->x;
    for (std::size_t k = 0; k < n; ++k) x[k] += 0.1f * step[k];
    double other = 0;
    for (Node i = 0; i < nodes; ++i)
      other += oracle->objective(i, x, {}) / static_cast<double>(nodes);
    EXPECT_GT(other, optimum->objective);
  }
}

TEST(QuadraticTest, OptimumOfRandomLossesHasNoMeanGradient) {
  expect_optimum({.dimension = 9}, 5);
  expect_optimum({.dimension = 9, .rotated = true}, 5);
  expect_optimum({.dimension = 1, .rotated = true}, 3);
  expect_optimum({.dimension = 9, .curvature_min = 1, .curvature_max = 1, .rotated = true}, 1);
}

TEST(QuadraticTest, OptimumOfGivenLossesHasNoMeanGradient) {
  const std::vector<std::vector<double>> centers{{1, -2}, {0, 3}, {4, 4}};
  expect_optimum({.dimension = 2, .centers = centers, .curvatures = {{1, 2}, {0, 5}, {3, 0}}}, 3);
  // The second and the third alone have no least point; the mean has.
  expect_optimum({.dimension = 2,
                  .centers = centers,
                  .matrices = {{5, 1, 1, 6}, {1, 2, 2, -1}, {-1, 0, 0, 3}}},
                 3);
  expect_optimum({.dimension = 1, .centers = {{1}, {3}}, .matrices = {{2}, {1}}}, 2);
}

TEST(QuadraticTest, OptimumIsTheCentersWeightedByTheirCurvatures) {
  const auto optimum = Quadratic{.dimension = 1, .centers = {{1}, {3}}, .curvatures = {{1}, {3}}}
                           .make(2, 1)
                           ->optimum();
  ASSERT_TRUE(optimum.has_value());
  EXPECT_EQ(optimum->x, std::vector<float>{2.5f});
  EXPECT_DOUBLE_EQ(optimum->objective, (0.5 * 1.5 * 1.5 + 0.5 * 3 * 0.5 * 0.5) / 2);
}

TEST(QuadraticTest, WithoutALeastPointThereIsNoOptimum) {
  const std::vector<std::vector<double>> centers{{1, -2}, {0, 3}};
  const auto known = [](const Quadratic& options) {
    return options.make(2, 1)->optimum().has_value();
  };
  EXPECT_FALSE(known({.dimension = 2, .centers = centers, .curvatures = {{1, 1}, {1, -2}}}));
  EXPECT_FALSE(known({.dimension = 2, .centers = centers, .curvatures = {{1, 1}, {1, -1}}}));
  EXPECT_FALSE(
      known({.dimension = 2, .centers = centers, .matrices = {{1, 2, 2, 1}, {1, 2, 2, 1}}}));
  EXPECT_FALSE(
      known({.dimension = 2, .centers = centers, .matrices = {{1, 1, 1, 1}, {1, 1, 1, 1}}}));
}

TEST(QuadraticTest, ACoordinateThatNoLossDependsOnHasItsOptimumAtZero) {
  const auto optimum =
      Quadratic{.dimension = 2, .curvatures = {{1, 0}, {1, 0}}}.make(2, 1)->optimum();
  ASSERT_TRUE(optimum.has_value());
  EXPECT_EQ(optimum->x[1], 0.0f);
}

TEST(QuadraticTest, LargeFullCurvaturesHaveNoKnownOptimum) {
  const Quadratic diagonal{.dimension = 257}, full{.dimension = 257, .rotated = true};
  EXPECT_TRUE(diagonal.make(2, 1)->optimum().has_value());
  EXPECT_FALSE(full.make(2, 1)->optimum().has_value());
}

std::string error_of(const Quadratic& options) {
  return user_error_of([&] { options.make(3, 1); });
}

TEST(QuadraticTest, RefusesAWrongCountOfLists) {
  const std::vector<std::vector<double>> two{{1, 2}, {3, 4}};
  const std::vector<std::vector<double>> two_matrices{{1, 0, 0, 1}, {1, 0, 0, 1}};
  EXPECT_TRUE(says(error_of({.dimension = 2, .centers = two}),
                   "problem.centers: 2 lists for 3 nodes: must be one a node"));
  EXPECT_TRUE(says(error_of({.dimension = 2, .curvatures = two}),
                   "problem.curvatures: 2 lists for 3 nodes: must be one a node"));
  EXPECT_TRUE(says(error_of({.dimension = 2, .matrices = two_matrices}),
                   "problem.matrices: 2 lists for 3 nodes: must be one a node"));
}

TEST(QuadraticTest, RefusesListsOfAWrongLength) {
  const std::vector<std::vector<double>> lists{{1, 2}, {3, 4}, {5, 6, 7}};
  EXPECT_TRUE(says(error_of({.dimension = 2, .centers = lists}),
                   "problem.centers: list 2 has 3 numbers: dimension asks for 2"));
  EXPECT_TRUE(says(error_of({.dimension = 2, .curvatures = lists}),
                   "problem.curvatures: list 2 has 3 numbers: dimension asks for 2"));
  EXPECT_TRUE(says(error_of({.dimension = 2, .matrices = lists}),
                   "problem.matrices: list 0 has 2 numbers: dimension asks for 4"));
  EXPECT_TRUE(says(error_of({.dimension = 2, .start = {1, 2, 3}}),
                   "problem.start: 3 numbers, dimension is 2"));
}

TEST(QuadraticTest, RefusesOptionsThatContradictEachOther) {
  const std::vector<std::vector<double>> lists{{1, 2}, {3, 4}, {5, 6}};
  const std::vector<std::vector<double>> matrices{{1, 0, 0, 1}, {1, 2, 2, 1}, {3, 0, 0, 3}};
  EXPECT_EQ(error_of({.dimension = 2, .matrices = matrices}), "");
  EXPECT_TRUE(says(error_of({.dimension = 2, .curvatures = lists, .matrices = matrices}),
                   "problem.matrices and problem.curvatures: give one of the two"));
  EXPECT_TRUE(says(error_of({.dimension = 2, .rotated = true, .curvatures = lists}),
                   "problem.rotated: only for random A_i, here they are given"));
  EXPECT_TRUE(says(error_of({.dimension = 2, .rotated = true, .matrices = matrices}),
                   "problem.rotated: only for random A_i, here they are given"));
  EXPECT_TRUE(says(error_of({.curvature_min = 3, .curvature_max = 2}),
                   "problem.curvature_min = 3: must be <= curvature_max = 2"));
}

TEST(QuadraticTest, RefusesMatricesThatAreNotSymmetric) {
  const std::vector<std::vector<double>> matrices{{1, 0, 0, 1}, {1, 2, 2.5, 1}, {3, 0, 0, 3}};
  EXPECT_TRUE(says(error_of({.dimension = 2, .matrices = matrices}),
                   "problem.matrices: every A_i must be symmetric"));
}

/// The error about an option of this value in an experiment file.
std::string error_about(std::string_view name, const Value& value) {
  Table table;
  table.set(name, value);
  return user_error_of([&] {
    OptionReader reader(table, "", "problem");
    Quadratic options;
    read_options(reader, options);
  });
}

TEST(QuadraticTest, RefusesOptionsOutOfTheirRange) {
  EXPECT_TRUE(says(error_about("dimension", Value::of(std::int64_t{0})),
                   "problem.dimension = 0: must be in [1, 1000000000]"));
  for (const char* name : {"curvature_min", "spread"}) {
    const std::string error = error_about(name, Value::of(-0.5));
    EXPECT_TRUE(says(error, std::string("problem.") + name + " = -0.5: must be >= 0"));
  }
  EXPECT_TRUE(says(error_about("curvature_max", Value::of(-0.5)),
                   "problem.curvature_max = -0.5: must be > 0"));
  EXPECT_TRUE(says(error_about("rotated", Value::of(0.5)), "must be true or false"));
  EXPECT_TRUE(says(error_about("centers", Value::of(true)), "must be a list of lists of numbers"));
}

}  // namespace
}  // namespace starling
