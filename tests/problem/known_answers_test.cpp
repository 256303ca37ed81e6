/// Problems with a known optimum: their losses against plain code on the samples that one-sample
/// minibatches give away, and what makes the optimum one.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "starling/base/options.hpp"
#include "starling/base/random.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/hinge.hpp"
#include "starling/problem/max_affine.hpp"
#include "starling/problem/phase_retrieval.hpp"
#include "starling/problem/relu.hpp"
#include "starling/problem/robust_regression.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

using Point = std::vector<float>;
using Vector = std::vector<double>;

constexpr std::uint64_t key = 5;

Point random_point(std::size_t dimension, std::uint64_t number, double scale = 1) {
  Random random(number, Purpose::start, 7);
  Point x(dimension);
  for (float& value : x) value = static_cast<float>(scale * random.normal());
  return x;
}

double product(const auto& a, const auto& b) {
  double sum = 0;
  for (std::size_t l = 0; l < a.size(); ++l)
    sum += static_cast<double>(a[l]) * static_cast<double>(b[l]);
  return sum;
}

double euclidean(const auto& a) { return std::sqrt(product(a, a)); }

/// x + length * direction / ||direction||
Point moved(const Point& x, double length, const auto& direction) {
  const double factor = length / euclidean(direction);
  Point y = x;
  for (std::size_t l = 0; l < y.size(); ++l)
    y[l] += static_cast<float>(factor * static_cast<double>(direction[l]));
  return y;
}

struct Answer {
  double value = 0;
  Point g;
};

Answer ask(Oracle& oracle, Node node, const Point& x) {
  Answer answer{0, Point(x.size(), 99.0f)};
  answer.value = oracle.objective(node, x, answer.g);
  return answer;
}

/// The minibatch loss and its subgradient.
Answer ask(Oracle& oracle, Node node, Round round, const Point& x) {
  Answer answer{0, Point(x.size(), 99.0f)};
  answer.value = oracle.subgradient(node, round, x, answer.g);
  return answer;
}

/// The mean of the f_i at x and of their subgradients.
struct Mean {
  double value = 0;
  Vector slope;
};

Mean mean_at(Problem& problem, const Point& x) {
  Mean mean{0, Vector(x.size())};
  const auto oracle = problem.oracle();
  const auto nodes = static_cast<double>(problem.nodes());
  for (Node i = 0; i < problem.nodes(); ++i) {
    const Answer answer = ask(*oracle, i, x);
    mean.value += answer.value / nodes;
    for (std::size_t l = 0; l < x.size(); ++l) mean.slope[l] += double{answer.g[l]} / nodes;
  }
  return mean;
}

void expect_near(const Answer& answer, double value, const Vector& slope, double tolerance) {
  EXPECT_NEAR(answer.value, value, tolerance * (1 + std::abs(value)));
  for (std::size_t l = 0; l < slope.size(); ++l)
    EXPECT_NEAR(answer.g[l], slope[l], tolerance * (1 + std::abs(slope[l]))) << l;
}

/// A problem to test, and how exactly its numbers can be known: `hinge` computes in float.
struct Known {
  std::string name;
  std::unique_ptr<Problem> problem;
  bool convex = false;
  double accuracy = 1e-10;
};

std::vector<Known> all_known(std::size_t nodes) {
  std::vector<Known> all;
  const auto add = [&](std::string name, const auto& options, bool convex, double accuracy) {
    all.push_back({std::move(name), options.make(nodes, key), convex, accuracy});
  };
  add("robust", RobustRegression{}, true, 1e-10);
  add("robust, errors everywhere but once",
      RobustRegression{.dimension = 3, .samples = 7, .outliers = 1}, true, 1e-10);
  add("phase", PhaseRetrieval{}, false, 1e-10);
  add("phase with errors", PhaseRetrieval{.dimension = 8, .samples = 6, .outliers = 0.4}, false,
      1e-10);
  add("hinge", Hinge{.dimension = 6, .samples = 7, .ridge = 0.05}, true, 1e-6);
  add("max-affine", MaxAffine{}, true, 1e-10);
  add("relu", Relu{}, false, 1e-10);
  add("relu with errors", Relu{.samples = 6, .outliers = 0.4}, false, 1e-10);
  return all;
}

TEST(KnownAnswersTest, ObjectiveOfTheOptimumIsTheMeanLossThere) {
  for (const std::size_t nodes : {1u, 2u, 5u})
    for (const Known& known : all_known(nodes)) {
      const std::optional<Optimum> optimum = known.problem->optimum();
      ASSERT_TRUE(optimum.has_value()) << known.name;
      ASSERT_EQ(optimum->x.size(), known.problem->dimension()) << known.name;
      EXPECT_NEAR(mean_at(*known.problem, optimum->x).value, optimum->objective, known.accuracy)
          << known.name << ", nodes " << nodes;
    }
}

