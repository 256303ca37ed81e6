/// The mpi engine: the nodes of an experiment spread over processes, with simulate's bits.
///
/// A placement says which nodes a rank holds. Ranks of one host read each other's rows where they
/// are, in shared memory; between hosts, rows travel as messages while subgradients are computed.
/// The exchanged variables are kept twice: neighbours read the one while this rank writes the
/// other. Kernels and order of summation are simulate's.
#pragma once

#include <memory>
#include <optional>

#include "starling/engine/engine.hpp"
#include "starling/engine/mpi_world.hpp"
#include "starling/engine/placement.hpp"
#include "starling/engine/pool.hpp"
#include "starling/engine/row_update.hpp"
#include "starling/graph/sequence.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

struct MpiPlan {
  bool messages_only = false;  ///< even between ranks of one host
  double timeout = 60;         ///< seconds of silence that end a run
  Round agree_every = 1;       ///< rounds after which ranks tell each other of divergences
  Round rounds = 0;            ///< and the last round, after which they do so too
  std::optional<Placement> placement{};  ///< rank 0's is everybody's; nothing: `blocks`
};

/// All ranks call this together, with the same arguments; what it refers to must outlive the
/// engine. A rank that dies or stays silent makes `advance` throw RunError, which says where; its
/// text is empty where another rank of the host says so.
std::unique_ptr<Engine> make_mpi_engine(const MpiWorld& world, const RowUpdate& update,
                                        Problem& problem, WeightsSequence& weights,
                                        StepSize step_size, Pool& pool, const MpiPlan& plan);

}  // namespace starling
