/// Mixing against a plain loop, and sums of weights that are 1 to the last bit.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/engine/mix.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/weights.hpp"

namespace starling {
namespace {

std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  Random random(seed, Purpose::problem);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/// Mixes `neighbours` + 1 rows of `count` floats, out of order and not all next to each other.
void expect_plain_sum(std::size_t neighbours, std::size_t count) {
  constexpr float untouched = 77;
  const std::size_t stride = count + 5, terms = neighbours + 1;
  const std::vector<float> base = random_floats(2 * terms * stride, neighbours + 100 * count);
  const std::vector<float> values = random_floats(terms, count);
  std::vector<Node> columns;
  for (std::size_t k = 0; k < terms; ++k) columns.push_back(static_cast<Node>(2 * k + k % 2));
  std::vector<float> out(count + 3, untouched);
  std::vector<const float*> sources;
  for (const Node column : columns) sources.push_back(base.data() + column * stride);
  mix(values.data(), sources.data(), terms, out.data(), count);

  for (std::size_t i = 0; i < count; ++i) {
    double exact = 0, size = 0;
    float in_order = 0;
    for (std::size_t k = 0; k < terms; ++k) {
      const float value = base[columns[k] * stride + i];
      exact += double{values[k]} * double{value};
      size += std::abs(double{values[k]} * double{value});
      in_order = k == 0 ? values[k] * value : in_order + values[k] * value;
    }
    ASSERT_NEAR(out[i], exact, 1e-6 * (1e-3 + size)) << neighbours << " neighbours, column " << i;
    ASSERT_EQ(out[i], in_order) << neighbours << " neighbours, column " << i;
  }
  for (std::size_t i = count; i < out.size(); ++i) ASSERT_EQ(out[i], untouched);
}

TEST(MixTest, MatchesAPlainLoopForEveryCountOfNeighbours) {
  for (std::size_t neighbours = 0; neighbours <= 20; ++neighbours)
    expect_plain_sum(neighbours, 129);
}

TEST(MixTest, MatchesAPlainLoopForEveryTail) {
  for (std::size_t count = 0; count <= 70; ++count)
    for (const std::size_t neighbours : {0, 2, 4, 7}) expect_plain_sum(neighbours, count);
  expect_plain_sum(5, 1023);
  expect_plain_sum(2, 4099);
}

TEST(MixTest, MixesTheRowsOfAMatrix) {
  const SparseMatrix matrix = Metropolis{}.make(ErdosRenyi{}.make(12, 3)).pull;
  const KernelWeights weights(matrix, KernelWeights::SumsToOne::rows);
  constexpr std::size_t count = 37;
  const std::vector<float> base = random_floats(12 * count, 1);
  for (Node i = 0; i < 12; ++i) {
    std::vector<float> out(count);
    const KernelWeights::Row row = weights.row(i);
    std::vector<const float*> sources;
    for (std::size_t k = 0; k < row.count; ++k)
      sources.push_back(base.data() + row.columns[k] * count);
    mix(row.values, sources.data(), row.count, out.data(), count);
    for (std::size_t c = 0; c < count; ++c) {
      double exact = 0;
      const auto [columns, values] = matrix.row(i);
      for (std::size_t k = 0; k < columns.size(); ++k)
        exact += values[k] * double{base[columns[k] * count + c]};
      ASSERT_NEAR(out[c], exact, 2e-6);
    }
  }
}

/// Sums in double precision are exact here: few weights of 24 bits each.
std::vector<double> row_sums(const KernelWeights& weights, std::size_t nodes) {
  std::vector<double> sums(nodes);
  for (Node i = 0; i < nodes; ++i) {
    const KernelWeights::Row row = weights.row(i);
    for (std::size_t k = 0; k < row.count; ++k) sums[i] += double{row.values[k]};
  }
  return sums;
}

std::vector<double> column_sums(const KernelWeights& weights, std::size_t nodes) {
  std::vector<double> sums(nodes);
  for (Node i = 0; i < nodes; ++i) {
    const KernelWeights::Row row = weights.row(i);
    for (std::size_t k = 0; k < row.count; ++k) sums[row.columns[k]] += double{row.values[k]};
  }
  return sums;
}

TEST(KernelWeightsTest, UniformRowsOfARingSumToOneExactly) {
  for (const std::size_t nodes : {3, 5, 12}) {
    const KernelWeights weights(Uniform{}.make(Ring{}.make(nodes, 0)).pull,
                                KernelWeights::SumsToOne::rows);
    EXPECT_EQ(row_sums(weights, nodes), std::vector<double>(nodes, 1.0));
    for (Node i = 0; i < nodes; ++i) {
      const KernelWeights::Row row = weights.row(i);
      float sum = 0;
      for (std::size_t k = 0; k < row.count; ++k) sum += row.values[k];
      EXPECT_EQ(sum, 1.0f);
    }
  }
}

TEST(KernelWeightsTest, PullRowsSumToOneExactly) {
  for (const Graph& graph : {Star{}.make(8, 0), RandomDigraph{}.make(15, 2)}) {
    const KernelWeights weights(Uniform{}.make(graph).pull, KernelWeights::SumsToOne::rows);
    EXPECT_EQ(row_sums(weights, graph.nodes()), std::vector<double>(graph.nodes(), 1.0));
  }
}

TEST(KernelWeightsTest, PushColumnsSumToOneExactly) {
  for (const Graph& graph : {Star{}.make(8, 0), RandomDigraph{}.make(15, 2)}) {
    const KernelWeights weights(Uniform{}.make(graph).push, KernelWeights::SumsToOne::columns);
    EXPECT_EQ(column_sums(weights, graph.nodes()), std::vector<double>(graph.nodes(), 1.0));
    // Rows of such weights do not sum to 1: it is the columns that were meant.
    EXPECT_NE(row_sums(weights, graph.nodes()), std::vector<double>(graph.nodes(), 1.0));
  }
}

TEST(KernelWeightsTest, KeepOrderAndValuesOfTheMatrix) {
  const SparseMatrix matrix = Metropolis{}.make(Grid{}.make(12, 0)).pull;
  const KernelWeights weights(matrix, KernelWeights::SumsToOne::rows);
  for (Node i = 0; i < 12; ++i) {
    const KernelWeights::Row row = weights.row(i);
    const auto [columns, values] = matrix.row(i);
    ASSERT_EQ(row.count, columns.size());
    for (std::size_t k = 0; k < row.count; ++k) {
      EXPECT_EQ(row.columns[k], columns[k]);
      EXPECT_NEAR(row.values[k], values[k], 2e-7);
    }
  }
}

}  // namespace
}  // namespace starling
