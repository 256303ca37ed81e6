/// What is measured of the nodes' x between rounds. All sums run in node order, in double.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "starling/engine/arena.hpp"
#include "starling/engine/pool.hpp"
#include "starling/engine/team.hpp"
#include "starling/problem/problem.hpp"
#include "starling/record/metrics.hpp"

namespace starling {

/// What a measurement works with.
struct Measured {
  RowsView x;                                        ///< of the nodes of this process
  RowsView scratch;                                  ///< as large as x; what it holds is lost
  std::span<const Node> own;                         ///< those nodes, ascending
  std::size_t nodes;                                 ///< of all processes
  std::span<const std::unique_ptr<Oracle>> oracles;  ///< one a thread of the pool
  Pool& pool;
  const Team& team;
};

/// The average of the rows of all processes' nodes; all processes get it.
std::vector<float> average_of(const RowsView& rows, std::size_t nodes, Pool& pool,
                              const Team& team);

/// Fills in everything about x: objective, accuracies, consensus error, gradient norm and
/// stationarity.
void measure(const Measures& measures, const Measured& measured, Metrics& metrics);

}  // namespace starling
