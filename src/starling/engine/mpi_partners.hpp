/// Which ranks exchange rows in a round, and which rows.
#pragma once

#include <functional>
#include <vector>

#include "starling/engine/mpi_team.hpp"
#include "starling/engine/round_weights.hpp"

namespace starling {

struct Partners {
  /// A rank on another host.
  struct Far {
    int rank = 0;
    std::vector<Node> heard;  ///< its nodes that nodes here hear, ascending
    std::vector<Node> told;   ///< nodes here that its nodes hear, ascending
  };
  std::vector<int> near;  ///< ranks on this host that hear nodes here or are heard here, ascending
  std::vector<Far> far;   ///< ascending
};

/// The partners of this rank under a round's weights; `everybody`: all nodes hear all others.
Partners partners_of(const MpiTeam& team, const RoundWeights& weights, const RowUpdate& update,
                     bool everybody, const std::function<bool(int rank)>& is_near);

}  // namespace starling
