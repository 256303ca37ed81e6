/// Placing nodes that talk to each other on the same rank. Only cut.cpp includes METIS's header.
#pragma once

#include "starling/engine/placement.hpp"
#include "starling/graph/graph.hpp"

namespace starling {

/// A placement in which few edges cross between ranks, found by METIS (Karypis & Kumar, SIAM J.
/// Sci. Comput. 1998): the nodes are halved again and again, so ranks whose numbers are near hold
/// nodes that are near. The ranks' numbers of nodes differ by one at most. `blocks` where that
/// crosses no more edges, or where there are as many ranks as nodes.
///
/// METIS is given the same seed every time, so the same graph gives the same placement with the
/// same build of METIS and of the C library, whose random numbers it uses. Edges that go both ways
/// in a directed graph count twice. UserError for graphs of more than a billion edges, RunError
/// where METIS fails.
Placement cut(const Graph& graph, int ranks);

}  // namespace starling
