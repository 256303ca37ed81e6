/// What is measured of an x that cores share: of a copy, on the thread that takes it.
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "starling/engine/arena.hpp"
#include "starling/engine/pool.hpp"
#include "starling/problem/problem.hpp"
#include "starling/record/metrics.hpp"

namespace starling {

/// Adds up the losses of one core's minibatches. The core adds; one other thread looks.
class MeanLoss {
 public:
  void add(double loss) {
    sum_.store(sum_.load(std::memory_order_relaxed) + loss, std::memory_order_relaxed);
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  /// Adds what is new since the last call. The two numbers may be one loss apart.
  void add_new(double& sum, double& count) {
    const double sum_now = sum_.load(std::memory_order_relaxed);
    const double count_now = count_.load(std::memory_order_relaxed);
    sum += sum_now - old_sum_;
    count += count_now - old_count_;
    old_sum_ = sum_now;
    old_count_ = count_now;
  }

 private:
  std::atomic<double> sum_ = 0, count_ = 0;
  double old_sum_ = 0, old_count_ = 0;  ///< of the thread that looks
};

class Snapshots {
 public:
  /// The problem, of one node, must outlive this. For the calling thread.
  explicit Snapshots(Problem& problem);

  /// Where the copy goes.
  std::span<float> x() { return x_.row(0); }

  /// Fills in the epoch and everything about the copy; `metrics.round` is the updates so far.
  void evaluate(const Measures& measures, Metrics& metrics);

 private:
  Problem& problem_;
  NodeRows x_, scratch_;
  Pool pool_{1};
  std::unique_ptr<Oracle> oracle_;
};

}  // namespace starling
