#include "starling/engine/mpi_partners.hpp"

#include <algorithm>
#include <map>

namespace starling {
namespace {

void sort_unique(std::vector<Node>& nodes) {
  std::ranges::sort(nodes);
  nodes.erase(std::ranges::unique(nodes).begin(), nodes.end());
}

}  // namespace

Partners partners_of(const MpiTeam& team, const RoundWeights& weights, const RowUpdate& update,
                     bool everybody, const std::function<bool(int rank)>& is_near) {
  const int own = team.world().rank();
  const Placement& placement = team.placement();
  std::map<int, Partners::Far> others;
  const auto hears = [&](Node i, Node j) {  // node i needs a row of node j
    const int receiver = placement.owner(i), sender = placement.owner(j);
    if (receiver == sender || (receiver != own && sender != own)) return;
    if (receiver == own)
      others[sender].heard.push_back(j);
    else
      others[receiver].told.push_back(j);
  };
  for (Node i = 0; i < placement.nodes(); ++i) {
    if (everybody) {
      for (Node j = 0; j < placement.nodes(); ++j) hears(i, j);
      continue;
    }
    for (std::size_t e = 0; e < update.exchanged_count(); ++e) {
      const KernelWeights::Row row = weights.of(e).row(i);
      for (std::size_t k = 0; k < row.count; ++k) hears(i, row.columns[k]);
    }
  }
  Partners partners;
  for (auto& [rank, far] : others) {
    if (is_near(rank)) {
      partners.near.push_back(rank);
      continue;
    }
    far.rank = rank;
    sort_unique(far.heard);
    sort_unique(far.told);
    partners.far.push_back(std::move(far));
  }
  return partners;
}

}  // namespace starling
