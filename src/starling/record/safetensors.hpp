/// The safetensors format: named arrays that PyTorch, NumPy and JAX users can load.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "starling/record/run_folder.hpp"

namespace starling {

/// A float32 array of `rows` rows of equal length; `row` gives each of them.
struct TensorRows {
  std::string name;
  std::vector<std::size_t> shape;  ///< its product is rows x row length
  std::size_t rows;
  std::function<std::span<const float>(std::size_t row)> row;
};

/// Hands the file's bytes to `sink`, row by row: 8 bytes of header length, a JSON header, then the
/// arrays one after the other, little-endian.
void write_safetensors(const std::vector<TensorRows>& tensors, const Sink& sink);

}  // namespace starling
