#include "starling/engine/snapshots.hpp"

#include "starling/engine/evaluate.hpp"

namespace starling {
namespace {

const Team alone;
constexpr Node only = 0;

}  // namespace

Snapshots::Snapshots(Problem& problem)
    : problem_(problem),
      x_(1, problem.dimension()),
      scratch_(1, problem.dimension()),
      oracle_(problem.oracle()) {}

void Snapshots::evaluate(const Measures& measures, Metrics& metrics) {
  metrics.epoch = problem_.epochs(metrics.round);
  measure(measures, {x_.view(), scratch_.view(), {&only, 1}, 1, {&oracle_, 1}, pool_, alone},
          metrics);
  metrics.consensus_error.reset();  // there is one x
}

}  // namespace starling
