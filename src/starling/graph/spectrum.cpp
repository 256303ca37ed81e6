#include "starling/graph/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <exception>
#include <limits>
#include <numbers>
#include <optional>
#include <vector>

#include <Spectra/GenEigsRealShiftSolver.h>
#include <Spectra/GenEigsSolver.h>
#include <Spectra/MatOp/SparseGenRealShiftSolve.h>
#include <Eigen/Dense>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>

#include "starling/base/random.hpp"
#include "starling/graph/checks.hpp"
#include "starling/graph/lanczos.hpp"
#include "starling/graph/reversible.hpp"

namespace starling {
namespace {

using Eigen::Index;
using Eigen::VectorXd;
using ByRows = Eigen::SparseMatrix<double, Eigen::RowMajor>;
using ByColumns = Eigen::SparseMatrix<double>;

constexpr Index dense_symmetric = 500, dense_general = 300;  // below, all eigenvalues are cheap

ByRows to_eigen(const SparseMatrix& matrix) {
  const auto nodes = static_cast<Index>(matrix.rows());
  std::vector<Eigen::Triplet<double>> entries;
  entries.reserve(matrix.values.size());
  for (std::size_t i = 0; i < matrix.rows(); ++i)
    for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k)
      entries.emplace_back(static_cast<int>(i), static_cast<int>(matrix.columns[k]),
                           matrix.values[k]);
  ByRows result(nodes, nodes);
  result.setFromTriplets(entries.begin(), entries.end());
  return result;
}

VectorXd to_eigen(const std::vector<double>& values) {
  return Eigen::Map<const VectorXd>(values.data(), static_cast<Index>(values.size()));
}

/// A symmetric factorisation that tells its cost before it is paid.
class Factor : public Eigen::SimplicialLDLT<ByColumns> {
 public:
  /// Factorises if that is affordable; about 5e9 operations take some seconds.
  bool try_factorise(const ByColumns& matrix) {
    analyzePattern(matrix);
    double cost = 0;
    for (Index i = 0; i < m_nonZerosPerCol.size(); ++i)
      cost += static_cast<double>(m_nonZerosPerCol[i]) * m_nonZerosPerCol[i];
    if (cost > 5e9) return false;
    factorize(matrix);
    return info() == Eigen::Success;
  }
};

/// The largest eigenvalue of an operator that is the inverse of something.
std::optional<double> largest(Index size, const Lanczos::Operator& inverse) {
  Lanczos lanczos(size, inverse);
  const bool settled =
      lanczos.settle(300, [](const Lanczos::Ends& before, const Lanczos::Ends& now) {
        return std::abs(now.high - before.high) <= 1e-6 * now.high;
      });
  if (!settled || !(lanczos.ends().high > 0)) return std::nullopt;
  return lanczos.ends().high;
}

/// The smallest eigenvalue of I - S but for the 0 of its unit eigenvector s > 0. With D = diag(s),
/// D (I - S) D is the Laplacian of a weighted graph: it is solved with one node held at 0, which is
/// exact on vectors of sum 0 and needs no shift. Gaps of 1e-9 keep six digits that way; the sums of
/// a Laplacian's rows are 0 by construction, whatever was rounded.
std::optional<double> gap_below_one(const ByRows& symmetric, const VectorXd& s) {
  const Index held = symmetric.rows() - 1;
  std::vector<Eigen::Triplet<double>> entries;
  VectorXd diagonal = VectorXd::Zero(held + 1);
  for (Index i = 0; i <= held; ++i)
    for (ByRows::InnerIterator at(symmetric, i); at; ++at) {
      if (at.col() == i) continue;
      const double flow = s[i] * at.value() * s[at.col()];
      diagonal[i] += flow;
      if (i != held && at.col() != held)
        entries.emplace_back(static_cast<int>(i), static_cast<int>(at.col()), -flow);
    }
  for (Index i = 0; i < held; ++i)
    entries.emplace_back(static_cast<int>(i), static_cast<int>(i), diagonal[i]);
  ByColumns laplacian(held, held);
  laplacian.setFromTriplets(entries.begin(), entries.end());
  Factor factor;
  if (!factor.try_factorise(laplacian)) return std::nullopt;
  const auto inverse = [&](const VectorXd& x, VectorXd& y) {
    const VectorXd right = s.cwiseProduct(x - s * s.dot(x)).head(held);
    const VectorXd solved = factor.solve(right);
    y.resize(held + 1);
    y.head(held) = s.head(held).cwiseProduct(solved);
    y[held] = 0;
    y -= s * s.dot(y);
  };
  const auto top = largest(held + 1, inverse);
  return top ? std::optional(1 / *top) : std::nullopt;
}

/// The smallest eigenvalue of I + S, 0 where it is singular.
std::optional<double> gap_above_minus_one(const ByRows& symmetric) {
  ByColumns sum(symmetric.rows(), symmetric.cols());
  sum.setIdentity();
  sum += ByColumns(symmetric);
  Factor factor;
  if (!factor.try_factorise(sum))
    return factor.info() == Eigen::NumericalIssue ? std::optional(0.0) : std::nullopt;
  const auto inverse = [&](const VectorXd& x, VectorXd& y) { y = factor.solve(x); };
  const auto top = largest(sum.rows(), inverse);
  return top ? std::optional(1 / *top) : std::nullopt;
}

/// The second modulus of a symmetric matrix with eigenvalue 1 at the unit vector s.
Spectrum symmetric_spectrum(const ByRows& symmetric, const VectorXd& s) {
  if (symmetric.rows() <= dense_symmetric) {
    const Eigen::MatrixXd rest = Eigen::MatrixXd(symmetric) - s * s.transpose();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(rest, Eigen::EigenvaluesOnly);
    return {solver.eigenvalues().cwiseAbs().maxCoeff(), true};
  }
  Lanczos lanczos(symmetric.rows(), [&](const VectorXd& x, VectorXd& y) {
    y.noalias() = symmetric * x;
    y -= s * s.dot(y);
  });
  const auto second = [](const Lanczos::Ends& ends) { return std::max(ends.high, -ends.low); };
  const auto steady = [&](const Lanczos::Ends& before, const Lanczos::Ends& now) {
    const double change =
        std::max(std::abs(now.high - before.high), std::abs(now.low - before.low));
    return change <= std::max(1e-5 * (1 - second(now)), 1e-14);
  };
  if (lanczos.settle(600, steady)) return {second(lanczos.ends()), true};
  // Such a small gap comes from a long, thin graph (a ring, a torus), whose factors are sparse too.
  // On well connected graphs factors fill up, but there Lanczos only needs more steps.
  if (1 - second(lanczos.ends()) < 1e-3) {
    const auto upper = gap_below_one(symmetric, s);
    // 600 steps place an end to about 1e-5 of the spectrum's width: an end that far from -1 is no
    // rival, however densely the eigenvalues lie there.
    std::optional<double> lower = 1 + lanczos.ends().low;
    if (*lower < 1e-2) lower = gap_above_minus_one(symmetric);
    if (upper && lower) return {1 - std::min(*upper, *lower), true};
  }
  const bool settled = lanczos.settle(5000, steady);
  return {second(lanczos.ends()), settled};
}

/// x -> M x - v (u'x) / N, in the form that Spectra asks for.
struct Deflated {
  using Scalar = double;
  const ByRows& matrix;
  const VectorXd &left, &right;

