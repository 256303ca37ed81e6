/// The constants that problems give: against closed forms, and against what their subgradients do.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/hinge.hpp"
#include "starling/problem/logistic.hpp"
#include "starling/problem/max_affine.hpp"
#include "starling/problem/penalty.hpp"
#include "starling/problem/phase_retrieval.hpp"
#include "starling/problem/quadratic.hpp"
#include "starling/problem/relu.hpp"
#include "starling/problem/robust_regression.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

constexpr Round draws = 200;

/// The same points for every problem: normal coordinates of deviation `scale`.
std::vector<float> point(std::size_t dimension, double scale, Round draw) {
  Random random(11, Purpose::start, 0, draw);
  std::vector<float> x(dimension);
  for (float& value : x) value = static_cast<float>(scale * random.normal());
  return x;
}

/// The largest entry of the nodes' stochastic subgradients at random points.
double largest_entry(Problem& problem, double scale) {
  const std::unique_ptr<Oracle> oracle = problem.oracle();
  std::vector<float> g(problem.dimension());
  double largest = 0;
  for (Round draw = 1; draw <= draws; ++draw) {
    const std::vector<float> x = point(g.size(), scale, draw);
    for (std::size_t i = 0; i < problem.nodes(); ++i) {
      oracle->subgradient(static_cast<Node>(i), draw, x, g);
      for (const float value : g) largest = std::max(largest, std::abs(double{value}));
    }
  }
  return largest;
}

/// The largest ||grad f_i(x) - grad f_i(y)|| / ||x - y|| of random pairs, without those that are
/// too near to each other for the digits of floats.
double steepest_change(Problem& problem, double scale, double distance) {
  const std::unique_ptr<Oracle> oracle = problem.oracle();
  std::vector<float> here(problem.dimension()), there(problem.dimension());
  double steepest = 0;
  for (Round draw = 1; draw <= draws; ++draw) {
    const std::vector<float> x = point(here.size(), scale, draw);
    std::vector<float> y = point(here.size(), distance, draws + draw);
    for (std::size_t l = 0; l < x.size(); ++l) y[l] += x[l];
    for (std::size_t i = 0; i < problem.nodes(); ++i) {
      oracle->objective(static_cast<Node>(i), x, here);
      oracle->objective(static_cast<Node>(i), y, there);
      double rise = 0, run = 0;
      for (std::size_t l = 0; l < x.size(); ++l) {
        rise += std::pow(double{there[l]} - double{here[l]}, 2);
        run += std::pow(double{y[l]} - double{x[l]}, 2);
      }
      if (run > distance * distance / 16) steepest = std::max(steepest, std::sqrt(rise / run));
    }
  }
  return steepest;
}

PartitionRule iid() {
  return [](std::span<const std::uint8_t> labels, int classes, std::size_t nodes,
            std::uint64_t seed) { return Iid{}.make(labels, classes, nodes, seed); };
}

/// Four samples; the squares of their lengths are 4.25, 10, 0.0625 and 6.5.
constexpr const char* samples =
    "+1 1:2 2:-0.5\n"
    "-1 1:1 3:3\n"
    "+1 2:0.25\n"
    "-1 1:-1.5 2:2 3:0.5\n";
constexpr double longest = 10, largest = 3;

/// The largest derivative of t^2 / (1 + t^2), at t = 1 / sqrt(3).
const double ratio_slope = 9 / (8 * std::sqrt(3.0));

class ClassifierConstantsTest : public ::testing::Test {
 protected:
  Logistic logistic(const std::string& text) const {
    Logistic options;
    options.path = folder_.write("data", text).string();
    options.batch = 1;
    options.partition = iid();
    return options;
  }
  Hinge hinge(double ridge) const {
    Hinge options;
    options.path = folder_.write("data", samples).string();
    options.batch = 1;
    options.ridge = ridge;
    options.partition = iid();
    return options;
  }

 private:
  TempFolder folder_;
};

TEST(QuadraticConstants, GivenCurvaturesHaveTheirLargestMagnitude) {
  const Quadratic options{.dimension = 2, .curvatures = {{1, -3}, {2, 0.5}}};
  const std::unique_ptr<Problem> problem = options.make(2, 1);
  ASSERT_TRUE(problem->constants().smoothness);
  EXPECT_EQ(*problem->constants().smoothness, 3);
  EXPECT_FALSE(problem->constants().gradient_bound);
}

