#include "starling/problem/architecture.hpp"

#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/options.hpp"

namespace starling {
namespace {

using Parameters = std::vector<ParameterShape>;

void add_linear(Parameters& list, const std::string& name, std::int64_t in, std::int64_t out) {
  list.push_back({name + ".weight", {out, in}, in});
  list.push_back({name + ".bias", {out}, in});
}

void add_convolution(Parameters& list, const std::string& name, std::int64_t in, std::int64_t out,
                     std::int64_t width) {
  const std::int64_t fan_in = in * width * width;
  list.push_back({name + ".weight", {out, in, width, width}, fan_in});
  list.push_back({name + ".bias", {out}, fan_in});
}

/// A convolution without bias and the BatchNorm layer behind it.
void add_normalised(Parameters& list, const std::string& convolution, const std::string& norm,
                    std::int64_t in, std::int64_t out, std::int64_t width) {
  list.push_back({convolution + ".weight", {out, in, width, width}, in * width * width});
  list.push_back({norm + ".weight", {out}, 0, ParameterShape::Start::one});
  list.push_back({norm + ".bias", {out}, 0, ParameterShape::Start::zero});
}

Parameters mlp(ImageShape image, std::int64_t classes) {
  Parameters list;
  add_linear(list, "hidden", image.channels * image.rows * image.columns, 256);
  add_linear(list, "output", 256, classes);
  return list;
}

Parameters cnn(ImageShape image, std::int64_t classes) {
  Parameters list;
  add_convolution(list, "conv1", image.channels, 16, 5);
  add_convolution(list, "conv2", 16, 32, 5);
  add_convolution(list, "conv3", 32, 64, 3);
  add_linear(list, "output", 64 * (image.rows / 8) * (image.columns / 8), classes);
  return list;
}

Parameters resnet18(ImageShape image, std::int64_t classes) {
  Parameters list;
  add_normalised(list, "conv1", "bn1", image.channels, 64, 3);
  std::int64_t in = 64;
  for (int stage = 1; stage <= 4; ++stage) {
    const std::int64_t out = std::int64_t{32} << stage;
    for (int block = 0; block < 2; ++block) {
      const std::string name = fmt::format("layer{}.{}.", stage, block);
      add_normalised(list, name + "conv1", name + "bn1", in, out, 3);
      add_normalised(list, name + "conv2", name + "bn2", out, out, 3);
      if (in != out) add_normalised(list, name + "downsample.0", name + "downsample.1", in, out, 1);
      in = out;
    }
  }
  add_linear(list, "fc", in, classes);
  return list;
}

/// A gradient through resnet18 keeps about 6 MB an image of 32 x 32.
constexpr Architecture architectures[] = {
    {"mlp", mlp, 1, 500, false},
    {"cnn", cnn, 8, 500, false},  // halves images three times
    {"resnet18", resnet18, 1, 100, true},
};

}  // namespace

std::int64_t ParameterShape::count() const {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>{});
}

const Architecture& architecture(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Architecture& candidate : architectures) {
    if (candidate.name == name) return candidate;
    names.push_back(candidate.name);
  }
  throw UserError(fmt::format("problem.model = \"{}\": unknown{}", name, suggestion(name, names)));
}

}  // namespace starling
