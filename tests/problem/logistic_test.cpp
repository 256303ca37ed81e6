/// Logistic regression against a plain implementation in double precision.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/logistic.hpp"
#include "starling/problem/penalty.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

constexpr std::size_t samples = 24, features = 5, nodes = 3;
constexpr std::uint64_t seed = 9;

Partition iid(std::span<const std::uint8_t> labels, int classes, std::size_t count,
              std::uint64_t key) {
  return Iid{}.make(labels, classes, count, key);
}

/// Samples written out in full; the values are whole eighths, so that text keeps them.
struct Data {
  std::vector<std::vector<double>> rows;
  std::vector<double> labels;

  Data() {
    Random random(1, Purpose::problem);
    for (std::size_t j = 0; j < samples; ++j) {
      std::vector<double>& row = rows.emplace_back();
      for (std::size_t k = 0; k < features; ++k)
        row.push_back(random.below(3) == 0 ? 0 : (static_cast<double>(random.below(33)) - 16) / 8);
      row[features - 1] = 1;
      labels.push_back(j % 3 == 0 ? 1 : -1);
    }
  }

  std::string text() const {
    std::string text;
    for (std::size_t j = 0; j < rows.size(); ++j) {
      text += labels[j] > 0 ? "+1" : "-1";
      for (std::size_t k = 0; k < features; ++k)
        if (rows[j][k] != 0) text += ' ' + std::to_string(k + 1) + ':' + std::to_string(rows[j][k]);
      text += '\n';
    }
    return text;
  }

  Partition shares() const {
    std::vector<std::uint8_t> classes;
    for (const double label : labels) classes.push_back(label > 0);
    return iid(classes, 2, nodes, seed);
  }
};

/// The regulariser of a node, and the penalty that all have.
struct Weights {
  double l2 = 0, l4 = 0, norm4 = 0, ratio = 0;
};

struct Answer {
  double value = 0;
  std::vector<double> gradient;
};

/// f_i and its gradient, term by term as the header writes them.
Answer plain(const Data& data, const std::vector<std::uint32_t>& own, const Weights& weights,
             const std::vector<float>& x) {
  Answer answer{0, std::vector<double>(x.size())};
  const double share = 1 / static_cast<double>(own.size());
  for (const std::uint32_t j : own) {
    double margin = 0;
    for (std::size_t k = 0; k < x.size(); ++k) margin += data.rows[j][k] * double{x[k]};
    margin *= data.labels[j];
    answer.value += share * (std::log1p(std::exp(-std::abs(margin))) + std::max(0.0, -margin));
    const double wrong = 1 / (1 + std::exp(margin));
    for (std::size_t k = 0; k < x.size(); ++k)
      answer.gradient[k] -= share * data.labels[j] * wrong * data.rows[j][k];
  }
  double squares = 0;
  for (const float value : x) squares += double{value} * double{value};
  answer.value += weights.l2 / 2 * squares + weights.norm4 * squares * squares / 4;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double v = x[k];
    answer.value += weights.l4 * v * v * v * v + weights.ratio * v * v / (1 + v * v);
    answer.gradient[k] += weights.l2 * v + weights.norm4 * squares * v +
                          4 * weights.l4 * v * v * v +
                          2 * weights.ratio * v / ((1 + v * v) * (1 + v * v));
  }
  return answer;
}

std::vector<float> point(std::uint64_t key, double scale = 1) {
  Random random(key, Purpose::start);
  std::vector<float> x(features);
  for (float& value : x) value = static_cast<float>(scale * random.normal());
  return x;
}

class LogisticTest : public ::testing::Test {
 protected:
  Logistic options() const {
    Logistic logistic;
    logistic.path = path_;
    logistic.partition = iid;
    return logistic;
  }