// Steps of 1e-3 tell directional derivatives: none is below -1e-7 (hinge: -1e-3).
TEST(KnownAnswersTest, NoPointNearOrFarIsLowerThanTheOptimum) {
  for (const std::size_t nodes : {1u, 2u, 5u})
    for (const Known& known : all_known(nodes)) {
      const Optimum optimum = *known.problem->optimum();
      double highest = optimum.objective;
      for (const double radius : {1e-3, 1e-2, 0.1, 1.0, 10.0})
        for (std::uint64_t trial = 0; trial < 40; ++trial) {
          const Point direction = random_point(optimum.x.size(), trial);
          const double value = mean_at(*known.problem, moved(optimum.x, radius, direction)).value;
          ASSERT_GE(value, optimum.objective - known.accuracy)
              << known.name << ", nodes " << nodes << ", radius " << radius;
          highest = std::max(highest, value);
        }
      EXPECT_GT(highest, optimum.objective + 0.01) << known.name;
    }
}

/// Problems whose nodes have a gradient at the optimum, or subgradients that cancel there.
std::vector<Known> all_cancelling(std::size_t nodes) {
  std::vector<Known> all = all_known(nodes);
  std::erase_if(all, [](const Known& known) {
    return known.name == "phase" || known.name == "relu" || known.name == "max-affine";
  });
  return all;
}

TEST(KnownAnswersTest, SubgradientsCancelAtTheOptimum) {
  for (const std::size_t nodes : {1u, 2u, 5u})
    for (const Known& known : all_cancelling(nodes))
      EXPECT_NEAR(euclidean(mean_at(*known.problem, known.problem->optimum()->x).slope), 0, 1e-5)
          << known.name << ", nodes " << nodes;
}

TEST(KnownAnswersTest, AtTheOptimumNodesHaveSubgradientsOfTheirOwn) {
  for (const Known& known : all_cancelling(5)) {
    const auto oracle = known.problem->oracle();
    double largest = 0;
    for (Node i = 0; i < 5; ++i)
      largest = std::max(largest, euclidean(ask(*oracle, i, known.problem->optimum()->x).g));
    EXPECT_GT(largest, 0.05) << known.name;
  }
}

/// How far normalised subgradient steps on f_node alone get below its value at x.
double descent_alone(Problem& problem, Node node, Point x) {
  const auto oracle = problem.oracle();
  const double before = ask(*oracle, node, x).value;
  double lowest = before;
  for (int k = 1; k <= 400; ++k) {
    const Answer answer = ask(*oracle, node, x);
    lowest = std::min(lowest, answer.value);
    if (euclidean(answer.g) == 0) break;
    x = moved(x, -0.1 / std::sqrt(k), answer.g);
  }
  return before - lowest;
}

TEST(KnownAnswersTest, EveryNodeAloneHasLowerPointsWhereConvex) {
  const std::size_t nodes = 4;
  std::vector<std::unique_ptr<Problem>> problems;
  problems.push_back(RobustRegression{}.make(nodes, key));
  problems.push_back(MaxAffine{}.make(nodes, key));
  problems.push_back(Hinge{.dimension = 6, .samples = 20, .ridge = 0.05}.make(nodes, key));
  for (const auto& problem : problems)
    for (Node i = 0; i < nodes; ++i)
      EXPECT_GT(descent_alone(*problem, i, problem->optimum()->x), 1e-3) << problem->summary();
}

TEST(KnownAnswersTest, ANodeAloneHasLowerPointsWhereNotConvexButWithErrors) {
  const std::size_t nodes = 4;
  std::vector<std::unique_ptr<Problem>> problems;
  problems.push_back(
      PhaseRetrieval{.dimension = 8, .samples = 6, .outliers = 0.4, .error = 2}.make(nodes, key));
  problems.push_back(Relu{.samples = 6, .outliers = 0.4, .error = 2}.make(nodes, key));
  for (const auto& problem : problems) {
    double most = 0;
    for (Node i = 0; i < nodes; ++i)
      most = std::max(most, descent_alone(*problem, i, problem->optimum()->x));
    EXPECT_GT(most, 1e-3) << problem->summary();
  }
}

TEST(KnownAnswersTest, ConvexLossesLieAboveTheirLinearisations) {
  for (const Known& known : all_known(3)) {
    if (!known.convex) continue;
    const auto oracle = known.problem->oracle();
    const std::size_t n = known.problem->dimension();
    for (Node i = 0; i < 3; ++i)
      for (std::uint64_t trial = 0; trial < 30; ++trial) {
        const Point x = random_point(n, 2 * trial), y = random_point(n, 2 * trial + 1, 3);
        const Answer at_x = ask(*oracle, i, x), at_y = ask(*oracle, i, y);
        Vector step(n);
        for (std::size_t l = 0; l < n; ++l) step[l] = double{y[l]} - double{x[l]};
        EXPECT_GE(at_y.value, at_x.value + product(at_x.g, step) -
                                  1e-5 * (1 + euclidean(at_x.g) * euclidean(step)))
            << known.name;
      }
  }
}

