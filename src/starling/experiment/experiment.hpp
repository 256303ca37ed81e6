/// An experiment file, read, checked and turned into objects.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "starling/engine/train.hpp"
#include "starling/experiment/catalogue.hpp"
#include "starling/experiment/network.hpp"

namespace starling {

/// One [[method]] table.
struct MethodPlan {
  std::string label;  ///< the name in tables and metrics.csv: unique within the experiment
  double step = 0;
  MethodRule method;
  ScheduleRule schedule;
};

/// The [engine] table: who runs the nodes.
struct EnginePlan {
  std::string name = "auto", exchange = "auto";
  double timeout = 60;

  static void options(auto& self, auto&& option) {
    option("name", self.name, Words{"auto", "simulate", "mpi"},
           "who runs the nodes; auto: mpi under mpirun, otherwise simulate");
    option("exchange", self.exchange, Words{"auto", "messages"},
           "between ranks; auto: shared memory on one host, messages between hosts");
    option("timeout", self.timeout, positive, "seconds of silence of a rank that end a run");
  }
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
  EnginePlan engine;
  Table resolved;  ///< the file again, defaults included

  /// The number of rounds to run on this problem.
  Round rounds_on(const Problem& problem) const;
};

/// Reads a file, with `overrides` ("key=value") put over it. Throws UserError for anything unknown,
/// of the wrong type, out of range or missing.
Experiment read_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides);

}  // namespace starling
