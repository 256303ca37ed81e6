/// Decentralized subgradient descent, adapt then combine.
///
/// The ATC variant of Zhang, Xiao & Liu's framework, arXiv 2403.11565, section 2 (after the
/// diffusion strategies of Sayed et al.). Needs W doubly stochastic, a connected graph.
///
///     x_i+ = sum_j W_ij (x_j - step g_j),      g_j sampled at x_j
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct DsgdAtc {
  static constexpr std::string_view variables[] = {"x"};
  static constexpr Order order = Order::adapt_first;
  static void options(auto&, auto&&) {}

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {};

  constexpr State start(float x) const { return {{x}}; }

  constexpr void adapt(State& s, float g, float step) const { s.x -= step * g; }
  constexpr void combine(State& s, const Exchanged& mixed, float) const { s.x = mixed.x; }
};

}  // namespace starling
