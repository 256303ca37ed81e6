#include "starling/graph/lanczos.hpp"

#include <cmath>
#include <utility>

#include <Eigen/Eigenvalues>

#include "starling/base/random.hpp"

namespace starling {

Lanczos::Lanczos(Eigen::Index size, Operator apply)
    : apply_(std::move(apply)), previous_(Vector::Zero(size)), current_(size), next_(size) {
  Random random(1, Purpose::graph);  // any vector with a part of every eigenvector
  for (Eigen::Index i = 0; i < size; ++i) next_[i] = random.uniform() - 0.5;
  apply_(next_, current_);  // once through the operator: what it takes out is out from the start
  const double norm = current_.norm();
  if (norm > 0)
    current_ /= norm;
  else
    exhausted_ = true;
}

void Lanczos::advance(std::size_t steps) {
  for (; steps > 0 && !exhausted_; --steps) {
    apply_(current_, next_);
    const double alpha = current_.dot(next_);
    next_ -= alpha * current_;
    if (!betas_.empty()) next_ -= betas_.back() * previous_;
    const double beta = next_.norm();
    alphas_.push_back(alpha);
    scale_ = std::max({scale_, std::abs(alpha), beta});
    betas_.push_back(beta);
    exhausted_ = beta <= 1e-13 * scale_;
    if (exhausted_) break;
    previous_.swap(current_);
    current_ = next_ / beta;
  }
  if (alphas_.empty()) return;
  const auto size = static_cast<Eigen::Index>(alphas_.size());
  const Vector diagonal = Eigen::Map<const Vector>(alphas_.data(), size);
  const Vector beside = Eigen::Map<const Vector>(betas_.data(), size - 1);
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(diagonal, beside, Eigen::EigenvaluesOnly);
  ends_ = {solver.eigenvalues().minCoeff(), solver.eigenvalues().maxCoeff()};
}

}  // namespace starling
