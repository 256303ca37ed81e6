/// What Chen, Karimi, Zhao & Li, arXiv 2109.03194, prove of decentralized adaptive methods
/// (`method/adaptive.hpp`), as numbers.
///
/// With f the mean of the f_i, xbar_t and ubar_t the means of the nodes' x and u, every node
/// starting at xbar_1, and T rounds of one step size, Theorem 2 is
///
///     (1/T) sum_t E ||grad f(xbar_t) / ubar_t^(1/4)||^2
///       <= C1 ((f(xbar_1) - min f) / (T step) + step d sigma^2 / N)
///          + C2 step^2 d + C3 step^3 d + (C4 + C5 step) E V_T / (T sqrt(N)),
///
/// where V_T adds up how much vhat changes: |vhat_t - vhat_{t-1}| over rounds, nodes and
/// coordinates. Where the paper's texts differ, the proof is followed.
#pragma once

#include <cstddef>

#include "starling/base/types.hpp"

namespace starling {

/// What the theorems assume, as numbers, and the method's options.
struct AdaptiveNumbers {
  double lambda = 0;          ///< ||W - 11'/N||_2, below 1; max(|lambda_2|, |lambda_N|) (A4)
  double smoothness = 0;      ///< L: every grad f_i is L-Lipschitz (A1)
  double gradient_bound = 0;  ///< G: no entry of a gradient, stochastic or not, is larger (A2)
  double beta1 = 0, epsilon = 0;
};

/// A run that bounds are asked for.
struct AdaptiveRun {
  std::size_t nodes = 1, dimension = 1;
  Round rounds = 1;
  double step = 0;
  double variance = 0;  ///< sigma^2 of each entry of a stochastic gradient (A3): G^2 at most
};

/// C1 ... C5 of Theorem 2.
struct AdaptiveConstants {
  double c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0;
};

AdaptiveConstants adaptive_constants(const AdaptiveNumbers& numbers);

/// A bound of Theorem 2's left side; f(xbar_1) - min f is often not known.
struct AdaptiveBound {
  double factor = 0;  ///< of f(xbar_1) - min f
  double rest = 0;
  double at(double excess) const { return factor * excess + rest; }
};

/// Theorem 2 for a known E V_T.
AdaptiveBound theorem_2(const AdaptiveNumbers& numbers, const AdaptiveRun& run, double change);

/// Theorem 3, AMSGrad: V_T <= N d G^2.
AdaptiveBound theorem_3(const AdaptiveNumbers& numbers, const AdaptiveRun& run);

/// Theorem 4, AdaGrad: V_T <= N d G^2 (ln T + 1).
AdaptiveBound theorem_4(const AdaptiveNumbers& numbers, const AdaptiveRun& run);

/// sqrt(epsilon) / (16 L): the largest step size that the theorems are for; infinite for L = 0.
double largest_step(double smoothness, double epsilon);

/// sqrt(N / (T d)): the step size of Corollary 1, with which the bound falls as 1/sqrt(N T).
double corollary_step(const AdaptiveRun& run);

/// (step / (1 - lambda))^2 d G^2 / epsilon: in no round of an adaptive method is the consensus
/// error larger. L and beta1 play no part; step sizes may fall.
double consensus_bound(const AdaptiveNumbers& numbers, double step, std::size_t dimension);

}  // namespace starling
