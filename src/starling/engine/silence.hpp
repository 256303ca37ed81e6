/// Waiting for other processes without getting in their way.
#pragma once

#include <chrono>
#include <thread>

namespace starling {

/// A process that has said nothing for longer than the timeout, or is gone.
struct SilentRank {
  int rank;
  bool is_dead = false;
};

/// Gives way at once, and sleeps when that does not help: ranks that spin starve those they wait
/// for where there are fewer cores than ranks.
class Patience {
 public:
  void wait() {
    if (tries_++ < 200)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  int tries() const { return tries_; }

 private:
  int tries_ = 0;
};

}  // namespace starling
