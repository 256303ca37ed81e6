/// Linear support vector machine: random data with a known optimum, or a LIBSVM file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// f_i(x) = (1/m) sum_j max(0, 1 - b_ij <a_ij, x>) + (ridge/2) ||x||^2
///
/// Without `path` the data is made so that the optimum is x* = r u for a random unit vector u:
/// b a = (t/r) u + z, where t is the margin of the sample at x*, for some samples in [1.1, 2), for
/// the others in (-0.4, 0] or [0.5, 0.9). z, orthogonal to u, comes in pairs z on node i and -z on
/// node i + 1 (mod N) with the same t. So the mean of the f_i has at x* the gradient
///
///     ridge r u - (1/(N m)) sum over t < 1 of (t/r) u,
///
/// which r^2 = (1/(N m ridge)) sum over t < 1 of t makes 0; as ridge > 0 there is no other optimum.
/// No sample is at its kink there, and each f_i has a gradient that is not 0. Data and x* are
/// floats, so all of this holds to their accuracy.
///
/// With `path` it is the machine of that file, whose optimum is not known.
///
/// The subgradient of a sample with margin exactly 1 is taken as 0.
struct Hinge {
  std::string path, test;
  std::int64_t features = 0, dimension = 20, samples = 20, batch = 0;
  double ridge = 0.01;
  std::vector<double> start{0.0};
  PartitionRule partition;

  static void options(auto& self, auto&& option) {
    option("path", self.path, Words{}, "LIBSVM file, plain or gzip; empty: random data");
    option("test", self.test, Words{}, "LIBSVM file to measure the accuracy on");
    option("features", self.features, between(0, 1e9),
           "of a file, length of x; 0: the largest index in the file");
    option("dimension", self.dimension, between(2, 1e6), "of random data, length of x");
    option("samples", self.samples, between(1, 1e6), "of random data, samples of a node");
    option("batch", self.batch, between(0, 1e9), "samples a node and round; 0: all");
    option("ridge", self.ridge, not_negative, "weight of ||x||^2 / 2, part of f_i");
    option("start", self.start, any_number, "x before the first round: one number, or all of them");
  }

  /// Throws UserError if the file cannot be read or the options do not fit together.
  std::unique_ptr<Problem> make(std::size_t nodes, std::uint64_t seed) const;
};

}  // namespace starling
