/// Theory as numbers: the bounds of Chen et al., arXiv 2109.03194, against values worked out by
/// hand and against runs, and what schedules and methods say of step sizes.
#include "starling/experiment/theory.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "starling/engine/pool.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/experiment/catalogue.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/spectrum.hpp"
#include "starling/method/adagrad.hpp"
#include "starling/method/adam.hpp"
#include "starling/method/amsgrad.hpp"
#include "starling/problem/max_affine.hpp"

namespace starling {
namespace {

// Bounds ------------------------------------------------------------------------------------------

/// 1 / (1 - lambda) = 2, beta1 / (1 - beta1) = 1, G^2 = 9, epsilon^1.5 = 1/8, epsilon^2 = 1/16.
constexpr AdaptiveNumbers plain{
    .lambda = 0.5, .smoothness = 2, .gradient_bound = 3, .beta1 = 0.5, .epsilon = 0.25};
constexpr AdaptiveRun run{.nodes = 4, .dimension = 10, .rounds = 100, .step = 0.01, .variance = 9};

TEST(TheoryTest, ConstantsAreThoseWorkedOutByHand) {
  const AdaptiveConstants c = adaptive_constants(plain);
  EXPECT_DOUBLE_EQ(c.c1, 32);               // 4 x 2 x 4
  EXPECT_DOUBLE_EQ(c.c2, 4320);             // 6 x (1 + 4) x 2 x 9 x 8
  EXPECT_DOUBLE_EQ(c.c3, 18432);            // 16 x 4 x 2 x 9 x 16
  EXPECT_DOUBLE_EQ(c.c4, 432);              // 2 x 8 x 2 x (0.5 + 1) x 9
  EXPECT_DOUBLE_EQ(c.c5, 1152.0 + 1152.0);  // 2 x 16 x 2 x 2 x 9 + 4 x 16 x 1 x 2 x 9
}

TEST(TheoryTest, MomentumAndMixingStandWhereTheyBelong) {
  AdaptiveNumbers numbers = plain;
  numbers.beta1 = 0.75;  // beta1 / (1 - beta1) = 3
  numbers.lambda = 0.2;  // 1 / (1 - lambda) = 5/4, lambda / (1 - lambda) = 1/4
  const AdaptiveConstants c = adaptive_constants(numbers);
  EXPECT_NEAR(c.c2, 6 * (9 + 25.0 / 16) * 2 * 9 * 8, 1e-8);
  EXPECT_NEAR(c.c3, 16 * 4 * 1.25 * 9 * 16, 1e-8);
  EXPECT_NEAR(c.c4, 2 * 8 * 1.25 * 3.2 * 9, 1e-8);
  EXPECT_NEAR(c.c5, 32 * 1.25 * 2 * 9 * 9 + 64 * 0.25 * 2 * 9, 1e-8);
}

TEST(TheoryTest, TheFirstConstantIsFourAtLeast) {
  AdaptiveNumbers numbers = plain;
  numbers.epsilon = 4;
  EXPECT_EQ(adaptive_constants(numbers).c1, 4);
}

TEST(TheoryTest, TheoremTwoAddsUpItsTerms) {
  const AdaptiveBound bound = theorem_2(plain, run, 100);
  EXPECT_NEAR(bound.factor, 32, 1e-12);  // C1 / (100 x 0.01)
  // C1 step d sigma^2 / N, C2 step^2 d, C3 step^3 d, (C4 + C5 step) V / (T sqrt(N))
  EXPECT_NEAR(bound.rest, 7.2 + 4.32 + 0.18432 + (432 + 23.04) * 100 / 200, 1e-9);
  EXPECT_NEAR(bound.at(0.5), 16 + bound.rest, 1e-12);
}

TEST(TheoryTest, TheoremsThreeAndFourBoundTheChange) {
  const double largest_change = 4 * 10 * 9;  // N d G^2
  EXPECT_NEAR(theorem_3(plain, run).rest, theorem_2(plain, run, largest_change).rest, 1e-9);
  EXPECT_NEAR(theorem_4(plain, run).rest,
              theorem_2(plain, run, largest_change * (std::log(100.0) + 1)).rest, 1e-9);
  EXPECT_EQ(theorem_4(plain, run).factor, theorem_3(plain, run).factor);
}

TEST(TheoryTest, WithItsStepTheCorollaryComesOut) {
  AdaptiveRun with = run;
  with.step = corollary_step(run);
  EXPECT_NEAR(with.step, std::sqrt(4.0 / 1000), 1e-12);
  const AdaptiveConstants c = adaptive_constants(plain);
  const double n = 4, d = 10, t = 100, g2 = 9, excess = 0.7, sigma2 = 9;
  // As Corollary 1 prints it, with V_T <= N d G^2.
  const double printed = c.c1 * std::sqrt(d / (t * n)) * (excess + sigma2) + c.c2 * n / t +
                         c.c3 * std::pow(n / t, 1.5) / std::sqrt(d) +
                         c.c4 * g2 * std::sqrt(n) * d / t +
                         c.c5 * g2 * n * std::sqrt(d) / std::pow(t, 1.5);
  EXPECT_NEAR(theorem_3(plain, with).at(excess), printed, 1e-9 * printed);
}

TEST(TheoryTest, BoundsGrowWithEverythingThatHurts) {
  const double before = theorem_3(plain, run).at(1);
  const auto with = [](const auto& change) {
    AdaptiveNumbers numbers = plain;
    change(numbers);
    return theorem_3(numbers, run).at(1);
  };
  EXPECT_GT(with([](AdaptiveNumbers& n) { n.lambda = 0.6; }), before);
  EXPECT_GT(with([](AdaptiveNumbers& n) { n.smoothness = 3; }), before);
  EXPECT_GT(with([](AdaptiveNumbers& n) { n.gradient_bound = 4; }), before);
  EXPECT_GT(with([](AdaptiveNumbers& n) { n.beta1 = 0.6; }), before);
  EXPECT_LT(with([](AdaptiveNumbers& n) { n.epsilon = 0.5; }), before);
}

TEST(TheoryTest, BoundsFallAsOneOverTheRootOfTheRounds) {
  const auto bound_after = [](Round rounds, const auto& theorem) {
    AdaptiveRun long_run = run;
    long_run.rounds = rounds;
    long_run.step = corollary_step(long_run);
    return theorem(plain, long_run).at(1);
  };
  constexpr Round many = 1'000'000'000'000;
  EXPECT_NEAR(bound_after(many, theorem_3) / bound_after(100 * many, theorem_3), 10, 0.5);
  EXPECT_NEAR(bound_after(many, theorem_4) / bound_after(100 * many, theorem_4), 10, 0.5);
}

TEST(TheoryTest, TheLargestStepIsRootEpsilonOverSixteenL) {
  EXPECT_DOUBLE_EQ(largest_step(2, 0.25), 0.5 / 32);
  EXPECT_TRUE(std::isinf(largest_step(0, 0.25)));
}

TEST(TheoryTest, TheConsensusBoundIsThatWorkedOutByHand) {
  // (0.01 x 2)^2 x 10 x 9 x 4
  EXPECT_NEAR(consensus_bound(plain, 0.01, 10), 0.144, 1e-12);
}

// The consensus bound against runs ----------------------------------------------------------------

/// Two nodes that pull apart with all the force there is: f_i(x) = +-G sum_l x_l.
class OpposedProblem final : public Problem {
 public:
  explicit OpposedProblem(float bound) : bound_(bound) {}
  std::size_t nodes() const override { return 2; }
  std::size_t dimension() const override { return 3; }
  void start(std::span<float> x) const override { std::ranges::fill(x, 0.0f); }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Opposed>(bound_); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "opposed"; }

