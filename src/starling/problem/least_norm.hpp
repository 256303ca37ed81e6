/// The point of a convex hull that is nearest to the origin.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace starling {

/// The point of least Euclidean norm of the convex hull of `points`: at least one point, row by
/// row, `dimension` numbers each. Of subgradients sampled around x it tells, where there is no
/// gradient, how far x is from being stationary: its norm is 0 where 0 is a mean of theirs.
///
/// Wolfe's algorithm (P. Wolfe, "Finding the nearest point in a polytope", Mathematical Programming
/// 11, 1976). Points may be equal or affinely dependent. The squared norm is within 1e-10 of the
/// least one, and the point within 1e-5 of the nearest, both relative to the largest (squared) norm
/// of a point. After 1000 + 10 (number of points + dimension) steps, far more than are ever needed,
/// it gives what it has, a point of the hull all the same. Deterministic: the same points in the
/// same order give the same bits.
///
/// Made for a few hundred points of any dimension, or many points of a low one; takes memory for
/// two copies of the points. Where a number is not finite, none of the result is.
std::vector<double> least_norm_point(std::span<const double> points, std::size_t dimension);

}  // namespace starling
