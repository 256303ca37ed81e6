/// Partial subgradients of every problem but networks: the coordinates of the part and the loss are
/// those of the whole subgradient, bit for bit, and no other coordinate is written.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
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

constexpr std::size_t nodes = 3;
constexpr std::uint64_t seed = 7;
constexpr std::array<Round, 4> rounds{0, 1, 2, 9};

/// Normal coordinates, and zeros of both signs.
std::vector<float> point(std::size_t dimension, Node node, Round round) {
  Random random(23, Purpose::start, node, round);
  std::vector<float> x(dimension);
  for (std::size_t l = 0; l < dimension; ++l) {
    x[l] = static_cast<float>(random.normal());
    if (l % 7 == 3) x[l] = 0.0f;
    if (l % 7 == 6) x[l] = -0.0f;
  }
  return x;
}

/// Nothing, one coordinate, the first half, an odd number from the middle, all but the first, the
/// last, everything. The dimension must be at least 5.
std::vector<Part> parts_of(std::size_t dimension) {
  const std::size_t half = dimension / 2;
  return {{0, 0},
          {half, 0},
          {0, 1},
          {half, 1},
          {0, half},
          {dimension / 4 + 1, half | 1},
          {1, dimension - 1},
          {dimension - 1, 1},
          {dimension, 0},
          {0, dimension}};
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

std::span<const float> part_of(const std::vector<float>& g, Part part) {
  return std::span<const float>(g).subspan(part.first, part.count);
}

/// A draw, and the whole subgradient there.
struct Draw {
  Node node = 0;
  Round round = 0;
  std::vector<float> x, g;
  float loss = 0;
};

Draw draw_at(Oracle& oracle, std::size_t dimension, Node node, Round round) {
  Draw draw{node, round, point(dimension, node, round), std::vector<float>(dimension)};
  draw.loss = oracle.subgradient(node, round, draw.x, draw.g);
  return draw;
}

/// Whatever g holds before: NaN shows what is assigned outside the part, 99 what is added there.
void expect_parts(Oracle& oracle, const Draw& draw) {
  for (const float before : {std::numeric_limits<float>::quiet_NaN(), 99.0f})
    for (const Part part : parts_of(draw.x.size())) {
      SCOPED_TRACE(::testing::Message() << part.count << " coordinates from " << part.first);
      const std::vector<float> untouched(draw.x.size(), before);
      std::vector<float> g = untouched;
      const float loss = oracle.partial_subgradient(draw.node, draw.round, draw.x, part, g);
      EXPECT_TRUE(same_bits({&loss, 1}, {&draw.loss, 1})) << loss << ", not " << draw.loss;
      EXPECT_TRUE(same_bits(part_of(g, part), part_of(draw.g, part)));
      std::fill_n(g.data() + part.first, part.count, before);
      EXPECT_TRUE(same_bits(g, untouched)) << "other coordinates were written";
    }
}

/// An oracle that has computed parts does the rest as one that has not.
void expect_the_whole(Oracle& oracle, Oracle& other, const Draw& draw) {
  std::vector<float> g(draw.x.size(), 99.0f), expected(draw.x.size());
  EXPECT_EQ(oracle.subgradient(draw.node, draw.round, draw.x, g), draw.loss);
  EXPECT_TRUE(same_bits(g, draw.g));
  const double objective = other.objective(draw.node, draw.x, expected);
  EXPECT_EQ(oracle.objective(draw.node, draw.x, {}), objective);
  EXPECT_EQ(oracle.objective(draw.node, draw.x, g), objective);
  EXPECT_TRUE(same_bits(g, expected));
}

void expect_partial_subgradients(Problem& problem) {
  const std::size_t dimension = problem.dimension();
  const std::unique_ptr<Oracle> oracle = problem.oracle(), other = problem.oracle();
  std::vector<float> largest(dimension);
  for (Node node = 0; node < nodes; ++node)
    for (const Round round : rounds) {
      SCOPED_TRACE(::testing::Message() << "node " << node << ", round " << round);
      const Draw draw = draw_at(*other, dimension, node, round);
      ASSERT_TRUE(std::isfinite(draw.loss));
      expect_parts(*oracle, draw);
      expect_the_whole(*oracle, *other, draw);
      for (std::size_t l = 0; l < dimension; ++l)
        largest[l] = std::max(largest[l], std::abs(draw.g[l]));
    }
  // Parts of zeros would show nothing.
  for (std::size_t l = 0; l < dimension; ++l) EXPECT_GT(largest[l], 0.0f) << l;
}

/// The problem of these options as it is, and with penalties.
template <class Options>
void expect_parts_with_and_without_penalties(const Options& options) {
  for (const double l2 : {0.0, 0.3})
    for (const double l1 : {0.0, 0.2}) {
      SCOPED_TRACE(::testing::Message() << "l2 = " << l2 << ", l1 = " << l1);
      const std::unique_ptr<Problem> problem = with_penalties(options.make(nodes, seed), l2, l1);
      expect_partial_subgradients(*problem);
    }
}

TEST(PartialSubgradient, OfQuadraticsWithDiagonalMatrices) {
  expect_parts_with_and_without_penalties(Quadratic{.dimension = 10});
  expect_parts_with_and_without_penalties(
      Quadratic{.dimension = 5, .curvatures = {{1, 2, 3, 4, 5}, {2, 2, 2, 2, 2}, {5, 4, 3, 2, 1}}});
}

TEST(PartialSubgradient, OfQuadraticsWithFullMatrices) {
  constexpr std::size_t dimension = 6;
  Quadratic options{.dimension = dimension};
  for (std::size_t i = 0; i < nodes; ++i) {
    std::vector<double>& matrix = options.matrices.emplace_back();
    for (std::size_t r = 0; r < dimension; ++r)
      for (std::size_t c = 0; c < dimension; ++c)
        matrix.push_back(1 / static_cast<double>(1 + i + r + c));
  }
  expect_parts_with_and_without_penalties(options);
}

TEST(PartialSubgradient, OfRotatedQuadratics) {
  expect_parts_with_and_without_penalties(Quadratic{.dimension = 9, .rotated = true});
}

TEST(PartialSubgradient, OfMaximaOfAffineFunctions) {
  expect_parts_with_and_without_penalties(MaxAffine{.dimension = 11});
}

TEST(PartialSubgradient, OfRobustRegression) {
  for (const std::int64_t batch : {0, 3})
    expect_parts_with_and_without_penalties(RobustRegression{.dimension = 21, .batch = batch});
}

TEST(PartialSubgradient, OfPhaseRetrieval) {
  for (const std::int64_t batch : {0, 3})
    expect_parts_with_and_without_penalties(PhaseRetrieval{.dimension = 10, .batch = batch});
}

TEST(PartialSubgradient, OfReluNetworksWhoseUnitsAPartCuts) {
  for (const std::int64_t batch : {0, 3})
    expect_parts_with_and_without_penalties(Relu{.inputs = 5, .hidden = 4, .batch = batch});
}

TEST(PartialSubgradient, OfHingeLossesOnFullRows) {
  Hinge options;
  for (const std::int64_t batch : {0, 3}) {
    options.batch = batch;
    expect_parts_with_and_without_penalties(options);
  }
}

constexpr std::size_t features = 9;

/// Rows of about half the features; the first row has none.
std::string sparse_samples() {
  Random random(3, Purpose::problem);
  std::string text;
  for (std::size_t j = 0; j < 240; ++j) {
    text += j % 3 == 0 ? "+1" : "-1";
    for (std::size_t k = 1; k <= features; ++k) {
      if (j == 0 || random.below(2) == 0) continue;
      text += ' ';
      text += std::to_string(k);
      text += ':';
      text += std::to_string(4 * random.uniform() - 2);
    }
    text += '\n';
  }
  return text;
}

/// Classifiers on those samples, 80 a node.
class ClassifierPartialSubgradient : public ::testing::Test {
 protected:
  template <class Options>
  Options on_samples(std::int64_t batch) const {
    Options options;
    options.path = path_;
    options.features = features;
    options.batch = batch;
    options.partition = [](std::span<const std::uint8_t> labels, int classes, std::size_t count,
                           std::uint64_t key) { return Iid{}.make(labels, classes, count, key); };
    return options;
  }

 private:
  TempFolder folder_;
  std::string path_ = folder_.write("train", sparse_samples()).string();
};

TEST_F(ClassifierPartialSubgradient, OfLogisticLossesWithoutRegularisers) {
  expect_parts_with_and_without_penalties(on_samples<Logistic>(4));
}

TEST_F(ClassifierPartialSubgradient, OfLogisticLossesWithAnyRegulariser) {
  Logistic options = on_samples<Logistic>(4);
  options.l4 = {0.3, 0, 1.5};
  expect_parts_with_and_without_penalties(options);
  options.norm4 = {0.2};
  expect_parts_with_and_without_penalties(options);
  options.ratio = {0, 0.8, 2};
  expect_parts_with_and_without_penalties(options);
  options.l4.clear();
  expect_parts_with_and_without_penalties(options);
  options.norm4.clear();
  expect_parts_with_and_without_penalties(options);
  options.ratio.clear();
  options.norm4 = {0, 0.2, 0.9};
  expect_parts_with_and_without_penalties(options);
}

TEST_F(ClassifierPartialSubgradient, OfLogisticLossesDrawnWithReplacement) {
  Logistic options = on_samples<Logistic>(4);
  options.sampling = "replacement";
  expect_parts_with_and_without_penalties(options);
}

TEST_F(ClassifierPartialSubgradient, OfMoreSamplesThanAreTakenAtATime) {
  expect_parts_with_and_without_penalties(on_samples<Logistic>(70));
  expect_parts_with_and_without_penalties(on_samples<Hinge>(0));
}

TEST_F(ClassifierPartialSubgradient, OfHingeLossesWithAndWithoutARidge) {
  Hinge options = on_samples<Hinge>(4);
  for (const double ridge : {0.0, 0.5}) {
    options.ridge = ridge;
    expect_parts_with_and_without_penalties(options);
  }
}

/// A problem whose x consists of two tensors.
class TwoTensors final : public Problem {
 public:
  std::size_t nodes() const override { return 1; }
  std::size_t dimension() const override { return 5; }
  std::vector<std::size_t> tensors() const override { return {2, 3}; }
  void start(std::span<float>) const override {}
  std::unique_ptr<Oracle> oracle() override { return nullptr; }
  double epochs(Round) const override { return 0; }
  std::string summary() const override { return ""; }
};

TEST(PenaltyTensors, AreThoseOfTheProblem) {
  const std::vector<std::size_t> expected{2, 3};
  EXPECT_EQ(with_penalties(std::make_unique<TwoTensors>(), 0.5, 0)->tensors(), expected);
}

}  // namespace
}  // namespace starling
