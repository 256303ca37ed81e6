#include "starling/data/idx.hpp"

#include "starling/data/image_sets.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

std::string words(const std::vector<std::uint32_t>& numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers)
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

const std::string two_images = words({0x803, 2, 2, 3}) + "abcdefghijkl";
const std::string two_labels = words({0x801, 2}) + std::string("\x03\x07", 2);

/// The error about a pair of files with this content.
std::string error_about(const std::string& images, const std::string& labels) {
  const TempFolder folder;
  const auto images_path = folder.write("images", images);
  const auto labels_path = folder.write("labels", labels);
  return user_error_of([&] { read_idx(images_path, labels_path); });
}

TEST(IdxTest, ReadsPlainAndGzip) {
  const TempFolder folder;
  const Images images =
      read_idx(folder.write("images", two_images), folder.write_gzip("labels.gz", two_labels));
  EXPECT_EQ(images.count, 2u);
  EXPECT_EQ(images.channels, 1u);
  EXPECT_EQ(images.rows, 2u);
  EXPECT_EQ(images.columns, 3u);
  EXPECT_EQ(images.pixels_per_image(), 6u);
  EXPECT_EQ(images.classes, 8);
  EXPECT_EQ(text_of(images.pixels), "abcdefghijkl");
  EXPECT_EQ(images.labels, (std::vector<std::uint8_t>{3, 7}));
}

TEST(IdxTest, HasAtLeastTwoClasses) {
  const TempFolder folder;
  const std::string zeros = words({0x801, 2}) + std::string(2, '\0');
  EXPECT_EQ(read_idx(folder.write("i", two_images), folder.write("l", zeros)).classes, 2);
}

TEST(IdxTest, RefusesWhatIsNotIdx) {
  EXPECT_TRUE(
      says(error_about("text", two_labels), "images: 4 bytes, must be at least 16 (IDX images)"));
  EXPECT_TRUE(says(error_about(two_images, ""), "labels: 0 bytes, must be at least 8"));
  EXPECT_TRUE(says(error_about(words({0x801, 2, 2, 3}), two_labels),
                   "images: begins with 0x00000801, must begin with 0x00000803 (IDX images)"));
  EXPECT_TRUE(says(error_about(two_images, words({0x803, 2}) + "ab"),
                   "labels: begins with 0x00000803, must begin with 0x00000801 (IDX labels)"));
  EXPECT_TRUE(says(error_about(words({0x803, 0, 2, 3}), two_labels), "images: holds 0 images"));
  EXPECT_TRUE(says(error_about(words({0x803, 2, 0, 3}), two_labels),
                   "images: images of 0 x 3 pixels, each must be 1 ... 65535"));
  // Dimensions whose product does not fit into 64 bits must not pass for a small file.
  EXPECT_TRUE(says(error_about(words({0x803, 1u << 31, 1u << 31, 4}), two_labels), "each must be"));
}

TEST(IdxTest, RefusesAWrongLength) {
  EXPECT_TRUE(says(error_about(two_images.substr(0, 27), two_labels),
                   "images: 27 bytes, must be 28 (truncated)"));
  EXPECT_TRUE(says(error_about(two_images + "m", two_labels),
                   "images: 29 bytes, must be 28 (extra bytes at the end)"));
  EXPECT_TRUE(says(error_about(two_images, two_labels.substr(0, 9)),
                   "labels: 9 bytes, must be 10 (truncated)"));
  EXPECT_TRUE(says(error_about(two_images, two_labels + "m"),
                   "labels: 11 bytes, must be 10 (extra bytes at the end)"));
}

TEST(IdxTest, RefusesLabelsThatDoNotFit) {
  EXPECT_TRUE(says(error_about(two_images, words({0x801, 2}) + std::string("\x09\x0a", 2)),
                   "labels: label 10 of image 1, must be 0 ... 9"));
  EXPECT_TRUE(says(error_about(two_images, words({0x801, 1}) + "\x01"),
                   "labels: 1 labels, must be 2 as there are images in"));
}

