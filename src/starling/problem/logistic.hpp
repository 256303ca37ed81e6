/// Binary logistic regression on sparse rows, with a regulariser of its own on every node.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// f_i(x) = (1/n_i) sum_j log(1 + exp(-b_j <a_j, x>)) + r_i(x)
///
/// with the regulariser of Bo & Wang, arXiv 2601.03566, section V-A, whose weights may differ from
/// node to node (one number for all, or one a node):
///
///     r_i(x) = l4_i sum_l x_l^4 + norm4_i ||x||^4 / 4 + ratio_i sum_l x_l^2 / (1 + x_l^2)
///
/// l4 and norm4 grow faster than any smooth loss; ratio is the nonconvex one.
struct Logistic {
  std::string path, test;
  std::int64_t features = 0, batch = 32;
  std::string sampling = "reshuffle";
  std::vector<double> l4, norm4, ratio, start{0.0};
  PartitionRule partition;

  static void options(auto& self, auto&& option) {
    option("path", self.path, Words{}, "LIBSVM file, plain or gzip");
    option("test", self.test, Words{}, "LIBSVM file to measure the accuracy on");
    option("features", self.features, between(0, 1e9),
           "length of x; 0: the largest index in the file");
    option("batch", self.batch, between(1, 1e9), "samples a node and round");
    option("sampling", self.sampling, Words{"reshuffle", "replacement"},
           "a new order every epoch, or drawn with replacement");
    option("l4", self.l4, not_negative, "weight of sum x^4, one for all or one a node");
    option("norm4", self.norm4, not_negative, "weight of ||x||^4 / 4, one for all or one a node");
    option("ratio", self.ratio, not_negative,
           "weight of sum x^2 / (1 + x^2), one for all or one a node");
    option("start", self.start, any_number, "x before the first round: one number, or all of them");
  }

  /// Reads the files. Throws UserError if they, or the options, do not fit together.
  std::unique_ptr<Problem> make(std::size_t nodes, std::uint64_t seed) const;
};

}  // namespace starling