TEST(QuadraticConstants, GivenMatricesHaveTheirLargestEigenvalue) {
  // Eigenvalues 1 and 3, -4 and 4: no entry and no sum of a row of the first is its eigenvalue's.
  const Quadratic options{.dimension = 2, .matrices = {{2, 1, 1, 2}, {0, -4, -4, 0}}};
  const std::unique_ptr<Problem> problem = options.make(2, 1);
  ASSERT_TRUE(problem->constants().smoothness);
  EXPECT_NEAR(*problem->constants().smoothness, 4, 1e-12);
  EXPECT_NEAR(steepest_change(*problem, 1, 1), 4, 0.04);

  // [[1, 2], [2, -2]]: eigenvalues 2 and -3, largest sum of magnitudes in a row 4.
  const Quadratic other{.dimension = 2, .matrices = {{1, 2, 2, -2}}};
  ASSERT_TRUE(other.make(1, 1)->constants().smoothness);
  EXPECT_NEAR(*other.make(1, 1)->constants().smoothness, 3, 1e-12);
}

TEST(QuadraticConstants, RandomLossesStayBelowCurvatureMax) {
  for (const bool rotated : {false, true}) {
    const Quadratic options{
        .dimension = 4, .curvature_min = 1, .curvature_max = 2.5, .rotated = rotated};
    const std::unique_ptr<Problem> problem = options.make(6, 3);
    ASSERT_TRUE(problem->constants().smoothness);
    EXPECT_EQ(*problem->constants().smoothness, 2.5);
    const double steepest = steepest_change(*problem, 1, 1);
    EXPECT_LE(steepest, 2.5 * (1 + 1e-5)) << rotated;
    EXPECT_GE(steepest, 0.8 * 2.5) << rotated;
  }
}

TEST_F(ClassifierConstantsTest, LogisticHasBothFromItsLongestSample) {
  const std::unique_ptr<Problem> problem = logistic(samples).make(2, 5);
  const Constants constants = problem->constants();
  ASSERT_TRUE(constants.smoothness && constants.gradient_bound);
  EXPECT_DOUBLE_EQ(*constants.smoothness, longest / 4);
  EXPECT_DOUBLE_EQ(*constants.gradient_bound, largest);
  EXPECT_LE(steepest_change(*problem, 0.3, 0.1), longest / 4 * (1 + 1e-4));
  // Far on the wrong side a sample's slope is all of it.
  EXPECT_NEAR(largest_entry(*problem, 50), largest, 1e-5);
}

TEST_F(ClassifierConstantsTest, OneLogisticSampleAttainsItsSmoothness) {
  const std::unique_ptr<Problem> problem = logistic("+1 1:2\n-1 1:2\n").make(2, 5);
  ASSERT_TRUE(problem->constants().smoothness);
  EXPECT_DOUBLE_EQ(*problem->constants().smoothness, 1);
  EXPECT_NEAR(steepest_change(*problem, 0.05, 0.1), 1, 0.01);
}

TEST_F(ClassifierConstantsTest, TheRatioAddsItsDerivatives) {
  Logistic options = logistic(samples);
  options.ratio = {0.2, 0.4};
  const Constants constants = options.make(2, 5)->constants();
  ASSERT_TRUE(constants.smoothness && constants.gradient_bound);
  EXPECT_NEAR(*constants.smoothness, longest / 4 + 2 * 0.4, 1e-6);
  EXPECT_NEAR(*constants.gradient_bound, largest + 0.4 * ratio_slope, 1e-6);

  // Data that hardly counts leaves the ratio alone.
  Logistic alone = logistic("+1 1:0.001\n-1 1:0.001\n");
  alone.ratio = {0.5};
  const std::unique_ptr<Problem> problem = alone.make(2, 5);
  EXPECT_NEAR(steepest_change(*problem, 0.05, 0.1), *problem->constants().smoothness, 0.01);
  const double entry = largest_entry(*problem, 1), bound = *problem->constants().gradient_bound;
  EXPECT_LE(entry, bound * (1 + 1e-6));
  EXPECT_GE(entry, 0.99 * bound);
}

TEST_F(ClassifierConstantsTest, PowersHaveNeither) {
  for (const bool whole : {false, true}) {
    Logistic options = logistic(samples);
    (whole ? options.norm4 : options.l4) = {0, 0.1};
    const Constants constants = options.make(2, 5)->constants();
    EXPECT_FALSE(constants.smoothness) << whole;
    EXPECT_FALSE(constants.gradient_bound) << whole;
  }
}

