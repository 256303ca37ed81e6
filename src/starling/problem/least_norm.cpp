#include "starling/problem/least_norm.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include <Eigen/Dense>

namespace starling {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// How far, relative to the largest squared norm, a point must lie before x to be worth a step.
constexpr double tolerance = 1e-12;

/// Where the least of the values is; the first of equal ones.
Index least_of(const VectorXd& values) {
  return std::min_element(values.data(), values.data() + values.size()) - values.data();
}

/// Some of the points, affinely independent, and the weights of x among them: positive, of sum 1.
/// Wolfe calls it the corral.
struct Corral {
  std::vector<Index> members;
  std::vector<double> weights;
};

/// Wolfe's search: x is the least point of the hull of a few of the points, and comes nearer to the
/// origin with every step.
class Search {
 public:
  /// The points are the columns, and must outlive the search.
  explicit Search(const MatrixXd& points) : points_(points) {
    const VectorXd squares = points.colwise().squaredNorm().transpose();
    slack_ = tolerance * squares.maxCoeff();
    corral_ = {{least_of(squares)}, {1.0}};
    x_ = combination();
  }

  /// The points that the nearest one is made of, and their weights.
  Corral run(std::size_t most_steps) {
    while (most_steps > 0 && improve()) --most_steps;
    return corral_;
  }

 private:
  /// Takes in the point that lies furthest before x, as seen from the origin, and moves x to the
  /// least point of the larger hull. Returns false, x unchanged, where that brings nothing.
  bool improve() {
    const VectorXd along = points_.transpose() * x_;
    const Index furthest = least_of(along);
    const double squared = x_.squaredNorm();
    // x'p >= |x|^2 for all points p is what makes x the nearest.
    if (along[furthest] >= squared - slack_) return false;
    const Corral before = corral_;
    corral_.members.push_back(furthest);
    corral_.weights.push_back(0);
    settle();
    const VectorXd moved = combination();
    // In exact arithmetic it always comes nearer. Rounding must not make the search go round.
    if (!(moved.squaredNorm() < squared)) {
      corral_ = before;
      return false;
    }
    x_ = moved;
    return true;
  }

  /// Moves to the least point of the hull of the members, or of some of them, which are then left.
  void settle() {
    while (one_leaves()) continue;
    std::vector<double>& weights = corral_.weights;
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& weight : weights) weight /= sum;
  }

  /// Moves towards the least point of the plane through the members, as far as the hull goes.
  /// Returns whether it ended before: the member whose weight is then 0 is left behind.
  bool one_leaves() {
    auto& [members, weights] = corral_;
    const std::vector<double> target = plane_weights();
    double reach = 1;
    std::size_t leaving = members.size();
    for (std::size_t k = 0; k < members.size(); ++k) {
      if (target[k] > 0) continue;
      const double until = weights[k] / (weights[k] - target[k]);
      if (!(until < reach)) continue;
      reach = until;
      leaving = k;
    }
    for (std::size_t k = 0; k < members.size(); ++k) weights[k] += reach * (target[k] - weights[k]);
    if (leaving == members.size()) return false;
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(leaving));
    weights.erase(weights.begin() + static_cast<std::ptrdiff_t>(leaving));
    return true;
  }

  /// The weights, of sum 1 and any sign, of the least point of the plane through the members.
  /// Orthogonal elimination stays accurate where members nearly lie in a smaller plane.
  std::vector<double> plane_weights() const {
    const std::vector<Index>& members = corral_.members;
    std::vector<double> weights(members.size(), 1.0);
    if (members.size() == 1) return weights;
    const VectorXd base = points_.col(members[0]);
    MatrixXd differences(points_.rows(), static_cast<Index>(members.size()) - 1);
    for (Index k = 0; k < differences.cols(); ++k)
      differences.col(k) = points_.col(members[static_cast<std::size_t>(k) + 1]) - base;
    const VectorXd shares = differences.colPivHouseholderQr().solve(-base);
    for (std::size_t k = 1; k < weights.size(); ++k) {
      weights[k] = shares[static_cast<Index>(k) - 1];
      weights[0] -= weights[k];
    }
    return weights;
  }

  VectorXd combination() const {
    VectorXd sum = VectorXd::Zero(points_.rows());
    for (std::size_t k = 0; k < corral_.members.size(); ++k)
      sum += corral_.weights[k] * points_.col(corral_.members[k]);
    return sum;
  }

  const MatrixXd& points_;
  double slack_ = 0;
  Corral corral_;
  VectorXd x_;
};

/// The points with no more coordinates than there are points, lengths and angles unchanged: then a
/// step costs the same however long the points are.
MatrixXd shortened(const MatrixXd& points) {
  if (points.rows() <= points.cols()) return points;
  const Eigen::HouseholderQR<MatrixXd> factors(points);
  MatrixXd upper = factors.matrixQR().topRows(points.cols());
  for (Index column = 0; column < upper.cols(); ++column)
    for (Index row = column + 1; row < upper.rows(); ++row) upper(row, column) = 0;
  return upper;
}

}  // namespace

std::vector<double> least_norm_point(std::span<const double> points, std::size_t dimension) {
  assert(dimension > 0 && !points.empty() && points.size() % dimension == 0);
  const std::size_t count = points.size() / dimension;
  const Eigen::Map<const MatrixXd> given(points.data(), static_cast<Index>(dimension),
                                         static_cast<Index>(count));
  std::vector<double> nearest(dimension);
  if (!given.allFinite()) {
    std::ranges::fill(nearest, std::numeric_limits<double>::quiet_NaN());
    return nearest;
  }
  const double largest = given.cwiseAbs().maxCoeff();
  if (largest == 0) return nearest;
  // Divided by the largest, no square overflows or vanishes.
  const MatrixXd short_points = shortened(given / largest);
  const auto [members, weights] = Search(short_points).run(1000 + 10 * (count + dimension));
  for (std::size_t k = 0; k < members.size(); ++k)
    for (std::size_t c = 0; c < dimension; ++c)
      nearest[c] += weights[k] * points[static_cast<std::size_t>(members[k]) * dimension + c];
  return nearest;
}

}  // namespace starling
