/// Linear regression by absolute residuals: convex, nonsmooth, with a known optimum.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// f_i(x) = (1/m) sum_j |<a_ij, x> - b_ij|
///
/// with standard normal a_ij and b_ij = <a_ij, x*>, x* standard normal too. A fraction of the
/// samples has a gross error instead: b = <a, x*> + e on node i and b = <a, x*> - e, with the same
/// a, on node i + 1 (mod N).
///
/// Optimum: x*, where the mean of the f_i is the mean |e| over all samples. It cannot be less,
/// because |t - e| + |t + e| >= 2 |e| for each pair; at x* the subgradients -a and +a of a pair
/// cancel. It is the only optimum where the samples without error span the space. A node alone has
/// other minimisers: certainly where it has fewer samples without error than coordinates, as here
/// unless told otherwise.
///
/// Of the subgradients of |t| at 0, 0 is taken.
struct RobustRegression {
  std::int64_t dimension = 20, samples = 20, batch = 0;
  double outliers = 0.3, error = 5;
  std::vector<double> start{0.0};

  static void options(auto& self, auto&& option) {
    option("dimension", self.dimension, between(1, 1e6), "length of x");
    option("samples", self.samples, between(1, 1e6), "samples of a node");
    option("batch", self.batch, between(0, 1e6), "samples a node and round; 0: all");
    option("outliers", self.outliers, fraction,
           "fraction of samples with gross errors, rounded to an even number a node");
    option("error", self.error, not_negative, "mean size of a gross error");
    option("start", self.start, any_number, "x before the first round: one number, or all of them");
  }

  /// Throws UserError if the options do not fit together.
  std::unique_ptr<Problem> make(std::size_t nodes, std::uint64_t seed) const;
};

}  // namespace starling
