/// Decentralized AMSGrad.
///
/// Chen, Karimi, Zhao & Li, arXiv 2109.03194, Algorithm 3: Algorithm 2 (`adaptive.hpp`) with
/// the largest second moment so far.
#pragma once

#include "starling/method/adaptive.hpp"

namespace starling {

struct AmsgradRule {
  static constexpr std::string_view paper = "Chen et al., arXiv 2109.03194, Algorithm 3";
  static constexpr std::string_view equation =
      "vhat_t  = max(vhat_{t-1}, v_t),  v_t = beta2 v_{t-1} + (1 - beta2) g_t^2, v_0 = 0";
  static constexpr Scaling scaling = Scaling::shared_maximum;

  float beta2 = 0.999f;

  struct Memory {
    float v;
  };
  static constexpr std::array<std::string_view, 1> memory = {"v"};
  static void options(auto& self, auto&& option) {
    option("beta2", self.beta2, decay_rate, "decay of the second moment v");
  }

  constexpr float next(Memory& s, float v_hat, float g, float) const {
    s.v = beta2 * s.v + (1 - beta2) * g * g;
    return std::max(v_hat, s.v);
  }
};

using Amsgrad = Adaptive<AmsgradRule>;

}  // namespace starling
