#include "starling/engine/cut.hpp"

#include <metis.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"

namespace starling {
namespace {

/// How far METIS may leave ranks from even, in thousandths: `even_out` does the rest. With 1 it
/// finds worse cuts than with 30, by up to a fifth on random regular graphs.
constexpr idx_t unevenness = 30;

/// Times that METIS cuts, to keep the best.
constexpr idx_t tries = 4;

/// Whom each node hears or tells, itself left out, and how many messages that is: 1 or 2.
struct Neighbours {
  std::vector<idx_t> offsets{0}, columns, messages;
};

void add_row(const Graph& graph, Node node, Neighbours& rows) {
  std::vector<Node> partners;
  std::ranges::merge(graph.hears(node), graph.tells(node), std::back_inserter(partners));
  for (std::size_t k = 0; k < partners.size(); ++k) {
    if (k > 0 && partners[k] == partners[k - 1]) {
      ++rows.messages.back();
      continue;
    }
    rows.columns.push_back(static_cast<idx_t>(partners[k]));
    rows.messages.push_back(1);
  }
  rows.offsets.push_back(static_cast<idx_t>(rows.columns.size()));
}

Neighbours neighbours_of(const Graph& graph) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<idx_t>::max()) / 2;
  if (graph.edges() > most)
    throw UserError{fmt::format(
        "engine.placement = \"cut\": the graph has {} edges, METIS takes {} at most: use "
        "\"blocks\"",
        graph.edges(), most)};
  Neighbours rows;
  for (Node i = 0; i < graph.nodes(); ++i) add_row(graph, i, rows);
  return rows;
}

/// The rank of each node. For 2 ranks or more, and graphs with edges.
std::vector<int> cut_by_metis(const Graph& graph, int ranks) {
  Neighbours rows = neighbours_of(graph);
  std::array<idx_t, METIS_NOPTIONS> options{};
  METIS_SetDefaultOptions(options.data());
  options[METIS_OPTION_SEED] = 1;
  options[METIS_OPTION_NCUTS] = tries;
  options[METIS_OPTION_UFACTOR] = unevenness;
  auto nodes = static_cast<idx_t>(graph.nodes());
  idx_t constraints = 1, parts = ranks, crossing = 0;
  std::vector<idx_t> part(graph.nodes());
  const int status = METIS_PartGraphRecursive(
      &nodes, &constraints, rows.offsets.data(), rows.columns.data(), nullptr, nullptr,
      rows.messages.data(), &parts, nullptr, nullptr, options.data(), &crossing, part.data());
  if (status != METIS_OK)
    throw RunError{fmt::format("engine.placement = \"cut\": METIS failed with status {}", status)};
  return {part.begin(), part.end()};
}

}  // namespace

Placement cut(const Graph& graph, int ranks) {
  Placement plain = blocks(graph.nodes(), ranks);
  const bool has_choice = ranks > 1 && static_cast<std::size_t>(ranks) < graph.nodes();
  if (!has_choice || graph.edges() == 0) return plain;
  Placement found(even_out(graph, cut_by_metis(graph, ranks), ranks), ranks);
  return crossing_edges(graph, found) < crossing_edges(graph, plain) ? std::move(found)
                                                                     : std::move(plain);
}

}  // namespace starling
