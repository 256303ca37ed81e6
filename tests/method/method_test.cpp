/// Every method against the independent float64 reference, over random graphs, sizes and seeds, and
/// against the golden trajectories.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

#include "golden.hpp"
#include "method_support.hpp"
#include "quartic_problem.hpp"
#include "reference.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/method/adaptive.hpp"
#include "starling/method/schedule.hpp"

namespace starling {
namespace {

using reference::Options;
using reference::Trajectory;

/// x of all nodes after the given rounds, as the library computes it.
std::map<int, reference::Nodes> run_library(const RowUpdate& update, const MixingWeights& weights,
                                            QuarticProblem& problem,
                                            const reference::Schedule& step, int rounds,
                                            std::size_t threads) {
  Pool pool(threads);
  Simulation simulation(
      update, problem, weights, [&](Round k) { return step(static_cast<int>(k)); }, pool);
  std::map<int, reference::Nodes> x_after;
  for (int k = 1; k <= rounds; ++k) {
    EXPECT_FALSE(simulation.advance());
    auto& x = x_after[k];
    for (Node i = 0; i < problem.nodes(); ++i) {
      const auto row = simulation.state()[update.x()].row(i);
      x.emplace_back(row.begin(), row.end());
    }
  }
  return x_after;
}

/// The weights to run a method with: W, R and C, or (I + W)/2.
enum class Kind { doubly, directed, lazy };

/// A method of the catalogue with the options to run it with.
struct Case {
  std::string name;
  Options options;
  Kind weights = Kind::doubly;
  bool constant_step = false;  ///< otherwise it falls
};

std::vector<Case> cases() {
  return {{"dgd", {}},
          {"dsgd", {}},
          {"cdsgd", {}},
          {"dsgd-atc", {}},
          {"dsgd-m", {{"tau", 2}}},
          {"dsgd-m-local", {{"beta", 0.8}}},
          {"dsignsgd", {{"tau", 2}}},
          {"dsgd-t", {}},
          {"amsgrad", {{"beta1", 0.9}, {"beta2", 0.99}, {"epsilon", 1e-3}}},
          {"adagrad", {{"beta1", 0.5}, {"epsilon", 1e-2}}},
          {"adam", {{"beta1", 0.9}, {"beta2", 0.9}, {"epsilon", 1e-2}}},
          {"dadam", {{"beta1", 0.8}, {"beta2", 0.9}, {"beta3", 0.7}, {"epsilon", 1e-2}}},
          {"dgt", {}, Kind::directed},
          {"push-pull", {}, Kind::directed},
          {"push-pull-cta", {}, Kind::directed},
          {"clipped-tracking", {{"threshold", 0.8}}, Kind::directed},
          {"clipped-tracking-atc", {{"threshold", 0.8}}, Kind::directed},
          {"sgp", {}, Kind::directed},
          {"dgd-clip", {{"threshold", 0.8}}},
          {"cdsgd-p", {{"momentum", 0.7}}},
          {"cdsgd-p-published", {{"momentum", 0.3}}},
          {"cdsgd-n", {{"momentum", 0.7}}},
          {"cdsgd-n-textbook", {{"momentum", 0.7}}},
          {"d2", {}, Kind::lazy, true},
          {"extra", {}, Kind::doubly, true},
          {"qg-dsgdm", {{"momentum", 0.8}}},
          {"local-sgd", {{"every", 3}}},
          {"centralized", {}}};
}

TEST(Methods, CaseForEveryCatalogueEntry) {
  std::vector<std::string> tested;
  for (const Case& c : cases()) tested.push_back(c.name);
  for (const auto& entry : methods())
    EXPECT_NE(std::ranges::find(tested, entry.name), tested.end()) << entry.name;
}

/// The instance with (I + W)/2 in W's place.
void make_lazy(Instance& instance) {
  reference::Matrix& w = instance.setting.w;
  for (std::size_t i = 0; i < w.size(); ++i)
    for (std::size_t j = 0; j < w.size(); ++j) w[i][j] = (w[i][j] + (i == j ? 1 : 0)) / 2;
  instance.doubly = {sparse(w), sparse(w)};
}

TEST(Methods, EqualReferenceOnRandomGraphsSizesAndSeeds) {
  for (const Case& c : cases())
    for (unsigned seed = 1; seed <= 6; ++seed) {
      const std::size_t nodes = 1 + seed * 3, dimension = seed * seed * 5 - 4;
      Instance instance = random_instance(nodes, dimension, seed);
      if (c.weights == Kind::lazy) make_lazy(instance);
      if (c.constant_step) instance.setting.step = reference::constant_step(0.05);
      const auto update = method_of(c.name, c.options);
      const bool directed = c.weights == Kind::directed;
      const auto found =
          run_library(*update, directed ? instance.directed : instance.doubly, instance.problem,
                      instance.setting.step, instance.setting.rounds, 1 + seed % 3);
      const Trajectory expected = reference::run(c.name, instance.setting, c.options);
      for (const int k : {1, 2, 3, 10, 50, 200})
        EXPECT_LT(relative_error(found.at(k), expected[static_cast<std::size_t>(k)]), 1e-4)
            << c.name << ", seed " << seed << ", round " << k;
    }
}

TEST(Methods, WithExactAveragesEqualReferenceWhoseWeightsAreAllOneOverN) {
  constexpr std::size_t nodes = 6;
  const reference::Matrix mean(nodes, reference::Vector(nodes, 1.0 / nodes));
  for (const Case& c : cases()) {
    Instance at = random_instance(nodes, 9, 3);
    at.setting.w = at.setting.r = at.setting.c = mean;
    if (c.constant_step) at.setting.step = reference::constant_step(0.05);
    const auto update = method_of(c.name, c.options);
    update->average_exactly();
    const auto found = run_library(*update, at.doubly, at.problem, at.setting.step, 50, 2);
    const Trajectory expected = reference::run(c.name, at.setting, c.options);
    for (const int k : {1, 2, 10, 50})
      EXPECT_LT(relative_error(found.at(k), expected[static_cast<std::size_t>(k)]), 1e-4)
          << c.name << ", round " << k;
  }
}

/// A rule that the library does not have: the largest square, slowly forgotten (as in AdaMax).
struct FadingMaximum {
  static constexpr std::string_view paper = "none";
  static constexpr std::string_view equation = "vhat_t = max(fade vhat_{t-1}, g_t^2)";
  static constexpr Scaling scaling = Scaling::shared;

