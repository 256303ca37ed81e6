/// Data sets of labelled images, by name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "starling/data/idx.hpp"

namespace starling {

/// Images to train on and images to test with, of the same size and classes.
struct ImageSet {
  Images train, test;
};

/// Fashion-MNIST: 28 x 28 grey images of clothing, 10 classes, 60,000 and 10,000. `path` is a
/// folder with the four IDX files, plain, gzip or xz; empty: where Debian's package
/// dataset-fashion-mnist puts them. Throws UserError, with how to get the data, where a file is
/// missing, and as `read_idx`.
ImageSet load_fashion_mnist(const std::string& path);

/// MNIST: 28 x 28 grey images of digits, 10 classes, 60,000 and 10,000. `path` is a folder with the
/// four IDX files, plain, gzip or xz. Throws UserError where it is empty, and as
/// `load_fashion_mnist`.
ImageSet load_mnist(const std::string& path);

/// CIFAR-10: 32 x 32 colour images, 10 classes, 50,000 and 10,000. `path` is a folder with the six
/// files of the binary version (`read_cifar`), plain, gzip or xz, or with a folder
/// cifar-10-batches-bin that holds them. Throws UserError where it is empty or a file is missing,
/// with how to get the data, and as `read_cifar`.
ImageSet load_cifar_10(const std::string& path);

/// A data set that an experiment can name.
struct ImageSetEntry {
  std::string_view name, summary;
  ImageSet (*load)(const std::string& path);
};

/// Every data set of images, in the order in which they are listed.
std::span<const ImageSetEntry> image_sets();

/// Loads the data set called `name`; UserError, with the nearest name, where there is none.
ImageSet load_image_set(const std::string& name, const std::string& path);

}  // namespace starling
