/// What is measured of an x that cores share: of a copy, on the thread that takes it.
#pragma once

#include <memory>
#include <span>

#include "starling/engine/arena.hpp"
#include "starling/engine/pool.hpp"
#include "starling/problem/problem.hpp"
#include "starling/record/metrics.hpp"

namespace starling {

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
