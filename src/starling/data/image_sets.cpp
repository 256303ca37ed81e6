#include "starling/data/image_sets.hpp"

#include <filesystem>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/options.hpp"
#include "starling/data/cifar.hpp"
#include "starling/data/file_bytes.hpp"

namespace starling {
namespace {

constexpr const char* fashion_mnist_folder = "/usr/share/datasets/fashion-mnist";

constexpr std::string_view wanted =
    "set problem.path to a folder with train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], "
    "t10k-images-idx3-ubyte[.gz] and t10k-labels-idx1-ubyte[.gz]";

constexpr std::string_view wanted_cifar =
    "set problem.path to a folder with data_batch_1.bin ... data_batch_5.bin and test_batch.bin, "
    "plain, .gz or .xz: the binary version of https://www.cs.toronto.edu/~kriz/cifar.html";

/// `find_file`; `advice` is added to the error about a missing one.
std::filesystem::path find_or_advise(const std::filesystem::path& folder, const std::string& name,
                                     std::string_view advice) {
  try {
    return find_file(folder, name);
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}; {}", error.what(), advice));
  }
}

/// Reads the four IDX files of a folder.
ImageSet load_folder(const std::filesystem::path& folder, std::string_view advice) {
  const auto train_images = find_or_advise(folder, "train-images-idx3-ubyte", advice);
  const auto train_labels = find_or_advise(folder, "train-labels-idx1-ubyte", advice);
  const auto test_images = find_or_advise(folder, "t10k-images-idx3-ubyte", advice);
  const auto test_labels = find_or_advise(folder, "t10k-labels-idx1-ubyte", advice);
  ImageSet set{read_idx(train_images, train_labels), read_idx(test_images, test_labels)};
  if (set.test.rows != set.train.rows || set.test.columns != set.train.columns)
    throw UserError(fmt::format("{}: images of {} x {} pixels, must be {} x {} as in {}",
                                test_images.string(), set.test.rows, set.test.columns,
                                set.train.rows, set.train.columns, train_images.string()));
  // Ten classes even where a shortened copy of the data lacks the last ones.
  set.train.classes = set.test.classes = 10;
  return set;
}

constexpr ImageSetEntry entries[] = {
    {"fashion-mnist", "28 x 28 grey images of clothing, 10 classes, 60000 + 10000",
     load_fashion_mnist},
    {"mnist", "28 x 28 grey images of digits, 10 classes, 60000 + 10000 (needs problem.path)",
     load_mnist},
    {"cifar-10", "32 x 32 colour images, 10 classes, 50000 + 10000 (needs problem.path)",
     load_cifar_10},
};

}  // namespace

ImageSet load_fashion_mnist(const std::string& path) {
  return load_folder(path.empty() ? std::string(fashion_mnist_folder) : path,
                     fmt::format("apt-get install dataset-fashion-mnist, or {}", wanted));
}

ImageSet load_mnist(const std::string& path) {
  if (path.empty()) throw UserError(fmt::format("problem.path: empty, mnist needs it; {}", wanted));
  return load_folder(path, wanted);
}

ImageSet load_cifar_10(const std::string& path) {
  if (path.empty())
    throw UserError(fmt::format("problem.path: empty, cifar-10 needs it; {}", wanted_cifar));
  std::filesystem::path folder = path;
  std::error_code ignored;
  const std::filesystem::path unpacked = folder / "cifar-10-batches-bin";
  if (std::filesystem::is_directory(unpacked, ignored)) folder = unpacked;
  std::vector<std::filesystem::path> train;
  for (int k = 1; k <= 5; ++k)
    train.push_back(find_or_advise(folder, fmt::format("data_batch_{}.bin", k), wanted_cifar));
  const std::filesystem::path test = find_or_advise(folder, "test_batch.bin", wanted_cifar);
  return {read_cifar(train), read_cifar({&test, 1})};
}

std::span<const ImageSetEntry> image_sets() { return entries; }

ImageSet load_image_set(const std::string& name, const std::string& path) {
  std::vector<std::string_view> names;
  for (const ImageSetEntry& entry : entries) {
    if (entry.name == name) return entry.load(path);
    names.push_back(entry.name);
  }
  throw UserError(
      fmt::format("problem.dataset = \"{}\": unknown{}", name, suggestion(name, names)));
}

}  // namespace starling
