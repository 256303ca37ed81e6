/// What the papers assume of a network and of step sizes, and whether an experiment has it.
///
/// `check_network` (`network.hpp`) refuses what cannot work; this explains, and refuses nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "starling/experiment/catalogue.hpp"
#include "starling/experiment/network.hpp"
#include "starling/graph/checks.hpp"
#include "starling/graph/spectrum.hpp"

namespace starling {

enum class Verdict { holds, fails, unknown };

struct Assumption {
  std::string name;
  Verdict verdict = Verdict::unknown;
  std::string detail;  ///< numbers, and where it does not hold what would help; may be empty
};

/// What can be said of a network's weights, measured once for all methods, as if no message were
/// lost. Weights that change are looked at over their period, or over some rounds where they never
/// repeat.
struct NetworkFacts {
  bool is_directed = false;      ///< the graph
  Round period = 1;              ///< as that of a `WeightsSequence`
  Round rounds = 1;              ///< looked at
  MixingWeights weights;         ///< of the last of these rounds
  MatrixFacts pull, push;        ///< the worst of all these rounds
  Graph pull_graph, push_graph;  ///< who ever hears whom, weights of 0 left out

  /// Of fixed weights: R (or W) where its rows sum to 1, C where its columns do.
  std::optional<Spectrum> pull_spectrum, push_spectrum;

  /// Of W doubly stochastic: ||W - 11'/N||_2; where weights change, the same of the product over
  /// their period, or the mean factor a round where they never repeat.
  std::optional<double> contraction;

  /// Whether `contraction` is known and below 1, however near: told from the graph, not from
  /// digits.
  bool contracts() const;
};

/// Looks at the weights. Seconds for 100,000 nodes.
NetworkFacts look_at(Network& network);

/// What the method's theory asks of the network, one entry an assumption.
std::vector<Assumption> network_assumptions(const RowUpdate& update, const NetworkFacts& facts,
                                            double drop);

/// What the method's theory asks of the step sizes; empty where small ones are enough.
std::vector<Assumption> step_assumptions(const RowUpdate& update, const ScheduleRule& schedule);

}  // namespace starling
