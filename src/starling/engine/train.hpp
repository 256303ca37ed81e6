/// A whole run of one method: rounds, with evaluations between them.
#pragma once

#include <functional>
#include <optional>

#include "starling/engine/engine.hpp"

namespace starling {

struct TrainPlan {
  Round rounds = 0;
  Round every = 1;  ///< rounds between evaluations; the start and the last round are always there
  Measures measures;
};

/// Told about a run while it goes on.
struct TrainObserver {
  std::function<void(const Metrics&)> evaluated;
  std::function<void(Round)> advanced;  ///< after every round: must be quick
  std::function<bool()> stop;           ///< asked before every round: whether to end early
};

/// Runs the plan. Stops early where it is told to, and, with what happened, where values stop being
/// finite; what was evaluated before has been told.
std::optional<Divergence> train(Engine& engine, const TrainPlan& plan,
                                const TrainObserver& observer);

}  // namespace starling
