/// Step-size schedules: the factor that the step size is multiplied with in round k = 1, 2, ...
///
/// The papers' convergence results ask for step sizes that go to zero while their sum is infinite
/// (Zhang, Xiao & Liu, arXiv 2403.11565): `sqrt` and `power` do that, the others do not.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "starling/base/range.hpp"
#include "starling/base/types.hpp"

namespace starling {

/// step
struct Constant {
  static void options(auto&, auto&&) {}
  double factor(Round, Round) const { return 1; }
};

/// step / sqrt(k)
struct InverseSqrt {
  static void options(auto&, auto&&) {}
  double factor(Round k, Round) const { return 1 / std::sqrt(static_cast<double>(k)); }
};

/// step / k^p
struct Power {
  double p = 0.75;
  static void options(auto& self, auto&& option) {
    option("p", self.p, Range{.low = 0, .high = 1, .low_open = true}, "exponent");
  }
  double factor(Round k, Round) const { return std::pow(static_cast<double>(k), -p); }
};

/// From step down to final * step along half a cosine, over the rounds of the experiment.
struct Cosine {
  double final = 0;
  static void options(auto& self, auto&& option) {
    option("final", self.final, fraction, "factor left after the last round");
  }
  double factor(Round k, Round rounds) const {
    const double done = static_cast<double>(k - 1) / static_cast<double>(rounds);
    return final + (1 - final) * (1 + std::cos(std::numbers::pi * done)) / 2;
  }
};

/// step * by^(number of stairs passed), one stair every `every` rounds.
struct Staircase {
  double by = 0.1;
  std::int64_t every = 1000;
  static void options(auto& self, auto&& option) {
    option("by", self.by, Range{.low = 0, .high = 1, .low_open = true}, "factor of one stair");
    option("every", self.every, at_least(1), "rounds of one stair");
  }
  double factor(Round k, Round) const {
    return std::pow(by, static_cast<double>((k - 1) / static_cast<Round>(every)));
  }
};

}  // namespace starling
