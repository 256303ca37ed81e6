#include "starling/problem/robust_regression.hpp"

#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "starling/problem/samples.hpp"

namespace starling {
namespace {

double absolute_residual(std::span<const float> a, double b, std::span<const float> x, Part part,
                         std::span<double> sum) {
  const double residual = dot(a, x) - b;
  add_scaled(sign_of(residual), a, part, sum);
  return std::abs(residual);
}

}  // namespace

std::unique_ptr<Problem> RobustRegression::make(std::size_t nodes, std::uint64_t seed) const {
  const auto length = static_cast<std::size_t>(dimension);
  SampledParts parts;
  parts.optimum.x = planted_point(length, 1, seed);
  parts.samples =
      draw_samples(nodes, static_cast<std::size_t>(samples), length, {outliers, error}, seed,
                   [&](std::span<const float> a) { return dot(a, parts.optimum.x); });
  parts.optimum.objective = parts.samples.mean_error;
  parts.loss = absolute_residual;
  parts.constants.gradient_bound = largest_of(parts.samples.values);
  parts.batch = static_cast<std::size_t>(batch);
  parts.start = start_point(start, length, "the dimension");
  parts.summary = fmt::format("robust regression, dimension {}, {} samples a node, optimum {:.4f}",
                              length, samples, parts.optimum.objective);
  return make_sampled(std::move(parts), seed);
}

}  // namespace starling
