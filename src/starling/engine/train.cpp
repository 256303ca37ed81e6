#include "starling/engine/train.hpp"

#include <chrono>

namespace starling {

std::optional<Divergence> train(Engine& engine, const TrainPlan& plan,
                                const TrainObserver& observer) {
  using Clock = std::chrono::steady_clock;
  Clock::duration in_rounds{};
  const auto evaluate = [&] {
    Metrics metrics = engine.evaluate(plan.measures);
    metrics.seconds = std::chrono::duration<double>(in_rounds).count();
    observer.evaluated(metrics);
  };

  evaluate();
  while (engine.round() < plan.rounds) {
    if (observer.stop && observer.stop()) break;
    const auto begin = Clock::now();
    const std::optional<Divergence> divergence = engine.advance();
    in_rounds += Clock::now() - begin;
    if (divergence) return divergence;
    observer.advanced(engine.round());
    if (engine.round() % plan.every == 0 || engine.round() == plan.rounds) evaluate();
  }
  return std::nullopt;
}

}  // namespace starling
