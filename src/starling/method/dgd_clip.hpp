/// Decentralized gradient descent with clipping.
///
/// A baseline of Bo & Wang, arXiv 2601.03566 (Sun 2023). No tracking: with different losses the
/// nodes stop apart from the optimum and from each other. Rows of R sum to 1, its graph has a
/// spanning tree.
///
///     x_i+ = sum_j R_ij x_j - step min(1, c0 / ||g_i||) g_i,      g_i sampled at x_i
#pragma once

#include <algorithm>

#include "starling/method/dgd.hpp"

namespace starling {

struct DgdClip : Dgd {
  float threshold = 1;  // c0

  static constexpr Mixing mixing[] = {Mixing::pull};
  static constexpr std::string_view norm_of = "subgradient";
  static void options(auto& self, auto&& option) {
    option("threshold", self.threshold, positive, "c0: longest subgradient that is not clipped");
  }

  constexpr float step_size(float step, float norm) const {
    return step * std::min(1.0f, threshold / norm);
  }
};

}  // namespace starling
