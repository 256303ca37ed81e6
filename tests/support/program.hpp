/// Runs the built program, STARLING_PROGRAM, as a user does from a shell.
#pragma once

#include <stdio.h>
#include <sys/wait.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "test_support.hpp"

namespace starling {

struct ProgramResult {
  int status = -1;
  std::string out, err;
};

/// Runs a shell command in `folder`.
inline ProgramResult run_command(const std::filesystem::path& folder, const std::string& what) {
  const TempFolder aside;
  const std::filesystem::path err = aside.path() / "stderr";
  const std::string command =
      "cd '" + folder.string() + "' && " + what + " 2> '" + err.string() + "'";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  ProgramResult result;
  std::array<char, 4096> buffer;
  for (std::size_t count = 0; (count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    result.out.append(buffer.data(), count);
  const int ended = pclose(pipe);
  if (WIFEXITED(ended)) result.status = WEXITSTATUS(ended);
  result.err = stored(err);
  return result;
}

/// Runs the program in `folder`.
inline ProgramResult run_program(const std::filesystem::path& folder,
                                 const std::string& arguments) {
  return run_command(folder, "'" STARLING_PROGRAM "' " + arguments);
}

}  // namespace starling
