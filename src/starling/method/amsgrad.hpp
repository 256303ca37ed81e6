/// Decentralized AMSGrad.
///
/// Chen, Karimi, Zhao & Li, arXiv 2109.03194, Algorithm 3. Needs W doubly stochastic with
/// |lambda_2|, |lambda_N| < 1. Per node and round t, element by element:
///
///     m_t    = beta1 m_{t-1} + (1 - beta1) g_t
///     v_t    = beta2 v_{t-1} + (1 - beta2) g_t^2
///     vhat_t = max(vhat_{t-1}, v_t)
///     x_{t+1/2} = sum_j W_ij x_{t,j}                     utilde_t = sum_j W_ij utilde_{t-1/2,j}
///     u_t = max(utilde_t, epsilon)
///     x_{t+1} = x_{t+1/2} - step m_t / sqrt(u_t)
///     utilde_{t+1/2} = utilde_t - vhat_{t-1} + vhat_t
///
/// with vhat_0 = utilde_{1/2} = epsilon. As in the paper there is no bias correction, and u_t knows
/// vhat up to t-1 only: one node alone is not AMSGrad.
#pragma once

#include <algorithm>
#include <cmath>

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct Amsgrad {
  float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-6f;

  static constexpr std::string_view variables[] = {"x", "u", "m", "v", "v_hat"};
  static void options(auto& self, auto&& option) {
    option("beta1", self.beta1, decay_rate, "decay of the momentum m");
    option("beta2", self.beta2, decay_rate, "decay of the second moment v");
    option("epsilon", self.epsilon, positive, "start and floor of the second moment");
  }

  struct Exchanged {
    float x, u;
  };
  struct State : Exchanged {
    float m, v, v_hat;
  };

  constexpr State start(float x) const { return {{x, epsilon}, 0, 0, epsilon}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.m = beta1 * s.m + (1 - beta1) * g;
    s.v = beta2 * s.v + (1 - beta2) * g * g;
    const float v_hat = std::max(s.v_hat, s.v);
    s.x = mixed.x - step * s.m / std::sqrt(std::max(mixed.u, epsilon));
    s.u = mixed.u - s.v_hat + v_hat;
    s.v_hat = v_hat;
  }
};

}  // namespace starling
