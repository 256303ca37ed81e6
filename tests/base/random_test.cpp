/// Random streams: the generator's published vectors, independence of streams, distributions.
#include "starling/base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <span>
#include <vector>

namespace starling {
namespace {

static_assert(std::uniform_random_bit_generator<Random>);

using Block = std::array<std::uint32_t, 4>;

Block philox(const Block& counter, std::uint32_t key0, std::uint32_t key1) {
  const r123::Philox4x32::ctr_type in{{counter[0], counter[1], counter[2], counter[3]}};
  const r123::Philox4x32::key_type key{{key0, key1}};
  const r123::Philox4x32::ctr_type out = r123::Philox4x32{}(in, key);
  return {out.v[0], out.v[1], out.v[2], out.v[3]};
}

Block first_block(Random random) {
  Block block{};
  for (std::uint32_t& word : block) word = random();
  return block;
}

/// Pearson's statistic of counts that are all expected to be equal.
double chi_square(const std::vector<std::size_t>& counts) {
  const auto sum = static_cast<double>(std::accumulate(counts.begin(), counts.end(), 0ul));
  const double expected = sum / static_cast<double>(counts.size());
  double statistic = 0;
  for (const std::size_t count : counts) {
    const double difference = static_cast<double>(count) - expected;
    statistic += difference * difference / expected;
  }
  return statistic;
}

TEST(RandomTest, PhiloxGivesThePublishedVectors) {
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({0, 0, 0, 0}, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({ones, ones, ones, ones}, ones, ones),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomTest, TheLayoutOfKeyAndCounterStaysAsItIs) {
  Random random(0x1122334455667788, Purpose::batch, 5, 0x100000007);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const Block expected = philox({block, 5, 7, 0x104}, 0x55667788, 0x11223344);
    for (const std::uint32_t word : expected) EXPECT_EQ(random(), word) << "block " << block;
  }
}

TEST(RandomTest, PurposesKeepTheirNumbers) {
  EXPECT_EQ(static_cast<int>(Purpose::graph), 1);
  EXPECT_EQ(static_cast<int>(Purpose::partition), 2);
  EXPECT_EQ(static_cast<int>(Purpose::start), 3);
  EXPECT_EQ(static_cast<int>(Purpose::batch), 4);
  EXPECT_EQ(static_cast<int>(Purpose::problem), 5);
}

TEST(RandomTest, StreamsDifferInSeedPurposeNodeAndRound) {
  std::set<Block> blocks;
  std::size_t streams = 0;
  for (const std::uint64_t seed : {0ull, 1ull, 1ull << 32})
    for (const Purpose purpose :
         {Purpose::graph, Purpose::partition, Purpose::start, Purpose::batch, Purpose::problem})
      for (const Node node : {0u, 1u, 0xffffffffu})
        for (const Round round : {0ull, 1ull, 1ull << 32, (1ull << 32) + 1}) {
          blocks.insert(first_block(Random(seed, purpose, node, round)));
          ++streams;
        }
  EXPECT_EQ(blocks.size(), streams);
}

TEST(RandomTest, AStreamIsAFunctionOfWhatItIsFor) {
  EXPECT_EQ(first_block(Random(9, Purpose::start, 2, 3)),
            first_block(Random(9, Purpose::start, 2, 3)));
}

TEST(RandomTest, UniformHasTheMomentsAndStaysInside) {
  Random random(1, Purpose::problem);
  constexpr int draws = 100'000;
  double sum = 0, squares = 0;
  int odd = 0;
  for (int k = 0; k < draws; ++k) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    const double bits = std::ldexp(u, 53);
    ASSERT_EQ(bits, std::floor(bits));
    odd += std::fmod(bits, 2) == 1;
    sum += u;
    squares += u * u;
  }
  const double mean = sum / draws;
  EXPECT_NEAR(mean, 0.5, 0.005);
  EXPECT_NEAR(squares / draws - mean * mean, 1.0 / 12, 0.002);
  EXPECT_NEAR(odd, draws / 2, 1000);  // all 53 bits are random
}

TEST(RandomTest, BelowIsUniform) {
  Random random(2, Purpose::problem);
  std::vector<std::size_t> counts(7);
  for (int k = 0; k < 70'000; ++k) {
    const std::uint32_t number = random.below(7);
    ASSERT_LT(number, 7u);
    ++counts[number];
  }
  EXPECT_LT(chi_square(counts), 27.9);  // 6 degrees of freedom: 1 in 10,000
}

TEST(RandomTest, BelowIsUnbiasedForLargeBounds) {
  // Without rejection every third number would come twice as often as the others.
  constexpr std::uint32_t bound = 0xc0000000;
  Random random(3, Purpose::problem);
  std::vector<std::size_t> counts(3);
  for (int k = 0; k < 30'000; ++k) {
    const std::uint32_t number = random.below(bound);
    ASSERT_LT(number, bound);
    ++counts[number % 3];
  }
  EXPECT_LT(chi_square(counts), 18.4);  // 2 degrees of freedom: 1 in 10,000
}

TEST(RandomTest, BelowOneIsZero) {
  Random random(4, Purpose::problem);
  for (int k = 0; k < 100; ++k) EXPECT_EQ(random.below(1), 0u);
}

TEST(RandomTest, ShuffleIsAPermutation) {
  std::vector<int> items(1000);
  std::iota(items.begin(), items.end(), 0);
  const std::vector<int> before = items;
  Random random(5, Purpose::partition);
  random.shuffle(std::span(items));
  EXPECT_NE(items, before);
  std::sort(items.begin(), items.end());
  EXPECT_EQ(items, before);
}

TEST(RandomTest, ShuffleGivesEveryOrderEquallyOften) {
  Random random(6, Purpose::partition);
  std::map<std::vector<int>, std::size_t> orders;
  for (int k = 0; k < 60'000; ++k) {
    std::vector<int> items{0, 1, 2};
    random.shuffle(std::span(items));
    ++orders[items];
  }
  ASSERT_EQ(orders.size(), 6u);
  std::vector<std::size_t> counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  EXPECT_LT(chi_square(counts), 25.8);  // 5 degrees of freedom: 1 in 10,000
}

TEST(RandomTest, NormalHasTheMoments) {
  Random random(7, Purpose::problem);
  constexpr int draws = 100'000;
  std::array<double, 5> moments{};
  double neighbours = 0, before = 0;
  for (int k = 0; k < draws; ++k) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    double power = 1;
    for (double& moment : moments) {
      moment += power / draws;
      power *= x;
    }
    neighbours += x * before / draws;
    before = x;
  }
  EXPECT_NEAR(moments[1], 0, 0.016);
  EXPECT_NEAR(moments[2], 1, 0.025);
  EXPECT_NEAR(moments[3], 0, 0.07);
  EXPECT_NEAR(moments[4], 3, 0.16);
  EXPECT_NEAR(neighbours, 0, 0.016);
}

}  // namespace
}  // namespace starling
