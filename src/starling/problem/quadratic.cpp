#include "starling/problem/quadratic.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <Eigen/Eigenvalues>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"

namespace starling {
namespace {

class QuadraticProblem final : public Problem {
 public:
  QuadraticProblem(const Quadratic& options, std::size_t nodes, std::uint64_t seed)
      : given_(options), nodes_(nodes), seed_(seed) {}

  std::size_t nodes() const override { return nodes_; }
  std::size_t dimension() const override { return static_cast<std::size_t>(given_.dimension); }
  void start(std::span<float> x) const override {
    std::ranges::fill(x, 0.0f);
    std::ranges::transform(given_.start, x.begin(),
                           [](double value) { return static_cast<float>(value); });
  }
  std::unique_ptr<Oracle> oracle() override;
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override {
    return fmt::format("quadratic, dimension {}, {} centers, {} curvatures", dimension(),
                       given_.centers.empty() ? "random" : "given",
                       given_.curvatures.empty() && given_.matrices.empty() ? "random" : "given");
  }

  std::optional<Optimum> optimum() const override;
  Constants constants() const override;

  const Quadratic& given() const { return given_; }
  bool is_diagonal() const { return !given_.rotated && given_.matrices.empty(); }
  std::uint64_t seed() const { return seed_; }

 private:
  Quadratic given_;
  std::size_t nodes_;
  std::uint64_t seed_;
};

class QuadraticOracle final : public Oracle {
 public:
  explicit QuadraticOracle(const QuadraticProblem& problem)
      : problem_(problem),
        given_(problem.given()),
        difference_(problem.dimension()),
        center_(problem.dimension()),
        curvature_(problem.dimension()),
        axis_(given_.rotated ? problem.dimension() : 0) {}

  float subgradient(Node node, Round round, std::span<const float> x, std::span<float> g) override {
    return partial_subgradient(node, round, x, {0, g.size()}, g);
  }
  float partial_subgradient(Node node, Round, std::span<const float> x, Part part,
                            std::span<float> g) override {
    return static_cast<float>(evaluate(node, x, part, g));
  }
  double objective(Node node, std::span<const float> x, std::span<float> g) override {
    return evaluate(node, x, {0, g.size()}, g);
  }
  std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }

  /// Adds A_i to `matrix`, row by row (only its diagonal where all A_i are diagonal), and A_i a_i
  /// to `right`.
  void add_equations(Node node, std::vector<double>& matrix, std::vector<double>& right) {
    draw(node);
    const std::size_t n = difference_.size();
    std::vector<double> product(n);
    if (problem_.is_diagonal()) {
      for (std::size_t k = 0; k < n; ++k) matrix[k] += curvature_[k];
    } else {
      for (std::size_t r = 0; r < n; ++r) {
        std::ranges::fill(difference_, 0.0);
        difference_[r] = 1;
        multiply_by_curvature(node, product);
        for (std::size_t c = 0; c < n; ++c) matrix[r * n + c] += product[c];
      }
    }
    difference_ = center_;
    multiply_by_curvature(node, product);
    for (std::size_t k = 0; k < n; ++k) right[k] += product[k];
  }

 private:
  /// The loss takes all of the slope, so a part costs little less than everything.
  double evaluate(Node node, std::span<const float> x, Part part, std::span<float> g) {
    draw(node);
    for (std::size_t k = 0; k < x.size(); ++k) difference_[k] = x[k] - center_[k];
    std::vector<double>& slope = center_;  // not needed any more
    multiply_by_curvature(node, slope);
    double loss = 0;
    for (std::size_t k = 0; k < x.size(); ++k) loss += 0.5 * difference_[k] * slope[k];
    for (std::size_t k = part.first; k < part.first + part.count; ++k)
      g[k] = static_cast<float>(slope[k]);
    return loss;
  }

