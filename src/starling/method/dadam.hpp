/// DADAM.
///
/// Nazari, Tarzanagh & Michailidis, in the form of Chen, Karimi, Zhao & Li, arXiv 2109.03194,
/// Algorithm 1. Needs W doubly stochastic. Does not converge in general (Theorem 1 there): each
/// node scales its step by its own second moment only. Per node and round t, element by element:
///
///     m_t    = beta1 m_{t-1} + (1 - beta1) g_t
///     v_t    = beta2 v_{t-1} + (1 - beta2) g_t^2
///     vhat_t = beta3 vhat_{t-1} + (1 - beta3) max(vhat_{t-1}, v_t)
///     x_{t+1} = sum_j W_ij x_{t,j} - step m_t / sqrt(vhat_t)
///
/// with vhat_0 = epsilon. (The paper's line 7 prints vhat_t after beta3, a slip for vhat_{t-1}.)
#pragma once

#include <algorithm>
#include <cmath>

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct Dadam {
  static constexpr std::string_view paper = "Chen et al., arXiv 2109.03194, Algorithm 1";
  static constexpr std::string_view equations[] = {
      "m_t     = beta1 m_{t-1} + (1 - beta1) g_t,  g_t sampled at x_t, m_0 = 0",
      "v_t     = beta2 v_{t-1} + (1 - beta2) g_t^2,  v_0 = 0",
      "vhat_t  = beta3 vhat_{t-1} + (1 - beta3) max(vhat_{t-1}, v_t),  vhat_0 = epsilon",
      "x_{t+1} = sum_j W_ij x_{t,j} - step m_t / sqrt(vhat_t)"};
  static constexpr std::string_view variables[] = {"x", "m", "v", "v_hat"};
  static constexpr Scaling scaling = Scaling::own;

  float beta1 = 0.9f, beta2 = 0.999f, beta3 = 0.9f, epsilon = 1e-6f;

  static void options(auto& self, auto&& option) {
    option("beta1", self.beta1, decay_rate, "decay of the momentum m");
    option("beta2", self.beta2, decay_rate, "decay of the second moment v");
    option("beta3", self.beta3, decay_rate, "inertia of the maximum; 0 is AMSGrad's maximum");
    option("epsilon", self.epsilon, positive, "start of the second moment");
  }

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {
    float m, v, v_hat;
  };

  constexpr State start(float x) const { return {{x}, 0, 0, epsilon}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.m = beta1 * s.m + (1 - beta1) * g;
    s.v = beta2 * s.v + (1 - beta2) * g * g;
    s.v_hat = beta3 * s.v_hat + (1 - beta3) * std::max(s.v_hat, s.v);
    s.x = mixed.x - step * s.m / std::sqrt(s.v_hat);
  }
};

}  // namespace starling
