#include "starling/problem/penalty.hpp"

#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "starling/base/versions.hpp"

namespace starling {
namespace {

inline void add_slopes(const float* x, std::size_t count, float l2, float l1, float* g) {
#pragma GCC ivdep
  for (std::size_t k = 0; k < count; ++k) {
    const float sign = static_cast<float>((x[k] > 0) - (x[k] < 0));
    g[k] = (g[k] + l2 * x[k]) + l1 * sign;
  }
}

/// (l2/2) ||x||^2 + l1 ||x||_1. A fixed number of sums side by side is vector code, and has the
/// same bits on every vector unit.
inline double penalty(const float* x, std::size_t count, float l2, float l1) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> squares{}, magnitudes{};
  const std::size_t whole = count - count % lanes;
  for (std::size_t k = 0; k < whole; k += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const double value = x[k + lane];
      squares[lane] += value * value;
      magnitudes[lane] += std::abs(value);
    }
  for (std::size_t k = whole; k < count; ++k) {
    const double value = x[k];
    squares[k - whole] += value * value;
    magnitudes[k - whole] += std::abs(value);
  }
  double sum = 0;
  for (std::size_t lane = 0; lane < lanes; ++lane)
    sum += 0.5 * l2 * squares[lane] + l1 * magnitudes[lane];
  return sum;
}

class PenalisedOracle final : public Oracle {
 public:
  PenalisedOracle(std::unique_ptr<Oracle> oracle, float l2, float l1)
      : oracle_(std::move(oracle)), l2_(l2), l1_(l1) {}

  float subgradient(Node node, Round round, std::span<const float> x, std::span<float> g) override {
    const double loss = oracle_->subgradient(node, round, x, g);
    return static_cast<float>(loss + add_penalty(x, {0, g.size()}, g));
  }

  float partial_subgradient(Node node, Round round, std::span<const float> x, Part part,
                            std::span<float> g) override {
    const double loss = oracle_->partial_subgradient(node, round, x, part, g);
    return static_cast<float>(loss + add_penalty(x, part, g));
  }

  double objective(Node node, std::span<const float> x, std::span<float> g) override {
    const double loss = oracle_->objective(node, x, g);
    return loss + add_penalty(x, {0, g.size()}, g);
  }

  std::optional<double> accuracy(std::span<const float> x) override { return oracle_->accuracy(x); }

 private:
  /// Adds the part's coordinates of the penalty's subgradient to g; returns the whole penalty.
  double add_penalty(std::span<const float> x, Part part, std::span<float> g) const {
    static const auto slopes = Versions<&add_slopes>::widest();
    static const auto value = Versions<&penalty>::widest();
    slopes(x.data() + part.first, part.count, l2_, l1_, g.data() + part.first);
    return value(x.data(), x.size(), l2_, l1_);
  }

  std::unique_ptr<Oracle> oracle_;
  float l2_, l1_;
};

class PenalisedProblem final : public Problem {
 public:
  PenalisedProblem(std::unique_ptr<Problem> problem, double l2, double l1)
      : problem_(std::move(problem)), l2_(l2), l1_(l1) {}

  std::size_t nodes() const override { return problem_->nodes(); }
  std::size_t dimension() const override { return problem_->dimension(); }
  std::vector<std::size_t> tensors() const override { return problem_->tensors(); }
  void start(std::span<float> x) const override { problem_->start(x); }
  std::unique_ptr<Oracle> oracle() override {
    return std::make_unique<PenalisedOracle>(problem_->oracle(), static_cast<float>(l2_),
                                             static_cast<float>(l1_));
  }
  double epochs(Round rounds) const override { return problem_->epochs(rounds); }
  std::string summary() const override {
    std::string text = problem_->summary();
    if (!text.ends_with('\n')) text += '\n';
    return text + fmt::format("penalties: l2 = {}, l1 = {}", l2_, l1_);
  }

  /// With l2 the slope grows with x, with l1 it jumps.
  Constants constants() const override {
    Constants known = problem_->constants();
    if (l1_ > 0) known.smoothness.reset();
    if (l2_ > 0) known.gradient_bound.reset();
    if (known.smoothness) *known.smoothness += l2_;
    if (known.gradient_bound) *known.gradient_bound += l1_;
    return known;
  }

 private:
  std::unique_ptr<Problem> problem_;
  double l2_, l1_;
};

}  // namespace

std::unique_ptr<Problem> with_penalties(std::unique_ptr<Problem> problem, double l2, double l1) {
  assert(l2 >= 0 && l1 >= 0);
  if (l2 == 0 && l1 == 0) return problem;
  return std::make_unique<PenalisedProblem>(std::move(problem), l2, l1);
}

}  // namespace starling