  /// The losses of a node: one stream gives center, then curvature, then axis.
  void draw(Node node) {
    Random random(problem_.seed(), Purpose::problem, node);
    const auto fill = [&](std::vector<double>& values, double low, double high) {
      for (double& value : values) value = low + (high - low) * (random() * 0x1p-32);
    };
    if (given_.centers.empty())
      fill(center_, -given_.spread, given_.spread);
    else
      std::ranges::copy(given_.centers[node], center_.begin());
    if (!given_.curvatures.empty())
      std::ranges::copy(given_.curvatures[node], curvature_.begin());
    else if (given_.matrices.empty())
      fill(curvature_, given_.curvature_min, given_.curvature_max);
    if (given_.rotated)
      for (double& value : axis_) value = random.normal();
  }

  /// slope = A_i difference, once a node is drawn.
  void multiply_by_curvature(Node node, std::vector<double>& slope) {
    if (!given_.matrices.empty())
      multiply(given_.matrices[node], slope);
    else
      apply_curvature(slope);
  }

  /// slope = A difference with A = H D H, H = I - 2 vv'/v'v the reflection along `axis_`.
  void apply_curvature(std::vector<double>& slope) {
    slope = difference_;
    reflect(slope);
    for (std::size_t k = 0; k < slope.size(); ++k) slope[k] *= curvature_[k];
    reflect(slope);
  }

  void reflect(std::vector<double>& vector) const {
    double along = 0, length = 0;
    for (std::size_t k = 0; k < axis_.size(); ++k) {
      along += axis_[k] * vector[k];
      length += axis_[k] * axis_[k];
    }
    for (std::size_t k = 0; k < axis_.size(); ++k) vector[k] -= 2 * along / length * axis_[k];
  }

  void multiply(const std::vector<double>& matrix, std::vector<double>& product) const {
    const std::size_t n = difference_.size();
    for (std::size_t r = 0; r < n; ++r) {
      product[r] = 0;
      for (std::size_t c = 0; c < n; ++c) product[r] += matrix[r * n + c] * difference_[c];
    }
  }

  const QuadraticProblem& problem_;
  const Quadratic& given_;
  std::vector<double> difference_, center_, curvature_, axis_;
};

std::unique_ptr<Oracle> QuadraticProblem::oracle() {
  return std::make_unique<QuadraticOracle>(*this);
}

/// Solves diagonal x = right, in `right`; a coordinate that no loss depends on is 0. False where
/// there is no least point.
bool solve_diagonal(const std::vector<double>& diagonal, std::vector<double>& right) {
  for (std::size_t k = 0; k < right.size(); ++k) {
    if (diagonal[k] == 0 && right[k] == 0) continue;
    if (!(diagonal[k] > 0)) return false;
    right[k] /= diagonal[k];
  }
  return true;
}

/// Solves matrix x = right, in `right`, by Cholesky's method. False where the matrix is not clearly
/// positive definite.
bool solve_definite(std::vector<double>& matrix, std::vector<double>& right) {
  const std::size_t n = right.size();
  const auto at = [&](std::size_t r, std::size_t c) -> double& { return matrix[r * n + c]; };
  for (std::size_t c = 0; c < n; ++c) {
    const double before = at(c, c);
    for (std::size_t k = 0; k < c; ++k) at(c, c) -= at(c, k) * at(c, k);
    if (!(at(c, c) > 1e-10 * before) || !(before > 0)) return false;
    at(c, c) = std::sqrt(at(c, c));
    for (std::size_t r = c + 1; r < n; ++r) {
      for (std::size_t k = 0; k < c; ++k) at(r, c) -= at(r, k) * at(c, k);
      at(r, c) /= at(c, c);
    }
  }
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t k = 0; k < r; ++k) right[r] -= at(r, k) * right[k];
    right[r] /= at(r, r);
  }
  for (std::size_t r = n; r-- > 0;) {
    for (std::size_t k = r + 1; k < n; ++k) right[r] -= at(k, r) * right[k];
    right[r] /= at(r, r);
  }
  return true;
}

