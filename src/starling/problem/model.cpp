#include "starling/problem/model.hpp"

#include <cstddef>

namespace starling {
namespace {

at::Tensor mlp(const at::Tensor& images, const std::vector<at::Tensor>& p, BatchNorms& /*norms*/) {
  return at::linear(at::relu(at::linear(images.flatten(1), p[0], p[1])), p[2], p[3]);
}

/// Convolution that keeps the size, ReLU, then half the size by taking maxima.
at::Tensor convolve_and_halve(const at::Tensor& x, const at::Tensor& weight,
                              const at::Tensor& bias) {
  const std::int64_t padding = weight.size(2) / 2;
  return at::max_pool2d(at::relu(at::conv2d(x, weight, bias, 1, padding)), 2);
}

at::Tensor cnn(const at::Tensor& images, const std::vector<at::Tensor>& p, BatchNorms& /*norms*/) {
  at::Tensor x = convolve_and_halve(images, p[0], p[1]);
  x = convolve_and_halve(x, p[2], p[3]);
  x = convolve_and_halve(x, p[4], p[5]);
  return at::linear(x.flatten(1), p[6], p[7]);
}

/// A forward pass that takes the parameters one after the other, as they lie in x.
class Pass {
 public:
  Pass(const std::vector<at::Tensor>& parameters, BatchNorms& norms)
      : parameters_(parameters), norms_(norms) {}

  /// A convolution without bias, padded so that stride 1 keeps the size, and its BatchNorm.
  at::Tensor convolve(const at::Tensor& x, std::int64_t stride) {
    const at::Tensor& kernel = next();
    const at::Tensor& weight = next();
    const at::Tensor& bias = next();
    const std::int64_t padding = kernel.size(2) / 2;
    return norms_.normalise(layer_++, at::conv2d(x, kernel, {}, stride, padding), weight, bias);
  }

  at::Tensor linear(const at::Tensor& x) {
    const at::Tensor& weight = next();
    const at::Tensor& bias = next();
    return at::linear(x, weight, bias);
  }

 private:
  const at::Tensor& next() { return parameters_[taken_++]; }

  const std::vector<at::Tensor>& parameters_;
  BatchNorms& norms_;
  std::size_t taken_ = 0, layer_ = 0;
};

/// Two convolutions, and x beside them; where the block halves the size, x is convolved as well.
at::Tensor basic_block(Pass& pass, const at::Tensor& x, bool halves) {
  const std::int64_t stride = halves ? 2 : 1;
  at::Tensor y = at::relu(pass.convolve(x, stride));
  y = pass.convolve(y, 1);
  const at::Tensor shortcut = halves ? pass.convolve(x, stride) : x;
  return at::relu(y + shortcut);
}

at::Tensor resnet18(const at::Tensor& images, const std::vector<at::Tensor>& parameters,
                    BatchNorms& norms) {
  Pass pass(parameters, norms);
  at::Tensor x = at::relu(pass.convolve(images, 1));
  for (int stage = 1; stage <= 4; ++stage) {
    x = basic_block(pass, x, stage > 1);
    x = basic_block(pass, x, false);
  }
  return pass.linear(at::adaptive_avg_pool2d(x, {1, 1}).flatten(1));
}

}  // namespace

at::Tensor view_of(const ParameterShape& shape, const at::Tensor& flat, std::int64_t offset) {
  const std::vector<std::int64_t>& sizes = shape.sizes;
  const at::Tensor part = flat.narrow(0, offset, shape.count());
  if (sizes.size() != 4) return part.view(sizes);
  return part.view({sizes[0], sizes[2], sizes[3], sizes[1]}).permute({0, 3, 1, 2});
}

Forward forward_of(std::string_view name) {
  if (name == "mlp") return mlp;
  if (name == "cnn") return cnn;
  return resnet18;
}

}  // namespace starling
