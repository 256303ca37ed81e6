/// The problem of the reference trajectories, as the library sees problems.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "reference.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// Exact gradients of `reference::QuarticLosses`; every node starts at `start`.
class QuarticProblem final : public Problem {
 public:
  QuarticProblem(reference::QuarticLosses losses, std::vector<double> start)
      : losses_(std::move(losses)), start_(std::move(start)) {}

  std::size_t nodes() const override { return losses_.curvature.size(); }
  std::size_t dimension() const override { return start_.size(); }
  void start(std::span<float> x) const override {
    for (std::size_t l = 0; l < x.size(); ++l) x[l] = static_cast<float>(start_[l]);
  }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "quartic"; }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Exact>(losses_); }

 private:
  class Exact final : public Oracle {
   public:
    explicit Exact(const reference::QuarticLosses& losses) : losses_(losses) {}
    float subgradient(Node node, Round, std::span<const float> x, std::span<float> g) override {
      return static_cast<float>(objective(node, x, g));
    }
    double objective(Node node, std::span<const float> x, std::span<float> g) override {
      const reference::Vector point(x.begin(), x.end());
      const reference::Vector slope = losses_.gradient(static_cast<int>(node), point);
      for (std::size_t l = 0; l < g.size(); ++l) g[l] = static_cast<float>(slope[l]);
      return losses_.value(static_cast<int>(node), point);
    }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }

   private:
    const reference::QuarticLosses& losses_;
  };

  reference::QuarticLosses losses_;
  std::vector<double> start_;
};

}  // namespace starling
