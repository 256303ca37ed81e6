/// How fast a network mixes: eigenvalues, Perron vectors and norms of mixing weights.
#pragma once

#include <vector>

#include "starling/graph/weights.hpp"

namespace starling {

/// The part of a spectrum that sets the speed of mixing.
struct Spectrum {
  /// The largest modulus of an eigenvalue of M - (right Perron)(left Perron)'/N: for a symmetric W
  /// lambda = max(|lambda_2|, |lambda_N|), for R rho(R - 1u'/N), for C rho(C - v1'/N).
  double second = 0;
  bool converged = true;  ///< false: `second` is an estimate
};

/// The spectrum of a row- or column-stochastic matrix. Seconds for 100,000 nodes. A matrix that is
/// neither has no Perron vector to take out: its spectral radius is returned.
Spectrum spectrum_of(const SparseMatrix& matrix);

/// The left Perron vector of a row-stochastic R: u'R = u', sum N. RunError where R's graph has no
/// spanning tree, so that u is not unique.
std::vector<double> left_perron(const SparseMatrix& matrix);

/// The right Perron vector of a column-stochastic C: C v = v, sum N. RunError as above.
std::vector<double> right_perron(const SparseMatrix& matrix);

/// ||M - 11'/N||_2, by which one round of mixing shrinks the distance to the average at least. For
/// a symmetric W it is `spectrum_of(W).second`; where W is not symmetric it may be larger.
double contraction(const SparseMatrix& matrix);

/// The least eigenvalue of a symmetric matrix; seconds for 100,000 nodes.
double least_eigenvalue(const SparseMatrix& matrix);

/// Rounds until mixing alone halves the consensus error, a mean squared distance:
/// ln 2 / (-2 ln lambda); 0 for lambda = 0, infinity for lambda >= 1.
double rounds_to_halve(double lambda);

}  // namespace starling
