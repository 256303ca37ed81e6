#include "starling/problem/logistic.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/versions.hpp"
#include "starling/problem/samples.hpp"

namespace starling {
namespace {

/// The regulariser of one node; adds a part of its gradient and returns its value.
struct Regulariser {
  float l4 = 0, norm4 = 0, ratio = 0;

  double add(std::span<const float> x, Part part, std::span<float> g) const {
    if (l4 == 0 && norm4 == 0 && ratio == 0) return 0;
    double squares = 0, quartics = 0, ratios = 0;
    for (const float value : x) squares += double{value} * double{value};
    if (l4 > 0 || ratio > 0) {
      for (const float value : x) {
        const double square = double{value} * double{value};
        quartics += square * square;
        ratios += square / (1 + square);
      }
    }
    add_gradient(x.subspan(part.first, part.count), g.subspan(part.first, part.count), squares);
    return l4 * quartics + norm4 * squares * squares / 4 + ratio * ratios;
  }

 private:
  /// In coordinates of x and g; `squares` is ||x||^2, of all of them. In double, where the powers
  /// of any float are finite.
  void add_gradient(std::span<const float> x, std::span<float> g, double squares) const {
    const double linear = norm4 * squares;
    for (std::size_t l = 0; l < x.size(); ++l) g[l] += static_cast<float>(linear * x[l]);
    if (l4 == 0 && ratio == 0) return;
    for (std::size_t l = 0; l < x.size(); ++l) {
      const double square = double{x[l]} * double{x[l]}, below = 1 + square;
      g[l] += static_cast<float>(x[l] * (4 * l4 * square + 2 * ratio / (below * below)));
    }
  }
};

/// Two derivatives of log(1 + exp(-t)) lie within [-1, 0] and [0, 1/4], of x^2 / (1 + x^2) within
/// +- 3 sqrt(3) / 8 and [-1/2, 2]; of the powers of x neither is bounded. So with the longest row a
/// of the data, L = ||a||^2 / 4 + 2 ratio: a bound, the least L may be far lower.
Constants constants_of(const SparseRows& rows, const std::vector<Regulariser>& regularisers) {
  double ratio = 0, longest = 0;
  for (const Regulariser& own : regularisers) {
    if (own.l4 > 0 || own.norm4 > 0) return {};
    ratio = std::max(ratio, double{own.ratio});
  }
  for (std::size_t j = 0; j < rows.rows(); ++j) {
    double squares = 0;
    for (const float value : rows.row(j).values) squares += double{value} * double{value};
    longest = std::max(longest, squares);
  }
  return {.smoothness = longest / 4 + 2 * ratio,
          .gradient_bound = largest_of(rows.values) + 3 * std::numbers::sqrt3 / 8 * ratio};
}

/// exp(-t) for t >= 0, to about 1e-7 (for NaN as for 87: the loss carries it on). Written out so
/// that a loop over it becomes vector code, and so that the bits are the same whatever math library
/// is there: 2^-n times a Taylor polynomial.
inline float exp_minus(float t) {
  const float scaled = std::min(87.0f, t) * std::numbers::log2e_v<float>;
  const auto n = static_cast<std::int32_t>(scaled + 0.5f);
  const float r = (static_cast<float>(n) - scaled) * std::numbers::ln2_v<float>;  // |r| <= ln 2 / 2
  const float polynomial =
      1 + r * (1 + r * (1 / 2.f + r * (1 / 6.f + r * (1 / 24.f + r * (1 / 120.f + r / 720.f)))));
  return polynomial * std::bit_cast<float>((127 - n) << 23);
}

/// log(1 + e) for 0 <= e <= 1, to about 1e-7: 2 artanh(e / (2 + e)) by its series.
inline float log_one_plus(float e) {
  const float s = e / (2 + e), q = s * s;  // q <= 1/9
  return 2 * s *
         (1 + q * (1 / 3.f +
                   q * (1 / 5.f + q * (1 / 7.f + q * (1 / 9.f + q * (1 / 11.f + q / 13.f))))));
}

/// Losses, and slopes against the margins, of `count` samples.
inline void logistic_terms(const float* margins, float share, std::size_t count, float* losses,
                           float* slopes) {
#pragma GCC ivdep
  for (std::size_t j = 0; j < count; ++j) {
    const float exponential = exp_minus(std::abs(margins[j]));
    losses[j] = log_one_plus(exponential) + std::max(-margins[j], 0.0f);
    slopes[j] = -share * (margins[j] > 0 ? exponential : 1.0f) / (1 + exponential);
  }
}

float weight_of(const char* name, const std::vector<double>& weights, Node node,
                std::size_t nodes) {
  if (weights.empty()) return 0;
  if (weights.size() != 1 && weights.size() != nodes)
    throw UserError{
        fmt::format("problem.{}: {} numbers for {} nodes: must be one for all or one "
                    "a node",
                    name, weights.size(), nodes)};
  return static_cast<float>(weights[weights.size() == 1 ? 0 : node]);
}

}  // namespace

std::unique_ptr<Problem> Logistic::make(std::size_t nodes, std::uint64_t seed) const {
  if (path.empty()) throw UserError{"problem.path: name a LIBSVM file, plain or gzip (say a9a.gz)"};
  ClassifierParts parts = read_classifier({path, test, features}, partition, nodes, seed);
  parts.summary = "logistic regression, " + parts.summary;
  parts.batch = static_cast<std::size_t>(batch);
  parts.reshuffle = sampling == "reshuffle";
  parts.loss = Versions<&logistic_terms>::widest();

  std::vector<Regulariser> regularisers;
  for (Node i = 0; i < nodes; ++i)
    regularisers.push_back({weight_of("l4", l4, i, nodes), weight_of("norm4", norm4, i, nodes),
                            weight_of("ratio", ratio, i, nodes)});
  parts.constants = constants_of(parts.train, regularisers);
  parts.regulariser = [all = std::move(regularisers)](Node node, std::span<const float> x,
                                                      Part part, std::span<float> g) {
    return all[node].add(x, part, g);
  };
  parts.start = start_point(start, parts.train.features, "the features");
  return make_classifier(std::move(parts), seed);
}

}  // namespace starling