  /// Objective and gradient of every node are those of the plain implementation.
  void expect_plain(const Logistic& logistic, const std::vector<Weights>& weights) const {
    const auto problem = with_penalties(logistic.make(nodes, seed), weights[0].l2, 0);
    ASSERT_EQ(problem->dimension(), features);
    const auto oracle = problem->oracle();
    const Partition shares = data_.shares();
    for (Node i = 0; i < nodes; ++i) {
      const std::vector<float> x = point(40 + i);
      const Answer expected = plain(data_, shares[i], weights[i], x);
      std::vector<float> g(features, 99.0f);
      EXPECT_NEAR(oracle->objective(i, x, g), expected.value,
                  1e-5 * (1 + std::abs(expected.value)));
      for (std::size_t k = 0; k < features; ++k)
        EXPECT_NEAR(g[k], expected.gradient[k], 1e-5 * (1 + std::abs(expected.gradient[k])));
      EXPECT_EQ(oracle->objective(i, x, {}), oracle->objective(i, x, g));
    }
  }

  const Data data_;
  const TempFolder folder_;
  const std::string path_ = folder_.write("train", data_.text()).string();
};

TEST_F(LogisticTest, LossAloneMatchesThePlainOne) {
  expect_plain(options(), std::vector<Weights>(nodes));
}

TEST_F(LogisticTest, WithAnL2PenaltyMatchesThePlainOne) {
  expect_plain(options(), std::vector<Weights>(nodes, Weights{.l2 = 0.7}));
}

TEST_F(LogisticTest, L4MatchesThePlainOne) {
  Logistic logistic = options();
  logistic.l4 = {0.3};
  expect_plain(logistic, std::vector<Weights>(nodes, Weights{.l4 = 0.3}));
  logistic.l4 = {0.3, 0, 1.5};
  expect_plain(logistic, {{.l4 = 0.3}, {}, {.l4 = 1.5}});
}

TEST_F(LogisticTest, Norm4MatchesThePlainOne) {
  Logistic logistic = options();
  logistic.norm4 = {0.2};
  expect_plain(logistic, std::vector<Weights>(nodes, Weights{.norm4 = 0.2}));
  logistic.norm4 = {0, 0.2, 0.9};
  expect_plain(logistic, {{}, {.norm4 = 0.2}, {.norm4 = 0.9}});
}

TEST_F(LogisticTest, RatioMatchesThePlainOne) {
  Logistic logistic = options();
  logistic.ratio = {0.8};
  expect_plain(logistic, std::vector<Weights>(nodes, Weights{.ratio = 0.8}));
  logistic.ratio = {0.8, 2, 0};
  expect_plain(logistic, {{.ratio = 0.8}, {.ratio = 2}, {}});
}

TEST_F(LogisticTest, AllRegularisersAndAPenaltyAddUp) {
  Logistic logistic = options();
  logistic.l4 = {0.1, 0.2, 0.3};
  logistic.norm4 = {0.05};
  logistic.ratio = {1, 0, 0.5};
  expect_plain(logistic, {{0.1, 0.1, 0.05, 1}, {0.1, 0.2, 0.05, 0}, {0.1, 0.3, 0.05, 0.5}});
}

TEST_F(LogisticTest, GradientIsThatOfTheObjective) {
  Logistic logistic = options();
  logistic.l4 = {0.1};
  logistic.norm4 = {0.05};
  logistic.ratio = {1};
  const auto problem = logistic.make(nodes, seed);
  const auto oracle = problem->oracle();
  for (Node i = 0; i < nodes; ++i) {
    const std::vector<float> x = point(60 + i);
    std::vector<float> g(features);
    oracle->objective(i, x, g);
    for (std::size_t k = 0; k < features; ++k) {
      std::vector<float> above = x, below = x;
      above[k] += 0.0078125f;
      below[k] -= 0.0078125f;
      const double slope = (oracle->objective(i, above, {}) - oracle->objective(i, below, {})) /
                           (double{above[k]} - double{below[k]});
      EXPECT_NEAR(g[k], slope, 1e-3 * (1 + std::abs(slope)));
    }
  }
}