/// A subgradient g of a convex f is the central difference up to (f(x+h) + f(x-h) - 2 f(x)) / 2h,
/// and so it is wherever one kink at most lies between. Most coordinates have no kink near.
TEST(KnownAnswersTest, SubgradientsAreCentralDifferencesOfTheObjective) {
  for (const Known& known : all_known(3)) {
    const auto oracle = known.problem->oracle();
    const std::size_t n = known.problem->dimension();
    const bool in_float = known.accuracy > 1e-9;
    const float h = in_float ? 0x1p-7f : 0x1p-10f;
    const double rounding = in_float ? 2e-3 : 1e-4;
    std::size_t sharp = 0, all = 0;
    for (Node i = 0; i < 3; ++i) {
      const Point x = random_point(n, 50 + i);
      const Answer answer = ask(*oracle, i, x);
      EXPECT_EQ(oracle->objective(i, x, {}), answer.value) << known.name;
      for (std::size_t l = 0; l < n; ++l) {
        Point above = x, below = x;
        above[l] += h;
        below[l] -= h;
        const double up = oracle->objective(i, above, {}), down = oracle->objective(i, below, {});
        const double width = double{above[l]} - double{below[l]};
        const double bend = std::abs(up + down - 2 * answer.value) / width;
        EXPECT_NEAR(answer.g[l], (up - down) / width,
                    1.01 * bend + rounding * (1 + std::abs(answer.g[l])))
            << known.name << ", node " << i << ", coordinate " << l;
        sharp += bend < 0.02 * (1 + std::abs(answer.g[l]));
        ++all;
      }
    }
    EXPECT_GE(10 * sharp, 8 * all) << known.name;
  }
}

/// One of each sampled problem: 6 samples a node, 2 a round.
std::vector<Known> all_batched(std::size_t nodes, std::uint64_t seed = key) {
  std::vector<Known> all;
  all.push_back(
      {"robust", RobustRegression{.dimension = 4, .samples = 6, .batch = 2}.make(nodes, seed)});
  all.push_back(
      {"phase", PhaseRetrieval{.dimension = 4, .samples = 6, .batch = 2}.make(nodes, seed)});
  all.push_back({"hinge", Hinge{.dimension = 4, .samples = 6, .batch = 2}.make(nodes, seed)});
  all.push_back({"relu", Relu{.samples = 6, .batch = 2}.make(nodes, seed)});
  return all;
}

TEST(KnownAnswersTest, MinibatchesOfAnEpochAverageToTheFullSubgradient) {
  for (const Known& known : all_batched(3)) {
    const auto oracle = known.problem->oracle();
    const std::size_t n = known.problem->dimension();
    const Point x = random_point(n, 3);
    bool differs = false;
    for (Node i = 0; i < 3; ++i)
      for (const Round before : {0u, 3u, 60u}) {
        Answer mean{0, Point(n)};
        Vector slope(n);
        for (Round round = before + 1; round <= before + 3; ++round) {
          const Answer part = ask(*oracle, i, round, x);
          mean.value += part.value / 3;
          for (std::size_t l = 0; l < n; ++l) slope[l] += double{part.g[l]} / 3;
          differs = differs || euclidean(part.g) > 1.01 * euclidean(ask(*oracle, i, x).g);
        }
        for (std::size_t l = 0; l < n; ++l) mean.g[l] = static_cast<float>(slope[l]);
        const Answer full = ask(*oracle, i, x);
        expect_near(mean, full.value, Vector(full.g.begin(), full.g.end()), 1e-5);
      }
    EXPECT_TRUE(differs) << known.name << ": every minibatch has the full subgradient";
    EXPECT_DOUBLE_EQ(known.problem->epochs(3), 1) << known.name;
  }
}

TEST(KnownAnswersTest, WithoutABatchEveryRoundUsesAllSamples) {
  for (const Known& known : all_known(2)) {
    const auto oracle = known.problem->oracle();
    const Point x = random_point(known.problem->dimension(), 4);
    const Answer full = ask(*oracle, 1, x);
    for (const Round round : {0u, 1u, 29u}) {
      const Answer answer = ask(*oracle, 1, round, x);
      EXPECT_EQ(answer.value, static_cast<double>(static_cast<float>(full.value))) << known.name;
      EXPECT_EQ(answer.g, full.g) << known.name;
    }
    EXPECT_DOUBLE_EQ(known.problem->epochs(7), 7) << known.name;
    EXPECT_FALSE(oracle->accuracy(x).has_value()) << known.name;
  }
}

