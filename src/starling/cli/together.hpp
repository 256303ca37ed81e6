/// Doing something on all ranks of an MPI run, so that a mistake is told once.
#pragma once

#include <string>

#include "starling/base/error.hpp"
#include "starling/cli/commands.hpp"
#include "starling/engine/mpi_world.hpp"

namespace starling {

/// Ends this rank without a word: another one has told the mistake.
struct ToldElsewhere {
  int status;
};

/// Runs `action`. Where there are ranks, all call this, and a UserError of any of them ends all of
/// them: the first one throws it, the others ToldElsewhere.
void together(const MpiWorld* world, const auto& action) {
  std::string text;
  try {
    action();
  } catch (const UserError& error) {
    if (!world) throw;
    text = error.what();
  }
  if (!world) return;
  text = world->first_of(text);
  if (text.empty()) return;
  if (world->rank() == 0) throw UserError{text};
  throw ToldElsewhere{mistake};
}

}  // namespace starling
