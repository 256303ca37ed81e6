/// The processes of an MPI run. Only engine/mpi*.cpp include MPI's own header.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "starling/engine/team.hpp"

namespace starling {

/// Whether mpirun, mpiexec or srun started this process as one of several.
bool started_as_rank();

/// MPI, from construction to destruction; one a process. In a build without MPI the constructor
/// throws UserError.
class MpiWorld {
 public:
  MpiWorld();
  ~MpiWorld();
  MpiWorld(const MpiWorld&) = delete;

  int rank() const { return rank_; }
  int size() const { return static_cast<int>(hosts_.size()); }
  const std::string& host(int rank) const { return hosts_[static_cast<std::size_t>(rank)]; }
  /// Ranks on this process's host.
  std::size_t ranks_here() const;

  /// The text of the lowest rank that has one, with that rank's name unless it is 0; "" if none
  /// has. Called by all ranks alike.
  std::string first_of(const std::string& text) const;

  /// Ends all ranks at once, with this exit status.
  [[noreturn]] void abort(int status) const;

 private:
  int rank_ = 0;
  std::vector<std::string> hosts_;
};

class Watch;

/// Which rank holds which nodes: runs of neighbouring ones, as even as can be.
class NodeShares {
 public:
  NodeShares(std::size_t nodes, int ranks)
      : nodes_(nodes), ranks_(static_cast<std::size_t>(ranks)) {}
  Node first(int rank) const {
    return static_cast<Node>(nodes_ * static_cast<std::size_t>(rank) / ranks_);
  }
  std::size_t count(int rank) const { return first(rank + 1) - first(rank); }
  int owner(Node node) const {
    auto rank = static_cast<int>((std::size_t{node} * ranks_) / nodes_);
    while (first(rank + 1) <= node) ++rank;
    return rank;
  }

 private:
  std::size_t nodes_, ranks_;
};

/// The ranks as a team.
class MpiTeam final : public Team {
 public:
  MpiTeam(const MpiWorld& world, std::size_t nodes)
      : world_(world), shares_(nodes, world.size()), nodes_(nodes) {}

  Node first() const override { return shares_.first(world_.rank()); }
  bool is_root() const override { return world_.rank() == 0; }
  std::vector<double> gather(std::vector<double> here) const override;
  void add_up(std::span<double> sums, const std::function<void()>& add_own) const override;

  /// From now on waits are watched: they end with SilentRank where a rank is missing.
  void watch_with(const Watch& watch) { watch_ = &watch; }

  const MpiWorld& world() const { return world_; }
  const NodeShares& shares() const { return shares_; }
  std::size_t count() const { return shares_.count(world_.rank()); }

 private:
  const MpiWorld& world_;
  NodeShares shares_;
  std::size_t nodes_;
  const Watch* watch_ = nullptr;
};

}  // namespace starling
