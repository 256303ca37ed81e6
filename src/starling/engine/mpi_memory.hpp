/// Memory that the ranks of a host share: each reads the others' rows where they are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "starling/engine/mpi_world.hpp"

namespace starling {

class SharedMemory {
 public:
  /// Zeroed floats of this rank; all ranks call this together. With `share` false the ranks of a
  /// host know of each other, but no rows are reached.
  SharedMemory(const MpiWorld& world, std::size_t floats, bool share);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;

  /// Whether a rank is on this host.
  bool knows(int rank) const;
  /// Whether its rows can be read here.
  bool reaches(int rank) const;
  /// A rank's floats; cache-line aligned.
  float* of(int rank) const;

  /// Tells the ranks of this host that this rank's exchange `number` can be read.
  void announce(std::uint64_t number);
  /// How far a rank of this host is.
  std::uint64_t announced_by(int rank) const;
  /// Whether a rank of this host is still running.
  bool is_alive(int rank) const;
  /// A number that grows several times a second while a rank of this host runs.
  std::uint64_t beats_of(int rank) const;
  /// True for the first rank of this host that asks, about each rank.
  bool claim(int rank) const;
  /// For a rank that is about to end by itself: nobody is to tell that it died.
  void claim_own() const { claim(world_.rank()); }

 private:
  struct Header;
  struct Windows;
  Header* header_of(int rank) const;
  const MpiWorld& world_;
  std::unique_ptr<Windows> windows_;
  std::jthread heart_;
};

}  // namespace starling
