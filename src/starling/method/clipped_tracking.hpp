/// Clipped gradient tracking on directed graphs.
///
/// - `clipped-tracking`: Bo & Wang, Algorithm 1, equations (10) and (11). R's graph has a spanning
///   tree, C's is strongly connected.
/// - `clipped-tracking-atc`: the same with the step taken before x is mixed, as in push-pull.
///
/// Tracking (`tracking.hpp`) with a step that is never longer than step c0; the norm is that of the
/// whole vector. What is tracked and sent is the unclipped y_i.
#pragma once

#include "starling/method/clipping.hpp"
#include "starling/method/push_pull.hpp"

namespace starling {

struct ClippedTracking : Dgt, Clipping {
  static constexpr std::string_view paper = "Bo & Wang, arXiv 2601.03566, Algorithm 1";
  static constexpr std::string_view equations[] = {
      "step_i = step min(1, c0 / ||y_i||)",
      "x_i+ = sum_j R_ij x_j - step_i y_i,  then g_i+ is sampled at x_i+",
      "y_i+ = sum_j C_ij y_j + g_i+ - g_i,  y_i = g_i at the start"};
  static constexpr std::string_view norm_of = "y";
  using Clipping::options;
};

struct ClippedTrackingAtc : PushPull, Clipping {
  static constexpr std::string_view paper = "Bo & Wang, arXiv 2601.03566, in push-pull's order";
  static constexpr std::string_view equations[] = {
      "step_i = step min(1, c0 / ||y_i||)",
      "x_i+ = sum_j R_ij (x_j - step_j y_j),  then g_i+ is sampled at x_i+",
      "y_i+ = sum_j C_ij y_j + g_i+ - g_i,  y_i = g_i at the start"};
  static constexpr std::string_view norm_of = "y";
  using Clipping::options;
};

}  // namespace starling