TEST_F(ClassifierConstantsTest, HingeHasABoundWithoutItsRidge) {
  const std::unique_ptr<Problem> problem = hinge(0).make(2, 5);
  ASSERT_TRUE(problem->constants().gradient_bound);
  EXPECT_EQ(*problem->constants().gradient_bound, largest);
  EXPECT_EQ(largest_entry(*problem, 10), largest);
  EXPECT_FALSE(problem->constants().smoothness);

  EXPECT_FALSE(hinge(0.1).make(2, 5)->constants().gradient_bound);
  EXPECT_FALSE(Hinge{}.make(2, 5)->constants().gradient_bound);
}

/// G where some subgradient has an entry as large, and no L.
void expect_attained(Problem& problem, double scale) {
  const Constants constants = problem.constants();
  EXPECT_FALSE(constants.smoothness);
  ASSERT_TRUE(constants.gradient_bound);
  EXPECT_DOUBLE_EQ(largest_entry(problem, scale), *constants.gradient_bound);
}

TEST(NonsmoothConstants, OneSampleANodeAttainsTheBound) {
  const RobustRegression regression{.dimension = 3, .samples = 1, .outliers = 0};
  expect_attained(*regression.make(4, 2), 1);
  const Relu relu{.inputs = 3, .hidden = 2, .samples = 1};
  expect_attained(*relu.make(4, 2), 1);
}

TEST(NonsmoothConstants, TwoPiecesANodeAttainTheBound) {
  const MaxAffine options{.dimension = 3, .pieces = 2};
  expect_attained(*options.make(4, 2), 10);
}

TEST(NonsmoothConstants, NoBatchOfManySamplesExceedsTheBound) {
  const RobustRegression regression{.dimension = 3, .samples = 10, .batch = 2};
  const std::unique_ptr<Problem> lines = regression.make(4, 2);
  EXPECT_LE(largest_entry(*lines, 3), lines->constants().gradient_bound.value_or(0));
  const Relu relu{.inputs = 3, .hidden = 3, .samples = 10, .batch = 2, .outliers = 0.4};
  const std::unique_ptr<Problem> network = relu.make(4, 2);
  EXPECT_LE(largest_entry(*network, 3), network->constants().gradient_bound.value_or(0));
}

TEST(NonsmoothConstants, PhaseRetrievalHasNone) {
  const Constants constants = PhaseRetrieval{}.make(2, 1)->constants();
  EXPECT_FALSE(constants.smoothness);
  EXPECT_FALSE(constants.gradient_bound);
}

/// A problem that gives nothing but constants.
class ConstantsOnly final : public Problem {
 public:
  explicit ConstantsOnly(const Constants& constants) : constants_(constants) {}
  std::size_t nodes() const override { return 1; }
  std::size_t dimension() const override { return 1; }
  void start(std::span<float>) const override {}
  std::unique_ptr<Oracle> oracle() override { return nullptr; }
  double epochs(Round) const override { return 0; }
  std::string summary() const override { return ""; }
  Constants constants() const override { return constants_; }

 private:
  Constants constants_;
};

Constants penalised(const Constants& constants, double l2, double l1) {
  return with_penalties(std::make_unique<ConstantsOnly>(constants), l2, l1)->constants();
}

TEST(PenaltyConstants, L2KeepsSmoothnessAndL1TheBound) {
  const Constants both{.smoothness = 2, .gradient_bound = 3};
  const Constants smooth = penalised(both, 0.5, 0);
  ASSERT_TRUE(smooth.smoothness);
  EXPECT_EQ(*smooth.smoothness, 2.5);
  EXPECT_FALSE(smooth.gradient_bound);

  const Constants bounded = penalised(both, 0, 0.25);
  EXPECT_FALSE(bounded.smoothness);
  ASSERT_TRUE(bounded.gradient_bound);
  EXPECT_EQ(*bounded.gradient_bound, 3.25);

  const Constants neither = penalised(both, 0.5, 0.25);
  EXPECT_FALSE(neither.smoothness);
  EXPECT_FALSE(neither.gradient_bound);
}

TEST(PenaltyConstants, UnknownOnesStayUnknown) {
  for (const double l2 : {0.0, 0.5})
    for (const double l1 : {0.0, 0.25}) {
      const Constants constants = penalised({}, l2, l1);
      EXPECT_FALSE(constants.smoothness) << l2 << ' ' << l1;
      EXPECT_FALSE(constants.gradient_bound) << l2 << ' ' << l1;
    }
}

}  // namespace
}  // namespace starling
