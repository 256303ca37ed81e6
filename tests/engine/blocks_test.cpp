/// How x is divided between cores: disjoint blocks that cover it, as the paper's rule says.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/engine/blocks.hpp"
#include "starling/method/asynchronous_presets.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

using Lengths = std::vector<std::size_t>;

/// Nothing but the tensors of an x.
class Shape final : public Problem {
 public:
  explicit Shape(Lengths tensors) : tensors_(std::move(tensors)) {}

  std::size_t nodes() const override { return 1; }
  std::size_t dimension() const override {
    return std::accumulate(tensors_.begin(), tensors_.end(), std::size_t{0});
  }
  Lengths tensors() const override { return tensors_; }
  void start(std::span<float>) const override {}
  std::unique_ptr<Oracle> oracle() override { return nullptr; }
  double epochs(Round) const override { return 0; }
  std::string summary() const override { return "shape"; }

 private:
  Lengths tensors_;
};

/// First coordinate and length of each block: pairs can be compared and printed.
std::vector<std::pair<std::size_t, std::size_t>> pairs(const std::vector<Part>& blocks) {
  std::vector<std::pair<std::size_t, std::size_t>> list;
  for (const Part& block : blocks) list.emplace_back(block.first, block.count);
  return list;
}

/// Blocks one after the other from 0 on, none empty.
void expect_cover(const std::vector<Part>& blocks, std::size_t dimension, std::size_t count) {
  ASSERT_EQ(blocks.size(), count);
  std::size_t next = 0;
  for (const Part& block : blocks) {
    EXPECT_EQ(block.first, next);
    EXPECT_GT(block.count, 0u);
    next = block.first + block.count;
  }
  EXPECT_EQ(next, dimension);
  EXPECT_NO_THROW(check_blocks(blocks, dimension));
}

std::size_t draw(Random& random, std::size_t low, std::size_t high) {
  return low + random.below(static_cast<std::uint32_t>(high - low + 1));
}

TEST(BlocksTest, EqualRangesCoverAndDifferByOneAtMost) {
  Random random(1, Purpose::partition);
  for (int trial = 0; trial < 500; ++trial) {
    const std::size_t dimension = draw(random, 1, 1000);
    const std::size_t count = draw(random, 1, std::min<std::size_t>(dimension, 40));
    SCOPED_TRACE(std::to_string(dimension) + " in " + std::to_string(count));
    const std::vector<Part> ranges = equal_ranges(dimension, count);
    expect_cover(ranges, dimension, count);
    for (const Part& range : ranges) {
      EXPECT_GE(range.count, dimension / count);
      EXPECT_LE(range.count, dimension / count + 1);
    }
  }
}

/// Coordinates a core by the paper's rule alone: core j has the tensors that end within
/// (j chunk, (j + 1) chunk], which may be none.
Lengths by_the_rule(const Lengths& lengths, std::size_t cores) {
  const std::size_t total = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
  const std::size_t chunk = total / cores + (total % cores != 0);
  Lengths counts(cores);
  std::size_t end = 0;
  for (const std::size_t length : lengths) {
    end += length;
    std::size_t core = 0;
    while (end > (core + 1) * chunk) ++core;
    counts[core] += length;
  }
  return counts;
}

TEST(BlocksTest, RunsAreOfWholeTensorsAndThePapersWhereItLeavesNobodyEmpty) {
  Random random(2, Purpose::partition);
  int as_the_rule = 0, otherwise = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    Lengths lengths(draw(random, 1, 14));
    for (std::size_t& length : lengths) length = draw(random, 1, random.below(5) == 0 ? 500u : 30u);
    const std::size_t cores = draw(random, 1, lengths.size());
    SCOPED_TRACE(::testing::PrintToString(lengths) + " for " + std::to_string(cores));
    Lengths ends(lengths.size());
    std::inclusive_scan(lengths.begin(), lengths.end(), ends.begin());
    const std::vector<Part> runs = runs_of_tensors(lengths, cores);
    expect_cover(runs, ends.back(), cores);
    Lengths counts;
    for (const Part& run : runs) {
      EXPECT_TRUE(std::ranges::binary_search(ends, run.first + run.count)) << run.first;
      counts.push_back(run.count);
    }
    const Lengths expected = by_the_rule(lengths, cores);
    const bool nobody_empty = std::ranges::find(expected, std::size_t{0}) == expected.end();
    if (nobody_empty) {
      EXPECT_EQ(counts, expected);
    }
    ++(nobody_empty ? as_the_rule : otherwise);
  }
  EXPECT_GT(as_the_rule, 300);
  EXPECT_GT(otherwise, 300);
}