TEST(KnownAnswersTest, TheSameSeedNodeAndRoundGiveTheSameNumbers) {
  std::vector<Known> ones = all_batched(3), agains = all_batched(3), others = all_batched(3, 6);
  for (std::size_t p = 0; p < ones.size(); ++p) {
    const auto first = ones[p].problem->oracle(), second = ones[p].problem->oracle();
    const auto again = agains[p].problem->oracle(), other = others[p].problem->oracle();
    const Point x = random_point(ones[p].problem->dimension(), 8);
    ask(*second, 2, 9, x);  // what was asked before must not matter
    for (Node i = 0; i < 3; ++i) {
      const Answer answer = ask(*first, i, 5, x);
      for (Oracle* oracle : {second.get(), again.get()}) {
        const Answer copy = ask(*oracle, i, 5, x);
        EXPECT_EQ(copy.value, answer.value) << ones[p].name;
        EXPECT_EQ(copy.g, answer.g) << ones[p].name;
      }
      EXPECT_NE(ask(*other, i, x).value, ask(*first, i, x).value) << ones[p].name;
    }
    EXPECT_EQ(ones[p].problem->optimum()->x, agains[p].problem->optimum()->x);
    EXPECT_NE(ones[p].problem->optimum()->x, others[p].problem->optimum()->x);
  }
}

TEST(KnownAnswersTest, SummariesNameTheOptimum) {
  for (const Known& known : all_known(3)) {
    const std::string text = fmt::format("optimum {:.4f}", known.problem->optimum()->objective);
    EXPECT_NE(known.problem->summary().find(text), std::string::npos) << known.problem->summary();
  }
}

TEST(KnownAnswersTest, DefaultStartsAreNeitherOptimalNorStationary) {
  for (const Known& known : all_known(3)) {
    Point x(known.problem->dimension());
    known.problem->start(x);
    const Mean mean = mean_at(*known.problem, x);
    EXPECT_GT(mean.value, known.problem->optimum()->objective + 1e-3) << known.name;
    EXPECT_GT(euclidean(mean.slope), 1e-2) << known.name;
  }
}

Point start_of(const auto& options) {
  const auto problem = options.make(2, key);
  Point x(problem->dimension());
  problem->start(x);
  return x;
}

TEST(KnownAnswersTest, StartsAtOneNumberOrAtAllOfThem) {
  EXPECT_EQ(start_of(RobustRegression{.dimension = 2}), Point(2, 0.0f));
  EXPECT_EQ(start_of(PhaseRetrieval{.dimension = 2}), Point(2, 1.0f));
  EXPECT_EQ(start_of(Hinge{.dimension = 2}), Point(2, 0.0f));
  EXPECT_EQ(start_of(MaxAffine{.dimension = 2}), Point(2, 0.0f));
  const Vector one{0.5}, two{1, -2};
  const Point ones(2, 0.5f), twos{1.0f, -2.0f};
  EXPECT_EQ(start_of(RobustRegression{.dimension = 2, .start = one}), ones);
  EXPECT_EQ(start_of(PhaseRetrieval{.dimension = 2, .start = one}), ones);
  EXPECT_EQ(start_of(Hinge{.dimension = 2, .start = two}), twos);
  EXPECT_EQ(start_of(MaxAffine{.dimension = 2, .start = two}), twos);
  EXPECT_EQ(start_of(Relu{.inputs = 2, .hidden = 1, .start = two}), twos);
  const Point random = start_of(Relu{.inputs = 2, .hidden = 3});
  for (std::size_t l = 2; l < random.size(); ++l) EXPECT_NE(random[l], random[l - 2]);
}

TEST(KnownAnswersTest, RefusesAStartOfTheWrongLength) {
  const Vector two{1, 2};
  const auto error_of = [](const auto& options) {
    return user_error_of([&] { options.make(3, key); });
  };
  const std::string text = "problem.start: 2 numbers, must be one or 3 (the dimension)";
  EXPECT_TRUE(says(error_of(RobustRegression{.dimension = 3, .start = two}), text));
  EXPECT_TRUE(says(error_of(PhaseRetrieval{.dimension = 3, .start = two}), text));
  EXPECT_TRUE(says(error_of(Hinge{.dimension = 3, .start = two}), text));
  EXPECT_TRUE(says(error_of(MaxAffine{.dimension = 3, .start = two}), text));
  EXPECT_TRUE(says(error_of(Relu{.inputs = 2, .hidden = 3, .start = two}),
                   "problem.start: 2 numbers, must be one or 6 (hidden x inputs)"));
}

TEST(KnownAnswersTest, RefusesMoreSamplesThanCanBeNumbered) {
  const RobustRegression options{.dimension = 1, .samples = 1000000};
  EXPECT_TRUE(says(user_error_of([&] { options.make(5000, key); }),
                   "problem.samples = 1000000: must be at most 858993 for 5000 nodes"));
}

/// The error about an option of this value in an experiment file.
template <class T>
std::string error_about(std::string_view name, double value) {
  Table table;
  table.set(name, Value::of(value));
  return user_error_of([&] {
    OptionReader reader(table, "", "problem");
    T options;
    read_options(reader, options);
  });
}

TEST(KnownAnswersTest, RefusesOptionsOutOfTheirRange) {
  EXPECT_TRUE(says(error_about<RobustRegression>("outliers", 1.5),
                   "problem.outliers = 1.5: must be in [0, 1]"));
  EXPECT_TRUE(
      says(error_about<PhaseRetrieval>("error", -0.5), "problem.error = -0.5: must be >= 0"));
  EXPECT_TRUE(says(error_about<Hinge>("ridge", -0.5), "problem.ridge = -0.5: must be >= 0"));
  EXPECT_TRUE(
      says(error_about<MaxAffine>("pieces", 1.5), "problem.pieces = 1.5: must be a whole number"));
}