 private:
  class Opposed final : public Oracle {
   public:
    explicit Opposed(float bound) : bound_(bound) {}
    float subgradient(Node node, Round, std::span<const float> x, std::span<float> g) override {
      return static_cast<float>(objective(node, x, g));
    }
    double objective(Node node, std::span<const float> x, std::span<float> g) override {
      const float slope = node == 0 ? bound_ : -bound_;
      std::ranges::fill(g, slope);
      double sum = 0;
      for (const float value : x) sum += double{slope} * double{value};
      return sum;
    }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }

   private:
    float bound_;
  };
  float bound_;
};

std::vector<std::unique_ptr<RowUpdate>> adaptive_methods(float beta1, float epsilon) {
  std::vector<std::unique_ptr<RowUpdate>> methods;
  methods.push_back(
      std::make_unique<RowUpdateOf<Amsgrad>>(Amsgrad{.beta1 = beta1, .epsilon = epsilon}));
  methods.push_back(
      std::make_unique<RowUpdateOf<Adagrad>>(Adagrad{.beta1 = beta1, .epsilon = epsilon}));
  methods.push_back(std::make_unique<RowUpdateOf<Adam>>(Adam{.beta1 = beta1, .epsilon = epsilon}));
  return methods;
}

/// The consensus error after each of some rounds.
std::vector<double> consensus_errors(const RowUpdate& update, Problem& problem,
                                     const MixingWeights& weights, double step) {
  Pool pool(1);
  Simulation simulation(
      update, problem, weights, [step](Round) { return step; }, pool);
  std::vector<double> errors;
  for (int round = 0; round < 300; ++round) {
    EXPECT_FALSE(simulation.advance().has_value());
    errors.push_back(simulation.evaluate({.gradient_norm = false, .node_accuracy = false})
                         .consensus_error.value());
  }
  return errors;
}

