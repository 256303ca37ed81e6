/// Traces: what is written is read again, and what is no trace is refused with file and line.
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/record/trace.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

std::string written(const Trace& trace, bool partitioned) {
  std::string text;
  write_trace(trace, partitioned, [&](std::string_view piece) { text += piece; });
  return text;
}

void expect_same(const Trace& found, const Trace& expected) {
  EXPECT_EQ(found.blocks, expected.blocks);
  EXPECT_EQ(found.delays, expected.delays);
  ASSERT_EQ(found.updates.size(), expected.updates.size());
  for (std::size_t k = 0; k < found.updates.size(); ++k) {
    EXPECT_EQ(found.updates[k].core, expected.updates[k].core) << k;
    EXPECT_EQ(found.updates[k].sample, expected.updates[k].sample) << k;
    EXPECT_EQ(found.updates[k].seconds, expected.updates[k].seconds) << k;
  }
}

TEST(TraceTest, IsOneLineAnUpdate) {
  const Trace trace{.blocks = 2,
                    .updates = {{0, 1, 0.5}, {3, 4, 0.75}, {0, 5, 2.000000001}},
                    .delays = {0, 0, 1, 0, 2, 1}};
  EXPECT_EQ(written(trace, true),
            "core,block,sample,seconds,delay_0,delay_1\n"
            "0,0,1,0.500000000,0,0\n"
            "3,3,4,0.750000000,1,0\n"
            "0,0,5,2.000000001,2,1\n");
  EXPECT_EQ(written({.blocks = 1, .updates = {{7, 8, 0}}, .delays = {0}}, false),
            "core,block,sample,seconds,delay_0\n"
            "7,all,8,0.000000000,0\n");
}

TEST(TraceTest, ReadsWhatItWrote) {
  Random random(1, Purpose::delays);
  // Eleven blocks: a header with delay_1 and delay_10. So many updates leave in several pieces.
  constexpr std::array<std::size_t, 3> block_counts{1, 4, 11};
  for (const std::size_t blocks : block_counts) {
    Trace trace{.blocks = blocks};
    for (std::uint32_t k = 0; k < 5000; ++k) {
      trace.updates.push_back({random.below(1000), Round{random()} << 20, k / 512.0});
      for (std::size_t b = 0; b < blocks; ++b) trace.delays.push_back(random.below(k + 1));
    }
    const TempFolder folder;
    for (const bool partitioned : {false, true})
      expect_same(read_trace(folder.write("trace.csv", written(trace, partitioned))), trace);
  }
}

TEST(TraceTest, DelaysOfAnUpdateAreThoseOfItsBlocks) {
  const Trace trace{.blocks = 2, .updates = {{}, {}}, .delays = {0, 0, 1, 0}};
  EXPECT_EQ(trace.delays_of(1)[0], 1u);
  EXPECT_EQ(trace.delays_of(1)[1], 0u);
}

TEST(TraceTest, MayHaveNoUpdates) {
  const TempFolder folder;
  const Trace empty{.blocks = 3};
  expect_same(read_trace(folder.write("trace.csv", written(empty, true))), empty);
}

class TraceErrorTest : public ::testing::Test {
 protected:
  /// The error that reading a file with this text gives.
  std::string error_of(const std::string& text) const {
    const std::filesystem::path path = folder_.write("trace.csv", text);
    return user_error_of([&] { read_trace(path); });
  }
  /// The same for lines after the header of two blocks and a good line.
  std::string error_after_header(const std::string& lines) const {
    return error_of("core,block,sample,seconds,delay_0,delay_1\n0,all,1,0.5,0,0\n" + lines);
  }

 private:
  TempFolder folder_;
};

TEST_F(TraceErrorTest, NoFileIsTold) {
  EXPECT_TRUE(says(user_error_of([] { read_trace("no/such/trace.csv"); }),
                   "no/such/trace.csv: cannot be read"));
}

TEST_F(TraceErrorTest, AnotherHeaderIsTold) {
  for (const char* text :
       {"", "\n", "core,block,sample,seconds\n", "core,block,sample,delay_0\n",
        "core,block,sample,seconds,delay_1\n", "core,block,sample,seconds,delay_0,delay_2\n",
        "core,block,sample,seconds,delay_0,more\n", "method,seed,round,epoch,seconds\n",
        "0,all,1,0.5,0,0\n"})
    EXPECT_TRUE(says(error_of(text),
                     "trace.csv:1: must be the header of a trace: "
                     "core,block,sample,seconds,delay_0,..."))
        << text;
}

TEST_F(TraceErrorTest, WhatIsNoNumberIsToldWithItsLine) {
  EXPECT_EQ(error_after_header("1,all,2,0.5,1,0\n"), "");
  EXPECT_TRUE(says(error_after_header("one,all,2,0.5,1,0\n"),
                   "trace.csv:3: core = \"one\": must be a number >= 0"));
  EXPECT_TRUE(says(error_after_header("1,all,2,0.5,1,0\n-1,all,2,0.5,1,0\n"),
                   "trace.csv:4: core = \"-1\": must be a number >= 0"));
  EXPECT_TRUE(says(error_after_header("1.5,all,2,0.5,1,0\n"), ":3: core = \"1.5\": must be"));
  EXPECT_TRUE(says(error_after_header("4294967296,all,2,0.5,1,0\n"), ":3: core = \"4294967296\""));
  EXPECT_TRUE(says(error_after_header("1,all,,0.5,1,0\n"), ":3: sample = \"\": must be"));
  EXPECT_TRUE(says(error_after_header("1,all,2,soon,1,0\n"), ":3: seconds = \"soon\": must be"));
  EXPECT_TRUE(says(error_after_header("1,all,2,0.5,1,-1\n"), ":3: delay_1 = \"-1\": must be"));
}

TEST_F(TraceErrorTest, ALineThatIsTooShortOrTooLongIsTold) {
  EXPECT_TRUE(says(error_after_header("1,all\n"), ":3: sample = \"\": must be a number >= 0"));
  EXPECT_TRUE(says(error_after_header("1,all,2,0.5,1\n"), ":3: delay_1 = \"\": must be"));
  EXPECT_TRUE(says(error_after_header("\n"), ":3: core = \"\": must be a number >= 0"));
  EXPECT_TRUE(
      says(error_after_header("1,all,2,0.5,1,0,7\n"), "trace.csv:3: more cells than columns"));
}

TEST_F(TraceErrorTest, ADelayBeyondTheStartIsTold) {
  EXPECT_TRUE(says(error_of("core,block,sample,seconds,delay_0\n0,all,1,0.5,1\n"),
                   "trace.csv:2: delay_0 = 1: there are only 0 updates before"));
  EXPECT_TRUE(says(error_after_header("1,all,2,0.5,1,2\n"),
                   "trace.csv:3: delay_1 = 2: there are only 1 updates before"));
}

}  // namespace
}  // namespace starling
