/// A tiny ReLU network fitted to a network of the same shape: nonconvex, nonsmooth, with a known
/// optimum.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// f_i(x) = (1/m) sum_j |p(x, a_ij) - b_ij|,   p(x, a) = sum_k c_k max(0, <w_k, a>)
///
/// where x holds the w_k of the hidden units one after the other (hidden x inputs numbers) and
/// c = 1, -1, 1, -1, ... is fixed. The inputs a_ij are standard normal; b_ij = p(x*, a_ij) comes
/// from a teacher x*, normal with variance 1 / inputs.
///
/// Optimum: the teacher, where every f_i is 0, and no f_i is ever less; so it is with the w_k of
/// units of equal c_k exchanged. A node alone with few samples is 0 elsewhere too.
///
/// With `outliers` the nodes disagree at the teacher as well: a fraction of the samples gets a
/// gross error, b + e on node i and b - e with the same a on node i + 1 (mod N). The mean of the
/// f_i is then at least the mean |e| over all samples, because |t - e| + |t + e| >= 2 |e| for each
/// pair, and it is that at the teacher.
///
/// Subgradients are those of backpropagation, with 0 as the derivative of |t| at 0 and of
/// max(0, t) at 0.
struct Relu {
  std::int64_t inputs = 5, hidden = 4, samples = 10, batch = 0;
  double outliers = 0, error = 5;
  std::vector<double> start;

  static void options(auto& self, auto&& option) {
    option("inputs", self.inputs, between(1, 1e4), "length of a sample");
    option("hidden", self.hidden, between(1, 1e4), "hidden units; x has hidden x inputs numbers");
    option("samples", self.samples, between(1, 1e6), "samples of a node");
    option("batch", self.batch, between(0, 1e6), "samples a node and round; 0: all");
    option("outliers", self.outliers, fraction,
           "fraction of samples with gross errors, rounded to an even number a node");
    option("error", self.error, not_negative, "mean size of a gross error");
    option("start", self.start, any_number,
           "x before the first round: one number, or all of them; empty: random, as the teacher");
  }

  /// Throws UserError if the options do not fit together.
  std::unique_ptr<Problem> make(std::size_t nodes, std::uint64_t seed) const;
};

}  // namespace starling
