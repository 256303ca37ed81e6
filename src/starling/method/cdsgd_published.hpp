/// Other forms of CDSGD's momentum (`cdsgd.hpp`). Both need W doubly stochastic.
///
/// - `cdsgd-p-published`: Polyak's momentum as Jiang et al. print it, where the move to the
///   neighbours' mean goes into the velocity too.
/// - `cdsgd-n-textbook`: Nesterov's own form, with g_i sampled at the point looked ahead to.
#pragma once

#include "starling/method/cdsgd.hpp"

namespace starling {

struct CdsgdPPublished : CdsgdP {
  static constexpr std::string_view paper = "Jiang et al., arXiv 1706.07880 (as published)";
  static constexpr std::string_view equations[] = {
      "v_i+ = sum_j W_ij x_j - x_i + momentum v_i - step g_i,  v_i = 0 at the start",
      "x_i+ = x_i + v_i+"};

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.v = mixed.x - s.x + momentum * s.v - step * g;
    s.x += s.v;
  }
};

struct CdsgdNTextbook : CdsgdP {
  static constexpr std::string_view paper = "Jiang et al., arXiv 1706.07880, with Nesterov's point";
  static constexpr std::string_view equations[] = {
      "v_i+ = momentum v_i - step g_i,  v_i = 0 at the start, g_i sampled at x_i + momentum v_i",
      "x_i+ = sum_j W_ij x_j + v_i+"};
  static constexpr std::string_view variables[] = {"x", "v", "ahead"};
  static constexpr std::string_view sampled = "ahead";

  struct State : CdsgdP::State {
    float ahead;
  };

  constexpr State start(float x) const { return {{{x}, 0}, x}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    CdsgdP::adapt(s, mixed, g, step);
    s.ahead = s.x + momentum * s.v;
  }
};

}  // namespace starling
