/// The [network] table of an experiment: who hears whom, with what weight, in which rounds.
#pragma once

#include <memory>
#include <string>

#include "starling/experiment/catalogue.hpp"
#include "starling/graph/sequence.hpp"

namespace starling {

struct Network {
  Graph graph;                               ///< all edges there can be
  std::unique_ptr<WeightsSequence> weights;  ///< as if no message were lost
};

struct NetworkPlan {
  std::string file;
  std::size_t nodes = 0;
  std::uint64_t seed = 0;
  GraphRule graph;
  WeightsRule weights;
  std::string weights_name;
  LinksRule links;
  std::string links_name;
  double drop = 0;  ///< chance of each message to be lost

  /// Throws UserError where graph or weights cannot be made.
  Network make() const;

  /// The same weights with messages lost.
  std::unique_ptr<WeightsSequence> with_drops(std::unique_ptr<WeightsSequence> weights) const;
};

/// Reads a [network] table; `resolved` gets it back with all defaults.
NetworkPlan read_network(OptionReader& reader, std::uint64_t seed, Table& resolved);

/// Throws UserError if the network is not what the method's theory needs, naming the assumption and
/// what would satisfy it.
void check_network(const std::string& method, const RowUpdate& update, const NetworkPlan& plan,
                   Network& network);

}  // namespace starling
