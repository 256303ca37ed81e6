/// Matrices from Matrix Market files (math.nist.gov/MatrixMarket/formats.html).
#pragma once

#include <string>

#include "starling/graph/graph.hpp"
#include "starling/graph/weights.hpp"

namespace starling {

/// Reads an N x N matrix for the graph's N nodes: coordinate or array, real or integer, general or
/// symmetric. The diagonal is always part of the result. Throws UserError, naming file, line and
/// entry, where the file is not that, or an entry other than 0 lies neither on an edge nor on the
/// diagonal.
SparseMatrix read_matrix_market(const std::string& path, const Graph& graph);

}  // namespace starling
