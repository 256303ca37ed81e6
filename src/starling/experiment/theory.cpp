#include "starling/experiment/theory.hpp"

#include <algorithm>
#include <cmath>

namespace starling {
namespace {

double square(double value) { return value * value; }

/// N d G^2: no vhat is larger than G^2, so this is as far as they can all rise together.
double largest_rise(const AdaptiveNumbers& numbers, const AdaptiveRun& run) {
  return static_cast<double>(run.nodes) * static_cast<double>(run.dimension) *
         square(numbers.gradient_bound);
}

}  // namespace

AdaptiveConstants adaptive_constants(const AdaptiveNumbers& numbers) {
  const double l = numbers.smoothness, g2 = square(numbers.gradient_bound);
  const double epsilon = numbers.epsilon, lambda = numbers.lambda;
  const double mixing = 1 / (1 - lambda), momentum = numbers.beta1 / (1 - numbers.beta1);
  const double e15 = epsilon * std::sqrt(epsilon), e2 = square(epsilon);
  return {.c1 = std::max(4.0, 4 * l / epsilon),
          .c2 = 6 * (square(momentum) + square(mixing)) * l * g2 / e15,
          .c3 = 16 * square(l) * mixing * g2 / e2,
          .c4 = 2 / e15 * mixing * (lambda + momentum) * g2,
          .c5 = 2 / e2 * mixing * l * square(momentum) * g2 + 4 / e2 * lambda * mixing * l * g2};
}

AdaptiveBound theorem_2(const AdaptiveNumbers& numbers, const AdaptiveRun& run, double change) {
  const AdaptiveConstants c = adaptive_constants(numbers);
  const auto n = static_cast<double>(run.nodes), d = static_cast<double>(run.dimension);
  const auto t = static_cast<double>(run.rounds);
  const double step = run.step;
  return {.factor = c.c1 / (t * step),
          .rest = c.c1 * step * d * run.variance / n + c.c2 * square(step) * d +
                  c.c3 * square(step) * step * d +
                  (c.c4 + c.c5 * step) * change / (t * std::sqrt(n))};
}

AdaptiveBound theorem_3(const AdaptiveNumbers& numbers, const AdaptiveRun& run) {
  return theorem_2(numbers, run, largest_rise(numbers, run));
}

AdaptiveBound theorem_4(const AdaptiveNumbers& numbers, const AdaptiveRun& run) {
  const double growth = std::log(static_cast<double>(run.rounds)) + 1;
  return theorem_2(numbers, run, largest_rise(numbers, run) * growth);
}

double largest_step(double smoothness, double epsilon) {
  return std::sqrt(epsilon) / (16 * smoothness);
}

double corollary_step(const AdaptiveRun& run) {
  return std::sqrt(static_cast<double>(run.nodes) /
                   (static_cast<double>(run.rounds) * static_cast<double>(run.dimension)));
}

double consensus_bound(const AdaptiveNumbers& numbers, double step, std::size_t dimension) {
  return square(step / (1 - numbers.lambda)) * static_cast<double>(dimension) *
         square(numbers.gradient_bound) / numbers.epsilon;
}

}  // namespace starling
