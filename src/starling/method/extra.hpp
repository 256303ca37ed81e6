/// EXTRA: an exact first-order algorithm.
///
/// Shi, Ling, Wu & Yin, SIAM J. Optim. 25(2), 2015, with W~ = (I + W)/2. Exact with different
/// losses and a constant step. Needs one symmetric, doubly stochastic W, the same in every round.
///
/// The paper's x+ = x + W x - W~ x^- - step g + step^- g^-, ^- meaning the round before, is written
/// with what s adds up: the same numbers with less rounding.
/// Use a constant step: what rounding adds to s moves the nodes by that much over the step.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct Extra {
  static constexpr std::string_view paper = "Shi, Ling, Wu & Yin, SIAM J. Optim. 25(2), 2015";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j W_ij x_j - step g_i + s_i,  g_i sampled at x_i, s_i = 0 at the start",
      "s_i+ = s_i + (sum_j W_ij x_j - x_i) / 2"};
  static constexpr std::string_view variables[] = {"x", "s"};
  static constexpr Tolerates tolerates = Tolerates::fixed_weights;
  static constexpr double eigenvalues_above = -1;
  static void options(auto&, auto&&) {}

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {
    float s;
  };

  constexpr State start(float x) const { return {{x}, 0}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    const float before = s.x;
    s.x = mixed.x - step * g + s.s;
    s.s += 0.5f * (mixed.x - before);
  }
};

}  // namespace starling
