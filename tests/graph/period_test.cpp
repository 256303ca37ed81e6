/// The mixing of a period and the graph of all messages, against dense products and closed forms.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/graph/changing.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/links.hpp"
#include "starling/graph/lossy.hpp"
#include "starling/graph/period.hpp"
#include "starling/graph/sequence.hpp"
#include "starling/graph/spectrum.hpp"
#include "starling/graph/weights.hpp"

namespace starling {
namespace {

using Dense = std::vector<std::vector<double>>;

Dense zeros(std::size_t nodes) { return Dense(nodes, std::vector<double>(nodes, 0)); }

Dense identity(std::size_t nodes) {
  Dense result = zeros(nodes);
  for (std::size_t i = 0; i < nodes; ++i) result[i][i] = 1;
  return result;
}

Dense times(const Dense& a, const Dense& b) {
  Dense result = zeros(a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < a.size(); ++k)
      if (a[i][k] != 0)
        for (std::size_t j = 0; j < a.size(); ++j) result[i][j] += a[i][k] * b[k][j];
  return result;
}

Dense transpose(const Dense& a) {
  Dense result = zeros(a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a.size(); ++j) result[j][i] = a[i][j];
  return result;
}

Dense dense_of(const SparseMatrix& matrix) {
  Dense result = zeros(matrix.rows());
  for (Node i = 0; i < matrix.rows(); ++i) {
    const SparseMatrix::Row row = matrix.row(i);
    for (std::size_t k = 0; k < row.columns.size(); ++k) result[i][row.columns[k]] = row.values[k];
  }
  return result;
}

SparseMatrix sparse_of(const Dense& dense) {
  SparseMatrix matrix;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    for (std::size_t j = 0; j < dense.size(); ++j) {
      if (dense[i][j] == 0 && i != j) continue;
      matrix.columns.push_back(static_cast<Node>(j));
      matrix.values.push_back(dense[i][j]);
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  return matrix;
}

/// W_T ... W_1
Dense product_of(WeightsSequence& sequence, Round rounds) {
  Dense product = identity(sequence.nodes());
  MixingWeights weights;
  for (Round k = 1; k <= rounds; ++k) {
    sequence.weights(k, weights);
    product = times(dense_of(weights.pull), product);
  }
  return product;
}

/// ||P - 11'/N||_2: squaring D'D over and over leaves its top eigenvector in every column.
double norm_of_disagreement(Dense product) {
  const std::size_t nodes = product.size();
  for (std::vector<double>& row : product)
    for (double& value : row) value -= 1 / static_cast<double>(nodes);
  const Dense square = times(transpose(product), product);
  Dense power = square;
  for (int doubling = 0; doubling < 50; ++doubling) {
    double largest = 0;
    for (const std::vector<double>& row : power)
      for (const double value : row) largest = std::max(largest, std::abs(value));
    if (largest == 0) return 0;
    for (std::vector<double>& row : power)
      for (double& value : row) value /= largest;
    power = times(power, power);
  }
  std::vector<double> top = power[0];  // symmetric: a row is a column; take the longest
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  for (const std::vector<double>& row : power)
    if (dot(row, row) > dot(top, top)) top = row;
  std::vector<double> image;
  for (const std::vector<double>& row : square) image.push_back(dot(row, top));
  return std::sqrt(dot(top, image) / dot(top, top));
}

/// Given weights in turn.
class Turns final : public WeightsSequence {
 public:
  explicit Turns(std::vector<MixingWeights> weights) : weights_(std::move(weights)) {}
  std::size_t nodes() const override { return weights_[0].pull.rows(); }
  Round period() const override { return weights_.size(); }
  void weights(Round round, MixingWeights& weights) override {
    weights = weights_[(round - 1) % weights_.size()];
  }

 private:
  std::vector<MixingWeights> weights_;
};

/// A mean of three random permutations: doubly stochastic, not symmetric.
MixingWeights random_doubly(std::size_t nodes, std::uint64_t seed) {
  Random random(seed, Purpose::problem);
  Dense w = zeros(nodes);
  std::vector<Node> order(nodes);
  std::iota(order.begin(), order.end(), Node{0});
  for (const double share : {0.5, 0.3, 0.2}) {
    random.shuffle(std::span<Node>(order));
    for (std::size_t i = 0; i < nodes; ++i) w[i][order[i]] += share;
  }
  return {sparse_of(w), sparse_of(w)};
}

Turns three_turns(std::size_t nodes) {
  return Turns({random_doubly(nodes, 1), random_doubly(nodes, 2), random_doubly(nodes, 3)});
}

ChangingWeights one_peer(std::size_t nodes) {
  const Graph graph = DirectedExponential{}.make(nodes, 0);
  return ChangingWeights(graph, OnePeer{}.make(graph, 0), Shares::uniform);
}

template <class Rule>
ChangingWeights changing(const Graph& graph, const Rule& rule) {
  return ChangingWeights(graph, rule.make(graph, 5), Shares::metropolis);
}

bool same(const Graph& a, const Graph& b) {
  if (a.nodes() != b.nodes() || a.is_directed() != b.is_directed()) return false;
  for (Node i = 0; i < a.nodes(); ++i)
    if (!std::ranges::equal(a.hears(i), b.hears(i))) return false;
  return true;
}

TEST(PeriodContraction, OfFixedWeightsIsThatOfTheirMatrix) {
  for (const SparseMatrix& w :
       {Uniform{}.make(Ring{}.make(9, 0)).pull, Metropolis{}.make(ErdosRenyi{}.make(20, 1)).pull,
        BoWangWeights{}.make(BoWang{}.make(5, 0)).pull, random_doubly(12, 4).pull}) {
    FixedWeights sequence({w, w});
    EXPECT_NEAR(contraction_of_period(sequence), contraction(w), 1e-14);
    EXPECT_NEAR(contraction_of_period(sequence), norm_of_disagreement(dense_of(w)), 1e-9);
  }
}

TEST(PeriodContraction, OfSeveralRoundsIsThatOfTheProduct) {
  Turns two({random_doubly(10, 1), random_doubly(10, 2)});
  EXPECT_NEAR(contraction_of_period(two), norm_of_disagreement(product_of(two, 2)), 1e-10);
  Turns three = three_turns(10);
  const double forwards = norm_of_disagreement(product_of(three, 3));
  Turns turned({random_doubly(10, 3), random_doubly(10, 2), random_doubly(10, 1)});
  EXPECT_NEAR(contraction_of_period(three), forwards, 1e-10);
  EXPECT_GT(std::abs(contraction_of_period(turned) - forwards), 1e-3);  // the order matters
}

TEST(PeriodContraction, OfOnePeerIsZeroForPowersOfTwo) {
  for (const std::size_t nodes : {8, 16, 64}) {
    ChangingWeights sequence = one_peer(nodes);
    const double share = 1 / static_cast<double>(nodes);
    for (const std::vector<double>& row : product_of(sequence, sequence.period()))
      for (const double value : row) EXPECT_NEAR(value, share, 1e-12);
    EXPECT_LE(contraction_of_period(sequence), 1e-12);
    EXPECT_LE(contraction_of_period(sequence, 0), 1e-12);
  }
}

/// Rounds of hops 1, 2, ..., 2^(T-1) add up the last 2^T nodes. Whole turns of the circle cancel in
/// the eigenvalues, and r = 2^T mod N terms of a geometric sum are left.
TEST(PeriodContraction, OfOnePeerHasAClosedForm) {
  const std::vector<std::pair<std::size_t, double>> cases{{12, 16}, {60, 64}, {1000, 1024}};
  for (const auto& [nodes, terms] : cases) {
    ChangingWeights sequence = one_peer(nodes);
    const auto count = static_cast<double>(nodes);
    double expected = 0;
    for (std::size_t k = 1; k < nodes; ++k) {
      const double angle = std::numbers::pi * static_cast<double>(k) / count;
      const double sum = std::sin((terms - count) * angle) / std::sin(angle);
      expected = std::max(expected, std::abs(sum) / terms);
    }
    EXPECT_NEAR(contraction_of_period(sequence) / expected, 1, 1e-6) << nodes;
  }
}

TEST(PeriodContraction, NeedsAPeriod) {
  ChangingWeights random = changing(Ring{}.make(5, 0), RandomEdges{});
  EXPECT_THROW(contraction_of_period(random), std::invalid_argument);
  EXPECT_THROW(mean_contraction(random, 0), std::invalid_argument);
}

TEST(PeriodContraction, OfOneNodeIsZero) {
  FixedWeights alone(Metropolis{}.make(Path{}.make(1, 0)));
  EXPECT_EQ(contraction_of_period(alone), 0);
  EXPECT_EQ(mean_contraction(alone, 5), 0);
}

TEST(MeanContraction, IsTheRootOfTheProductsNorm) {
  const auto expect = [](WeightsSequence& sequence, Round rounds) {
    const double norm = norm_of_disagreement(product_of(sequence, rounds));
    EXPECT_NEAR(mean_contraction(sequence, rounds),
                std::pow(norm, 1.0 / static_cast<double>(rounds)), 1e-9);
  };
  ChangingWeights edges = changing(Torus{}.make(16, 0), RandomEdges{});
  ChangingWeights matchings = changing(Ring{}.make(9, 0), Matchings{});
  Turns turns = three_turns(10);
  expect(edges, 1);
  expect(edges, 8);
  expect(matchings, 8);
  expect(turns, 5);
  EXPECT_NEAR(std::pow(mean_contraction(turns, 3), 3), contraction_of_period(turns), 1e-12);
}

TEST(MeanContraction, OfVectorsAgreesWithThatOfTheProduct) {
  const auto expect = [](WeightsSequence& sequence, Round rounds) {
    const double dense = mean_contraction(sequence, rounds, sequence.nodes());
    EXPECT_GT(dense, 0.01);
    EXPECT_NEAR(mean_contraction(sequence, rounds, sequence.nodes() - 1) / dense, 1, 1e-7);
  };
  ChangingWeights edges = changing(Torus{}.make(49, 0), RandomEdges{});
  ChangingWeights matchings = changing(ErdosRenyi{}.make(50, 1), Matchings{});
  Turns turns = three_turns(30);
  FixedWeights ring(Uniform{}.make(Ring{}.make(40, 0)));
  expect(edges, 7);
  expect(matchings, 9);
  expect(turns, 3);
  expect(ring, 4);
}

TEST(MeanContraction, DoesNotUnderflow) {
  // 0.539^3000 is 1e-805.
  FixedWeights ring(Uniform{}.make(Ring{}.make(5, 0)));
  const double lambda = (1 + 2 * std::cos(2 * std::numbers::pi / 5)) / 3;
  EXPECT_NEAR(mean_contraction(ring, 3000), lambda, 1e-9);
  EXPECT_NEAR(mean_contraction(ring, 3000, 0), lambda, 1e-9);
}

TEST(MeanContraction, OfWeightsThatLeaveSomebodyOutIsOne) {
  const Graph apart = Graph::undirected(6, {{0, 1}, {1, 2}, {3, 4}, {4, 5}});
  FixedWeights sequence(Metropolis{}.make(apart));
  EXPECT_NEAR(mean_contraction(sequence, 10), 1, 1e-12);
  EXPECT_NEAR(mean_contraction(sequence, 10, 0), 1, 1e-9);
}

TEST(UnionOf, APeriodIsTheWholeGraph) {
  ChangingWeights sequence = one_peer(12);
  EXPECT_TRUE(same(union_of(sequence, 1), DirectedExponential{}.make(12, 0)));
  FixedWeights fixed(Metropolis{}.make(Torus{}.make(12, 0)));
  EXPECT_TRUE(same(union_of(fixed, 7), Torus{}.make(12, 0)));
}

TEST(UnionOf, ASequenceWithoutPeriodGrowsWithTheRounds) {
  ChangingWeights matchings = changing(Ring{}.make(9, 0), Matchings{});
  const Graph one = union_of(matchings, 1);
  EXPECT_FALSE(one.is_directed());
  EXPECT_GE(one.edges(), 3u);
  EXPECT_LE(one.edges(), 4u);
  EXPECT_TRUE(same(union_of(matchings, 100), Ring{}.make(9, 0)));
}

TEST(UnionOf, CountsPullAndPushAndNoZeros) {
  const SparseMatrix pull = sparse_of({{.5, .5, 0}, {0, 1, 0}, {0, 0, 1}});
  SparseMatrix push = sparse_of({{1, 0, 0}, {0, .5, 0}, {0, .5, 1}});
  FixedWeights sequence({pull, push});
  EXPECT_TRUE(same(union_of(sequence, 1), Graph::directed(3, {{1, 0}, {1, 2}})));
  for (double& value : push.values)
    if (value == .5) value = 0;  // the entry stays, the message does not
  FixedWeights silent({pull, push});
  EXPECT_TRUE(same(union_of(silent, 1), Graph::directed(3, {{1, 0}})));
}

TEST(UnionOf, LostMessagesMayLeaveOneDirection) {
  const MixingWeights weights = Metropolis{}.make(Complete{}.make(6, 0));
  LossyWeights lossy(std::make_unique<FixedWeights>(weights), 0.5, 1);
  EXPECT_TRUE(union_of(lossy, 1).is_directed());
  EXPECT_TRUE(same(union_of(lossy, 100), Complete{}.make(6, 0)));
}

}  // namespace
}  // namespace starling
