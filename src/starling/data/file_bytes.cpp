#include "starling/data/file_bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <ios>
#include <new>
#include <span>
#include <system_error>

#include <fmt/format.h>
#include <zlib.h>

#include "starling/base/error.hpp"

namespace starling {
namespace {

/// zlib's stream, closed however its user is left.
class Inflater {
 public:
  explicit Inflater(std::span<const std::uint8_t> packed) : rest_(packed) {
    // 16 asks for gzip framing, whose checksum and length zlib then verifies.
    if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Unpacks into `room` and adds the number of bytes to `written`; returns zlib's status.
  int read(std::span<std::uint8_t> room, std::size_t& written) {
    if (stream_.avail_in == 0 && !rest_.empty()) {
      const std::size_t size = std::min(rest_.size(), largest_);
      stream_.next_in = const_cast<Bytef*>(rest_.data());
      stream_.avail_in = static_cast<uInt>(size);
      rest_ = rest_.subspan(size);
    }
    const auto offered = static_cast<uInt>(std::min(room.size(), largest_));
    stream_.next_out = room.data();
    stream_.avail_out = offered;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    written += offered - stream_.avail_out;
    return status;
  }

  bool at_end() const { return stream_.avail_in == 0 && rest_.empty(); }
  void next_member() { inflateReset(&stream_); }
  const char* message() const { return stream_.msg != nullptr ? stream_.msg : "unknown format"; }

 private:
  static constexpr std::size_t largest_ = std::size_t{1} << 30;  // zlib counts in 32 bits
  z_stream stream_{};
  std::span<const std::uint8_t> rest_;
};

std::vector<std::uint8_t> unpack(std::span<const std::uint8_t> packed, const std::string& file) {
  Inflater inflater(packed);
  std::vector<std::uint8_t> bytes(4 * packed.size());
  std::size_t written = 0;
  for (;;) {
    if (written == bytes.size()) bytes.resize(2 * bytes.size());
    const int status = inflater.read(std::span(bytes).subspan(written), written);
    if (status == Z_STREAM_END) {
      if (inflater.at_end()) break;
      inflater.next_member();  // a gzip file may be several, one after the other
    } else if (status == Z_BUF_ERROR) {
      // There is always room, so no progress means that the input ran out before its end.
      throw UserError(fmt::format("{}: the gzip file is truncated", file));
    } else if (status != Z_OK) {
      throw UserError(fmt::format("{}: the gzip file is corrupt ({})", file, inflater.message()));
    }
  }
  bytes.resize(written);
  return bytes;
}

std::vector<std::uint8_t> read_as_stored(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw UserError(fmt::format("{}: no such file", path.string()));
  if (std::filesystem::is_directory(path, ignored))
    throw UserError(fmt::format("{}: is a folder, must be a file", path.string()));
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in ? static_cast<std::streamoff>(in.tellg()) : -1;
  if (size < 0) throw UserError(fmt::format("{}: cannot be read", path.string()));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!in) throw UserError(fmt::format("{}: cannot be read", path.string()));
  return bytes;
}

}  // namespace

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
  std::vector<std::uint8_t> bytes = read_as_stored(path);
  const bool is_gzip = bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  if (is_gzip) return unpack(bytes, path.string());
  return bytes;
}

std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const std::string& candidate : {name, name + ".gz"})
    if (std::filesystem::exists(folder / candidate, ignored)) return folder / candidate;
  const bool there = std::filesystem::is_directory(folder, ignored);
  throw UserError(fmt::format("{}: {}, must hold {} or {}.gz", folder.string(),
                              there ? "holds neither file" : "no such folder", name, name));
}

}  // namespace starling