TEST_F(LogisticTest, MinibatchesOfAnEpochAverageToTheFullGradient) {
  Logistic logistic = options();
  logistic.batch = 2;  // 8 samples a node: 4 rounds an epoch
  logistic.norm4 = {0.1};
  const auto problem = logistic.make(nodes, seed);
  const auto oracle = problem->oracle();
  const std::vector<float> x = point(3);
  for (Node i = 0; i < nodes; ++i) {
    std::vector<float> full(features), g(features);
    const double objective = oracle->objective(i, x, full);
    bool differs = false;
    for (const Round before : {0, 4, 40}) {
      double loss = 0;
      std::vector<double> sums(features);
      for (Round round = before + 1; round <= before + 4; ++round) {
        loss += double{oracle->subgradient(i, round, x, g)};
        for (std::size_t k = 0; k < features; ++k) sums[k] += double{g[k]};
        differs = differs || std::abs(g[features - 1] - full[features - 1]) > 1e-3f;
      }
      EXPECT_NEAR(loss / 4, objective, 1e-5 * (1 + objective));
      for (std::size_t k = 0; k < features; ++k) EXPECT_NEAR(sums[k] / 4, full[k], 1e-5);
    }
    EXPECT_TRUE(differs) << "every minibatch has the full gradient";
  }
  EXPECT_DOUBLE_EQ(problem->epochs(4), 1);
}

TEST_F(LogisticTest, ABatchOfAllSamplesGivesTheObjective) {
  Logistic logistic = options();
  logistic.batch = 100;
  const auto problem = logistic.make(nodes, seed);
  const auto oracle = problem->oracle();
  const std::vector<float> x = point(3);
  std::vector<float> full(features), g(features);
  const double objective = oracle->objective(1, x, full);
  EXPECT_EQ(oracle->subgradient(1, 5, x, g), static_cast<float>(objective));
  EXPECT_EQ(g, full);
}

TEST_F(LogisticTest, ExtremeMarginsDoNotOverflow) {
  const auto problem = options().make(nodes, seed);
  const auto oracle = problem->oracle();
  const Partition shares = data_.shares();
  for (const double scale : {1e2, 1e4, 1e15})
    for (Node i = 0; i < nodes; ++i) {
      const std::vector<float> x = point(80 + i, scale);
      const Answer expected = plain(data_, shares[i], {}, x);
      std::vector<float> g(features);
      const double objective = oracle->objective(i, x, g);
      ASSERT_TRUE(std::isfinite(objective)) << scale;
      EXPECT_NEAR(objective, expected.value, 1e-4 * (1 + expected.value)) << scale;
      for (std::size_t k = 0; k < features; ++k) {
        ASSERT_TRUE(std::isfinite(g[k])) << scale;
        EXPECT_NEAR(g[k], expected.gradient[k], 1e-3) << scale;
      }
    }
}

TEST_F(LogisticTest, XWhoseSquareIsTooLargeForAFloatHasAFiniteGradient) {
  const auto problem = options().make(nodes, seed);
  std::vector<float> g(features);
  const std::vector<float> x = point(80, 1e20);
  EXPECT_TRUE(std::isfinite(problem->oracle()->objective(0, x, g)));
  const Answer expected = plain(data_, data_.shares()[0], {}, x);
  for (std::size_t k = 0; k < features; ++k) EXPECT_NEAR(g[k], expected.gradient[k], 1e-3);
}

TEST_F(LogisticTest, AccuracyIsTheFractionOfTestSamplesOnTheirSide) {
  Logistic logistic = options();
  logistic.test = folder_.write("test", "+1 1:1\n-1 1:1\n+1 2:1\n-1 2:-1\n-1 2:2 1:1\n").string();
  EXPECT_NE(user_error_of([&] { logistic.make(nodes, seed); }), "");  // indices must ascend
  logistic.test = folder_.write("test", "+1 1:1\n-1 1:1\n+1 2:1\n-1 2:-1\n-1 1:1 2:2\n").string();
  const auto problem = logistic.make(nodes, seed);
  const auto oracle = problem->oracle();
  // Products 1, 1, -1, 1, -1: right, wrong, wrong, wrong, right.
  const auto accuracy = oracle->accuracy(std::vector<float>{1, -1, 0, 0, 0});
  ASSERT_TRUE(accuracy.has_value());
  EXPECT_DOUBLE_EQ(*accuracy, 0.4);
  EXPECT_DOUBLE_EQ(*oracle->accuracy(std::vector<float>{-1, 1, 0, 0, 0}), 0.6);
  EXPECT_NE(problem->summary().find("24 samples, 5 features, 5 test samples"), std::string::npos);
}

