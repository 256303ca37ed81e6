/// What runs the nodes, seen from outside. Where the nodes are spread over processes, all of them
/// call the same functions in the same order.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "starling/base/types.hpp"
#include "starling/record/metrics.hpp"

namespace starling {

/// The step size of each round.
using StepSize = std::function<double(Round)>;

/// Where a run stopped having finite numbers.
struct Divergence {
  Round round;
  Node node;
  std::string variable;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// One round of all nodes: exchange, sample, update. Returns where a value stopped being finite,
  /// if one did and this process has heard of it; the state is then of no further use.
  virtual std::optional<Divergence> advance() = 0;

  /// Everything but `seconds`; the same on all processes.
  virtual Metrics evaluate(const Measures& measures) = 0;

  virtual Round round() const = 0;

  /// The average of the nodes' x, summed in node order in double precision.
  virtual std::vector<float> average() const = 0;

  /// A node's row of a state variable, on the first process; the others get nothing. Valid until
  /// the next call.
  virtual std::span<const float> row(std::size_t variable, Node node) = 0;
};

}  // namespace starling
