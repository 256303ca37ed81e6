/// Clipping: steps that are never longer than step c0, whatever the length of what is followed.
#pragma once

#include <algorithm>

#include "starling/base/range.hpp"

namespace starling {

/// For methods with a `norm_of`: step min(1, c0 / norm), as in Bo & Wang, arXiv 2601.03566.
struct Clipping {
  float threshold = 1;  // c0

  static void options(auto& self, auto&& option) {
    option("threshold", self.threshold, positive, "c0: longest vector that is not clipped");
  }

  constexpr float step_size(float step, float norm) const {
    return step * std::min(1.0f, threshold / norm);
  }
};

}  // namespace starling
