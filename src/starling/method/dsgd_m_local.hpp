/// Decentralized stochastic subgradient descent with a momentum that stays with its node.
///
/// The form that people often use, and that Lin et al. compare with. With different losses it
/// settles further from the optimum than `dsgd-m` and `qg-dsgdm`. Needs W doubly stochastic, a
/// connected graph.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct DsgdMLocal {
  static constexpr std::string_view paper = "Lin et al., arXiv 2102.04761 (DSGDm)";
  static constexpr std::string_view equations[] = {
      "m_i+ = beta m_i + (1 - beta) g_i,  m_i = 0 at the start, g_i sampled at x_i",
      "x_i+ = sum_j W_ij x_j - step m_i+"};
  static constexpr std::string_view variables[] = {"x", "m"};

  float beta = 0.9f;

  static void options(auto& self, auto&& option) {
    option("beta", self.beta, decay_rate, "decay of the momentum");
  }

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {
    float m;
  };

  constexpr State start(float x) const { return {{x}, 0}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.m = beta * s.m + (1 - beta) * g;
    s.x = mixed.x - step * s.m;
  }
};

}  // namespace starling
