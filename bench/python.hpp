/// Python programs that do the same work, run as a user would.
#pragma once

#include <array>
#include <cstdio>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace bench {

/// As its user finds it, glibc gives freed memory back to the system and a program of PyTorch pays
/// with page faults in every step. With these settings it keeps its memory, as ours does anyway.
inline constexpr const char* keeping_memory =
    "MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296 "
    "MALLOC_TOP_PAD_=268435456";

/// The number called `name` of the JSON line that a program of bench/python prints; `command` is
/// the program with its arguments, `environment` goes before it. Nothing, and why is printed, where
/// it does not run.
inline std::optional<double> python_number(const char* name, const std::string& command,
                                           const char* environment = "") {
  const std::string whole =
      fmt::format("{} /usr/bin/python3 {}/{} 2>&1", environment, STARLING_BENCH_PYTHON, command);
  FILE* pipe = popen(whole.c_str(), "r");
  if (!pipe) return std::nullopt;
  std::string output;
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe)) output += buffer.data();
  if (pclose(pipe) != 0) {
    fmt::print("  left out: {}\n    {}", whole,
               output.substr(output.rfind('\n', output.size() - 2) + 1));
    return std::nullopt;
  }
  return nlohmann::json::parse(output.substr(output.rfind('{'))).at(name).get<double>();
}

}  // namespace bench
