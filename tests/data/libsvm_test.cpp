#include "starling/data/libsvm.hpp"

#include <algorithm>
#include <numeric>

#include "starling/data/file_bytes.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

SparseRows read_text(const std::string& text, std::size_t features = 0) {
  const TempFolder folder;
  return read_libsvm(folder.write("rows", text), features);
}

std::string error_about(const std::string& text, std::size_t features = 0) {
  return user_error_of([&] { read_text(text, features); });
}

TEST(LibsvmTest, ReadsRows) {
  const SparseRows rows = read_text(
      "# a comment\n"
      "+1 1:0.5 3:-2e1 \r\n"
      "\n"
      "  -1\t2:+4 # 3:7\n"
      "-1\n"
      "1 4:1");
  EXPECT_EQ(rows.rows(), 4u);
  EXPECT_EQ(rows.features, 4u);
  EXPECT_EQ(rows.offsets, (std::vector<std::size_t>{0, 2, 3, 3, 4}));
  EXPECT_EQ(rows.columns, (std::vector<std::uint32_t>{0, 2, 1, 3}));
  EXPECT_EQ(rows.values, (std::vector<float>{0.5f, -20, 4, 1}));
  EXPECT_EQ(rows.labels, (std::vector<float>{1, -1, -1, 1}));
  ASSERT_EQ(rows.row(1).columns.size(), 1u);
  EXPECT_EQ(rows.row(1).columns[0], 1u);
  EXPECT_EQ(rows.row(1).values[0], 4.0f);
  EXPECT_TRUE(rows.row(2).values.empty());
}

TEST(LibsvmTest, ReadsGzip) {
  const TempFolder folder;
  EXPECT_EQ(read_libsvm(folder.write_gzip("rows.gz", "1 7:1\n2 1:1\n")).features, 7u);
}

TEST(LibsvmTest, TheSmallerLabelIsMinusOne) {
  const std::vector<float> down_up{-1, 1}, up_down{1, -1};
  EXPECT_EQ(read_text("0 1:1\n1 1:1").labels, down_up);
  EXPECT_EQ(read_text("2 1:1\n1 1:1").labels, up_down);
  EXPECT_EQ(read_text("-1 1:1\n+1 1:1").labels, down_up);
  EXPECT_EQ(read_text("-2.5 1:1\n-7 1:1").labels, up_down);
  EXPECT_EQ(read_text("1 1:1\n1.0 1:1").labels, (std::vector<float>{1, 1}));
  EXPECT_EQ(read_text("-1 1:1").labels, (std::vector<float>{-1}));
}

TEST(LibsvmTest, TakesTheNumberOfFeatures) {
  EXPECT_EQ(read_text("1 2:1", 5).features, 5u);
  EXPECT_EQ(read_text("1 5:1", 5).features, 5u);
  EXPECT_EQ(read_text("1\n-1", 5).features, 5u);
  EXPECT_TRUE(says(error_about("1 5:1\n-1 6:1", 5),
                   "rows:2: \"6:1\": index 6, must be at most 5, the number of features"));
}

TEST(LibsvmTest, RefusesBadPairs) {
  for (const std::string pair : {"x", "3", ":", "3:", ":3", "0:1", "-1:1", "3:x", "3:1x", "2:1",
                                 "1:1", "3.5:1", "3:1:2", "4294967296:1", "qid:3", "3:+-1"})
    EXPECT_TRUE(says(error_about("-1 1:1\n\n+1 2:1 " + pair + " 9:1"),
                     "rows:3: \"" + pair +
                         "\": must be index:value with index >= 1 and larger than the one before"));
  for (const std::string pair : {"3:nan", "3:inf", "3:-inf", "3:1e39"})
    EXPECT_TRUE(says(error_about("-1 " + pair), "rows:1: \"" + pair + "\": the value must be"));
}

TEST(LibsvmTest, RefusesBadLabels) {
  for (const std::string label : {"x", "1:1", "nan", "inf", "1,2", "--1", "++1", "+"})
    EXPECT_TRUE(says(error_about("1 1:1\n" + label + " 1:1"),
                     "rows:2: label \"" + label + "\": must be a number"));
  EXPECT_TRUE(says(error_about("1 1:1\n2 1:1\n1 1:1\n3 1:1"),
                   "rows:4: label \"3\": must be 1 or 2, as the others"));
  EXPECT_TRUE(says(error_about("2 1:1\n2 1:1"),
                   "rows: every label is 2, must be two different labels, or only +1 or only -1"));
}

TEST(LibsvmTest, RefusesEmptyData) {
  EXPECT_TRUE(says(error_about(""), "rows: holds no rows"));
  EXPECT_TRUE(says(error_about("\n# nothing\n"), "rows: holds no rows"));
  EXPECT_TRUE(says(error_about("1\n-1\n"), "rows: names no feature"));
}

TEST(LibsvmTest, QuotesOnlyTheStartOfWhatIsNoText) {
  const std::string error = error_about(std::string(5000, 'z'));
  EXPECT_TRUE(says(error, "rows:1: label \"zzz"));
  EXPECT_LT(error.size(), 300u);
}

TEST(LibsvmTest, RealA9aHasItsPublishedCounts) {
  const std::filesystem::path folder = real_data("a9a");
  if (folder.empty()) GTEST_SKIP() << "set STARLING_DATA to a folder that holds a9a/";
  const SparseRows train = read_libsvm(find_file(folder, "a9a"));
  EXPECT_EQ(train.rows(), 32561u);
  EXPECT_EQ(train.features, 123u);
  EXPECT_EQ(train.values.size(), 451592u);
  EXPECT_EQ(std::count(train.labels.begin(), train.labels.end(), 1.0f), 7841);
  EXPECT_EQ(std::count(train.labels.begin(), train.labels.end(), -1.0f), 24720);
  EXPECT_EQ(std::accumulate(train.values.begin(), train.values.end(), 0.0), 451592.0);
  EXPECT_EQ(std::count(train.columns.begin(), train.columns.end(), 122u), 1);
  const SparseRows test = read_libsvm(find_file(folder, "a9a.t"), 123);
  EXPECT_EQ(test.rows(), 16281u);
  EXPECT_EQ(test.values.size(), 225731u);
}

TEST(LibsvmTest, ATestFileKeepsTheLabelsOfTheTrainingFile) {
  const TempFolder folder;
  const SparseRows train = read_libsvm(folder.write("train", "1 1:1\n2 3:1\n"));
  const SparseRows test = read_libsvm_like(train, folder.write("test", "1 2:1\n1 1:1\n"));
  EXPECT_EQ(test.features, 3u);
  EXPECT_EQ(test.labels, (std::vector<float>{-1, -1}));
  EXPECT_TRUE(says(user_error_of([&] { read_libsvm_like(train, folder.write("odd", "3 1:1\n")); }),
                   "odd:1: label \"3\": must be 1 or 2, as the others"));
}

}  // namespace
}  // namespace starling