  Index rows() const { return matrix.rows(); }
  Index cols() const { return matrix.cols(); }
  void perform_op(const double* x_in, double* y_out) const {
    const Eigen::Map<const VectorXd> x(x_in, rows());
    Eigen::Map<VectorXd> y(y_out, rows());
    y = matrix * x;
    y -= right * (left.dot(x) / static_cast<double>(rows()));
  }
};

/// The growth of a vector under many products: Gelfand's formula, cut off.
double growth_rate(const Deflated& deflated) {
  constexpr int half = 500;
  Random random(2, Purpose::graph);
  VectorXd x(deflated.rows()), y(deflated.rows());
  for (Index i = 0; i < x.size(); ++i) x[i] = random.uniform() - 0.5;
  double logarithm = 0;
  for (int k = 0; k < 2 * half; ++k) {
    deflated.perform_op(x.data(), y.data());
    const double norm = y.norm();
    if (norm == 0) return 0;
    if (k >= half) logarithm += std::log(norm);
    x = y / norm;
  }
  return std::exp(logarithm / half);
}

/// The eigenvalues nearest to 1 by shift-and-invert, the Perron value left out.
std::optional<double> second_near_one(const ByRows& matrix) {
  const ByColumns columns(matrix);
  Spectra::SparseGenRealShiftSolve<double> shifted(columns);
  Spectra::GenEigsRealShiftSolver<Spectra::SparseGenRealShiftSolve<double>> solver(
      shifted, 3, 30, 1 + 1e-7);  // a shift beside 1, where the matrix is singular
  solver.init();
  solver.compute(Spectra::SortRule::LargestMagn, 50, 1e-9);
  if (solver.info() != Spectra::CompInfo::Successful) return std::nullopt;
  const Eigen::VectorXcd values = solver.eigenvalues();
  Index perron = 0;
  (values.array() - std::complex<double>(1)).abs().minCoeff(&perron);
  double second = 0;
  for (Index i = 0; i < values.size(); ++i)
    if (i != perron) second = std::max(second, std::abs(values[i]));
  return second;
}

/// The second modulus of a matrix that no scaling makes symmetric.
Spectrum general_spectrum(const ByRows& matrix, const VectorXd& left, const VectorXd& right) {
  const Deflated deflated{matrix, left, right};
  if (matrix.rows() <= dense_general) {
    const Eigen::MatrixXd rest =
        Eigen::MatrixXd(matrix) - right * left.transpose() / static_cast<double>(matrix.rows());
    const Eigen::EigenSolver<Eigen::MatrixXd> solver(rest, false);
    return {solver.eigenvalues().cwiseAbs().maxCoeff(), true};
  }
  const double rate = growth_rate(deflated);
  try {
    if (rate > 0.999) {
      // Values near 1 are not all: one near -1, or on the circle, shows in the rate alone.
      const auto second = second_near_one(matrix);
      if (second && *second > rate - 1e-3) return {*second, true};
      return {rate, false};
    }
    Deflated product = deflated;
    Spectra::GenEigsSolver<Deflated> solver(product, 2, 40);
    solver.init();
    solver.compute(Spectra::SortRule::LargestMagn, 50, 1e-8);
    if (solver.info() == Spectra::CompInfo::Successful)
      return {solver.eigenvalues().cwiseAbs().maxCoeff(), true};
  } catch (const std::exception&) {
    // Spectra throws where a small dense problem inside it fails; the estimate remains.
  }
  return {rate, false};
}

/// sqrt(M_ij M_ji): the symmetric matrix that a reversible M is similar to.
ByRows symmetrised(const SparseMatrix& matrix) {
  const SparseMatrix other = transposed(matrix);
  if (other.columns != matrix.columns || other.offsets != matrix.offsets)
    return to_eigen(matrix);  // symmetric but for entries too small to count
  SparseMatrix result = matrix;
  for (std::size_t k = 0; k < matrix.values.size(); ++k)
    if (matrix.values[k] != other.values[k])
      result.values[k] = std::sqrt(std::max(0.0, matrix.values[k] * other.values[k]));
  return to_eigen(result);
}

}  // namespace

