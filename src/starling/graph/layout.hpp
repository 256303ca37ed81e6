/// Drawings of graphs.
#pragma once

#include <string>
#include <vector>

#include "starling/graph/graph.hpp"

namespace starling {

/// A self-contained SVG of the graph, for light and dark backgrounds: small graphs and rings on a
/// circle, others by their distances; arrows where edges go one way. Nodes carry `labels`, or their
/// numbers where there are at most 100. UserError above 2,000 nodes, where a drawing shows nothing.
std::string to_svg(const Graph& graph, const std::vector<std::string>& labels = {});

}  // namespace starling