TEST(TheoryTest, TheConsensusBoundIsAttainedByNodesThatPullApart) {
  // W = [[3/4, 1/4], [1/4, 3/4]]. As G^2 < epsilon, every u stays at its floor.
  const MixingWeights weights = Lazy{.of = "metropolis", .gamma = 0.5}.make(Complete{}.make(2, 0));
  constexpr float bound = 0.5f, epsilon = 1;
  for (const float beta1 : {0.0f, 0.9f})
    for (const auto& update : adaptive_methods(beta1, epsilon)) {
      OpposedProblem problem(bound);
      const double limit = consensus_bound(
          {.lambda = 0.5, .gradient_bound = bound, .beta1 = beta1, .epsilon = epsilon}, 0.125, 3);
      const std::vector<double> errors = consensus_errors(*update, problem, weights, 0.125);
      EXPECT_LE(*std::ranges::max_element(errors), limit * (1 + 1e-5))
          << update->paper() << ", beta1 = " << beta1;
      EXPECT_GE(errors.back(), limit * (1 - 1e-3)) << update->paper() << ", beta1 = " << beta1;
    }
}

TEST(TheoryTest, TheConsensusBoundHoldsInEveryRoundOnRandomLosses) {
  const MixingWeights weights = Metropolis{}.make(Ring{}.make(5, 0));
  const double lambda = contraction(weights.pull);
  const double by_hand = (1 + 2 * std::cos(2 * std::numbers::pi / 5)) / 3;
  EXPECT_NEAR(lambda, by_hand, 1e-9);
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const std::unique_ptr<Problem> problem = MaxAffine{.dimension = 6, .pieces = 5}.make(5, seed);
    ASSERT_TRUE(problem->constants().gradient_bound);
    for (const float beta1 : {0.0f, 0.9f})
      for (const auto& update : adaptive_methods(beta1, 0.01f)) {
        const AdaptiveNumbers numbers{.lambda = lambda,
                                      .gradient_bound = *problem->constants().gradient_bound,
                                      .beta1 = beta1,
                                      .epsilon = 0.01f};
        const std::vector<double> errors = consensus_errors(*update, *problem, weights, 0.02);
        EXPECT_LE(*std::ranges::max_element(errors), consensus_bound(numbers, 0.02, 6) * (1 + 1e-5))
            << update->paper() << ", beta1 = " << beta1 << ", seed " << seed;
        EXPECT_GT(errors.back(), 0);
      }
  }
}

