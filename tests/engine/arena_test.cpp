/// Node memory: zeroed, aligned, rows apart.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <gtest/gtest.h>

#include "starling/engine/arena.hpp"

namespace starling {
namespace {

bool is_aligned(const float* data) { return reinterpret_cast<std::uintptr_t>(data) % 64 == 0; }

TEST(ArenaTest, IsZeroedAndAligned) {
  // Below and above the size of a huge page.
  for (const std::size_t floats : {1, 15, 1000, 600'000}) {
    const Arena arena(floats);
    EXPECT_TRUE(is_aligned(arena.data()));
    const std::span<const float> all(arena.data(), floats);
    EXPECT_TRUE(std::ranges::all_of(all, [](float value) { return value == 0; }));
  }
}

TEST(ArenaTest, IsWritableToItsEnd) {
  Arena arena(600'000);
  const std::span<float> all(arena.data(), 600'000);
  std::ranges::fill(all, 2.5f);
  EXPECT_EQ(all.front(), 2.5f);
  EXPECT_EQ(all.back(), 2.5f);
}

TEST(ArenaTest, KeepsItsMemoryWhenMoved) {
  Arena arena(100);
  float* const data = arena.data();
  data[99] = 7;
  const Arena moved(std::move(arena));
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(moved.data()[99], 7);
}

TEST(NodeRowsTest, AreAlignedAndAnOddNumberOfLinesApart) {
  for (const std::size_t dimension : {1, 15, 16, 17, 32, 64, 1000, 1024}) {
    NodeRows rows(5, dimension);
    EXPECT_EQ(rows.nodes(), 5u);
    EXPECT_EQ(rows.dimension(), dimension);
    EXPECT_EQ(rows.stride() % 16, 0u);
    EXPECT_EQ(rows.stride() / 16 % 2, 1u) << dimension;
    EXPECT_GE(rows.stride(), dimension);
    EXPECT_LT(rows.stride(), dimension + 32);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_TRUE(is_aligned(rows.row(i).data()));
      EXPECT_EQ(rows.row(i).size(), dimension);
      EXPECT_EQ(rows.row(i).data(), rows.row(0).data() + i * rows.stride());
    }
  }
}

TEST(NodeRowsTest, AreZeroedAndDoNotOverlap) {
  NodeRows rows(4, 33);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(std::ranges::all_of(rows.row(i), [](float value) { return value == 0; }));
    std::ranges::fill(rows.row(i), static_cast<float>(i + 1));
  }
  const NodeRows& written = rows;
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(std::ranges::all_of(
        written.row(i), [&](float value) { return value == static_cast<float>(i + 1); }));
}

}  // namespace
}  // namespace starling
