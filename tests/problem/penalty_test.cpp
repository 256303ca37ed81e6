/// L2 and L1 penalties against their closed form, on a problem whose numbers are plain to see.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/options.hpp"
#include "starling/base/random.hpp"
#include "starling/problem/penalty.hpp"
#include "starling/problem/robust_regression.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

/// Subgradients are node + round + l in coordinate l, or node + l of the objective.
class PlainOracle final : public Oracle {
 public:
  float subgradient(Node node, Round round, std::span<const float>, std::span<float> g) override {
    fill(static_cast<float>(node) + static_cast<float>(round), g);
    return 10.0f;
  }
  double objective(Node node, std::span<const float>, std::span<float> g) override {
    fill(static_cast<float>(node), g);
    return 20.0;
  }
  std::optional<double> accuracy(std::span<const float> x) override { return double{x[0]} / 4; }

 private:
  static void fill(float first, std::span<float> g) {
    for (std::size_t l = 0; l < g.size(); ++l) g[l] = first + static_cast<float>(l);
  }
};

class PlainProblem final : public Problem {
 public:
  explicit PlainProblem(std::size_t dimension, std::string summary = "plain")
      : dimension_(dimension), summary_(std::move(summary)) {}

  std::size_t nodes() const override { return 3; }
  std::size_t dimension() const override { return dimension_; }
  void start(std::span<float> x) const override {
    for (std::size_t l = 0; l < x.size(); ++l) x[l] = static_cast<float>(l) - 2;
  }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<PlainOracle>(); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds) / 4; }
  std::string summary() const override { return summary_; }
  std::optional<Optimum> optimum() const override {
    return Optimum{1, std::vector<float>(dimension_)};
  }

 private:
  std::size_t dimension_;
  std::string summary_;
};

std::unique_ptr<Problem> penalised(std::size_t dimension, double l2, double l1) {
  return with_penalties(std::make_unique<PlainProblem>(dimension), l2, l1);
}

/// Coordinates of both signs, and zeros of both signs.
std::vector<float> point(std::size_t dimension) {
  Random random(dimension, Purpose::start);
  std::vector<float> x(dimension);
  for (std::size_t l = 0; l < dimension; ++l) {
    x[l] = static_cast<float>(random.normal());
    if (l % 5 == 2) x[l] = 0.0f;
    if (l % 5 == 4) x[l] = -0.0f;
  }
  return x;
}

double penalty_at(const std::vector<float>& x, double l2, double l1) {
  double sum = 0;
  for (const float value : x)
    sum += l2 / 2 * double{value} * double{value} + l1 * std::abs(double{value});
  return sum;
}

TEST(PenaltyTest, AddsToTheObjectiveAndToMinibatchLosses) {
  // More and fewer coordinates than are summed side by side.
  for (const std::size_t dimension : {1u, 2u, 7u, 8u, 9u, 16u, 23u, 100u}) {
    const std::vector<float> x = point(dimension);
    std::vector<float> g(dimension);
    for (const auto& [l2, l1] : {std::pair(0.5, 0.25), std::pair(2.0, 0.0), std::pair(0.0, 3.0)}) {
      const auto oracle = penalised(dimension, l2, l1)->oracle();
      const double expected = penalty_at(x, l2, l1);
      EXPECT_NEAR(oracle->objective(1, x, g), 20 + expected, 1e-12 * (20 + expected));
      EXPECT_NEAR(oracle->objective(1, x, {}), 20 + expected, 1e-12 * (20 + expected));
      EXPECT_NEAR(oracle->subgradient(1, 4, x, g), 10 + expected, 1e-6 * (10 + expected));
    }
  }
}

TEST(PenaltyTest, AddsL2ThenL1ToSubgradientsInFloat) {
  const float l2 = 0.3f, l1 = 0.1f;
  for (const std::size_t dimension : {1u, 5u, 8u, 31u, 64u, 100u}) {
    const std::vector<float> x = point(dimension);
    const auto oracle = penalised(dimension, l2, l1)->oracle();
    std::vector<float> g(dimension, 99.0f), exact(dimension, 99.0f);
    oracle->subgradient(1, 4, x, g);
    oracle->objective(2, x, exact);
    for (std::size_t l = 0; l < dimension; ++l) {
      const auto place = static_cast<float>(l);
      float expected = 5 + place, expected_exact = 2 + place;
      expected += l2 * x[l];
      expected_exact += l2 * x[l];
      if (x[l] != 0) expected += x[l] > 0 ? l1 : -l1;
      if (x[l] != 0) expected_exact += x[l] > 0 ? l1 : -l1;
      EXPECT_EQ(g[l], expected) << l;
      EXPECT_EQ(exact[l], expected_exact) << l;
    }
  }
}

