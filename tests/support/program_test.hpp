/// Tests that run the built program in a folder of their own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "program.hpp"
#include "test_support.hpp"

namespace starling {

class ProgramTest : public ::testing::Test {
 protected:
  ProgramResult run(const std::string& arguments) const {
    return run_program(folder.path(), arguments);
  }

  /// Runs what must end well and returns what it prints.
  std::string output_of(const std::string& arguments) const {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.status, 0) << arguments << ": " << result.err;
    return result.out;
  }

  /// A mistake ends with status 2 and one line on stderr that says `part`; nothing is left behind.
  void expect_mistake(const std::string& arguments, const std::string& part) const {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_TRUE(result.err.starts_with("starling: ")) << arguments << ": " << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << arguments << ": " << result.err;
    EXPECT_NE(result.err.find(part), std::string::npos)
        << arguments << ": \"" << result.err << "\" must say \"" << part << "\"";
    EXPECT_FALSE(has("runs")) << arguments;
  }

  std::string file(const std::string& name) const { return stored(folder.path() / name); }
  bool has(const std::string& name) const { return std::filesystem::exists(folder.path() / name); }

  TempFolder folder;
};

}  // namespace starling
