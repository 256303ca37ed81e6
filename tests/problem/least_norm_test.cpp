/// The least point of a convex hull against closed forms, planted answers and slow searches.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/base/types.hpp"
#include "starling/problem/least_norm.hpp"

namespace starling {
namespace {

using Vector = std::vector<double>;
using Points = std::vector<Vector>;

Vector least_of(const Points& points) {
  Vector rows;
  for (const Vector& point : points) rows.insert(rows.end(), point.begin(), point.end());
  return least_norm_point(rows, points[0].size());
}

double product(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

/// low + share (high - low)
Vector between_points(const Vector& low, const Vector& high, double share) {
  Vector point = low;
  for (std::size_t k = 0; k < low.size(); ++k) point[k] += share * (high[k] - low[k]);
  return point;
}

Vector minus(const Vector& a, const Vector& b) {
  Vector difference = a;
  for (std::size_t k = 0; k < a.size(); ++k) difference[k] -= b[k];
  return difference;
}

double norm(const Vector& point) { return std::sqrt(product(point, point)); }

double largest_norm(const Points& points) {
  double largest = 0;
  for (const Vector& point : points) largest = std::max(largest, norm(point));
  return largest;
}

void expect_least(const Points& points, const Vector& expected, double tolerance = 1e-12) {
  const Vector found = least_of(points);
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_LE(norm(minus(found, expected)), tolerance);
}

TEST(LeastNorm, OfOnePointIsThatPoint) {
  expect_least({{3, -4}}, {3, -4});
  expect_least({{-7}}, {-7});
  expect_least({{0, 0, 0}}, {0, 0, 0});
}

TEST(LeastNorm, OfASegmentIsItsFootOrItsNearerEnd) {
  expect_least({{-1, 1}, {3, 1}}, {0, 1});
  expect_least({{2, 0}, {0, 1}}, {0.4, 0.8});
  expect_least({{1, 1}, {2, 3}}, {1, 1});
  expect_least({{2, 3}, {1, 1}}, {1, 1});
  expect_least({{-2, 4}, {1, -2}}, {0, 0});
}

TEST(LeastNorm, OfATriangleAroundTheOriginIsZero) {
  expect_least({{-1, -1}, {2, -1}, {0, 3}}, {0, 0});
  expect_least({{-1, 0}, {1, 0}, {0, 5}}, {0, 0});  // on an edge
  expect_least({{0, 0}, {1, 7}, {-3, 5}}, {0, 0});  // a corner
}

TEST(LeastNorm, OfATriangleBesideTheOriginLiesOnItsBorder) {
  expect_least({{-1, 2}, {1, 2}, {0, 5}}, {0, 2});
  expect_least({{1, 2}, {3, 2}, {0, 5}}, {1, 2});
  // The corner of least norm, (0, 2.1), has weight 0 in the answer: it has to leave again.
  expect_least({{0, 2.1}, {-10, 0.1}, {10, 0.1}}, {0, 0.1});
}

/// s_1 e_1 ... s_n e_n at places apart: coordinate i is (1/s_i) / sum_j 1/s_j^2.
void expect_simplex(const Vector& scales, std::size_t apart) {
  Points points(scales.size(), Vector(scales.size() * apart, 0.0));
  Vector expected(scales.size() * apart, 0.0);
  double total = 0;
  for (const double scale : scales) total += 1 / (scale * scale);
  for (std::size_t i = 0; i < scales.size(); ++i) {
    points[i][i * apart] = scales[i];
    expected[i * apart] = 1 / scales[i] / total;
  }
  expect_least(points, expected);
}

TEST(LeastNorm, OfASimplexIsInItsInside) {
  expect_simplex({1, 1, 1}, 1);
  expect_simplex({1, 2, 3, 4, 5}, 1);
  expect_simplex(Vector(40, 1.0), 1);
}

TEST(LeastNorm, OfAFewLongPoints) {
  expect_simplex({1, -2, 3, 0.5, 1.5, -1}, 2000);
  expect_simplex(Vector(30, 1.0), 100);
}

TEST(LeastNorm, IsNotConfusedByEqualPoints) {
  expect_least(Points(20, Vector{3, -4}), {3, -4});
  expect_least(Points(20, Vector{0, 0}), {0, 0});
  expect_least({{-1, 1}, {3, 1}, {-1, 1}, {3, 1}, {3, 1}, {-1, 1}}, {0, 1});
}

TEST(LeastNorm, IsNotConfusedByPointsOnALine) {
  Points level, through, beside;
  for (int k = -3; k <= 5; ++k) {
    level.push_back({k + 0.5, 1});
    through.push_back({k + 0.5, 2 * k + 1.0});
    beside.push_back({k + 4.0, 2.0 * k + 8, -1});
  }
  expect_least(level, {0, 1});
  expect_least(through, {0, 0});
  expect_least(beside, {1, 2, -1});  // k = -3 is the nearest
}

TEST(LeastNorm, OfManyPointsOnACircle) {
  Points circle{{2.4, 3.2}};  // nearest of the circle around (3, 4) of radius 1
  Random random(1, Purpose::start);
  for (int k = 0; k < 20'000; ++k) {
    const double angle = 2 * std::numbers::pi * random.uniform();
    circle.push_back({3 + std::cos(angle), 4 + std::sin(angle)});
  }
  std::swap(circle.front(), circle[12'345]);
  expect_least(circle, {2.4, 3.2}, 1e-5);
  for (Vector& point : circle) point = {point[0] - 2.9, point[1] - 4.1};
  expect_least(circle, {0, 0}, 1e-5);
}

TEST(LeastNorm, ScalesWithThePoints) {
  Random random(2, Purpose::start);
  Points points(12, Vector(5));
  for (Vector& point : points)
    for (double& value : point) value = 1 + random.normal();
  const Vector least = least_of(points);
  for (const int exponent : {-700, -300, 300, 900}) {  // squares would vanish or overflow
    Points scaled = points;
    for (Vector& point : scaled)
      for (double& value : point) value = std::ldexp(value, exponent);
    const Vector found = least_of(scaled);
    for (std::size_t k = 0; k < 5; ++k) EXPECT_EQ(found[k], std::ldexp(least[k], exponent));
  }
}

TEST(LeastNorm, OfPointsThatAreNotFiniteIsNotANumber) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const double value : least_of({{1, 2}, {bad, 0}, {3, 4}})) EXPECT_TRUE(std::isnan(value));
}

/// Kinds of random points that are hard in different ways.
enum class Cloud { plain, shifted, far, doubled, nearly_doubled, flat, grid, uneven };
constexpr std::array clouds{Cloud::plain,          Cloud::shifted, Cloud::far,  Cloud::doubled,
                            Cloud::nearly_doubled, Cloud::flat,    Cloud::grid, Cloud::uneven};

void append_copies(Points& points, double noise, Random& random) {
  for (std::size_t i = 0, count = points.size(); i < count; ++i) {
    Vector copy = points[i];
    for (double& value : copy) value += noise * random.normal();
    points.push_back(copy);
  }
}

/// Replaces the points by combinations of two vectors: all in one plane.
void flatten(Points& points, Random& random) {
  Vector first(points[0].size()), second(points[0].size());
  for (double& value : first) value = random.normal();
  for (double& value : second) value = random.normal();
  for (Vector& point : points) {
    const double a = point.front(), b = point.back();
    for (std::size_t k = 0; k < point.size(); ++k) point[k] = a * first[k] + b * second[k];
  }
}

Points random_points(Cloud cloud, std::size_t count, std::size_t dimension, Random& random) {
  const double shift = cloud == Cloud::plain ? 0 : cloud == Cloud::far ? 100 : 0.7;
  Points points(count, Vector(dimension));
  for (Vector& point : points)
    for (double& value : point) value = shift + random.normal();
  if (cloud == Cloud::doubled) append_copies(points, 0, random);
  if (cloud == Cloud::nearly_doubled) append_copies(points, 1e-9, random);
  if (cloud == Cloud::flat) flatten(points, random);
  for (Vector& point : points) {
    const double scale = std::pow(10.0, static_cast<double>(random.below(7)) - 3);
    for (double& value : point) {
      if (cloud == Cloud::grid) value = std::round(value);
      if (cloud == Cloud::uneven) value *= scale;
    }
  }
  return points;
}

/// A point of the hull, and a bound of the square of its distance from the least one.
struct Approximation {
  Vector x;
  double bound;
};

/// Frank and Wolfe's method: at each step straight towards the point furthest before x. Of its
/// iterates, the one that is provably nearest to the answer.
Approximation frank_wolfe(const Points& points, int steps) {
  Vector x = points[0];
  Approximation best{x, std::numeric_limits<double>::infinity()};
  for (int k = 0; k < steps; ++k) {
    const Vector& furthest = *std::ranges::min_element(
        points, [&](const Vector& a, const Vector& b) { return product(x, a) < product(x, b); });
    const Vector way = minus(x, furthest);
    // |x - x*|^2 <= <x, x - x*>, as <x*, x - x*> >= 0, and x* is a mean of the points.
    const double bound = product(x, way), length = product(way, way);
    if (bound < best.bound) best = {x, bound};
    if (bound <= 0 || length == 0) break;
    x = between_points(x, furthest, std::min(1.0, bound / length));
  }
  return best;
}

TEST(LeastNorm, MeetsTheConditionOfOptimalityAndLiesInTheHull) {
  std::uint64_t seed = 0;
  for (const Cloud cloud : clouds)
    for (const std::size_t dimension : {2, 3, 8, 30})
      for (const std::size_t count : {2, 7, 25}) {
        Random random(++seed, Purpose::start);
        const Points points = random_points(cloud, count, dimension, random);
        const double largest = largest_norm(points), square = largest * largest;
        const Vector x = least_of(points);
        const std::string which = "seed " + std::to_string(seed);
        for (const Vector& point : points)
          EXPECT_GE(product(x, point), product(x, x) - 1e-10 * square) << which;
        // This alone would also let 0 pass: x must not be nearer than the hull.
        const Approximation slow = frank_wolfe(points, 3000);
        EXPECT_LT(slow.bound, 0.01 * square) << which;
        EXPECT_LE(norm(minus(x, slow.x)), std::sqrt(std::max(slow.bound, 0.0)) + 1e-5 * largest)
            << which;
      }
}

/// Exhaustive in the plane: 0 if some triangle holds it, otherwise the least of all segments.
double least_norm_in_plane(const Points& points) {
  const auto cross = [](const Vector& a, const Vector& b) { return a[0] * b[1] - a[1] * b[0]; };
  double least = std::numeric_limits<double>::infinity();
  for (const Vector& a : points)
    for (const Vector& b : points) {
      const Vector way = minus(b, a);
      const double length = product(way, way);
      const double share = length > 0 ? std::clamp(-product(a, way) / length, 0.0, 1.0) : 0;
      const Vector foot = between_points(a, b, share);
      least = std::min(least, norm(foot));
      for (const Vector& c : points)
        if (cross(a, b) > 0 && cross(b, c) > 0 && cross(c, a) > 0) return 0;
    }
  return least;
}

TEST(LeastNorm, EqualsExhaustiveSearchInThePlane) {
  int inside = 0, outside = 0;
  for (const Cloud cloud : clouds)
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      Random random(seed, Purpose::start, static_cast<Node>(cloud));
      const Points points = random_points(cloud, 1 + random.below(9), 2, random);
      const Vector x = least_of(points);
      const double expected = least_norm_in_plane(points);
      EXPECT_NEAR(norm(x), expected, 1e-5 * largest_norm(points)) << "seed " << seed;
      ++(expected == 0 ? inside : outside);
    }
  EXPECT_GT(inside, 20);
  EXPECT_GT(outside, 20);
}

/// Makes `point` orthogonal to `direction`, which has length 1.
void remove_part(Vector& point, const Vector& direction) {
  const double along = product(point, direction);
  for (std::size_t k = 0; k < point.size(); ++k) point[k] -= along * direction[k];
}

TEST(LeastNorm, FindsAPlantedPoint) {
  // On the plane u'p = height: a simplex around height u, given by vectors of sum 0; and other
  // points behind the plane. So height u is the least point, whatever else there is.
  for (const std::size_t dimension : {2, 5, 12, 700})
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      Random random(seed, Purpose::start);
      const auto draw = [&] {
        Vector vector(dimension);
        for (double& value : vector) value = random.normal();
        return vector;
      };
      Vector u = draw();
      const double length = norm(u);
      for (double& value : u) value /= length;
      const double height = 0.01 + random.uniform();
      Points points;
      Vector rest(dimension, 0.0);
      const auto add = [&](const Vector& across, double along) {
        Vector& point = points.emplace_back(across);
        for (std::size_t k = 0; k < dimension; ++k) point[k] += along * u[k];
      };
      for (int k = 0; k < 4; ++k) {
        Vector across = draw();
        remove_part(across, u);
        rest = minus(rest, across);
        add(across, height);
        add(draw(), height + 8);
      }
      add(rest, height);
      for (double& value : u) value *= height;
      expect_least(points, u, 1e-5 * largest_norm(points));
    }
}

TEST(LeastNorm, GivesTheSameBitsAgainAndNearlyTheSameInAnotherOrder) {
  for (const Cloud cloud : clouds) {
    Random random(5, Purpose::start, static_cast<Node>(cloud));
    Points points = random_points(cloud, 20, 6, random);
    const Vector least = least_of(points);
    EXPECT_EQ(least_of(points), least);
    random.shuffle(std::span(points));
    expect_least(points, least, 2e-5 * largest_norm(points));
  }
}

}  // namespace
}  // namespace starling
