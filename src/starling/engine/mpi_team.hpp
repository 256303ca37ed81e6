/// The ranks as a team: what they add up and hand to each other.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "starling/engine/mpi_world.hpp"
#include "starling/engine/placement.hpp"
#include "starling/engine/team.hpp"

namespace starling {

class Watch;

/// All waits are watched, so every function ends with SilentRank where a rank is missing. Call
/// `watch_with` before any of them.
class MpiTeam final : public Team {
 public:
  /// All ranks call this together. Rank 0's placement is everybody's: what a library finds may
  /// differ between hosts.
  MpiTeam(const MpiWorld& world, const Placement& placement);

  void watch_with(const Watch& watch) { watch_ = &watch; }

  bool is_root() const override { return world_.rank() == 0; }
  std::vector<double> gather(std::vector<double> here) const override;

  /// Sums go from run to run of nodes, in pieces of `chunk` columns, and the ranks add to different
  /// pieces at the same time. A rank keeps two pieces for each of its runs at most.
  void add_up(const Addends& addends) const override;
  void share(std::span<std::byte> data) const override;

  /// Moves a row of rank `owner`, which is not the root, to the root's `row`. Called by both.
  void bring_to_root(int owner, std::span<float> row) const;

  const MpiWorld& world() const { return world_; }
  const Placement& placement() const { return placement_; }

  /// The nodes of this rank, ascending.
  std::span<const Node> own() const { return placement_.nodes_of(world_.rank()); }

 private:
  struct Piece;
  std::vector<Piece> receive(std::size_t step, std::size_t columns) const;
  void hand_on(Piece& piece, const Addends& addends) const;

  const MpiWorld& world_;
  Placement placement_;
  std::vector<Placement::Run> runs_;   ///< of all ranks, in node order
  std::vector<std::size_t> own_runs_;  ///< those of this rank, ascending
  const Watch* watch_ = nullptr;
};

}  // namespace starling
