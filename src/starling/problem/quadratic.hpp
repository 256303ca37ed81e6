/// f_i(x) = 0.5 (x - a_i)' A_i (x - a_i), exact gradients.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// Given, or random. Random losses are drawn again from the counter-based generator whenever they
/// are needed, so they take no memory: 100,000 nodes are no problem.
///
/// The optimum solves mean(A_i) x = mean(A_i a_i). It is known where the mean A_i is positive
/// definite, or diagonal without a negative entry; for A_i that are not diagonal up to dimension
/// 256.
struct Quadratic {
  std::int64_t dimension = 10;
  double curvature_min = 0.5, curvature_max = 2, spread = 1;
  bool rotated = false;
  std::vector<std::vector<double>> centers, curvatures, matrices;
  std::vector<double> start;

  static void options(auto& self, auto&& option) {
    option("dimension", self.dimension, between(1, 1e9), "length of x");
    option("curvature_min", self.curvature_min, not_negative, "random A_i: least eigenvalue");
    option("curvature_max", self.curvature_max, positive, "random A_i: largest eigenvalue");
    option("spread", self.spread, not_negative, "random a_i: each entry in [-spread, spread]");
    option("rotated", self.rotated,
           "random A_i: reflected by a random Householder matrix, otherwise diagonal");
    option("centers", self.centers, any_number, "the a_i, one list a node");
    option("curvatures", self.curvatures, any_number, "diagonal A_i, one list a node");
    option("matrices", self.matrices, any_number,
           "full symmetric A_i, one list of dimension^2 numbers a node, row by row");
    option("start", self.start, any_number, "x before the first round; zeros if not given");
  }

  /// Throws UserError if what is given does not fit together.
  std::unique_ptr<Problem> make(std::size_t nodes, std::uint64_t seed) const;
};

}  // namespace starling
