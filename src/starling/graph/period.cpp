#include "starling/graph/period.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <Eigen/Dense>

#include "starling/base/random.hpp"
#include "starling/graph/lanczos.hpp"
#include "starling/graph/spectrum.hpp"

namespace starling {
namespace {

using Eigen::Index;
using Eigen::VectorXd;
using ByRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double rounding = 1e-13;     // what a round leaves below that is no disagreement any more
constexpr double most_products = 5e9;  // of entries and numbers: some ten seconds
constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// The pull weights of the first rounds: kept while they fit, written anew each time beyond.
class Rounds {
 public:
  Rounds(WeightsSequence& sequence, Round count) : sequence_(sequence), count_(count) {
    for (Round k = 1; k <= count; ++k) {
      sequence.weights(k, written_);
      entries_ += written_.pull.values.size();
      if (entries_ <= most_kept) kept_.push_back(written_.pull);
    }
  }

  Index nodes() const { return static_cast<Index>(sequence_.nodes()); }
  Round count() const { return count_; }

  /// Entries of all rounds together.
  std::size_t entries() const { return entries_; }

  /// The weights of a round, valid until the next call.
  const SparseMatrix& pull(Round round) {
    if (round <= kept_.size()) return kept_[round - 1];
    sequence_.weights(round, written_);
    return written_.pull;
  }

 private:
  static constexpr std::size_t most_kept = 50'000'000;  // entries, 600 MB

  WeightsSequence& sequence_;
  Round count_;
  std::size_t entries_ = 0;
  MixingWeights written_;
  std::vector<SparseMatrix> kept_;
};

/// Calls `visit(row, column, value)` for each entry.
template <class Visit>
void for_each_entry(const SparseMatrix& matrix, Visit visit) {
  for (std::size_t i = 0; i < matrix.rows(); ++i)
    for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k)
      visit(static_cast<Index>(i), static_cast<Index>(matrix.columns[k]), matrix.values[k]);
}

/// ln ||W_T ... W_1 - 11'/N||_2. Weights leave the average alone, so what is multiplied is the
/// disagreement, I - 11'/N at first: it keeps its digits however small it becomes. The mean is
/// taken out again every round, as rounding puts some back.
double dense_logarithm(Rounds& rounds) {
  const Index nodes = rounds.nodes();
  ByRows rest = ByRows::Identity(nodes, nodes);
  rest.array() -= 1 / static_cast<double>(nodes);
  double logarithm = 0;
  for (Round k = 1; k <= rounds.count(); ++k) {
    ByRows mixed = ByRows::Zero(nodes, nodes);
    for_each_entry(rounds.pull(k),
                   [&](Index i, Index j, double value) { mixed.row(i) += value * rest.row(j); });
    const Eigen::RowVectorXd mean = mixed.colwise().mean();
    mixed.rowwise() -= mean;
    const double factor = mixed.norm() / rest.norm();
    if (factor < rounding) return minus_infinity;
    logarithm += std::log(factor);
    rest = mixed / factor;  // of the same size ever after
  }
  const Eigen::MatrixXd square = rest.transpose() * rest;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(square, Eigen::EigenvaluesOnly);
  return logarithm + std::log(solver.eigenvalues().maxCoeff()) / 2;
}

void take_out_mean(VectorXd& x) { x.array() -= x.mean(); }

/// x <- W x / scale, without its mean.
void mix(const SparseMatrix& matrix, double scale, VectorXd& x, VectorXd& scratch) {
  scratch.setZero(x.size());
  for_each_entry(matrix, [&](Index i, Index j, double value) { scratch[i] += value * x[j]; });
  x = scratch / scale;
  take_out_mean(x);
}

/// x <- W'x / scale, without its mean.
void mix_back(const SparseMatrix& matrix, double scale, VectorXd& x, VectorXd& scratch) {
  scratch.setZero(x.size());
  for_each_entry(matrix, [&](Index i, Index j, double value) { scratch[j] += value * x[i]; });
  x = scratch / scale;
  take_out_mean(x);
}

/// By how much each round shrinks a random disagreement; ends early with 0 where nothing is left.
std::vector<double> factors_of(Rounds& rounds) {
  Random random(3, Purpose::graph);
  VectorXd x(rounds.nodes()), scratch;
  for (Index i = 0; i < x.size(); ++i) x[i] = random.uniform() - 0.5;
  take_out_mean(x);
  x.normalize();
  std::vector<double> factors;
  for (Round k = 1; k <= rounds.count(); ++k) {
    mix(rounds.pull(k), 1, x, scratch);
    const double factor = x.norm();
    factors.push_back(factor < rounding ? 0.0 : factor);
    if (factors.back() == 0) break;
    x /= factor;
  }
  return factors;
}

/// The same from products with vectors alone: the largest eigenvalue of (P - 11'/N)'(P - 11'/N).
/// Each round is divided by its factor, so that numbers stay near 1 on the way there and back.
double iterated_logarithm(Rounds& rounds) {
  const std::vector<double> factors = factors_of(rounds);
  if (factors.back() == 0) return minus_infinity;
  VectorXd scratch;
  Lanczos lanczos(rounds.nodes(), [&](const VectorXd& x, VectorXd& y) {
    y = x;
    take_out_mean(y);
    for (Round k = 1; k <= rounds.count(); ++k) mix(rounds.pull(k), factors[k - 1], y, scratch);
    for (Round k = rounds.count(); k > 0; --k) mix_back(rounds.pull(k), factors[k - 1], y, scratch);
  });
  const double affordable = most_products / (2 * static_cast<double>(rounds.entries()));
  const auto limit = static_cast<std::size_t>(std::clamp(affordable, 40.0, 3000.0));
  lanczos.settle(limit, [](const Lanczos::Ends& before, const Lanczos::Ends& now) {
    return std::abs(now.high - before.high) <= 1e-10 * now.high;
  });
  double logarithm = std::log(std::max(0.0, lanczos.ends().high)) / 2;
  for (const double factor : factors) logarithm += std::log(factor);
  return logarithm;
}

/// ln ||W_T ... W_1 - 11'/N||_2 for T = `count`.
double logarithm_of(WeightsSequence& sequence, Round count, std::size_t dense_up_to) {
  if (sequence.nodes() <= 1) return minus_infinity;
  Rounds rounds(sequence, count);
  return sequence.nodes() <= dense_up_to ? dense_logarithm(rounds) : iterated_logarithm(rounds);
}

}  // namespace

double contraction_of_period(WeightsSequence& sequence, std::size_t dense_up_to) {
  const Round period = sequence.period();
  if (period == 0) throw std::invalid_argument("the weights have no period");
  if (period > 1) return std::exp(logarithm_of(sequence, period, dense_up_to));
  MixingWeights weights;
  sequence.weights(1, weights);
  return contraction(weights.pull);
}

double mean_contraction(WeightsSequence& sequence, Round rounds, std::size_t dense_up_to) {
  if (rounds == 0) throw std::invalid_argument("the mean over 0 rounds");
  return std::exp(logarithm_of(sequence, rounds, dense_up_to) / static_cast<double>(rounds));
}

}  // namespace starling
