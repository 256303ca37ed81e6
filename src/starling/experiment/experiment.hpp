/// An experiment file, read, checked and turned into objects.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "starling/engine/train.hpp"
#include "starling/experiment/catalogue.hpp"

namespace starling {

/// Who hears whom with what weight.
struct Network {
  Graph graph;
  MixingWeights weights;
};

/// The [network] table of an experiment.
struct NetworkPlan {
  std::size_t nodes = 0;
  std::uint64_t seed = 0;
  GraphRule graph;
  WeightsRule weights;

  /// Throws UserError where graph or weights cannot be made.
  Network make() const;
};

/// One [[method]] table.
struct MethodPlan {
  std::string label;  ///< the name in tables and metrics.csv: unique within the experiment
  double step = 0;
  MethodRule method;
  ScheduleRule schedule;
};

struct Experiment {
  std::string file, title;
  std::uint64_t seed = 1;
  Round rounds = 0;   ///< or, where 0,
  double epochs = 0;  ///< passes over the data
  NetworkPlan network;
  ProblemRule problem;
  std::vector<MethodPlan> methods;
  Round every = 1;
  Measures measures;
  Table resolved;  ///< the file again, defaults included

  /// The number of rounds to run on this problem.
  Round rounds_on(const Problem& problem) const;
};

/// Reads a file, with `overrides` ("key=value") put over it. Throws UserError for anything unknown,
/// of the wrong type, out of range or missing.
Experiment read_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides);

/// Reads a [network] table; `resolved` gets it back with all defaults.
NetworkPlan read_network(OptionReader& reader, std::uint64_t seed, Table& resolved);

/// Throws UserError if the network's weights are not what the method's theory needs, naming the
/// assumption and what would satisfy it.
void check_weights(const std::string& method, const RowUpdate& update, const Network& network);

}  // namespace starling
