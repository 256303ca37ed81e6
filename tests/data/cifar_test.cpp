#include "starling/data/cifar.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "image_files.hpp"
#include "starling/data/image_sets.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

/// A record whose pixels no other record has.
std::string record(int label, Node stream) {
  return cifar_record(label, random_bytes(cifar_pixels, 256, stream));
}

std::string pixels_of(const std::string& one) { return one.substr(1); }

std::string file_name(int batch) { return "data_batch_" + std::to_string(batch) + ".bin"; }

/// Six files of one record each: label k in data_batch_k.bin, 0 in test_batch.bin.
void write_set(const TempFolder& folder, const std::string& inside = "") {
  if (!inside.empty()) std::filesystem::create_directory(folder.path() / inside);
  const std::string prefix = inside.empty() ? "" : inside + "/";
  for (int k = 1; k <= 5; ++k) folder.write(prefix + file_name(k), record(k, static_cast<Node>(k)));
  folder.write(prefix + "test_batch.bin", record(0, 0));
}

std::string error_about(const std::string& bytes) {
  const TempFolder folder;
  const std::vector<std::filesystem::path> files{folder.write("batch", bytes)};
  return user_error_of([&] { read_cifar(files); });
}

TEST(CifarTest, ReadsFilesOneAfterTheOther) {
  const TempFolder folder;
  const std::string a = record(3, 1), b = record(9, 2), c = record(0, 3), d = record(3, 4);
  const std::vector<std::filesystem::path> files{
      folder.write("plain", a + b), folder.write_gzip("gzip", c), folder.write("xz", xz_of(d))};
  const Images images = read_cifar(files);
  EXPECT_EQ(images.count, 4u);
  EXPECT_EQ(images.channels, 3u);
  EXPECT_EQ(images.rows, 32u);
  EXPECT_EQ(images.columns, 32u);
  EXPECT_EQ(images.classes, 10);
  EXPECT_EQ(images.labels, (std::vector<std::uint8_t>{3, 9, 0, 3}));
  EXPECT_TRUE(text_of(images.pixels) == pixels_of(a) + pixels_of(b) + pixels_of(c) + pixels_of(d));
}

TEST(CifarTest, RefusesWhatIsNoRowOfRecords) {
  const std::string one = record(1, 1);
  for (const std::string& bytes :
       {std::string(), one.substr(0, 3072), one + "x", one + one.substr(0, 3000)})
    EXPECT_TRUE(says(error_about(bytes), "batch: " + std::to_string(bytes.size()) +
                                             " bytes, must be one or more records of 3073 (a label "
                                             "and 3 x 32 x 32 pixels)"));
}

TEST(CifarTest, RefusesLabelsBeyondNine) {
  EXPECT_TRUE(says(error_about(record(9, 1) + record(10, 2)),
                   "batch: label 10 of record 1, must be 0 ... 9"));
  EXPECT_TRUE(says(error_about(record(255, 1)), "batch: label 255 of record 0, must be 0 ... 9"));
}

TEST(CifarTest, SetHasFiveFilesToTrainOnAndOneToTestWith) {
  const TempFolder folder;
  write_set(folder);
  const ImageSet set = load_image_set("cifar-10", folder.path().string());
  EXPECT_EQ(set.train.labels, (std::vector<std::uint8_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(set.test.labels, (std::vector<std::uint8_t>{0}));
  EXPECT_TRUE(text_of(set.test.pixels) == pixels_of(record(0, 0)));
}

TEST(CifarTest, SetMayLieInTheFolderThatItWasPackedIn) {
  const TempFolder folder;
  write_set(folder, "cifar-10-batches-bin");
  EXPECT_EQ(load_cifar_10(folder.path().string()).train.count, 5u);
  EXPECT_EQ(load_cifar_10((folder.path() / "cifar-10-batches-bin").string()).train.count, 5u);
}

TEST(CifarTest, SaysWhichFileIsMissingAndWhereToGetIt) {
  const TempFolder folder;
  write_set(folder);
  std::filesystem::remove(folder.path() / "data_batch_4.bin");
  const std::string error = user_error_of([&] { load_cifar_10(folder.path().string()); });
  EXPECT_TRUE(says(error,
                   "holds no such file, must hold data_batch_4.bin, data_batch_4.bin.gz or "
                   "data_batch_4.bin.xz; set problem.path to a folder with "
                   "data_batch_1.bin ... data_batch_5.bin and test_batch.bin"));
  EXPECT_TRUE(says(error, "the binary version of https://www.cs.toronto.edu/~kriz/cifar.html"));
  folder.write("data_batch_4.bin.xz", xz_of(record(4, 4)));
  std::filesystem::remove(folder.path() / "test_batch.bin");
  EXPECT_TRUE(says(user_error_of([&] { load_cifar_10(folder.path().string()); }),
                   "must hold test_batch.bin, "));
  EXPECT_TRUE(says(user_error_of([] { load_cifar_10(""); }),
                   "problem.path: empty, cifar-10 needs it; set"));
}

std::vector<std::size_t> label_counts(const Images& images) {
  std::vector<std::size_t> counts(10);
  for (const std::uint8_t label : images.labels) ++counts[label];
  return counts;
}

/// The mean of a channel over all images, in [0, 1].
double channel_mean(const Images& images, std::size_t channel) {
  double sum = 0;
  for (std::size_t k = 0; k < images.count; ++k) {
    const auto first =
        images.pixels.begin() + static_cast<std::ptrdiff_t>(k * cifar_pixels + channel * 1024);
    sum += std::accumulate(first, first + 1024, 0.0);
  }
  return sum / static_cast<double>(images.count) / 1024 / 255;
}

TEST(CifarTest, RealCifar10HasItsPublishedCounts) {
  const std::filesystem::path folder = real_data("cifar10");
  if (folder.empty()) GTEST_SKIP() << "set STARLING_DATA to a folder that holds cifar10/";
  const ImageSet set = load_cifar_10(folder.string());
  EXPECT_EQ(set.train.pixels.size(), 50000 * cifar_pixels);
  EXPECT_EQ(set.test.pixels.size(), 10000 * cifar_pixels);
  EXPECT_EQ(label_counts(set.train), std::vector<std::size_t>(10, 5000));
  EXPECT_EQ(label_counts(set.test), std::vector<std::size_t>(10, 1000));
  // The means that everybody normalises CIFAR-10 with.
  const double means[] = {0.4914, 0.4822, 0.4465};
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(channel_mean(set.train, c), means[c], 1e-4) << c;
  EXPECT_EQ(set.train.labels[0], 6);  // a frog
  EXPECT_EQ(set.test.labels[0], 3);   // a cat
}

}  // namespace
}  // namespace starling