TEST(BlocksTest, EveryCoreGetsATensorHoweverUnequalTheyAre) {
  using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;
  EXPECT_EQ(pairs(runs_of_tensors(Lengths{100, 1, 1, 1}, 4)),
            (Pairs{{0, 100}, {100, 1}, {101, 1}, {102, 1}}));
  EXPECT_EQ(pairs(runs_of_tensors(Lengths{1, 1, 1, 1, 100}, 3)), (Pairs{{0, 3}, {3, 1}, {4, 100}}));
  EXPECT_EQ(pairs(runs_of_tensors(Lengths{5, 5, 90}, 3)), (Pairs{{0, 5}, {5, 5}, {10, 90}}));
  EXPECT_EQ(pairs(runs_of_tensors(Lengths{4, 6, 10}, 2)), (Pairs{{0, 10}, {10, 10}}));
}

TEST(BlocksTest, BlocksThatDoNotDivideXAreRefused) {
  const auto refuses = [](const std::vector<Part>& blocks) {
    try {
      check_blocks(blocks, 6);
    } catch (const std::logic_error&) {
      return true;
    }
    return false;
  };
  EXPECT_FALSE(refuses({{0, 6}}));
  EXPECT_FALSE(refuses({{0, 2}, {2, 1}, {3, 3}}));
  EXPECT_TRUE(refuses({{0, 3}, {4, 2}})) << "a gap";
  EXPECT_TRUE(refuses({{1, 5}})) << "a gap at the start";
  EXPECT_TRUE(refuses({{0, 3}, {2, 4}})) << "an overlap";
  EXPECT_TRUE(refuses({{0, 3}, {3, 0}, {3, 3}})) << "an empty block";
  EXPECT_TRUE(refuses({{0, 3}, {3, 2}})) << "too short";
  EXPECT_TRUE(refuses({{0, 3}, {3, 4}})) << "too long";
  EXPECT_TRUE(refuses({{3, 3}, {0, 3}})) << "another order";
  EXPECT_TRUE(refuses({})) << "nothing";
}

TEST(BlocksTest, FollowTheMethodsPartitionAndLocks) {
  const Shape shape({4, 6, 1, 9});
  EXPECT_EQ(pairs(blocks_for(Hogwild{}, shape, 3)), pairs({{0, 20}}));
  EXPECT_EQ(pairs(blocks_for(AssmConsistent{}, shape, 50)), pairs({{0, 20}}));
  EXPECT_EQ(pairs(blocks_for(Passm{}, shape, 2)), pairs({{0, 10}, {10, 10}}));
  EXPECT_EQ(pairs(blocks_for(PassmLocked{}, shape, 4)), pairs({{0, 4}, {4, 6}, {10, 1}, {11, 9}}));
  Asynchronous ranges;
  ranges.partition = "ranges";
  EXPECT_EQ(pairs(blocks_for(ranges, shape, 3)), pairs(equal_ranges(20, 3)));
  EXPECT_EQ(pairs(blocks_for(Passm{}, Shape({20}), 3)), pairs(equal_ranges(20, 3)))
      << "one tensor cannot be split but into ranges";
  Asynchronous locked;
  locked.write_lock = "block";
  EXPECT_EQ(pairs(blocks_for(locked, shape, 3)), pairs(equal_ranges(20, 3)));
  EXPECT_TRUE(is_partitioned(ranges));
  EXPECT_FALSE(is_partitioned(locked));
}

TEST(BlocksTest, TooManyCoresAreOneLine) {
  const auto error_of = [](const Asynchronous& method, const Lengths& tensors, std::size_t cores) {
    return user_error_of([&] { blocks_for(method, Shape(tensors), cores); });
  };
  EXPECT_TRUE(says(error_of(Passm{}, {4, 6, 1, 9}, 5),
                   "method.partition = \"tensors\": 5 cores, but x has 4 tensors"));
  EXPECT_TRUE(says(error_of(Passm{}, {3}, 4), "cores = 4: x has 3 coordinates"));
  Asynchronous method;
  method.partition = "ranges";
  EXPECT_TRUE(says(error_of(method, {4, 6}, 11), "cores = 11: x has 10 coordinates"));
  method.partition = "none";
  method.read_lock = method.write_lock = "block";
  EXPECT_TRUE(says(error_of(method, {4, 6}, 11), "cores = 11: x has 10 coordinates"));
  EXPECT_EQ(error_of(Hogwild{}, {1}, 8), "");
}

}  // namespace
}  // namespace starling
