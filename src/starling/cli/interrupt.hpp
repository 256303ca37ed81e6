/// Ending a run on Ctrl-C without losing what it has.
#pragma once

namespace starling {

/// From now on the first SIGINT or SIGTERM is only noted; a second one ends the program at once.
void note_interrupts();

/// Whether one has come.
bool interrupted();

}  // namespace starling
