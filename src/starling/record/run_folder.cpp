#include "starling/record/run_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "starling/base/error.hpp"

namespace starling {
namespace fs = std::filesystem;

void create_run_folder(const fs::path& folder) {
  std::error_code failure;
  if (fs::exists(folder / "experiment.toml"))
    throw UserError{fmt::format("{}: already holds a run: choose another --out, or remove it",
                                folder.string())};
  if (fs::exists(folder) && !fs::is_directory(folder))
    throw UserError{fmt::format("{}: is a file: --out must be a new folder", folder.string())};
  if (fs::exists(folder) && !fs::is_empty(folder, failure))
    throw UserError{fmt::format("{}: is not empty: --out must be a new folder", folder.string())};
  fs::create_directories(folder, failure);
  if (failure)
    throw UserError{fmt::format("{}: cannot be created: {}", folder.string(), failure.message())};
}

fs::path free_run_folder(const std::string& name) {
  const fs::path first = fs::path{"runs"} / name;
  if (!fs::exists(first)) return first;
  for (int number = 2;; ++number) {
    const fs::path next = fs::path{"runs"} / fmt::format("{}-{}", name, number);
    if (!fs::exists(next)) return next;
  }
}

namespace {

void write_synced(const fs::path& path, std::string_view content) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  bool good = file >= 0;
  while (good && !content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    good = written > 0;
    if (good) content.remove_prefix(static_cast<std::size_t>(written));
  }
  good = good && fsync(file) == 0;
  const int cause = errno;
  if (file >= 0) close(file);
  if (!good)
    throw RunError{fmt::format("{}: cannot be written: {}", path.string(), std::strerror(cause))};
}

}  // namespace

void write_whole_file(const fs::path& path, std::string_view content) {
  fs::path temporary = path;
  temporary += ".new";
  std::error_code failure, ignored;
  try {
    write_synced(temporary, content);
  } catch (const RunError&) {
    fs::remove(temporary, ignored);
    throw;
  }
  fs::rename(temporary, path, failure);
  if (!failure) return;
  fs::remove(temporary, ignored);
  throw RunError{fmt::format("{}: cannot be written: {}", path.string(), failure.message())};
}

}  // namespace starling
