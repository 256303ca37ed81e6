/// Rows on their way between hosts, while this rank computes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace starling {

/// Rows of one variable that go to a rank, or come from it.
struct Parcel {
  int rank = 0;
  int variable = 0;
  bool is_sent = false;
  std::vector<float*> rows;
};

/// A thread that makes all MPI calls of an exchange, so that messages move while others compute.
/// The columns travel in chunks, in order.
class Courier {
 public:
  /// Floats of a row that travel at a time.
  static constexpr std::size_t chunk = 256 * 1024;

  /// `timeout`: seconds without any progress that are taken for a failure.
  explicit Courier(double timeout);
  ~Courier();

  /// Sets out; both sides of a message list it in the same place among those between them. The rows
  /// that are sent must stay as they are until `finish`.
  void start(std::vector<Parcel> parcels, std::size_t dimension);

  /// Waits until the first so many columns of all that is received are there. Throws SilentRank
  /// after the timeout.
  void wait_for(std::size_t columns) const;

  /// Whether nothing is on its way.
  bool is_idle() const { return arrived_.load(std::memory_order_acquire) == all_; }

  /// Waits until nothing is on its way.
  void finish() const { wait_for(all_); }

 private:
  static constexpr std::size_t all_ = ~std::size_t{0};
  void work(const std::stop_token& stop);
  void deliver(const std::stop_token& stop);

  double timeout_;
  std::vector<Parcel> parcels_;
  std::size_t dimension_ = 0;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool has_work_ = false;
  std::atomic<std::size_t> arrived_ = all_;  ///< columns of all that is received
  std::atomic<int> silent_ = -1;             ///< a rank that kept us waiting too long
  std::jthread thread_;                      // last: it uses all of the above
};

}  // namespace starling
