/// What Zhang, Xiao & Liu (arXiv 2403.11565) claim about DSGD, DSGD-M, DSGD-T and DSignSGD, on a
/// loss that is neither smooth nor convex nor Clarke regular: with diminishing steps the nodes
/// agree and come to a stationary point, and their average follows a flow.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "method_support.hpp"
#include "starling/base/random.hpp"
#include "starling/base/types.hpp"
#include "starling/engine/pool.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/weights.hpp"
#include "starling/problem/least_norm.hpp"
#include "starling/problem/problem.hpp"
#include "starling/problem/quadratic.hpp"

namespace starling {
namespace {

using Point = std::array<double, 2>;

double sign(double value) {
  return static_cast<double>(value > 0) - static_cast<double>(value < 0);
}

/// f_i(x) = |x_2 - x_1^2 - c_i| + |x_1 - a_i| - 0.1 |x_1 - 1.6|. The mean has a curved valley,
/// kinks in both directions, and at x_1 = 1.6 one that is concave. Between the kinks the mean of an
/// odd number of signs is not 0, and 0.1 is less than 1/5: the only stationary point is at the
/// medians, x_1 = 0.5 and x_2 = x_1^2 + 0. It is no node's own minimiser.
class Valley {
 public:
  static constexpr Node nodes = 5;
  static constexpr Point start{2.1031, 0.8133};  // no step size hits a kink exactly
  static constexpr Point stationary{0.5, 0.25};

  static double value(Node node, const Point& x) {
    return std::abs(x[1] - x[0] * x[0] - c[node]) + std::abs(x[0] - a[node]) -
           0.1 * std::abs(x[0] - 1.6);
  }
  static Point subgradient(Node node, const Point& x) {
    const double side = sign(x[1] - x[0] * x[0] - c[node]);
    return {-2 * x[0] * side + sign(x[0] - a[node]) - 0.1 * sign(x[0] - 1.6), side};
  }
  static Point mean_subgradient(const Point& x) {
    Point mean{};
    for (Node i = 0; i < nodes; ++i) {
      const Point d = subgradient(i, x);
      for (std::size_t k = 0; k < 2; ++k) mean[k] += d[k] / nodes;
    }
    return mean;
  }

 private:
  static constexpr std::array<double, nodes> a{0.1, 0.9, 0.5, 1.3, -0.4};
  static constexpr std::array<double, nodes> c{-0.6, 0, 0.3, 0.8, -0.2};
};

/// The valley's subgradients, each coordinate with uniform noise in [-noise, noise].
class ValleyProblem final : public Problem {
 public:
  explicit ValleyProblem(double noise) : noise_(noise) {}

  std::size_t nodes() const override { return Valley::nodes; }
  std::size_t dimension() const override { return 2; }
  void start(std::span<float> x) const override {
    for (std::size_t k = 0; k < 2; ++k) x[k] = static_cast<float>(Valley::start[k]);
  }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Noisy>(noise_); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "valley"; }

 private:
  class Noisy final : public Oracle {
   public:
    explicit Noisy(double noise) : noise_(noise) {}

    float subgradient(Node node, Round round, std::span<const float> x,
                      std::span<float> g) override {
      const Point point{x[0], x[1]};
      const Point d = Valley::subgradient(node, point);
      Random random(1, Purpose::problem, node, round);
      for (std::size_t k = 0; k < 2; ++k)
        g[k] = static_cast<float>(d[k] + noise_ * (2 * random.uniform() - 1));
      return static_cast<float>(Valley::value(node, point));
    }
    double objective(Node node, std::span<const float> x, std::span<float> g) override {
      const Point point{x[0], x[1]};
      const Point d = Valley::subgradient(node, point);
      for (std::size_t k = 0; k < g.size(); ++k) g[k] = static_cast<float>(d[k]);
      return Valley::value(node, point);
    }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }

   private:
    double noise_;
  };

  double noise_;
};

double length_between(const Point& a, const Point& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1]);
}

Point average_of(const Simulation& simulation) {
  const std::vector<float> x = simulation.average();
  return {x[0], x[1]};
}

