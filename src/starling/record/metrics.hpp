/// What is known about a run at one round: one row of metrics.csv.
#pragma once

#include <cstdint>
#include <optional>

#include "starling/base/types.hpp"

namespace starling {

/// Values a problem has no notion of are left empty.
struct Metrics {
  Round round = 0;
  double epoch = 0;              ///< passes over the data, all nodes together
  double seconds = 0;            ///< in rounds, evaluations left out; on threads by the clock
  std::uint64_t bytes_sent = 0;  ///< by all nodes together, since the start
  std::optional<double> minibatch_loss;      ///< mean over nodes, or cores, of their last minibatch
  std::optional<double> objective;           ///< mean of the f_i at the average x
  std::optional<double> test_accuracy;       ///< of the average x
  std::optional<double> node_accuracy_mean;  ///< of each node's own x
  std::optional<double> node_accuracy_min;
  std::optional<double> consensus_error;  ///< (1/N) sum_i ||x_i - average||^2
  std::optional<double> gradient_norm;    ///< of the objective at the average x
  /// The least norm in the convex hull of subgradients sampled near the average x: it goes to 0 at
  /// stationary points where the gradient does not, as for |x| at 0.
  std::optional<double> stationarity;
  /// Updates of others that landed between a core's reading x and its writing; so far.
  std::optional<double> staleness_mean, staleness_most;
};

/// Which of the costly ones to compute.
struct Measures {
  bool gradient_norm = true;
  bool node_accuracy = true;
  double stationarity = 0;  ///< the radius to sample in; 0: not measured
};

}  // namespace starling
