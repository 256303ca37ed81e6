/// What networks consist of: their parameters, in the order in which they lie in x. Sees no tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace starling {

/// One parameter tensor, as PyTorch would name and shape it. In x its numbers lie in PyTorch's
/// order, but for weights of convolutions (output, input, row, column), which lie channels last:
/// output, row, column, input.
struct ParameterShape {
  /// Uniform is PyTorch's usual start: within +-1/sqrt(fan_in).
  enum class Start { uniform, zero, one };

  std::string name;
  std::vector<std::int64_t> sizes;
  std::int64_t fan_in = 0;  ///< inputs of one output unit; 0 where the start does not need it
  Start start = Start::uniform;

  std::int64_t count() const;
};

struct ImageShape {
  std::int64_t channels, rows, columns;
};

/// A network that `problem.model` can name.
struct Architecture {
  std::string_view name;
  std::vector<ParameterShape> (*parameters)(ImageShape image, std::int64_t classes);
  std::int64_t smallest_side;    ///< rows and columns that images must have at least
  std::size_t evaluation_batch;  ///< images that an evaluation computes at a time: bounds memory
  bool has_norms;                ///< whether it has BatchNorm layers
};

/// The architecture called `name`; UserError, with the nearest name, where there is none.
///
/// - `mlp`: 256 hidden units with ReLU.
/// - `cnn`: three convolutions of 16 and 32 (5x5) and 64 (3x3) channels, each with ReLU and 2x2
///   max-pooling, and a fully connected layer.
/// - `resnet18`: ResNet-18 (He, Zhang, Ren & Sun, CVPR 2016) in its form for small images: a 3x3
///   convolution, four stages of two basic blocks with 64, 128, 256 and 512 channels, average
///   pooling, a fully connected layer. Names are those of PyTorch's torchvision. BatchNorm weights
///   start at 1 and its biases at 0; convolutions start as in the other architectures.
const Architecture& architecture(std::string_view name);

}  // namespace starling
