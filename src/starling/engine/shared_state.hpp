/// x and its momentum in the memory that cores share, with its locks.
#pragma once

#include <cstddef>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <vector>

#include "starling/engine/arena.hpp"
#include "starling/engine/shared_access.hpp"
#include "starling/method/asynchronous.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

class SharedState {
 public:
  /// Every block starts on a cache line of its own. The momentum is 0; without one, none is kept.
  SharedState(const Asynchronous& method, std::vector<Part> blocks, std::span<const float> start,
              SharedAccess access);

  /// Copies x to `own`, under the method's read lock, starting with block `first`. Calls
  /// `before(block)` under the same lock before each block.
  template <class Before>
  void read(std::size_t first, std::span<float> own, const Before& before) {
    const auto whole = hold<std::shared_lock>(read_ == Lock::whole, whole_);
    for (std::size_t n = 0; n < blocks_.size(); ++n) {
      const std::size_t b = (first + n) % blocks_.size();
      const auto block = hold<std::shared_lock>(read_ == Lock::block, locks_[b].mutex);
      before(b);
      load_x(b, own);
    }
  }

  /// Updates `count` blocks from `first` on, round about, with their part of g, under the method's
  /// write lock. Calls `landed()` under it when all is written.
  template <class Landed>
  void update(std::size_t first, std::size_t count, std::span<const float> g, float step,
              const Landed& landed) {
    const auto whole = hold<std::unique_lock>(write_ == Lock::whole, whole_);
    for (std::size_t n = 0; n < count; ++n) {
      const std::size_t b = (first + n) % blocks_.size();
      const auto block = hold<std::unique_lock>(write_ == Lock::block, locks_[b].mutex);
      update_block(b, g, step);
      if (n + 1 == count) landed();
    }
  }

  /// A copy of x as nobody is writing it where writes are locked, block by block where they are by
  /// the block; otherwise as any core would read it.
  void copy_x(std::span<float> own);

  /// A copy of u; zeros where there is no momentum. Only while no core is running.
  void copy_momentum(std::span<float> own) const;

 private:
  enum class Lock { none, block, whole };
  struct alignas(64) BlockLock {
    std::shared_mutex mutex;
  };

  static Lock lock_of(const std::string& word);

  /// The lock, or one of nothing.
  template <template <class> class Guard>
  static Guard<std::shared_mutex> hold(bool wanted, std::shared_mutex& mutex) {
    return wanted ? Guard<std::shared_mutex>(mutex) : Guard<std::shared_mutex>();
  }

  void load_x(std::size_t block, std::span<float> own) const;
  void update_block(std::size_t block, std::span<const float> g, float step);

  BlockRule rule_;
  std::vector<Part> blocks_;
  std::vector<std::size_t> offsets_;  ///< of blocks, in the arenas
  SharedAccess access_;
  Lock read_, write_;
  std::shared_mutex whole_;
  std::vector<BlockLock> locks_;
  Arena x_, u_;
};

}  // namespace starling