/// The solution of mean(A_i) x = mean(A_i a_i), up to the rounding of x to float.
std::optional<Optimum> QuadraticProblem::optimum() const {
  constexpr std::size_t largest_full = 256;  // beyond it full matrices cost too much
  const std::size_t n = dimension();
  if (!is_diagonal() && n > largest_full) return std::nullopt;
  QuadraticOracle losses(*this);
  std::vector<double> matrix(is_diagonal() ? n : n * n), solution(n);
  for (Node i = 0; i < nodes_; ++i) losses.add_equations(i, matrix, solution);
  const bool solved =
      is_diagonal() ? solve_diagonal(matrix, solution) : solve_definite(matrix, solution);
  if (!solved) return std::nullopt;
  Optimum known;
  for (const double value : solution) known.x.push_back(static_cast<float>(value));
  for (Node i = 0; i < nodes_; ++i) known.objective += losses.objective(i, known.x, {});
  known.objective /= static_cast<double>(nodes_);
  return known;
}

/// The largest modulus of an eigenvalue of a symmetric n x n matrix.
double spectral_radius(const std::vector<double>& matrix, std::size_t n) {
  const auto size = static_cast<Eigen::Index>(n);
  const Eigen::Map<const Eigen::MatrixXd> symmetric(matrix.data(), size, size);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric, Eigen::EigenvaluesOnly);
  return solver.eigenvalues().cwiseAbs().maxCoeff();
}

/// The least L where the A_i are given; no eigenvalue of random ones is above curvature_max.
Constants QuadraticProblem::constants() const {
  double largest = 0;
  for (const std::vector<double>& diagonal : given_.curvatures)
    for (const double value : diagonal) largest = std::max(largest, std::abs(value));
  for (const std::vector<double>& matrix : given_.matrices)
    largest = std::max(largest, spectral_radius(matrix, dimension()));
  const bool random = given_.curvatures.empty() && given_.matrices.empty();
  return {.smoothness = random ? given_.curvature_max : largest};
}

void check_rows(const char* name, const std::vector<std::vector<double>>& rows, std::size_t nodes,
                std::size_t length) {
  if (rows.empty()) return;
  if (rows.size() != nodes)
    throw UserError{fmt::format("problem.{}: {} lists for {} nodes: must be one a node", name,
                                rows.size(), nodes)};
  for (std::size_t i = 0; i < nodes; ++i)
    if (rows[i].size() != length)
      throw UserError{fmt::format("problem.{}: list {} has {} numbers: dimension asks for {}", name,
                                  i, rows[i].size(), length)};
}

}  // namespace

std::unique_ptr<Problem> Quadratic::make(std::size_t nodes, std::uint64_t seed) const {
  const auto d = static_cast<std::size_t>(dimension);
  check_rows("centers", centers, nodes, d);
  check_rows("curvatures", curvatures, nodes, d);
  check_rows("matrices", matrices, nodes, d * d);
  if (!matrices.empty() && !curvatures.empty())
    throw UserError{"problem.matrices and problem.curvatures: give one of the two"};
  if (rotated && !(matrices.empty() && curvatures.empty()))
    throw UserError{"problem.rotated: only for random A_i, here they are given"};
  for (const auto& matrix : matrices)
    for (std::size_t r = 0; r < d; ++r)
      for (std::size_t c = 0; c < r; ++c)
        if (std::abs(matrix[r * d + c] - matrix[c * d + r]) > 1e-12)
          throw UserError{"problem.matrices: every A_i must be symmetric"};
  if (curvature_min > curvature_max)
    throw UserError{fmt::format("problem.curvature_min = {}: must be <= curvature_max = {}",
                                curvature_min, curvature_max)};
  if (!start.empty() && start.size() != d)
    throw UserError{fmt::format("problem.start: {} numbers, dimension is {}", start.size(), d)};
  return std::make_unique<QuadraticProblem>(*this, nodes, seed);
}

}  // namespace starling
