/// The processes of an MPI run. Only engine/mpi*.cpp include MPI's own header.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

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

}  // namespace starling
