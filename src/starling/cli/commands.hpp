/// The program's commands. Each adds itself to the command line; what it returns is run when the
/// user named it, and gives the exit status.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace starling {

/// 0 success, 1 failure while running, 2 a mistake of the user's, 3 diverged, 130 ended by Ctrl-C.
enum ExitStatus : int { success = 0, failed = 1, mistake = 2, diverged = 3, ended_by_signal = 130 };

struct Command {
  CLI::App* app;
  std::function<int()> run;
};

Command run_command(CLI::App& program);
Command check_command(CLI::App& program);
Command list_command(CLI::App& program);
Command graph_command(CLI::App& program);

}  // namespace starling
