/// What a rank says when the launcher ends it because another one died.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "starling/base/types.hpp"
#include "starling/engine/mpi_memory.hpp"

namespace starling {

/// While one of these is there, SIGTERM makes this rank look which rank of its host is gone, say so
/// in one line (the first rank that does), and end with status 1. OpenMPI's mpirun sends that
/// signal as soon as a rank dies, often before anybody has waited for it in vain; MPICH's kills at
/// once.
class LastWords {
 public:
  /// `names[rank]`: how to call a rank in the line.
  LastWords(const SharedMemory& shared, std::vector<std::string> names);
  ~LastWords();
  LastWords(const LastWords&) = delete;

  void set_round(Round round) { round_.store(round, std::memory_order_relaxed); }
  /// From now on the signal does nothing: this rank has noticed by itself and is about to end.
  void leave_it_to_us() const;

 private:
  static void speak(int);
  void tell() const;

  const SharedMemory& shared_;
  std::vector<std::string> names_;
  std::atomic<Round> round_ = 0;
};

}  // namespace starling
