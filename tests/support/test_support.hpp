/// Files to read and errors to look at, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "starling/base/error.hpp"

namespace starling {

/// A folder of its own, removed at the end of the test.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "starling-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) throw std::runtime_error("cannot write " + name);
    return path_ / name;
  }

  std::filesystem::path write_gzip(const std::string& name, std::string_view bytes) const {
    const std::string file = (path_ / name).string();
    gzFile out = gzopen(file.c_str(), "wb");
    if (out == nullptr) throw std::runtime_error("cannot write " + name);
    const int written = gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
    if (gzclose(out) != Z_OK || written != static_cast<int>(bytes.size()))
      throw std::runtime_error("cannot write " + name);
    return file;
  }

 private:
  std::filesystem::path path_;
};

/// The bytes of a file as stored.
inline std::string stored(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

/// The message of the UserError that `action` throws, or "" where it throws none.
template <class Action>
std::string user_error_of(const Action& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

/// Whether an error is one line that contains `part`.
inline ::testing::AssertionResult says(const std::string& error, const std::string& part) {
  if (error.find(part) != error.npos && error.find('\n') == error.npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "\"" << error << "\" must say \"" << part << "\"";
}

/// The folder of a real data set under $STARLING_DATA, or an empty path where there is none.
inline std::filesystem::path real_data(const std::string& name) {
  const char* folder = getenv("STARLING_DATA");
  if (folder == nullptr) return {};
  const std::filesystem::path path = std::filesystem::path(folder) / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace starling
