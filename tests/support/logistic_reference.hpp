/// The optimum of logistic regression, by a plain solver in double that shares no code with the
/// problem.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "starling/data/libsvm.hpp"

namespace starling {

/// Mean logistic loss and ridge ||x||^2 / 2, in double, with derivatives.
class LogisticReference {
 public:
  LogisticReference(SparseRows rows, double ridge)
      : rows_(std::move(rows)), ridge_(ridge), size_(rows_.features) {}

  /// The objective at x.
  double at(const std::vector<double>& x) const {
    double sum = 0, squares = 0;
    for (std::size_t j = 0; j < rows_.rows(); ++j) {
      const double m = margin(j, x);
      sum += std::log1p(std::exp(-std::abs(m))) + std::max(-m, 0.0);
    }
    for (const double value : x) squares += value * value;
    return sum / static_cast<double>(rows_.rows()) + ridge_ / 2 * squares;
  }

  /// The least value, by Newton's method with halved steps.
  double least() const {
    std::vector<double> x(size_);
    double value = at(x);
    for (int iteration = 0; iteration < 50; ++iteration) {
      const std::vector<double> direction = newton_direction(x);
      double share = 1, next = 0;
      std::vector<double> moved;
      do {
        moved = x;
        for (std::size_t l = 0; l < size_; ++l) moved[l] -= share * direction[l];
        next = at(moved);
        share /= 2;
      } while (next > value && share > 1e-10);
      const double gained = value - next;
      x = moved;
      value = next;
      if (gained < 1e-12) break;
    }
    return value;
  }

 private:
  double margin(std::size_t j, const std::vector<double>& x) const {
    double sum = 0;
    for (std::size_t k = rows_.offsets[j]; k < rows_.offsets[j + 1]; ++k)
      sum += double{rows_.values[k]} * x[rows_.columns[k]];
    return rows_.labels[j] * sum;
  }

  std::vector<double> newton_direction(const std::vector<double>& x) const {
    std::vector<double> slope(size_), curvature(size_ * size_);
    for (std::size_t l = 0; l < size_; ++l) {
      slope[l] = ridge_ * x[l];
      curvature[l * size_ + l] = ridge_;
    }
    const auto count = static_cast<double>(rows_.rows());
    for (std::size_t j = 0; j < rows_.rows(); ++j) {
      const double wrong = 1 / (1 + std::exp(margin(j, x)));
      for (std::size_t k = rows_.offsets[j]; k < rows_.offsets[j + 1]; ++k) {
        const std::size_t row = rows_.columns[k];
        slope[row] -= rows_.labels[j] * wrong * double{rows_.values[k]} / count;
        for (std::size_t m = rows_.offsets[j]; m < rows_.offsets[j + 1]; ++m)
          curvature[row * size_ + rows_.columns[m]] +=
              wrong * (1 - wrong) / count * double{rows_.values[k]} * double{rows_.values[m]};
      }
    }
    return solved(std::move(curvature), std::move(slope));
  }

  /// Gaussian elimination; the matrix is positive definite.
  std::vector<double> solved(std::vector<double> matrix, std::vector<double> right) const {
    for (std::size_t c = 0; c < size_; ++c)
      for (std::size_t r = c + 1; r < size_; ++r) {
        const double factor = matrix[r * size_ + c] / matrix[c * size_ + c];
        for (std::size_t k = c; k < size_; ++k)
          matrix[r * size_ + k] -= factor * matrix[c * size_ + k];
        right[r] -= factor * right[c];
      }
    for (std::size_t r = size_; r-- > 0;) {
      for (std::size_t k = r + 1; k < size_; ++k) right[r] -= matrix[r * size_ + k] * right[k];
      right[r] /= matrix[r * size_ + r];
    }
    return right;
  }

  SparseRows rows_;
  double ridge_;
  std::size_t size_;
};

}  // namespace starling
