/// The two ends of a symmetric operator's spectrum, by Lanczos' recurrence.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

#include <Eigen/Dense>

namespace starling {

/// Three vectors and no restarts: without orthogonalising again, eigenvalues inside the spectrum
/// come out several times, but the ends, which are all we ask for, are right. A step costs one
/// product, so a thousand steps with 100,000 nodes take a second or two; restarted methods, which
/// keep and orthogonalise a basis, need minutes where the gap is small.
class Lanczos {
 public:
  using Vector = Eigen::VectorXd;
  using Operator = std::function<void(const Vector& x, Vector& y)>;  ///< y = A x

  struct Ends {
    double low = 0, high = 0;
  };

  Lanczos(Eigen::Index size, Operator apply);

  /// Goes on until `steady(before, now)` holds at two checkpoints in a row, each a quarter further
  /// than the last, or `limit` steps are done. Returns whether the ends are settled.
  template <class Steady>
  bool settle(std::size_t limit, const Steady& steady) {
    int in_a_row = 0;
    advance(20);
    while (!exhausted_ && steps() < limit) {
      const Ends before = ends_;
      advance(std::max<std::size_t>(10, steps() / 4));
      in_a_row = steady(before, ends_) ? in_a_row + 1 : 0;
      if (in_a_row == 2) return true;
    }
    return exhausted_;
  }

  const Ends& ends() const { return ends_; }
  std::size_t steps() const { return alphas_.size(); }

 private:
  void advance(std::size_t steps);

  Operator apply_;
  Vector previous_, current_, next_;
  std::vector<double> alphas_, betas_;
  double scale_ = 0;
  bool exhausted_ = false;  ///< nothing is left outside the vectors met so far
  Ends ends_;
};

}  // namespace starling
