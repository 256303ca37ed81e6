/// Robust phase retrieval: nonconvex, nonsmooth, with a known optimum.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// f_i(x) = (1/m) sum_j |<a_ij, x>^2 - b_ij|
///
/// with standard normal a_ij and b_ij = <a_ij, x*>^2, x* standard normal too.
///
/// Optimum: x* and -x*, where every f_i is 0, and no f_i is ever less. There are no others, almost
/// surely, from 2 dimension - 1 samples of all nodes together on. A node alone with no more samples
/// than coordinates is 0 elsewhere too: at the solutions of <a_ij, x> = +-<a_ij, x*> for any signs.
///
/// With `outliers` the nodes disagree at x* as well: a fraction of the samples gets a gross error,
/// b + e on node i and b - e with the same a on node i + 1 (mod N). The mean of the f_i is then at
/// least the mean |e| over all samples, because |t - e| + |t + e| >= 2 |e| for each pair, and it is
/// that at x* and -x*.
///
/// Of the subgradients of |t| at 0, 0 is taken: 2 sign(t) <a, x> a for a sample with
/// t = <a, x>^2 - b. At x = 0 all subgradients are 0, so do not start there.
struct PhaseRetrieval {
  std::int64_t dimension = 10, samples = 10, batch = 0;
  double outliers = 0, error = 5;
  std::vector<double> start{1.0};

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
