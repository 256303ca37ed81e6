/// Decentralized AdaGrad.
///
/// Chen, Karimi, Zhao & Li, arXiv 2109.03194, Algorithm 4: Algorithm 2 (`adaptive.hpp`) with the
/// mean of the squares so far. A constant step here is AdaGrad with its usual 1/sqrt(t). The mean
/// may fall, so the floor epsilon does act. beta1 = 0 switches the momentum off.
#pragma once

#include "starling/method/adaptive.hpp"

namespace starling {

struct AdagradRule {
  static constexpr std::string_view paper = "Chen et al., arXiv 2109.03194, Algorithm 4";
  static constexpr std::string_view equation =
      "vhat_t  = ((t-1)/t) vhat_{t-1} + (1/t) g_t^2,  t = 1, 2, ...";
  static constexpr Scaling scaling = Scaling::shared_mean;

  struct Memory {};
  static constexpr std::array<std::string_view, 0> memory = {};
  static void options(auto&, auto&&) {}

  constexpr float next(Memory&, float v_hat, float g, float t) const {
    return (t - 1) / t * v_hat + g * g / t;
  }
};

using Adagrad = Adaptive<AdagradRule>;

}  // namespace starling