void write_set(const TempFolder& folder, const std::string& test_images) {
  folder.write("train-images-idx3-ubyte", two_images);
  folder.write_gzip("train-labels-idx1-ubyte.gz", two_labels);
  folder.write("t10k-images-idx3-ubyte", test_images);
  folder.write("t10k-labels-idx1-ubyte", two_labels);
}

TEST(ImageSetsTest, EveryOneOfIdxFilesReadsAFolderAndHasTenClasses) {
  const TempFolder folder;
  write_set(folder, two_images);
  ASSERT_EQ(image_sets().size(), 3u);
  EXPECT_EQ(image_sets()[0].name, "fashion-mnist");
  EXPECT_EQ(image_sets()[1].name, "mnist");
  EXPECT_EQ(image_sets()[2].name, "cifar-10");  // read in cifar_test.cpp
  for (const ImageSetEntry& entry : image_sets().first(2)) {
    const ImageSet set = entry.load(folder.path().string());
    EXPECT_EQ(set.train.count + set.test.count, 4u);
    EXPECT_EQ(set.train.classes, 10);
    EXPECT_EQ(set.test.classes, 10);
  }
}

TEST(ImageSetsTest, RefusesTestImagesOfAnotherSize) {
  const TempFolder folder;
  write_set(folder, words({0x803, 2, 3, 2}) + "abcdefghijkl");
  const std::string error = user_error_of([&] { load_mnist(folder.path().string()); });
  EXPECT_TRUE(says(error, "t10k-images-idx3-ubyte: images of 3 x 2 pixels, must be 2 x 3 as in"));
}

TEST(ImageSetsTest, SaysWhereToGetMissingData) {
  const TempFolder folder;
  const std::string path = folder.path().string();
  const std::string fashion = user_error_of([&] { load_fashion_mnist(path); });
  EXPECT_TRUE(says(fashion, path + ": holds no such file, must hold train-images-idx3-ubyte, "));
  EXPECT_TRUE(says(fashion, "; apt-get install dataset-fashion-mnist, or set problem.path to"));
  const std::string mnist = user_error_of([&] { load_mnist(path + "/no"); });
  EXPECT_TRUE(says(mnist, "/no: no such folder"));
  EXPECT_TRUE(says(mnist, "; set problem.path to a folder with train-images-idx3-ubyte[.gz], "));
  EXPECT_TRUE(says(user_error_of([] { load_mnist(""); }), "problem.path: empty, mnist needs it"));
}

std::vector<std::size_t> label_counts(const Images& images) {
  std::vector<std::size_t> counts(10);
  for (const std::uint8_t label : images.labels) ++counts[label];
  return counts;
}

TEST(ImageSetsTest, RealMnistHasItsPublishedCounts) {
  const std::filesystem::path folder = real_data("mnist");
  if (folder.empty()) GTEST_SKIP() << "set STARLING_DATA to a folder that holds mnist/";
  const ImageSet set = load_mnist(folder.string());
  EXPECT_EQ(set.train.count, 60000u);
  EXPECT_EQ(set.test.pixels.size(), 10000u * 28 * 28);
  EXPECT_EQ(label_counts(set.train),
            (std::vector<std::size_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(label_counts(set.test),
            (std::vector<std::size_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
}

TEST(ImageSetsTest, RealFashionMnistIsBalanced) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "Debian's package dataset-fashion-mnist is not installed";
  const ImageSet set = load_fashion_mnist("");
  EXPECT_EQ(set.train.rows, 28u);
  EXPECT_EQ(set.train.pixels.size(), 60000u * 28 * 28);
  EXPECT_EQ(label_counts(set.train), std::vector<std::size_t>(10, 6000));
  EXPECT_EQ(label_counts(set.test), std::vector<std::size_t>(10, 1000));
}

}  // namespace
}  // namespace starling
