/// Doing something on all ranks of an MPI run, so that a mistake is told once.
#pragma once

#include <exception>
#include <string>

#include "starling/base/error.hpp"
#include "starling/cli/commands.hpp"
#include "starling/engine/mpi_world.hpp"

namespace starling {

/// Ends this rank without a word: another one has told the mistake.
struct ToldElsewhere {
  int status;
};

/// Runs `action`. Where there are ranks, all call this, and an error on any of them ends all of
/// them: the first one throws it, the others ToldElsewhere.
void together(const MpiWorld* world, const auto& action) {
  if (!world) {
    action();
    return;
  }
  std::string text;  // its first letter tells what kind of error it is
  try {
    action();
  } catch (const UserError& error) {
    text = std::string{"u"} + error.what();
  } catch (const std::exception& error) {
    text = std::string{"r"} + error.what();
  }
  const bool is_users = world->first_of(text.substr(0, 1)).ends_with('u');
  text = world->first_of(text.empty() ? text : text.substr(1));
  if (text.empty()) return;
  if (world->rank() != 0) throw ToldElsewhere{is_users ? mistake : failed};
  if (is_users) throw UserError{text};
  throw RunError{text};
}

}  // namespace starling
