/// Decentralized adaptive methods: any rule for the second moment, made decentralized.
///
/// Chen, Karimi, Zhao & Li, arXiv 2109.03194, Algorithm 2. Needs W doubly stochastic with
/// |lambda_2|, |lambda_N| < 1. As in the paper there is no bias correction, and u_t knows vhat up
/// to t-1 only: one node alone is not the method that the rule is known from.
///
/// A rule is a struct with what it remembers, its name for that, what is known of r_t, and r_t:
///
///     struct Rule {
///       static constexpr std::string_view paper = "...";
///       static constexpr std::string_view equation = "vhat_t  = ...";
///       static constexpr Scaling scaling = Scaling::shared;
///       struct Memory { float v; };                               // may be empty; starts at 0
///       static constexpr std::array<std::string_view, 1> memory = {"v"};
///       constexpr float next(Memory& s, float v_hat, float g, float t) const;   // vhat_t
///     };
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

template <class Rule>
struct Adaptive {
  static constexpr std::string_view paper = Rule::paper;
  static constexpr std::string_view equations[] = {
      "m_t     = beta1 m_{t-1} + (1 - beta1) g_t,  g_t sampled at x_t, m_0 = 0", Rule::equation,
      "u_t     = max(utilde_t, epsilon),  utilde_t = sum_j W_ij utilde_{t-1/2,j}",
      "x_{t+1} = sum_j W_ij x_{t,j} - step m_t / sqrt(u_t)",
      "utilde_{t+1/2} = utilde_t - vhat_{t-1} + vhat_t,  utilde_{1/2} = vhat_0 = epsilon"};

  static constexpr Scaling scaling = Rule::scaling;

  Rule rule;
  float beta1 = 0.9f, epsilon = 1e-6f;

  static constexpr auto variables = [] {
    std::array<std::string_view, 4 + Rule::memory.size()> names{"x", "u"};
    *std::ranges::copy(Rule::memory, names.begin() + 2).out = "m";
    names.back() = "v_hat";
    return names;
  }();
  static void options(auto& self, auto&& option) {
    option("beta1", self.beta1, decay_rate, "decay of the momentum m; 0 switches it off");
    Rule::options(self.rule, option);
    option("epsilon", self.epsilon, positive, "start and floor of the second moment");
  }

  struct Exchanged {
    float x, u;
  };
  struct State : Exchanged, Rule::Memory {
    float m, v_hat;
  };

  constexpr State start(float x) const { return {{x, epsilon}, {}, 0, epsilon}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, const Pace& pace) const {
    s.m = beta1 * s.m + (1 - beta1) * g;
    const float v_hat = rule.next(s, s.v_hat, g, pace.round);
    s.x = mixed.x - pace.step * s.m / std::sqrt(std::max(mixed.u, epsilon));
    s.u = mixed.u - s.v_hat + v_hat;
    s.v_hat = v_hat;
  }
};

}  // namespace starling