TEST_F(LogisticTest, WithoutTestFileThereIsNoAccuracy) {
  EXPECT_FALSE(options().make(nodes, seed)->oracle()->accuracy(point(1)).has_value());
}

TEST_F(LogisticTest, StartsAtOneNumberOrAtAllOfThem) {
  Logistic logistic = options();
  std::vector<float> x(features, 9.0f);
  logistic.make(nodes, seed)->start(x);
  EXPECT_EQ(x, std::vector<float>(features, 0.0f));
  logistic.start = {0.25};
  logistic.make(nodes, seed)->start(x);
  EXPECT_EQ(x, std::vector<float>(features, 0.25f));
  logistic.start = {1, 2, 3, 4, 5};
  logistic.make(nodes, seed)->start(x);
  EXPECT_EQ(x, (std::vector<float>{1.0f, 2.0f, 3.0f, 4.0f, 5.0f}));
}

TEST_F(LogisticTest, FeaturesMakeXLongerThanTheFile) {
  Logistic logistic = options();
  logistic.features = 8;
  EXPECT_EQ(logistic.make(nodes, seed)->dimension(), 8u);
  logistic.features = 4;
  EXPECT_TRUE(says(user_error_of([&] { logistic.make(nodes, seed); }),
                   "index 5, must be at most 4, the number of features"));
}

TEST_F(LogisticTest, RefusesAWrongCountOfWeights) {
  const std::string rule = ": 2 numbers for 3 nodes: must be one for all or one a node";
  Logistic l4 = options(), norm4 = options(), ratio = options();
  l4.l4 = norm4.norm4 = ratio.ratio = {1, 2};
  EXPECT_TRUE(says(user_error_of([&] { l4.make(nodes, seed); }), "problem.l4" + rule));
  EXPECT_TRUE(says(user_error_of([&] { norm4.make(nodes, seed); }), "problem.norm4" + rule));
  EXPECT_TRUE(says(user_error_of([&] { ratio.make(nodes, seed); }), "problem.ratio" + rule));
}

TEST_F(LogisticTest, RefusesAMissingPath) {
  Logistic logistic = options();
  logistic.path.clear();
  EXPECT_TRUE(says(user_error_of([&] { logistic.make(nodes, seed); }),
                   "problem.path: name a LIBSVM file, plain or gzip"));
  logistic.path = path_ + "-not-there";
  EXPECT_TRUE(says(user_error_of([&] { logistic.make(nodes, seed); }), logistic.path));
}

TEST_F(LogisticTest, RefusesAStartOfTheWrongLength) {
  Logistic logistic = options();
  logistic.start = {1, 2};
  EXPECT_TRUE(says(user_error_of([&] { logistic.make(nodes, seed); }),
                   "problem.start: 2 numbers, must be one or 5 (the features)"));
  logistic.start.clear();
  EXPECT_TRUE(says(user_error_of([&] { logistic.make(nodes, seed); }),
                   "problem.start: 0 numbers, must be one or 5 (the features)"));
}

TEST_F(LogisticTest, RefusesTestSamplesWithMoreFeatures) {
  Logistic logistic = options();
  logistic.test = folder_.write("test", "+1 1:1\n-1 6:1\n").string();
  EXPECT_TRUE(says(user_error_of([&] { logistic.make(nodes, seed); }),
                   "index 6, must be at most 5, the number of features"));
}

}  // namespace
}  // namespace starling
