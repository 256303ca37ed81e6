/// Decentralized Adam.
///
/// Algorithm 2 of Chen, Karimi, Zhao & Li, arXiv 2109.03194 (`adaptive.hpp`), with Adam's second
/// moment (Kingma & Ba 2015, without bias correction). It may fall, so the paper's Theorem 2 does
/// not cover it as it does AMSGrad.
#pragma once

#include "starling/method/adaptive.hpp"

namespace starling {

struct AdamRule {
  static constexpr std::string_view paper =
      "Chen et al., arXiv 2109.03194, Algorithm 2, Adam's rule";
  static constexpr std::string_view equation = "vhat_t  = beta2 vhat_{t-1} + (1 - beta2) g_t^2";
  static constexpr Scaling scaling = Scaling::shared;

  float beta2 = 0.999f;

  struct Memory {};
  static constexpr std::array<std::string_view, 0> memory = {};
  static void options(auto& self, auto&& option) {
    option("beta2", self.beta2, decay_rate, "decay of the second moment");
  }

  constexpr float next(Memory&, float v_hat, float g, float) const {
    return beta2 * v_hat + (1 - beta2) * g * g;
  }
};

using Adam = Adaptive<AdamRule>;

}  // namespace starling