double consensus_error_of(Simulation& simulation) {
  return simulation.evaluate({.gradient_norm = false, .node_accuracy = false})
      .consensus_error.value();
}

/// The least norm in the hull of mean subgradients at the center and on two circles around it.
double stationarity(const Point& center, double radius) {
  std::vector<double> subgradients;
  const auto sample = [&](const Point& x) {
    const Point d = Valley::mean_subgradient(x);
    subgradients.insert(subgradients.end(), d.begin(), d.end());
  };
  sample(center);
  for (const double r : {radius / 2, radius})
    for (int k = 0; k < 16; ++k) {
      const double angle = std::numbers::pi * k / 8;
      sample({center[0] + r * std::cos(angle), center[1] + r * std::sin(angle)});
    }
  const std::vector<double> least = least_norm_point(subgradients, 2);
  return std::hypot(least[0], least[1]);
}

constexpr double near = 0.08;  // less than half of the way between any two kinks

TEST(Dsm, MeasureOfStationarityTellsTheStationaryPointFromTheValley) {
  EXPECT_LT(stationarity(Valley::stationary, near), 1e-4);
  // In the valley the hull is part of the line (s, 0) + t (-2 x_1, 1), with s = 0.3 at x_1 = 0.7.
  EXPECT_NEAR(stationarity({0.7, 0.49}, near), 0.3 / std::sqrt(1 + 4 * 0.49), 0.02);
  EXPECT_GT(stationarity({0.3, 0.09}, near), 0.05);
  EXPECT_GT(stationarity({0.5, 0.05}, near), 0.15);
  EXPECT_GT(stationarity({1.6, 2.56}, near), 0.3);
  EXPECT_GT(stationarity(Valley::start, near), 3);
}

/// sum step = infinity and step -> 0, as the paper asks.
double diminishing(Round k) { return 0.1 * std::pow(static_cast<double>(k), -0.6); }

struct DsmMethod {
  std::string name;
  reference::Options options;
};

TEST(Dsm, NodesAgreeAndBecomeStationaryWithDiminishingSteps) {
  constexpr Round rounds = 40'000;
  const std::vector<DsmMethod> dsm_methods{
      {"dsgd", {}}, {"dsgd-m", {{"tau", 5}}}, {"dsgd-t", {}}, {"dsignsgd", {{"tau", 5}}}};
  const MixingWeights weights = Uniform{}.make(Ring{}.make(Valley::nodes, 0));
  Pool pool(1);
  for (const DsmMethod& method : dsm_methods) {
    SCOPED_TRACE(method.name);
    const auto update = method_of(method.name, method.options);
    ValleyProblem problem(0.3);
    Simulation simulation(*update, problem, weights, diminishing, pool);
    for (Round k = 1; k <= rounds; ++k) {
      ASSERT_FALSE(simulation.advance());
      if (k == 100 || k == 1000 || k == 10'000 || k == rounds) {
        // Directions that differ from their mean by G keep the nodes within step G / (1 - lambda)
        // of the average; here 1 - lambda = 0.46, and 2.5 is enough for G.
        EXPECT_LT(consensus_error_of(simulation), 30 * std::pow(diminishing(k), 2)) << k;
      }
    }
    const Point average = average_of(simulation);
    EXPECT_LT(length_between(average, Valley::stationary), 0.05);
    EXPECT_LT(stationarity(average, near), 0.02);
  }
}

TEST(Dsm, SignsOfMixedMomentaReachTheOptimumOfTheMean) {
  // Between 0 and 1 the two gradients have opposite signs: with momenta that are not mixed, nodes
  // would stay where they start.
  const Quadratic options{
      .dimension = 1, .centers = {{0.0}, {1.0}}, .curvatures = {{1.0}, {3.0}}, .start = {0.3}};
  const auto problem = options.make(2, 1);
  const MixingWeights weights = Metropolis{}.make(Complete{}.make(2, 0));
  const auto update = method_of("dsignsgd", {{"tau", 5}});
  Pool pool(1);
  Simulation simulation(*update, *problem, weights, diminishing, pool);
  for (int k = 0; k < 5000; ++k) ASSERT_FALSE(simulation.advance());
  EXPECT_NEAR(simulation.average()[0], 0.75, 0.005);
}

