/// What the ranks make of a divergence that some of them have seen.
#pragma once

#include <optional>

#include "starling/engine/engine.hpp"
#include "starling/engine/mpi_watch.hpp"
#include "starling/engine/mpi_world.hpp"

namespace starling {

/// The earliest divergence that any rank has seen; of one round those whose own subgradient went
/// wrong count first (`is_origin`), and of these the lowest node. All ranks call this alike; `seen`
/// is what this rank has seen. Throws SilentRank where a rank is missing.
std::optional<Divergence> earliest_of_all(const std::optional<Divergence>& seen, bool is_origin,
                                          const MpiWorld& world, const Watch& watch);

}  // namespace starling
