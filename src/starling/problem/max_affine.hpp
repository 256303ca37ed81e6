/// Maxima of affine functions: convex, piecewise linear, exact subgradients, with a known optimum.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// f_i(x) = max_j (<a_ij, x - x*> + v_ij),   j = 1 ... pieces
///
/// with x* standard normal. At x* the first half of a node's pieces (rounded up) is active: their
/// v_ij are the same, those of the others lower by a number in [0.5, 1.5). The a_ij are standard
/// normal, shifted so that those of node i's active pieces have the mean h_i = w_i - w_(i+1 mod N),
/// w_i standard normal.
///
/// Optimum: x*, because every h_i is a subgradient of f_i there, and the h_i sum to 0. A node alone
/// has lower points wherever it has no more active pieces than coordinates, for then 0 is not among
/// its subgradients at x* (h_i is 0 where N = 1).
///
/// Of the subgradients at x, the a_ij of the first maximal piece is taken.
struct MaxAffine {
  std::int64_t dimension = 10, pieces = 8;
  std::vector<double> start{0.0};

  static void options(auto& self, auto&& option) {
    option("dimension", self.dimension, between(1, 1e6), "length of x");
    option("pieces", self.pieces, between(2, 1e6), "affine functions a node");
    option("start", self.start, any_number, "x before the first round: one number, or all of them");
  }

  /// Throws UserError if the options do not fit together.
  std::unique_ptr<Problem> make(std::size_t nodes, std::uint64_t seed) const;
};

}  // namespace starling