/// How (x, y) moves, with d in the Clarke subdifferential of the mean at x.
enum class Flow {
  descent,   ///< x' = -d
  momentum,  ///< x' = -y, y' = -tau (y - d)
  sign,      ///< x' = -sign(y), y' = -tau (y - d)
};

constexpr double horizon = 3.2, fine_step = 1e-5, tau = 2;

/// x at times 0, fine_step, ..., horizon, by Euler's method from y = 0. It crosses most kinks, and
/// slides along some of them, all convex: there is one solution only.
std::vector<Point> path_of(Flow flow) {
  Point x = Valley::start, y{};
  std::vector<Point> path{x};
  const auto steps = static_cast<std::size_t>(std::lround(horizon / fine_step));
  path.reserve(steps + 1);
  while (path.size() <= steps) {
    const Point d = Valley::mean_subgradient(x);
    for (std::size_t k = 0; k < 2; ++k) {
      const double velocity = flow == Flow::descent    ? d[k]
                              : flow == Flow::momentum ? y[k]
                                                       : sign(y[k]);
      x[k] -= fine_step * velocity;
      y[k] -= fine_step * tau * (y[k] - d[k]);
    }
    path.push_back(x);
  }
  return path;
}

/// The largest ones of a run.
struct Largest {
  double gap = 0;  ///< from the average to the path, at times 0, step, 2 step, ...
  double consensus_error = 0;
};

Largest run_beside(const std::vector<Point>& path, const RowUpdate& update, double step) {
  const MixingWeights weights = Uniform{}.make(Ring{}.make(Valley::nodes, 0));
  ValleyProblem problem(0);
  Pool pool(1);
  Simulation simulation(
      update, problem, weights, [&](Round) { return step; }, pool);
  const auto stride = static_cast<std::size_t>(std::lround(step / fine_step));
  Largest largest;
  for (std::size_t at = stride; at < path.size(); at += stride) {
    EXPECT_FALSE(simulation.advance());
    largest.gap = std::max(largest.gap, length_between(average_of(simulation), path[at]));
    largest.consensus_error = std::max(largest.consensus_error, consensus_error_of(simulation));
  }
  return largest;
}

/// With steps a quarter as long each time the gap shrinks about as they do, and the consensus error
/// stays below `disagreement` times their squares.
void expect_to_follow(const std::string& name, const reference::Options& options, Flow flow,
                      double disagreement) {
  SCOPED_TRACE(name);
  const std::vector<Point> path = path_of(flow);
  const auto update = method_of(name, options);
  double before = 0;
  for (const double step : {0.016, 0.004, 0.001}) {
    const auto [gap, consensus_error] = run_beside(path, *update, step);
    EXPECT_LT(gap, 20 * step) << "step " << step;
    if (before > 0) {
      EXPECT_GT(before / gap, 2) << "step " << step;
      EXPECT_LT(before / gap, 7) << "step " << step;
    }
    EXPECT_LT(consensus_error, disagreement * step * step) << "step " << step;
    before = gap;
  }
}

TEST(Dsm, AverageOfDsgdFollowsTheSubgradientFlow) {
  expect_to_follow("dsgd", {}, Flow::descent, 40);
}

TEST(Dsm, AverageOfDsgdTFollowsTheSubgradientFlow) {
  expect_to_follow("dsgd-t", {}, Flow::descent, 40);
}

TEST(Dsm, AverageOfDsgdMFollowsTheFlowWithMomentum) {
  // The nodes' momenta are mixed, so they agree, and with them the nodes, far better.
  expect_to_follow("dsgd-m", {{"tau", tau}}, Flow::momentum, 0.5);
}

TEST(Dsm, AverageOfDsignsgdFollowsTheSignFlow) {
  expect_to_follow("dsignsgd", {{"tau", tau}}, Flow::sign, 10);
}

}  // namespace
}  // namespace starling
