/// Two-class data in LIBSVM's text form.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace starling {

/// Sparse samples, one a row, each with a label of -1 or +1.
struct SparseRows {
  std::size_t features = 0;             ///< the length of a row written out in full
  std::vector<std::size_t> offsets{0};  ///< rows + 1
  std::vector<std::uint32_t> columns;   ///< from 0, ascending within a row
  std::vector<float> values;
  std::vector<float> labels;                  ///< -1 or +1
  std::array<double, 2> label_values{-1, 1};  ///< what the file calls -1 and +1

  struct Row {
    std::span<const std::uint32_t> columns;
    std::span<const float> values;
  };
  std::size_t rows() const { return labels.size(); }
  Row row(std::size_t index) const {
    const std::size_t first = offsets[index], count = offsets[index + 1] - first;
    return {{columns.data() + first, count}, {values.data() + first, count}};
  }
};

/// Reads `label index:value index:value ...`, one sample a line, plain or gzip. Indices begin with
/// 1 and ascend within a line; text after # and blank lines are skipped. The smaller of the two
/// labels becomes -1, the larger +1; a file with one label only must have +1 or -1. `features` is
/// the number of features; 0: the largest index of the file.
///
/// Throws UserError "FILE:LINE: ..." for anything else, an index beyond `features` included.
SparseRows read_libsvm(const std::filesystem::path& path, std::size_t features = 0);

/// Reads a file that goes with another one: its features, and its two labels, whether both occur
/// here or not. Throws UserError as above.
SparseRows read_libsvm_like(const SparseRows& other, const std::filesystem::path& path);

}  // namespace starling
