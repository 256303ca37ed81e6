#include "starling/problem/relu.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "starling/base/random.hpp"
#include "starling/problem/samples.hpp"

namespace starling {
namespace {

double output_sign(std::size_t unit) { return unit % 2 == 0 ? 1 : -1; }

double prediction(std::span<const float> a, std::span<const float> x) {
  double sum = 0;
  for (std::size_t k = 0; k < x.size() / a.size(); ++k)
    sum += output_sign(k) * std::max(dot(a, x.subspan(k * a.size(), a.size())), 0.0);
  return sum;
}

/// What of a part of x lies in these coordinates, counted from the first of them.
Part part_within(Part part, std::size_t first, std::size_t count) {
  const std::size_t from = std::clamp(part.first, first, first + count);
  const std::size_t to = std::clamp(part.first + part.count, first, first + count);
  return {from - first, to - from};
}

double absolute_residual(std::span<const float> a, double b, std::span<const float> x, Part part,
                         std::span<double> sum) {
  const double residual = prediction(a, x) - b, slope = sign_of(residual);
  for (std::size_t k = 0; k < x.size() / a.size(); ++k) {
    const std::size_t first = k * a.size();
    const Part own = part_within(part, first, a.size());
    if (own.count > 0 && dot(a, x.subspan(first, a.size())) > 0)
      add_scaled(slope * output_sign(k), a, own, sum.subspan(first, a.size()));
  }
  return std::abs(residual);
}

/// Units that begin equal stay equal, and units at 0 stay there: so each gets numbers of its own.
std::vector<float> random_start(std::size_t length, double scale, std::uint64_t seed) {
  Random random(seed, Purpose::start);
  std::vector<float> x(length);
  for (float& value : x) value = static_cast<float>(scale * random.normal());
  return x;
}

}  // namespace

std::unique_ptr<Problem> Relu::make(std::size_t nodes, std::uint64_t seed) const {
  const auto length = static_cast<std::size_t>(inputs * hidden);
  const double scale = 1 / std::sqrt(static_cast<double>(inputs));
  SampledParts parts;
  parts.optimum.x = planted_point(length, scale, seed);
  parts.samples = draw_samples(
      nodes, static_cast<std::size_t>(samples), static_cast<std::size_t>(inputs), {outliers, error},
      seed, [&](std::span<const float> a) { return prediction(a, parts.optimum.x); });
  parts.optimum.objective = parts.samples.mean_error;
  parts.loss = absolute_residual;
  parts.constants.gradient_bound = largest_of(parts.samples.values);
  parts.batch = static_cast<std::size_t>(batch);
  parts.start = start.empty() ? random_start(length, scale, seed)
                              : start_point(start, length, "hidden x inputs");
  parts.summary =
      fmt::format("ReLU network, {} inputs, {} hidden units, {} samples a node, optimum {:.4f}",
                  inputs, hidden, samples, parts.optimum.objective);
  return make_sampled(std::move(parts), seed);
}

}  // namespace starling
