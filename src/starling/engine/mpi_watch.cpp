#include "starling/engine/mpi_watch.hpp"

namespace starling {

void Watch::look(std::vector<Seen>& seen) const {
  seen.resize(static_cast<std::size_t>(world_.size()));
  for (int rank = 0; rank < world_.size(); ++rank) {
    if (!shared_.knows(rank) || rank == world_.rank()) continue;
    if (!shared_.is_alive(rank)) throw SilentRank{rank, true};
    Seen& last = seen[static_cast<std::size_t>(rank)];
    const std::uint64_t beats = shared_.beats_of(rank);
    if (beats != last.beats)
      last = {beats, Clock::now()};
    else if (std::chrono::duration<double>(Clock::now() - last.when).count() > timeout_)
      throw SilentRank{rank};
  }
}

}  // namespace starling
