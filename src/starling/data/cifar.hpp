/// Labelled images in the binary form of CIFAR-10.
#pragma once

#include <filesystem>
#include <span>

#include "starling/data/idx.hpp"

namespace starling {

/// Reads files of CIFAR-10's binary version (A. Krizhevsky, 2009), plain, gzip or xz, one after the
/// other: 32 x 32 images of three channels (red, green, blue) in ten classes. A file is a row of
/// records, each a byte of label and 3 x 32 x 32 bytes of pixels. Throws UserError where a file is
/// empty, ends within a record, or holds a label beyond 9, and as `read_bytes`.
Images read_cifar(std::span<const std::filesystem::path> files);

}  // namespace starling
