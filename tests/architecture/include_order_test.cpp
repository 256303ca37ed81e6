/// The picture in ARCHITECTURE.md stays true: which folder may include which, and where the heavy
/// headers are fenced in.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace starling {
namespace {

namespace fs = std::filesystem;

/// A folder includes itself and folders of a lower level.
const std::map<std::string, int> levels{{"base", 0},   {"graph", 1},      {"method", 2},
                                        {"data", 2},   {"record", 3},     {"problem", 3},
                                        {"engine", 4}, {"experiment", 5}, {"cli", 6}};

struct Include {
  std::string file, folder, included;
};

std::vector<Include> includes() {
  std::vector<Include> found;
  const fs::path root = fs::path{STARLING_SOURCES} / "starling";
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".hpp" && extension != ".cpp") continue;
    const std::string folder = fs::relative(entry.path(), root).begin()->string();
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with("#include ")) continue;
      const std::size_t open = line.find_first_of("\"<"), close = line.find_last_of("\">");
      found.push_back(
          {entry.path().filename().string(), folder, line.substr(open + 1, close - open - 1)});
    }
  }
  return found;
}

TEST(Architecture, FoldersIncludeOnlyFoldersBelowThem) {
  int seen = 0;
  for (const auto& [file, folder, included] : includes()) {
    if (!included.starts_with("starling/")) continue;
    const std::string other = included.substr(9, included.find('/', 9) - 9);
    ASSERT_TRUE(levels.contains(folder)) << folder;
    ASSERT_TRUE(levels.contains(other)) << file << " includes " << included;
    EXPECT_TRUE(folder == other || levels.at(other) < levels.at(folder))
        << folder << "/" << file << " includes " << included;
    ++seen;
  }
  EXPECT_GT(seen, 50);
}

TEST(Architecture, LibtorchIsSeenByProblemsOnly) {
  int seen = 0;
  for (const auto& [file, folder, included] : includes()) {
    if (!included.starts_with("torch/") && !included.starts_with("ATen/")) continue;
    EXPECT_EQ(folder, "problem") << file;
    ++seen;
  }
  EXPECT_GT(seen, 0);
}

TEST(Architecture, MethodsKnowNothingButArithmetic) {
  for (const auto& [file, folder, included] : includes()) {
    if (folder != "method" || !included.starts_with("starling/")) continue;
    EXPECT_TRUE(included.starts_with("starling/method/") || included.starts_with("starling/base/"))
        << file << " includes " << included;
  }
}

/// So that a method can be read beside its paper's pseudo-code.
TEST(Architecture, AMethodIsFortyLinesOfCodeAtMost) {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(fs::path{STARLING_SOURCES} / "starling/method")) {
    if (entry.path().filename() == "method.hpp") continue;  // what a method is
    std::ifstream file(entry.path());
    int lines = 0;
    for (std::string line; std::getline(file, line);) {
      const std::size_t first = line.find_first_not_of(' ');
      if (first != std::string::npos && line[first] != '#' && line.compare(first, 2, "//") != 0)
        ++lines;
    }
    EXPECT_LE(lines, 40) << entry.path().filename();
    ++seen;
  }
  EXPECT_GT(seen, 15);
}

}  // namespace
}  // namespace starling
