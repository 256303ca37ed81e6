/// Decentralized subgradient descent, combine then adapt (D-PSGD).
///
/// "DGD" in the plots of Chen, Karimi, Zhao & Li, arXiv 2109.03194; DSGD of Zhang, Xiao & Liu;
/// CDSGD of Jiang et al., arXiv 1706.07880. Needs W doubly stochastic, a connected graph; where
/// links lose messages, W is doubly stochastic in the mean, which is enough with step sizes that go
/// to zero (Nedic, IEEE TAC 56(6), 2011).
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct Dgd {
  static constexpr std::string_view paper = "Zhang, Xiao & Liu, arXiv 2403.11565, section 2";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j W_ij x_j - step g_i,  g_i sampled at x_i"};
  static constexpr std::string_view variables[] = {"x"};
  static constexpr Tolerates tolerates = Tolerates::lost_messages;
  static constexpr Steps steps = Steps::vanishing;
  static void options(auto&, auto&&) {}

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {};

  constexpr State start(float x) const { return {{x}}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.x = mixed.x - step * g;
  }
};

}  // namespace starling