/// A sample as plain numbers.
struct Sample {
  Vector a;
  double b = 0;
};

Vector scaled(double factor, std::span<const float> a) {
  Vector b;
  for (const float value : a) b.push_back(factor * double{value});
  return b;
}

double sign(double t) { return t > 0 ? 1 : t < 0 ? -1 : 0; }

TEST(RobustRegressionTest, IsTheMeanAbsoluteResidualOfItsSamples) {
  const std::size_t n = 4;
  const auto problem = RobustRegression{.dimension = 4, .samples = 6, .batch = 1}.make(3, key);
  const auto oracle = problem->oracle();
  for (Node i = 0; i < 3; ++i) {
    // At 0 the loss of a sample is |b| and its subgradient -sign(b) a: known but for one sign.
    std::vector<Sample> samples;
    for (Round round = 1; round <= 6; ++round) {
      const Answer answer = ask(*oracle, i, round, Point(n));
      samples.push_back({scaled(-1, answer.g), answer.value});
    }
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
      const Point x = random_point(n, trial);
      double value = 0;
      Vector slope(n);
      for (const Sample& sample : samples) {
        const double residual = product(sample.a, x) - sample.b;
        value += std::abs(residual) / 6;
        for (std::size_t l = 0; l < n; ++l) slope[l] += sign(residual) * sample.a[l] / 6;
      }
      expect_near(ask(*oracle, i, x), value, slope, 1e-5);
    }
  }
}

TEST(RobustRegressionTest, ErrorsComeInPairsOnNeighbouringNodes) {
  // With errors everywhere every sample of node 0 is a half whose other half is on node 1 or 3.
  const auto problem =
      RobustRegression{.dimension = 3, .samples = 2, .batch = 1, .outliers = 1}.make(4, key);
  const auto oracle = problem->oracle();
  const Point x = problem->optimum()->x;
  std::vector<std::vector<Answer>> halves(4);
  for (Node i = 0; i < 4; ++i)
    for (Round round = 1; round <= 2; ++round) halves[i].push_back(ask(*oracle, i, round, x));
  for (const Answer& half : halves[0]) {
    int others = 0;
    for (const std::size_t i : {1u, 3u})
      for (const Answer& other : halves[i]) {
        Vector sum(3);
        for (std::size_t l = 0; l < 3; ++l) sum[l] = double{half.g[l]} + double{other.g[l]};
        others += euclidean(sum) < 1e-6 && std::abs(half.value - other.value) < 1e-5;
      }
    EXPECT_EQ(others, 1);
    EXPECT_GE(half.value, 2.5 - 1e-5);  // errors are in [size / 2, 3 size / 2)
    EXPECT_LE(half.value, 7.5 + 1e-5);
  }
}

TEST(RobustRegressionTest, WithoutErrorsTheSubgradientAtTheOptimumIsZero) {
  const auto problem = RobustRegression{.outliers = 0}.make(3, key);
  const auto oracle = problem->oracle();
  EXPECT_EQ(problem->optimum()->objective, 0);
  for (Node i = 0; i < 3; ++i) {
    const Answer answer = ask(*oracle, i, problem->optimum()->x);
    EXPECT_EQ(answer.value, 0);
    EXPECT_EQ(answer.g, Point(20));  // every residual is 0, and sign(0) = 0
  }
}

TEST(PhaseRetrievalTest, IsTheMeanAbsoluteResidualOfItsSamples) {
  const std::size_t n = 4;
  const PhaseRetrieval options{.dimension = 4, .samples = 6, .batch = 1, .outliers = 0.4};
  const auto problem = options.make(3, key);
  const auto oracle = problem->oracle();
  for (Node i = 0; i < 3; ++i) {
    // The subgradient is 2 s t a with s the residual's sign and t = <a, x>: times x it is 2 s t^2.
    std::vector<Sample> samples;
    const Point probe = random_point(n, 70 + i);
    for (Round round = 1; round <= 6; ++round) {
      const Answer answer = ask(*oracle, i, round, probe);
      const double along = product(answer.g, probe), s = sign(along);
      const double t = std::sqrt(std::abs(along) / 2);
      samples.push_back({scaled(s / (2 * t), answer.g), t * t - s * answer.value});
    }
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
      const Point x = random_point(n, trial);
      double value = 0;
      Vector slope(n);
      for (const Sample& sample : samples) {
        const double t = product(sample.a, x), residual = t * t - sample.b;
        value += std::abs(residual) / 6;
        for (std::size_t l = 0; l < n; ++l) slope[l] += sign(residual) * 2 * t * sample.a[l] / 6;
      }
      expect_near(ask(*oracle, i, x), value, slope, 1e-3);
    }
  }
}

