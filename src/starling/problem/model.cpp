#include "starling/problem/model.hpp"

#include <numeric>

namespace starling {

std::int64_t ParameterShape::count() const {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>{});
}

at::Tensor ParameterShape::view(const at::Tensor& flat, std::int64_t offset) const {
  const at::Tensor part = flat.narrow(0, offset, count());
  if (sizes.size() != 4) return part.view(sizes);
  return part.view({sizes[0], sizes[2], sizes[3], sizes[1]}).permute({0, 3, 1, 2});
}

std::int64_t Model::dimension() const {
  std::int64_t sum = 0;
  for (const ParameterShape& shape : parameters) sum += shape.count();
  return sum;
}

namespace {

void add_linear(Model& model, const std::string& name, std::int64_t in, std::int64_t out) {
  model.parameters.push_back({name + ".weight", {out, in}, in});
  model.parameters.push_back({name + ".bias", {out}, in});
}

void add_convolution(Model& model, const std::string& name, std::int64_t in, std::int64_t out,
                     std::int64_t width) {
  const std::int64_t fan_in = in * width * width;
  model.parameters.push_back({name + ".weight", {out, in, width, width}, fan_in});
  model.parameters.push_back({name + ".bias", {out}, fan_in});
}

/// Convolution that keeps the size, ReLU, then half the size by taking maxima.
at::Tensor convolve_and_halve(const at::Tensor& x, const at::Tensor& weight,
                              const at::Tensor& bias) {
  const std::int64_t padding = weight.size(2) / 2;
  return at::max_pool2d(at::relu(at::conv2d(x, weight, bias, 1, padding)), 2);
}

}  // namespace

Model make_mlp(ImageShape image, std::int64_t classes) {
  Model model;
  add_linear(model, "hidden", image.channels * image.rows * image.columns, 256);
  add_linear(model, "output", 256, classes);
  model.forward = [](const at::Tensor& images, const std::vector<at::Tensor>& p) {
    return at::linear(at::relu(at::linear(images.flatten(1), p[0], p[1])), p[2], p[3]);
  };
  return model;
}

Model make_cnn(ImageShape image, std::int64_t classes) {
  Model model;
  add_convolution(model, "conv1", image.channels, 16, 5);
  add_convolution(model, "conv2", 16, 32, 5);
  add_convolution(model, "conv3", 32, 64, 3);
  add_linear(model, "output", 64 * (image.rows / 8) * (image.columns / 8), classes);
  model.forward = [](const at::Tensor& images, const std::vector<at::Tensor>& p) {
    at::Tensor x = convolve_and_halve(images, p[0], p[1]);
    x = convolve_and_halve(x, p[2], p[3]);
    x = convolve_and_halve(x, p[4], p[5]);
    return at::linear(x.flatten(1), p[6], p[7]);
  };
  return model;
}

}  // namespace starling