TEST(PenaltyTest, AtZeroTheL1PenaltyAddsNothing) {
  const auto oracle = penalised(4, 0, 7)->oracle();
  std::vector<float> g(4);
  oracle->objective(0, std::vector<float>{0.0f, -0.0f, 1e-30f, -1e-30f}, g);
  EXPECT_EQ(g, (std::vector<float>{0.0f, 1.0f, 9.0f, -4.0f}));
}

TEST(PenaltyTest, EveryOracleOfTheProblemGivesTheSameNumbers) {
  const auto problem = with_penalties(RobustRegression{.batch = 3}.make(4, 2), 0.1, 0.2);
  const auto first = problem->oracle(), second = problem->oracle();
  const std::vector<float> x = point(problem->dimension());
  std::vector<float> g(x.size()), again(x.size()), other(x.size());
  const float loss = first->subgradient(3, 8, x, g);
  second->subgradient(1, 2, x, other);
  EXPECT_EQ(second->subgradient(3, 8, x, again), loss);
  EXPECT_EQ(g, again);
}

TEST(PenaltyTest, AllElseIsTheProblemsOwn) {
  const auto problem = penalised(5, 0.5, 0);
  EXPECT_EQ(problem->nodes(), 3u);
  EXPECT_EQ(problem->dimension(), 5u);
  EXPECT_EQ(problem->epochs(6), 1.5);
  std::vector<float> x(5);
  problem->start(x);
  EXPECT_EQ(x, (std::vector<float>{-2.0f, -1.0f, 0.0f, 1.0f, 2.0f}));
  EXPECT_EQ(problem->oracle()->accuracy(std::vector<float>{3, 0, 0, 0, 0}), 0.75);
}

TEST(PenaltyTest, WithAPenaltyTheOptimumIsNotKnown) {
  EXPECT_FALSE(penalised(2, 0.5, 0)->optimum().has_value());
  EXPECT_FALSE(penalised(2, 0, 0.5)->optimum().has_value());
  EXPECT_TRUE(penalised(2, 0, 0)->optimum().has_value());
}

TEST(PenaltyTest, WithoutPenaltiesTheProblemItselfComesBack) {
  auto problem = std::make_unique<PlainProblem>(2);
  const Problem* before = problem.get();
  EXPECT_EQ(with_penalties(std::move(problem), 0, 0).get(), before);
}

TEST(PenaltyTest, SummaryGetsALine) {
  EXPECT_EQ(penalised(2, 1e-4, 0.5)->summary(), "plain\npenalties: l2 = 0.0001, l1 = 0.5");
  const auto table = with_penalties(std::make_unique<PlainProblem>(2, "a table\n"), 2, 0);
  EXPECT_EQ(table->summary(), "a table\npenalties: l2 = 2, l1 = 0");
}

TEST(PenaltyTest, OptionsAreReadAndMustNotBeNegative) {
  const auto penalties_of = [](std::string_view name, double value) {
    Table table;
    table.set(name, Value::of(value));
    OptionReader reader(table, "", "problem");
    Penalties penalties;
    read_options(reader, penalties);
    reader.finish();
    return penalties;
  };
  EXPECT_EQ(penalties_of("l2", 0.25).l2, 0.25);
  EXPECT_EQ(penalties_of("l1", 0.5).l1, 0.5);
  EXPECT_EQ(penalties_of("l1", 0.5).l2, 0);
  EXPECT_TRUE(says(user_error_of([&] { penalties_of("l2", -0.5); }),
                   "problem.l2 = -0.5: must be in [0, 1e+30]"));
  EXPECT_TRUE(says(user_error_of([&] { penalties_of("l1", -0.5); }),
                   "problem.l1 = -0.5: must be in [0, 1e+30]"));
}

}  // namespace
}  // namespace starling
