/// What both asynchronous engines take a core to be.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <span>

#include "starling/base/types.hpp"

namespace starling {

/// The step size of a core's k-th update, k = 1, 2, ...
using CoreStep = std::function<double(Node core, Round k)>;

/// The round of node 0 whose minibatch a core draws for its k-th update: all cores together go
/// through the minibatches that one core would draw one after the other.
inline Round sample_of(Node core, Round k, std::size_t cores) {
  return (k - 1) * static_cast<Round>(cores) + core + 1;
}

/// The mean of the losses that cores have had; not-a-number stands for a core without one. Nothing
/// where none has. `loss_of(core)` is a float.
std::optional<double> mean_loss(std::size_t cores, const auto& loss_of) {
  double sum = 0, count = 0;
  for (std::size_t core = 0; core < cores; ++core)
    if (const float loss = loss_of(core); !std::isnan(loss)) {
      sum += static_cast<double>(loss);
      ++count;
    }
  if (count == 0) return std::nullopt;
  return sum / count;
}

/// Whether all of x are numbers.
inline bool is_finite(std::span<const float> x) {
  return std::ranges::all_of(x, [](float value) { return std::isfinite(value); });
}

}  // namespace starling
