/// The threads engine: cores that share one x and update it asynchronously, with real threads.
///
/// Kungurtsev, Egan, Chatterjee & Alistarh, arXiv 1905.11845, Algorithm 1. The order of events is
/// the machine's, so with several cores no two runs are the same; with one core every run is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "starling/engine/cores.hpp"
#include "starling/engine/engine.hpp"
#include "starling/engine/shared_access.hpp"
#include "starling/method/asynchronous.hpp"
#include "starling/problem/problem.hpp"
#include "starling/record/trace.hpp"

namespace starling {

struct ThreadsPlan {
  Asynchronous method;
  std::size_t cores = 1;
  std::vector<Part> blocks;  ///< `blocks_for`
  CoreStep step_size;
  Round updates = 0;  ///< by all cores together
  SharedAccess access;
  bool trace = false;
  /// A snapshot is evaluated after so many updates, looked at every millisecond, or seconds; 0:
  /// not for that reason.
  Round every = 0;
  double seconds = 0;
  Measures measures;
};

struct ThreadsObserver {
  std::function<void(const Metrics&)> evaluated;
  std::function<void(Round)> advanced;  ///< now and then, with the updates so far
  std::function<bool()> stop;           ///< asked by all threads, often: whether to end early
};

/// What a core did.
struct CoreReport {
  Round updates = 0;
  Round staleness_most = 0;
  std::vector<Round> staleness;  ///< updates by their staleness; the last entry: or more
};

struct ThreadsResult {
  std::optional<Divergence> divergence;  ///< `node` is the core
  bool stopped = false;                  ///< because the observer asked for it
  std::vector<CoreReport> cores;
  std::optional<Trace> trace;
  std::vector<float> x, u;  ///< in the end
};

/// Runs the plan on a problem of one node. The calling thread takes the snapshots. What a core
/// throws ends them all, and is thrown here once, as a RunError that names the core (UserError and
/// bad_alloc as they are).
ThreadsResult run_threads(const ThreadsPlan& plan, Problem& problem,
                          const ThreadsObserver& observer);

}  // namespace starling
