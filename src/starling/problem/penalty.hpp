/// L2 and L1 penalties on any problem.
#pragma once

#include <memory>

#include "starling/base/range.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// The penalties that every problem can have.
struct Penalties {
  double l2 = 0, l1 = 0;

  static void options(auto& self, auto&& option) {
    option("l2", self.l2, between(0, 1e30), "weight of ||x||^2 / 2, added to every f_i");
    option("l1", self.l1, between(0, 1e30), "weight of ||x||_1, added to every f_i");
  }
};

/// The problem with (l2/2) ||x||^2 + l1 ||x||_1 added to every f_i, and so to the losses of
/// minibatches; the problem itself where both weights are 0. With a penalty the optimum is not
/// known any more.
///
/// A subgradient of f_i gets l2 x added first and l1 sign(x) then, coordinate by coordinate and in
/// float: the order of Kungurtsev, Egan, Chatterjee & Alistarh, arXiv 1905.11845, experiments. Of
/// the subgradients of |x| at 0 it takes sign(0) = 0.
std::unique_ptr<Problem> with_penalties(std::unique_ptr<Problem> problem, double l2, double l1);

}  // namespace starling
