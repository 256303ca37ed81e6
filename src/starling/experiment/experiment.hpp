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
  MethodRule method;          ///< of nodes that exchange, or
  Asynchronous asynchronous;  ///< of cores that share memory: the engine tells which
  ScheduleRule schedule;
};

/// What the mpi engine is asked for.
struct RanksPlan {
  std::string exchange = "auto", placement = "blocks";
  double timeout = 60;

  static void options(auto& self, auto&& option) {
    option("exchange", self.exchange, Words{"auto", "messages"},
           "between ranks; auto: shared memory on one host, messages between hosts");
    option("placement", self.placement, Words{"blocks", "cut"},
           "nodes of a rank; blocks: consecutive ones; cut: so that few edges cross between ranks");
    option("timeout", self.timeout, positive, "seconds of silence of a rank that end a run");
  }
};

/// What the threads engine is asked for.
struct ThreadsOptions {
  std::string access = "auto";
  bool trace = false;

  static void options(auto& self, auto&& option) {
    option("access", self.access, Words{"auto", "fast", "strict"},
           "to shared numbers: vectors at a time or atomic_ref one by one; auto: fast where it is "
           "there");
    option("trace", self.trace, "record every update's core, delays and sample");
  }
};

/// The [engine] table: who runs the nodes, or the cores.
struct EnginePlan {
  std::string name = "auto";
  RanksPlan ranks;
  std::size_t cores = 0;  ///< of threads and delays
  ThreadsOptions threads;
  DelayRule delays;

  bool shares_memory() const { return name == "threads" || name == "delays"; }
};

struct Experiment {
  std::string file, title;
  std::uint64_t seed = 1;
  Round rounds = 0;     ///< or, where 0,
  double epochs = 0;    ///< passes over the data
  NetworkPlan network;  ///< empty where cores share memory
  ProblemRule problem;
  std::vector<MethodPlan> methods;
  Round every = 1;           ///< 0: by seconds
  double every_seconds = 0;  ///< of threads; 0: by updates
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
