/// The trace of an asynchronous run: who updated what, from how old an x.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "starling/base/types.hpp"
#include "starling/record/run_folder.hpp"

namespace starling {

/// Updates in the order in which they landed, numbered 0, 1, ... Update k made x^{k+1} of x^k.
struct Trace {
  std::size_t blocks = 1;
  struct Update {
    Node core;
    Round sample;    ///< the round that the minibatch was drawn for
    double seconds;  ///< since the run's start, when it landed
  };
  std::vector<Update> updates;
  std::vector<Round> delays;  ///< updates x blocks: the block was read as x^{k - delay} had it

  const Round* delays_of(std::size_t update) const { return delays.data() + update * blocks; }
};

/// CSV: core, block (the core's own, or "all"), sample, seconds, delay_0, delay_1, ...
void write_trace(const Trace& trace, bool partitioned, const Sink& sink);

/// Reads what `write_trace` wrote. Throws UserError with file, line, what was found and what is
/// allowed: delays are at most the number of updates before.
Trace read_trace(const std::filesystem::path& path);

}  // namespace starling
