#include "starling/engine/mpi_rows.hpp"

#include <utility>

namespace starling {

ExchangedRows::ExchangedRows(const MpiTeam& team, const SharedMemory& memory, std::size_t variables,
                             std::size_t dimension)
    : team_(team),
      memory_(memory),
      dimension_(dimension),
      stride_(NodeRows::stride_of(dimension)),
      most_rows_(team.placement().most()),
      ghosts_(variables) {}

std::size_t ExchangedRows::floats_of(const Placement& placement, std::size_t variables,
                                     std::size_t dimension) {
  return 2 * variables * placement.most() * NodeRows::stride_of(dimension);
}

float* ExchangedRows::rows_of(int rank, std::size_t variable, std::size_t copy) const {
  return memory_.of(rank) + (2 * variable + copy) * most_rows_ * stride_;
}

RowsView ExchangedRows::rows(std::size_t variable, std::size_t copy) const {
  return {rows_of(team_.world().rank(), variable, copy), team_.own().size(), dimension_, stride_};
}

void ExchangedRows::make_room(const std::vector<Partners::Far>& far) {
  slot_of_.assign(team_.placement().nodes(), 0);
  std::size_t heard = 0;
  for (const Partners::Far& partner : far)
    for (const Node node : partner.heard) slot_of_[node] = heard++;
  for (std::vector<Arena>& ghosts : ghosts_)
    while (ghosts.size() < heard) ghosts.emplace_back(stride_);
}

std::vector<Parcel> ExchangedRows::parcels(const std::vector<Partners::Far>& far) {
  std::vector<Parcel> list;
  for (const Partners::Far& partner : far)
    for (std::size_t e = 0; e < ghosts_.size(); ++e) {
      const int variable = static_cast<int>(e);
      Parcel out{partner.rank, variable, true, {}}, in{partner.rank, variable, false, {}};
      for (const Node node : partner.told)
        out.rows.push_back(current(e).row(team_.placement().index(node)).data());
      for (const Node node : partner.heard) in.rows.push_back(ghosts_[e][slot_of_[node]].data());
      if (!out.rows.empty()) list.push_back(std::move(out));
      if (!in.rows.empty()) list.push_back(std::move(in));
    }
  return list;
}

const float* ExchangedRows::source(std::size_t variable, Node node) const {
  const int owner = team_.placement().owner(node);
  if (!memory_.reaches(owner)) return ghosts_[variable][slot_of_[node]].data();
  return rows_of(owner, variable, current_) + team_.placement().index(node) * stride_;
}

}  // namespace starling
