/// Matrices that are symmetric in disguise.
#pragma once

#include <vector>

#include "starling/graph/weights.hpp"

namespace starling {

/// Positive pi with pi_i M_ij = pi_j M_ji for all i, j (detailed balance), largest entry free;
/// empty where there is none. Equal-share weights on an undirected graph have one although they are
/// not symmetric: then M is similar to the symmetric matrix of sqrt(M_ij M_ji), and a
/// row-stochastic M has the left Perron vector pi.
std::vector<double> reversible_measure(const SparseMatrix& matrix);

}  // namespace starling