Spectrum spectrum_of(const SparseMatrix& matrix) {
  if (matrix.rows() <= 1) return {0, true};
  const MatrixFacts facts = facts_of(matrix);
  const auto nodes = static_cast<Index>(matrix.rows());
  const bool by_rows = facts.row_deviation <= MatrixFacts::tolerance;
  const bool by_columns = facts.column_deviation <= MatrixFacts::tolerance;
  const VectorXd ones = VectorXd::Ones(nodes);
  if (!by_rows && !by_columns) {
    const VectorXd none = VectorXd::Zero(nodes);
    return general_spectrum(to_eigen(matrix), none, none);
  }
  const auto measure = reversible_measure(by_rows ? matrix : transposed(matrix));
  if (!measure.empty()) {
    const VectorXd root = to_eigen(measure).cwiseSqrt();
    return symmetric_spectrum(symmetrised(matrix), root.normalized());
  }
  if (by_rows && by_columns) return general_spectrum(to_eigen(matrix), ones, ones);
  const Graph graph = graph_of(by_rows ? matrix : transposed(matrix));
  if (!root_of(graph)) return {1, true};  // two groups that never agree: 1 is there twice
  if (by_rows) return general_spectrum(to_eigen(matrix), to_eigen(left_perron(matrix)), ones);
  return general_spectrum(to_eigen(matrix), ones, to_eigen(right_perron(matrix)));
}

double contraction(const SparseMatrix& matrix) {
  if (matrix.rows() <= 1) return 0;
  const MatrixFacts facts = facts_of(matrix);
  const bool doubly = std::max(facts.row_deviation, facts.column_deviation) <= 1e-9;
  if (doubly && facts.is_symmetric()) return spectrum_of(matrix).second;
  const ByRows m = to_eigen(matrix);
  const VectorXd unit = VectorXd::Ones(m.rows()).normalized();
  const ByRows turned = m.transpose();
  if (doubly) {  // then (M - J)'(M - J) = M'M - J, of which everything is known
    const ByRows square = turned * m;
    return std::sqrt(symmetric_spectrum(square, unit).second);
  }
  Lanczos lanczos(m.rows(), [&](const VectorXd& x, VectorXd& y) {
    const VectorXd middle = m * x - unit * unit.dot(x);
    y = turned * middle - unit * unit.dot(middle);
  });
  lanczos.settle(3000, [](const Lanczos::Ends& before, const Lanczos::Ends& now) {
    return std::abs(now.high - before.high) <= 1e-10 * now.high;
  });
  return std::sqrt(std::max(0.0, lanczos.ends().high));
}

double least_eigenvalue(const SparseMatrix& matrix) {
  const ByRows symmetric = to_eigen(matrix);
  if (symmetric.rows() <= dense_symmetric)
    return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(symmetric, Eigen::EigenvaluesOnly)
        .eigenvalues()
        .minCoeff();
  Lanczos lanczos(symmetric.rows(),
                  [&](const VectorXd& x, VectorXd& y) { y.noalias() = symmetric * x; });
  lanczos.settle(5000, [](const Lanczos::Ends& before, const Lanczos::Ends& now) {
    return std::abs(now.low - before.low) <= 1e-9;
  });
  return lanczos.ends().low;
}

double rounds_to_halve(double lambda) {
  if (lambda <= 0) return 0;
  if (lambda >= 1) return std::numeric_limits<double>::infinity();
  return std::numbers::ln2 / (-2 * std::log(lambda));
}

}  // namespace starling
