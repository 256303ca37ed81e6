/// How x is divided into blocks, one a core.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "starling/method/asynchronous.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// Ranges whose lengths differ by one at most. Needs count <= dimension.
std::vector<Part> equal_ranges(std::size_t dimension, std::size_t count);

/// Runs of whole tensors of these lengths, one run a core and one tensor a run at least: core j
/// gets those that end within (j chunk, (j + 1) chunk], chunk = ceil(dimension / count), unless
/// that leaves a core with nothing. Needs count <= lengths.size().
std::vector<Part> runs_of_tensors(std::span<const std::size_t> lengths, std::size_t count);

/// Throws std::logic_error unless the blocks, in order, are disjoint and cover 0 ... dimension - 1,
/// none of them empty.
void check_blocks(std::span<const Part> blocks, std::size_t dimension);

/// Whether every core has a block of its own.
bool is_partitioned(const Asynchronous& method);

/// The blocks of x for so many cores: as the method's partition says. Where cores own nothing of
/// their own, equal ranges if something is locked by the block, otherwise the whole of x. Throws
/// UserError where there are not enough coordinates or tensors for that many cores.
std::vector<Part> blocks_for(const Asynchronous& method, const Problem& problem, std::size_t cores);

}  // namespace starling
