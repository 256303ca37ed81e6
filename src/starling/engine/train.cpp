#include "starling/engine/train.hpp"

#include <chrono>

namespace starling {

std::optional<Divergence> train(Simulation& simulation, const TrainPlan& plan,
                                const TrainObserver& observer) {
  using Clock = std::chrono::steady_clock;
  Clock::duration in_rounds{};
  const auto evaluate = [&] {
    Metrics metrics = simulation.evaluate(plan.measures);
    metrics.seconds = std::chrono::duration<double>(in_rounds).count();
    observer.evaluated(metrics);
  };

  evaluate();
  while (simulation.round() < plan.rounds) {
    const auto begin = Clock::now();
    const std::optional<Divergence> divergence = simulation.advance();
    in_rounds += Clock::now() - begin;
    if (divergence) return divergence;
    observer.advanced(simulation.round());
    if (simulation.round() % plan.every == 0 || simulation.round() == plan.rounds) evaluate();
  }
  return std::nullopt;
}

}  // namespace starling
