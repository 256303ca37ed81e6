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

/// A file being written, closed at the end of its life.
class NewFile {
 public:
  explicit NewFile(const fs::path& path)
      : path_(path), file_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666)) {
    if (file_ < 0) fail();
  }
  ~NewFile() {
    if (file_ >= 0) close(file_);
  }
  NewFile(const NewFile&) = delete;

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(file_, bytes.data(), bytes.size());
      if (written <= 0) fail();
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void sync() {
    if (fsync(file_) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw RunError{fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno))};
  }
  fs::path path_;
  int file_;
};

}  // namespace

void write_whole_file(const fs::path& path, const std::function<void(const Sink&)>& produce) {
  fs::path temporary = path;
  temporary += ".new";
  std::error_code failure;
  try {
    NewFile file(temporary);
    produce([&](std::string_view bytes) { file.append(bytes); });
    file.sync();
    fs::rename(temporary, path);
  } catch (const fs::filesystem_error& error) {
    fs::remove(temporary, failure);
    throw RunError{fmt::format("{}: cannot be written: {}", path.string(), error.code().message())};
  } catch (...) {
    fs::remove(temporary, failure);
    throw;
  }
}

void write_whole_file(const fs::path& path, std::string_view content) {
  write_whole_file(path, [&](const Sink& sink) { sink(content); });
}

}  // namespace starling
