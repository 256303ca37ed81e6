/// Quasi-global momentum.
///
/// QG-DSGDm of Lin, Karimireddy, Stich & Jaggi, ICML 2021, arXiv 2102.04761. The momentum follows
/// what a node's x really moved, its neighbours' pull included, and so the mean over all nodes.
/// Needs W doubly stochastic, a connected graph.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct QgDsgdm {
  static constexpr std::string_view paper = "Lin et al., arXiv 2102.04761, Algorithm 1 (QG-DSGDm)";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j W_ij (x_j - step (momentum m_j + g_j)),  g_j sampled at x_j",
      "m_i+ = momentum m_i + (1 - momentum) (x_i - x_i+) / step,  m_i = 0 at the start"};
  static constexpr std::string_view variables[] = {"x", "m", "before"};
  static constexpr Order order = Order::adapt_first;

  float momentum = 0.9f;

  static void options(auto& self, auto&& option) {
    option("momentum", self.momentum, decay_rate, "part of the momentum that is kept");
  }

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {
    float m, before;
  };

  constexpr State start(float x) const { return {{x}, 0, x}; }

  constexpr void adapt(State& s, float g, float step) const {
    s.before = s.x;
    s.x -= step * (momentum * s.m + g);
  }
  constexpr void combine(State& s, const Exchanged& mixed, float step) const {
    s.x = mixed.x;
    // A schedule may bring the step down to 0, where nothing has moved.
    const float moved = step > 0 ? (s.before - s.x) / step : 0;
    s.m = momentum * s.m + (1 - momentum) * moved;
  }
};

}  // namespace starling
