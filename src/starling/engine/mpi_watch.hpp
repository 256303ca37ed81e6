/// Waiting for other ranks, with an eye on those that may never answer.
#pragma once

#include <chrono>
#include <vector>

#include "starling/engine/mpi_memory.hpp"
#include "starling/engine/silence.hpp"

namespace starling {

class Watch {
 public:
  /// `timeout`: seconds that a rank of this host may stand still. Computing for long is not
  /// standing still: every rank's memory has a counter that goes on.
  Watch(const MpiWorld& world, const SharedMemory& shared, double timeout)
      : world_(world), shared_(shared), timeout_(timeout) {}

  /// Waits until `done()`. Throws SilentRank where a rank of this host is dead or stands still.
  void wait_until(const auto& done) const {
    Patience patience;
    std::vector<Seen> seen;
    while (!done()) {
      patience.wait();
      if (patience.tries() % 1000 == 0) look(seen);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Seen {
    std::uint64_t beats = 0;
    Clock::time_point when = Clock::now();
  };
  void look(std::vector<Seen>& seen) const;

  const MpiWorld& world_;
  const SharedMemory& shared_;
  double timeout_;
};

}  // namespace starling