TEST(PhaseRetrievalTest, IsZeroAtTheOptimumAndItsNegativeOnly) {
  const auto problem = PhaseRetrieval{}.make(5, key);
  const auto oracle = problem->oracle();
  const Point x = problem->optimum()->x;
  Point opposite = x;
  for (float& value : opposite) value = -value;
  for (Node i = 0; i < 5; ++i)
    for (const Point& point : {x, opposite}) {
      const Answer answer = ask(*oracle, i, point);
      EXPECT_EQ(answer.value, 0);
      EXPECT_EQ(answer.g, Point(10));  // every residual is 0, and sign(0) = 0
    }
  for (std::uint64_t trial = 0; trial < 50; ++trial)
    EXPECT_GT(mean_at(*problem, random_point(10, trial)).value, 0.1);
  Point flipped = x;  // one sign flipped is another point
  flipped[0] = -flipped[0];
  EXPECT_GT(mean_at(*problem, flipped).value, 1e-3);
}

TEST(PhaseRetrievalTest, AtZeroAllSubgradientsAreZero) {
  const auto problem = PhaseRetrieval{}.make(2, key);
  EXPECT_EQ(ask(*problem->oracle(), 0, Point(10)).g, Point(10));
}

TEST(ReluTest, IsTheMeanAbsoluteResidualOfTheNetwork) {
  const std::size_t inputs = 3, hidden = 3, n = 9;
  const double outputs[] = {1, -1, 1};
  const auto problem =
      Relu{.inputs = 3, .hidden = 3, .samples = 6, .batch = 1, .outliers = 0.4}.make(3, key);
  const auto oracle = problem->oracle();
  for (Node i = 0; i < 3; ++i) {
    // With units v, 0 and -v the prediction is |<v, a>|: one unit is active, with subgradient s a.
    Point probe = random_point(n, 70 + i);
    for (std::size_t l = 0; l < inputs; ++l) {
      probe[inputs + l] = 0;
      probe[2 * inputs + l] = -probe[l];
    }
    std::vector<Sample> samples;
    for (Round round = 1; round <= 6; ++round) {
      const Answer answer = ask(*oracle, i, round, probe);
      const double along = product(answer.g, probe), s = sign(along);
      Point sum(inputs);
      for (std::size_t l = 0; l < inputs; ++l) {
        EXPECT_EQ(answer.g[inputs + l], 0.0f);  // the derivative of max(0, t) at 0 is 0
        sum[l] = answer.g[l] + answer.g[2 * inputs + l];
      }
      samples.push_back({scaled(s, sum), std::abs(along) - s * answer.value});
    }
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
      const Point x = random_point(n, trial);
      double value = 0;
      Vector slope(n);
      for (const Sample& sample : samples) {
        double residual = -sample.b;
        Vector units(hidden);
        for (std::size_t k = 0; k < hidden; ++k) {
          units[k] = product(sample.a, std::span(x).subspan(k * inputs, inputs));
          residual += outputs[k] * std::max(0.0, units[k]);
        }
        value += std::abs(residual) / 6;
        for (std::size_t k = 0; k < hidden; ++k)
          for (std::size_t l = 0; l < inputs && units[k] > 0; ++l)
            slope[k * inputs + l] += sign(residual) * outputs[k] * sample.a[l] / 6;
      }
      expect_near(ask(*oracle, i, x), value, slope, 1e-4);
    }
  }
}

/// x with the weights of two hidden units exchanged.
Point exchanged(Point x, std::size_t inputs, std::size_t one, std::size_t other) {
  for (std::size_t l = 0; l < inputs; ++l) std::swap(x[one * inputs + l], x[other * inputs + l]);
  return x;
}

TEST(ReluTest, IsZeroAtTheTeacherAndWhereUnitsOfEqualSignAreExchanged) {
  const auto problem = Relu{}.make(5, key);  // 5 inputs, 4 hidden units
  const Point x = problem->optimum()->x;
  EXPECT_EQ(mean_at(*problem, x).value, 0);
  EXPECT_EQ(euclidean(mean_at(*problem, x).slope), 0);
  EXPECT_NEAR(mean_at(*problem, exchanged(x, 5, 0, 2)).value, 0, 1e-12);
  EXPECT_NEAR(mean_at(*problem, exchanged(x, 5, 1, 3)).value, 0, 1e-12);
  EXPECT_GT(mean_at(*problem, exchanged(x, 5, 0, 1)).value, 0.01);
  EXPECT_GT(mean_at(*problem, exchanged(x, 5, 2, 3)).value, 0.01);
  for (std::uint64_t trial = 0; trial < 50; ++trial)
    EXPECT_GT(mean_at(*problem, random_point(20, trial)).value, 0.01);
}

TEST(ReluTest, AtZeroAllSubgradientsAreZero) {
  const auto problem = Relu{}.make(2, key);
  EXPECT_EQ(ask(*problem->oracle(), 0, Point(20)).g, Point(20));
}

