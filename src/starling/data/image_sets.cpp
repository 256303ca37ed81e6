#include "starling/data/image_sets.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/options.hpp"
#include "starling/data/file_bytes.hpp"

namespace starling {
namespace {

constexpr const char* fashion_mnist_folder = "/usr/share/datasets/fashion-mnist";

constexpr std::string_view wanted =
    "set problem.path to a folder with train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], "
    "t10k-images-idx3-ubyte[.gz] and t10k-labels-idx1-ubyte[.gz]";

/// Reads the four files; `advice` is added to the error about a missing one.
ImageSet load_folder(const std::filesystem::path& folder, const std::string& advice) {
  const auto find = [&](const char* name) {
    try {
      return find_file(folder, name);
    } catch (const UserError& error) {
      throw UserError(fmt::format("{}; {}", error.what(), advice));
    }
  };
  const auto train_images = find("train-images-idx3-ubyte");
  const auto train_labels = find("train-labels-idx1-ubyte");
  const auto test_images = find("t10k-images-idx3-ubyte");
  const auto test_labels = find("t10k-labels-idx1-ubyte");
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
};

}  // namespace

ImageSet load_fashion_mnist(const std::string& path) {
  return load_folder(path.empty() ? std::string(fashion_mnist_folder) : path,
                     fmt::format("apt-get install dataset-fashion-mnist, or {}", wanted));
}

ImageSet load_mnist(const std::string& path) {
  if (path.empty()) throw UserError(fmt::format("problem.path: empty, mnist needs it; {}", wanted));
  return load_folder(path, std::string(wanted));
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
