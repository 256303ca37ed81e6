/// D^2: decentralized training over decentralized data.
///
/// Tang, Lian, Yan, Zhang & Liu, ICML 2018, arXiv 1803.07068. Exact with different losses. Needs
/// one symmetric, doubly stochastic W whose eigenvalues are above -1/3, the same in every round:
/// `lazy` weights with gamma >= 1/2 have it.
///
/// The paper's x+ = W (2 x - x^- - step g + step^- g^-), ^- meaning the round before, is written
/// with what s adds up: the same numbers with less rounding.
/// Use a constant step: what rounding adds to s moves the nodes by that much over the step.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct D2 {
  static constexpr std::string_view paper = "Tang et al., arXiv 1803.07068, Algorithm 1";
  static constexpr std::string_view equations[] = {
      "p_i  = x_i - step g_i + s_i,  g_i sampled at x_i, s_i = 0 at the start",
      "x_i+ = sum_j W_ij p_j", "s_i+ = s_i + x_i+ - p_i"};
  static constexpr std::string_view variables[] = {"x", "s"};
  static constexpr Order order = Order::adapt_first;
  static constexpr Tolerates tolerates = Tolerates::fixed_weights;
  static constexpr double eigenvalues_above = -1.0 / 3;
  static void options(auto&, auto&&) {}

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {
    float s;
  };

  constexpr State start(float x) const { return {{x}, 0}; }

  constexpr void adapt(State& s, float g, float step) const { s.x += s.s - step * g; }
  constexpr void combine(State& s, const Exchanged& mixed, float) const {
    s.s += mixed.x - s.x;
    s.x = mixed.x;
  }
};

}  // namespace starling
