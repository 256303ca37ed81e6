/// Spectra against closed forms and the values in the papers.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/error.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/spectrum.hpp"
#include "starling/graph/weights.hpp"

namespace starling {
namespace {

constexpr double pi = std::numbers::pi;

double second_of(const SparseMatrix& matrix) {
  const Spectrum spectrum = spectrum_of(matrix);
  EXPECT_TRUE(spectrum.converged);
  return spectrum.second;
}

double ring_gap(double nodes) { return 2.0 / 3 * (1 - std::cos(2 * pi / nodes)); }

/// Relative error of the spectral gap, which is what small gaps are about.
void expect_gap(const SparseMatrix& matrix, double gap, double tolerance) {
  EXPECT_NEAR((1 - second_of(matrix)) / gap, 1, tolerance);
}

TEST(Spectrum, OfRings) {
  EXPECT_NEAR(second_of(Uniform{}.make(Ring{}.make(5, 0)).pull), 0.539345, 5e-7);
  for (const std::size_t nodes : {3, 4, 5, 16, 101, 499, 501, 2000})
    expect_gap(Uniform{}.make(Ring{}.make(nodes, 0)).pull, ring_gap(static_cast<double>(nodes)),
               nodes == 3 ? 1 : 1e-4);
  // At three nodes the ring is complete.
  EXPECT_NEAR(second_of(Uniform{}.make(Ring{}.make(3, 0)).pull), 0, 1e-12);
}

TEST(Spectrum, OfOtherFamilies) {
  EXPECT_NEAR(second_of(Metropolis{}.make(Complete{}.make(20, 0)).pull), 0, 1e-12);
  EXPECT_NEAR(second_of(Metropolis{}.make(Complete{}.make(600, 0)).pull), 0, 1e-12);
  EXPECT_NEAR(second_of(Metropolis{}.make(Path{}.make(1, 0)).pull), 0, 0);
  // Metropolis on a path is 1/3 on each edge: 1 - 2/3 (1 - cos(pi k / N)).
  expect_gap(Metropolis{}.make(Path{}.make(30, 0)).pull, 2.0 / 3 * (1 - std::cos(pi / 30)), 1e-9);
  expect_gap(Metropolis{}.make(Path{}.make(3000, 0)).pull, 2.0 / 3 * (1 - std::cos(pi / 3000)),
             1e-4);
  // A lazy hypercube of degree d has eigenvalues 1 - k/d.
  for (const std::size_t d : {2, 4, 10})
    EXPECT_NEAR(second_of(Lazy{.of = "max-degree"}.make(Hypercube{}.make(1u << d, 0)).pull),
                1 - 1.0 / static_cast<double>(d), 1e-9);
}

TEST(Spectrum, SeesMinusOne) {
  EXPECT_NEAR(second_of(MaxDegree{}.make(Ring{}.make(6, 0)).pull), 1, 1e-12);
  EXPECT_NEAR(second_of(MaxDegree{}.make(Ring{}.make(1000, 0)).pull), 1, 1e-9);
  // An odd ring's is near -1, nearer than the second eigenvalue is to 1.
  expect_gap(MaxDegree{}.make(Ring{}.make(2001, 0)).pull, 1 - std::cos(pi / 2001), 1e-4);
}

TEST(Spectrum, OfDirectedGraphs) {
  for (const std::size_t nodes : {6, 250, 400})  // (1 + root of unity) / 2
    expect_gap(Uniform{}.make(DirectedRing{}.make(nodes, 0)).pull,
               1 - std::cos(pi / static_cast<double>(nodes)), 1e-4);
  // The equal shares of an undirected graph: similar to a symmetric matrix. A star has eigenvalues
  // 1, 1/2 and, by the trace, 1/2 + 1/N - 1.
  const MixingWeights star = Uniform{}.make(Star{}.make(10, 0));
  EXPECT_NEAR(second_of(star.pull), 0.5, 1e-12);
  EXPECT_NEAR(second_of(star.push), 0.5, 1e-12);
  const MixingWeights large = Uniform{}.make(Star{}.make(800, 0));
  EXPECT_NEAR(second_of(large.pull), 0.5, 1e-6);
}

TEST(Spectrum, OfHundredThousandNodes) {
  constexpr std::size_t nodes = 100'000;
  expect_gap(Uniform{}.make(Ring{}.make(nodes, 0)).pull, ring_gap(nodes), 5e-4);
  expect_gap(Uniform{}.make(Torus{.rows = 250}.make(nodes, 0)).pull,
             0.4 * (1 - std::cos(2 * pi / 400)), 5e-4);
  // Alon and Boppana, Friedman: the second eigenvalue of a cubic graph is near 2 sqrt(2).
  EXPECT_NEAR(second_of(Metropolis{}.make(RandomRegular{}.make(nodes, 1)).pull),
              (1 + 2 * std::numbers::sqrt2) / 4, 2e-3);
  const double small_world = second_of(Metropolis{}.make(WattsStrogatz{}.make(nodes, 1)).pull);
  EXPECT_GT(small_world, 0.9);
  EXPECT_LT(small_world, 1 - 1e-4);
}

TEST(Perron, OfTheUniformPairOnBoWang) {
  const MixingWeights weights = Uniform{}.make(BoWang{}.make(5, 0));
  const std::vector<double> u = left_perron(weights.pull), v = right_perron(weights.push);
  const double expected_u[] = {1.219512, 0.975610, 0.487805, 1.219512, 1.097561};
  const double expected_v[] = {0.697674, 0.348837, 1.627907, 0.930233, 1.395349};
  double product = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(u[i], expected_u[i], 5e-7);
    EXPECT_NEAR(v[i], expected_v[i], 5e-7);
    product += u[i] * v[i] / 5;
  }
  EXPECT_NEAR(product, 0.930233, 5e-7);
  const double rho = second_of(weights.pull);
  EXPECT_GT(rho, 0);
  EXPECT_LT(rho, 1);
  EXPECT_LT(second_of(weights.push), 1);
}

TEST(Perron, IsInvariantOnLargerGraphs) {
  for (const Graph& graph :
       {RandomDigraph{.probability = 0.02}.make(300, 1), Star{}.make(50, 0), Grid{}.make(60, 0)}) {
    const SparseMatrix pull = Uniform{}.make(graph).pull;
    const std::vector<double> u = left_perron(pull);
    std::vector<double> mixed(u.size(), 0);
    double sum = 0;
    for (Node i = 0; i < graph.nodes(); ++i) {
      sum += u[i];
      const auto [columns, values] = pull.row(i);
      for (std::size_t k = 0; k < columns.size(); ++k) mixed[columns[k]] += u[i] * values[k];
    }
    EXPECT_NEAR(sum, static_cast<double>(graph.nodes()), 1e-9);
    for (std::size_t i = 0; i < u.size(); ++i) EXPECT_NEAR(mixed[i], u[i], 1e-10);
  }
  const Graph apart = Graph::directed(3, {{0, 2}, {1, 2}});
  EXPECT_THROW(left_perron(Uniform{}.make(apart).pull), RunError);
}

TEST(Perron, OfALongOneWayPathSitsAtItsRoot) {
  std::vector<Edge> edges;
  for (Node i = 1; i < 50; ++i) edges.emplace_back(i - 1, i);
  const auto u = left_perron(Uniform{}.make(Graph::directed(50, edges)).pull);
  EXPECT_NEAR(u[0], 50, 1e-9);
  EXPECT_NEAR(u[49], 0, 1e-9);
}

TEST(Contraction, IsTheNormOnTheDisagreement) {
  const SparseMatrix ring = Uniform{}.make(Ring{}.make(9, 0)).pull;
  EXPECT_NEAR(contraction(ring), second_of(ring), 1e-9);
  const SparseMatrix wd = BoWangWeights{}.make(BoWang{}.make(5, 0)).pull;
  EXPECT_GE(contraction(wd), second_of(wd));
  EXPECT_LT(contraction(wd), 1);
  // A directed ring's matrix is normal: the norm is the modulus, small or large.
  for (const std::size_t nodes : {7, 900})
    EXPECT_NEAR((1 - contraction(Uniform{}.make(DirectedRing{}.make(nodes, 0)).pull)) /
                    (1 - std::cos(pi / static_cast<double>(nodes))),
                1, 1e-3);
}

TEST(Spectrum, DoesNotTakeAValueNearOneForTheLargest) {
  // Directed, bipartite, hardly anything kept: the second modulus is that of an eigenvalue near -1.
  constexpr std::size_t half = 200;
  constexpr double kept = 2e-4;
  SparseMatrix matrix;
  for (std::size_t i = 0; i < 2 * half; ++i) {
    const bool left = i < half;
    const std::size_t at = left ? i : i - half, other = left ? half : 0;
    std::vector<std::pair<Node, double>> row{{static_cast<Node>(i), kept}};
    for (const std::size_t step : {1, 8, 31})
      row.emplace_back(static_cast<Node>(other + (at + step) % half), (1 - kept) / 3);
    std::ranges::sort(row);
    for (const auto& [column, value] : row) {
      matrix.columns.push_back(column);
      matrix.values.push_back(value);
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  EXPECT_NEAR(spectrum_of(matrix).second, 1 - 2 * kept, 1e-4);
}

TEST(RoundsToHalve, CountsSquares) {
  EXPECT_DOUBLE_EQ(rounds_to_halve(std::sqrt(0.5)), 1);
  EXPECT_NEAR(rounds_to_halve(std::pow(0.5, 0.05)), 10, 1e-9);
  EXPECT_EQ(rounds_to_halve(0), 0);
  EXPECT_EQ(rounds_to_halve(1), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace starling
