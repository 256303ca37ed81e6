/// Push-pull: gradient tracking (`tracking.hpp`) that takes its step before x is mixed.
///
/// Pu, Shi, Xu & Nedic, IEEE TAC 66(1), 2021. R's graph has a spanning tree, C's is strongly
/// connected. With the step taken after mixing it is `dgt`.
#pragma once

#include "starling/method/tracking.hpp"

namespace starling {

struct PushPull : Dgt {
  static constexpr std::string_view paper = "Pu, Shi, Xu & Nedic, IEEE TAC 66(1), 2021";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j R_ij (x_j - step_j y_j),  then g_i+ is sampled at x_i+",
      "y_i+ = sum_j C_ij y_j + g_i+ - g_i,  y_i = g_i at the start"};

  constexpr void prepare(State& s, float step) const { s.x -= step * s.y; }
  constexpr void combine(State& s, const Exchanged& mixed, float) const {
    s.x = mixed.x;
    s.y = mixed.y;
  }
};

}  // namespace starling