/// The affine functions whose maximum f_node is, by their slopes: intercepts.
std::map<Point, double> pieces_of(Oracle& oracle, Node node, const Point& center) {
  std::map<Point, double> pieces;
  for (std::uint64_t trial = 0; trial < 3000; ++trial) {
    const double radius = 0.1 * static_cast<double>(1 + trial % 30);
    const Point x = moved(center, radius, random_point(center.size(), 1000 + trial));
    const Answer answer = ask(oracle, node, x);
    pieces.emplace(answer.g, answer.value - product(answer.g, x));
  }
  return pieces;
}

TEST(MaxAffineTest, IsTheMaximumOfAsManyAffineFunctionsAsAskedFor) {
  const auto problem = MaxAffine{.dimension = 2, .pieces = 5}.make(4, key);
  const auto oracle = problem->oracle();
  const Point center = problem->optimum()->x;
  for (Node i = 0; i < 4; ++i) {
    const std::map<Point, double> pieces = pieces_of(*oracle, i, center);
    EXPECT_GE(pieces.size(), 2u);
    EXPECT_LE(pieces.size(), 5u);
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
      const Point x = moved(center, 2, random_point(2, trial));
      double value = -1e30;
      for (const auto& [slope, intercept] : pieces)
        value = std::max(value, intercept + product(slope, x));
      const Answer answer = ask(*oracle, i, x);
      EXPECT_NEAR(answer.value, value, 1e-4);
      ASSERT_TRUE(pieces.contains(answer.g));
      EXPECT_NEAR(answer.value, pieces.at(answer.g) + product(answer.g, x), 1e-4);
    }
  }
}

TEST(MaxAffineTest, AtTheOptimumSeveralPiecesAreMaximalAndOneIsChosen) {
  const auto problem = MaxAffine{.dimension = 3, .pieces = 4}.make(4, key);
  const auto oracle = problem->oracle();
  const Point x = problem->optimum()->x;
  for (Node i = 0; i < 4; ++i) {
    const Answer answer = ask(*oracle, i, x);
    const std::map<Point, double> pieces = pieces_of(*oracle, i, x);
    int maximal = 0;
    for (const auto& [slope, intercept] : pieces) {
      const double value = intercept + product(slope, x);
      const bool is_maximal = std::abs(value - answer.value) < 1e-4;
      maximal += is_maximal;
      EXPECT_TRUE(is_maximal || value < answer.value - 0.5 + 1e-4);
    }
    EXPECT_EQ(maximal, 2);  // half of the pieces
    EXPECT_TRUE(pieces.contains(answer.g)) << "no mixture of pieces";
  }
}

TEST(HingeTest, IsTheMeanHingeLossOfItsSamplesPlusTheRidge) {
  const std::size_t n = 4;
  const double ridge = 0.25;
  const auto problem = Hinge{.dimension = 4, .samples = 6, .batch = 1, .ridge = ridge}.make(3, key);
  const auto oracle = problem->oracle();
  for (Node i = 0; i < 3; ++i) {
    // At 0 every loss is 1 and the subgradient -b a.
    std::vector<Vector> samples;
    for (Round round = 1; round <= 6; ++round) {
      const Answer answer = ask(*oracle, i, round, Point(n));
      EXPECT_EQ(answer.value, 1);
      samples.push_back(scaled(-1, answer.g));
    }
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
      const Point x = random_point(n, trial);
      double value = ridge / 2 * product(x, x);
      Vector slope = scaled(ridge, x);
      for (const Vector& sample : samples) {
        const double margin = product(sample, x);
        value += std::max(0.0, 1 - margin) / 6;
        for (std::size_t l = 0; l < n && margin < 1; ++l) slope[l] -= sample[l] / 6;
      }
      expect_near(ask(*oracle, i, x), value, slope, 1e-5);
    }
  }
}

TEST(HingeTest, AtTheOptimumSomeSamplesLieInsideTheMarginAndSomeBeyond) {
  const auto problem = Hinge{.batch = 1}.make(3, key);  // 20 samples a node
  const auto oracle = problem->oracle();
  const Point x = problem->optimum()->x;
  const double ridge_part = 0.01 / 2 * product(x, x);
  int inside = 0, beyond = 0;
  for (Node i = 0; i < 3; ++i)
    for (Round round = 1; round <= 20; ++round) {
      const double loss = ask(*oracle, i, round, x).value - ridge_part;
      (loss > 1e-4 ? inside : beyond) += 1;
      EXPECT_TRUE(loss < 1e-4 || loss > 0.1 - 1e-4) << "a kink at the optimum: " << loss;
    }
  EXPECT_EQ(inside, 30);
  EXPECT_EQ(beyond, 30);
}

Partition iid(std::span<const std::uint8_t> labels, int classes, std::size_t nodes,
              std::uint64_t seed) {
  return Iid{}.make(labels, classes, nodes, seed);
}

