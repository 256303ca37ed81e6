/// Labelled images in the IDX form of MNIST and its relatives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace starling {

/// Labelled images, one byte a pixel.
struct Images {
  std::size_t count = 0, channels = 1, rows = 0, columns = 0;
  int classes = 0;                   ///< labels are 0 ... classes - 1
  std::vector<std::uint8_t> pixels;  ///< count x channels x rows x columns
  std::vector<std::uint8_t> labels;  ///< count

  std::size_t pixels_per_image() const { return channels * rows * columns; }
};

/// Reads grey images and their labels (0 ... 9), plain or gzip; `classes` is the largest label plus
/// one, at least 2. Throws UserError, with what was found and what must be, where a file does not
/// begin as IDX, is shorter or longer than its header says, or the two files disagree.
Images read_idx(const std::filesystem::path& images_path, const std::filesystem::path& labels_path);

}  // namespace starling
