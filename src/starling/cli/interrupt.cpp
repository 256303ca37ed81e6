#include "starling/cli/interrupt.hpp"

#include <atomic>
#include <csignal>

namespace starling {
namespace {

std::atomic<bool> has_come = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // or a signal could find it locked

void note(int) { has_come = true; }

}  // namespace

void note_interrupts() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return has_come; }

}  // namespace starling
