/// Where the rows of the exchanged variables are: here, on other ranks of the host, or copied from
/// other hosts.
#pragma once

#include <cstddef>
#include <vector>

#include "starling/engine/arena.hpp"
#include "starling/engine/mpi_courier.hpp"
#include "starling/engine/mpi_memory.hpp"
#include "starling/engine/mpi_partners.hpp"
#include "starling/engine/mpi_team.hpp"

namespace starling {

/// Every rank keeps its rows twice in its shared memory: neighbours read the current ones while the
/// rank writes the next ones.
class ExchangedRows {
 public:
  /// The memory must have `floats_of` floats. Both must outlive this.
  ExchangedRows(const MpiTeam& team, const SharedMemory& memory, std::size_t variables,
                std::size_t dimension);

  /// Floats of each rank's shared memory: all ranks' is laid out alike.
  static std::size_t floats_of(const Placement& placement, std::size_t variables,
                               std::size_t dimension);

  /// The rows of the nodes here.
  RowsView current(std::size_t variable) const { return rows(variable, current_); }
  RowsView next(std::size_t variable) const { return rows(variable, 1 - current_); }

  /// The next rows become the current ones. All ranks do so at the end of each exchange.
  void flip() { current_ = 1 - current_; }

  /// Memory for what is heard from other hosts in this exchange.
  void make_room(const std::vector<Partners::Far>& far);

  /// What goes to other hosts and comes from them in this exchange.
  std::vector<Parcel> parcels(const std::vector<Partners::Far>& far);

  /// Where a node's row can be read in this exchange, if a node here hears it.
  const float* source(std::size_t variable, Node node) const;

 private:
  float* rows_of(int rank, std::size_t variable, std::size_t copy) const;
  RowsView rows(std::size_t variable, std::size_t copy) const;

  const MpiTeam& team_;
  const SharedMemory& memory_;
  std::size_t dimension_, stride_, most_rows_;
  std::size_t current_ = 0;                 ///< the copy that holds the state
  std::vector<std::vector<Arena>> ghosts_;  ///< of each variable, a row a slot
  std::vector<std::size_t> slot_of_;        ///< of each node heard from another host
};

}  // namespace starling
