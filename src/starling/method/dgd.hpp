/// Decentralized subgradient descent, combine then adapt (D-PSGD).
///
/// "DGD" in the plots of Chen, Karimi, Zhao & Li, arXiv 2109.03194; DSGD of Zhang, Xiao & Liu,
/// arXiv 2403.11565, section 2. Needs W doubly stochastic, a connected graph.
///
///     x_i+ = sum_j W_ij x_j - step g_i,      g_i sampled at x_i
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct Dgd {
  static constexpr std::string_view variables[] = {"x"};
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