// Step sizes and methods --------------------------------------------------------------------------

ScheduleRule schedule_of(std::string_view name, const Table& options = {}) {
  OptionReader reader(options, "", "schedule");
  Table resolved;
  return find_entry(schedules(), name, "name", reader).read(reader, resolved);
}

Table table_with(std::string_view key, const Value& value) {
  Table table;
  table.set(key, value);
  return table;
}

std::vector<ScheduleRule> endless_schedules() {
  Table stairs = table_with("by", Value::of(0.5));
  stairs.set("every", Value::of(std::int64_t{10}));
  Table level = stairs;
  level.set("by", Value::of(1.0));
  return {schedule_of("constant"),
          schedule_of("sqrt"),
          schedule_of("power"),
          schedule_of("power", table_with("p", Value::of(1.0))),
          schedule_of("power", table_with("p", Value::of(0.5))),
          schedule_of("staircase", stairs),
          schedule_of("staircase", level)};
}

TEST(TheoryTest, SchedulesSayWhetherTheirStepsGoToZero) {
  int zero = 0;
  for (const ScheduleRule& schedule : endless_schedules()) {
    ASSERT_TRUE(schedule.vanishes.has_value());
    EXPECT_EQ(*schedule.vanishes, schedule(1'000'000'000, 2'000'000'000) < 1e-3);
    zero += *schedule.vanishes;
  }
  EXPECT_EQ(zero, 5);
}

TEST(TheoryTest, SchedulesSayWhetherTheirSumIsInfinite) {
  int infinite = 0;
  for (const ScheduleRule& schedule : endless_schedules()) {
    ASSERT_TRUE(schedule.adds_up.has_value());
    // From k to 2 k the sum does not fall below ln 2 where step sizes fall as 1/k or slower.
    double sum = 0;
    for (Round k = 100'001; k <= 200'000; ++k) sum += schedule(k, 200'000);
    EXPECT_EQ(*schedule.adds_up, sum > 0.5);
    infinite += *schedule.adds_up;
  }
  EXPECT_EQ(infinite, 6);
}

TEST(TheoryTest, AScheduleForTheLengthOfARunSaysNothing) {
  const ScheduleRule cosine = schedule_of("cosine");
  EXPECT_FALSE(cosine.vanishes.has_value());
  EXPECT_FALSE(cosine.adds_up.has_value());
}

std::unique_ptr<RowUpdate> method_called(std::string_view name) {
  const Table defaults;
  OptionReader reader(defaults, "", "method");
  Table resolved;
  return find_entry(methods(), name, "name", reader).read(reader, resolved)();
}

TEST(TheoryTest, SubgradientMethodsAskForStepsThatVanish) {
  for (const char* name : {"dsgd", "dsgd-atc", "dsgd-m", "dsgd-t", "dsignsgd"})
    EXPECT_EQ(method_called(name)->steps(), Steps::vanishing) << name;
  for (const char* name : {"amsgrad", "dadam", "d2", "extra", "dgt", "clipped-tracking", "sgp"})
    EXPECT_EQ(method_called(name)->steps(), Steps::small) << name;
}

TEST(TheoryTest, AdaptiveMethodsSayHowTheyScale) {
  const std::map<std::string, Scaling> scalings{{"amsgrad", Scaling::shared_maximum},
                                                {"adagrad", Scaling::shared_mean},
                                                {"adam", Scaling::shared},
                                                {"dadam", Scaling::own}};
  for (const auto& entry : methods()) {
    const auto found = scalings.find(std::string{entry.name});
    EXPECT_EQ(method_called(entry.name)->scaling(),
              found == scalings.end() ? Scaling::none : found->second)
        << entry.name;
  }
}

}  // namespace
}  // namespace starling
