/// Clipped gradient tracking on directed graphs.
///
/// Bo & Wang, arXiv 2601.03566, Algorithm 1, equations (10) and (11). R's graph has a spanning
/// tree, C's is strongly connected. Tracking (`tracking.hpp`) with a step that is never longer than
/// step c0:
///
///     y_i = g_i at the start,      step_i = step min(1, c0 / ||y_i||), the norm of the whole
///     vector x_i+ = sum_j R_ij x_j - step_i y_i,      then g_i+ is sampled at x_i+ y_i+ = sum_j
///     C_ij y_j + g_i+ - g_i
///
/// What is tracked and sent is the unclipped y_i.
#pragma once

#include <algorithm>

#include "starling/method/tracking.hpp"

namespace starling {

struct ClippedTracking : Dgt {
  float threshold = 1;  // c0

  static constexpr std::string_view norm_of = "y";
  static void options(auto& self, auto&& option) {
    option("threshold", self.threshold, positive, "c0: longest vector that is not clipped");
  }

  constexpr float step_size(float step, float norm) const {
    return step * std::min(1.0f, threshold / norm);
  }
};

}  // namespace starling
