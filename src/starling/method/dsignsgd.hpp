/// Decentralized sign descent.
///
/// DSignSGD of Zhang, Xiao & Liu: DSGD-M (`dsgd_m.hpp`) whose x goes along the sign of the
/// momentum, sign(0) = 0. The momentum must be mixed: of local ones the mean of the signs can
/// vanish where the mean of the gradients does not. Needs W doubly stochastic, a connected graph.
#pragma once

#include "starling/method/dsgd_m.hpp"

namespace starling {

struct Dsignsgd : DsgdM {
  static constexpr std::string_view paper = "Zhang, Xiao & Liu, arXiv 2403.11565 (DSignSGD)";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j W_ij x_j - step sign(y_i)",
      "y_i+ = sum_j W_ij y_j - theta (y_i - g_i),  y_i = 0 at the start, g_i sampled at x_i"};

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    const float sign = static_cast<float>(s.y > 0) - static_cast<float>(s.y < 0);
    DsgdM::adapt(s, mixed, g, step);
    s.x = mixed.x - step * sign;
  }
};

}  // namespace starling