  float fade = 0.9f;

  struct Memory {};
  static constexpr std::array<std::string_view, 0> memory = {};
  static void options(auto& self, auto&& option) {
    option("fade", self.fade, decay_rate, "what is left of the maximum after a round");
  }
  constexpr float next(Memory&, float v_hat, float g, float) const {
    return std::max(fade * v_hat, g * g);
  }
};

TEST(Methods, AdaptiveServesARuleOfOnesOwn) {
  const RowUpdateOf<Adaptive<FadingMaximum>> update(
      {.rule = {0.9f}, .beta1 = 0.5f, .epsilon = 0.01f});
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Instance at = random_instance(5, 8, seed);
    const auto found = run_library(update, at.doubly, at.problem, at.setting.step, 200, 2);
    const Trajectory expected = reference::run_framework(
        at.setting, 0.5, 0.01,
        [](int, double v_hat, double g) { return std::max(0.9 * v_hat, g * g); });
    for (const int k : {1, 10, 200})
      EXPECT_LT(relative_error(found.at(k), expected[static_cast<std::size_t>(k)]), 1e-4) << k;
  }
}

/// Runs every golden trajectory of a folder; returns how many there were.
int compare_golden(const std::filesystem::path& folder) {
  int compared = 0;
  for (const reference::GoldenCase& golden : reference::read_golden_folder(folder))
    for (const reference::GoldenRun& run : golden.runs) {
      Options options = run.options;
      options.erase("step");
      const auto update = method_of(run.method, options);
      const reference::Setting setting = reference::setting_of(golden, run);
      QuarticProblem problem(reference::losses_of(golden), golden.start);
      const MixingWeights weights{sparse(golden.r), sparse(golden.c)};  // W, where there is one
      const auto found = run_library(*update, weights, problem, setting.step, 200, 2);
      for (const auto& [k, x] : run.x_after)
        EXPECT_LT(relative_error(found.at(k), x), 1e-4)
            << golden.name << ", " << run.method << ", round " << k;
      ++compared;
    }
  return compared;
}

TEST(Methods, EqualGoldenTrajectories) { EXPECT_EQ(compare_golden(STARLING_TEST_DATA), 30); }

TEST(Methods, EqualGoldenTrajectoriesOfGivenFolder) {
  const char* folder = std::getenv("STARLING_GOLDEN");
  if (!folder) GTEST_SKIP() << "STARLING_GOLDEN names no folder of more reference trajectories";
  EXPECT_GT(compare_golden(folder), 0);
}

TEST(Schedules, EqualReference) {
  constexpr int rounds = 40;
  const auto compare = [](const auto& schedule, const reference::Schedule& expected) {
    for (int k = 1; k <= rounds; ++k)
      EXPECT_NEAR(0.3 * schedule.factor(static_cast<Round>(k), rounds), expected(k), 1e-12) << k;
  };
  compare(Constant{}, reference::constant_step(0.3));
  compare(InverseSqrt{}, reference::sqrt_step(0.3));
  compare(Power{.p = 0.6}, reference::power_step(0.3, 0.6));
  compare(Cosine{}, reference::cosine_step(0.3, rounds));
  compare(Staircase{.by = 0.5, .every = 7}, reference::staircase_step(0.3, 0.5, 7));
}

TEST(Schedules, CosineEndsAtFinal) {
  EXPECT_DOUBLE_EQ((Cosine{.final = 0.1}.factor(1, 1000)), 1);
  EXPECT_NEAR((Cosine{.final = 0.1}.factor(1001, 1000)), 0.1, 1e-12);
}

}  // namespace
}  // namespace starling