/// Twelve samples of three features, written as a LIBSVM file; text keeps their sixteenths.
struct HingeFileTest : ::testing::Test {
  HingeFileTest() {
    Random random(1, Purpose::problem);
    std::string text;
    for (int j = 0; j < 12; ++j) {
      Sample& sample = samples.emplace_back();
      sample.b = j % 3 == 0 ? 1 : -1;
      text += sample.b > 0 ? "+1" : "-1";
      for (int l = 1; l <= 3; ++l) {
        sample.a.push_back((static_cast<double>(random.below(33)) - 15.5) / 8);
        text += ' ' + std::to_string(l) + ':' + std::to_string(sample.a.back());
      }
      text += '\n';
      classes.push_back(sample.b > 0);
    }
    options.path = folder.write("train", text).string();
    options.ridge = 0.5;
    options.partition = iid;
  }

  const TempFolder folder;
  std::vector<Sample> samples;
  std::vector<std::uint8_t> classes;
  Hinge options;
};

TEST_F(HingeFileTest, IsTheMeanHingeLossOfTheNodesSamplesPlusTheRidge) {
  const auto problem = options.make(2, key);
  ASSERT_EQ(problem->dimension(), 3u);
  const auto oracle = problem->oracle();
  const Partition shares = iid(classes, 2, 2, key);
  for (Node i = 0; i < 2; ++i)
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
      const Point x = random_point(3, trial);
      double value = 0.25 * product(x, x);
      Vector slope = scaled(0.5, x);
      for (const std::uint32_t j : shares[i]) {
        const double margin = samples[j].b * product(samples[j].a, x);
        value += std::max(0.0, 1 - margin) / 6;
        for (std::size_t l = 0; l < 3 && margin < 1; ++l)
          slope[l] -= samples[j].b * samples[j].a[l] / 6;
      }
      expect_near(ask(*oracle, i, x), value, slope, 1e-5);
    }
}

TEST_F(HingeFileTest, HasNoKnownOptimumAndSaysWhatWasRead) {
  const auto problem = options.make(2, key);
  EXPECT_FALSE(problem->optimum().has_value());
  EXPECT_NE(problem->summary().find("linear SVM, 12 samples, 3 features, 0 test samples"),
            std::string::npos);
  EXPECT_FALSE(problem->oracle()->accuracy(Point(3)).has_value());
}

TEST_F(HingeFileTest, AccuracyIsTheFractionOfTestSamplesOnTheirSide) {
  options.test = folder.write("test", "+1 1:1\n-1 1:1\n+1 2:1\n-1 2:-1\n").string();
  const auto problem = options.make(2, key);
  // Products 1, 1, -1, 1: right, wrong, wrong, wrong.
  EXPECT_EQ(problem->oracle()->accuracy(Point{1, -1, 0}), 0.25);
}

TEST_F(HingeFileTest, MinibatchesOfAnEpochAverageToTheFullSubgradient) {
  options.batch = 3;  // 6 samples a node: 2 rounds an epoch
  const auto problem = options.make(2, key);
  EXPECT_DOUBLE_EQ(problem->epochs(2), 1);
  const auto oracle = problem->oracle();
  const Point x = random_point(3, 2);
  const Answer full = ask(*oracle, 1, x);
  const Answer one = ask(*oracle, 1, 1, x), other = ask(*oracle, 1, 2, x);
  EXPECT_NE(one.g, full.g);
  EXPECT_NEAR((one.value + other.value) / 2, full.value, 1e-5 * (1 + full.value));
  for (std::size_t l = 0; l < 3; ++l)
    EXPECT_NEAR((double{one.g[l]} + double{other.g[l]}) / 2, full.g[l], 1e-5);
}

TEST_F(HingeFileTest, AMarginOfExactlyOneHasNoSubgradient) {
  options.path = folder.write("kink", "+1 1:1\n-1 1:1\n").string();
  options.ridge = 0;
  const auto problem = options.make(1, key);
  const auto oracle = problem->oracle();
  // The second sample has margin -x and the subgradient 1/2.
  EXPECT_EQ(ask(*oracle, 0, Point{1}).g, Point{0.5f});
  EXPECT_EQ(ask(*oracle, 0, Point{0.9375f}).g, Point{0.0f});
  EXPECT_EQ(ask(*oracle, 0, Point{1}).value, 1);
}

TEST_F(HingeFileTest, RefusesWhatDoesNotFitTogether) {
  options.start = {1, 2};
  EXPECT_TRUE(says(user_error_of([&] { options.make(2, key); }),
                   "problem.start: 2 numbers, must be one or 3 (the features)"));
  const auto error_of = [](const Hinge& hinge) {
    return user_error_of([&] { hinge.make(2, key); });
  };
  EXPECT_TRUE(says(error_of({.test = "t"}), "problem.test = \"t\": needs problem.path"));
  EXPECT_TRUE(says(error_of({.features = 7}), "problem.features = 7: needs problem.path"));
  EXPECT_TRUE(says(error_of({.ridge = 0}), "problem.ridge = 0: must be > 0 for random data"));
}

}  // namespace
}  // namespace starling
