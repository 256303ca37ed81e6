#include "starling/data/file_bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <ios>
#include <limits>
#include <new>
#include <span>
#include <system_error>

#include <fmt/format.h>
#include <lzma.h>
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

/// liblzma's stream, closed however its user is left.
class XzDecoder {
 public:
  explicit XzDecoder(std::span<const std::uint8_t> packed) {
    // liblzma verifies checksums and lengths; a kind of checksum that it cannot verify is an error.
    constexpr auto any_memory = std::numeric_limits<std::uint64_t>::max();
    constexpr std::uint32_t flags = LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK;
    if (lzma_stream_decoder(&stream_, any_memory, flags) != LZMA_OK) throw std::bad_alloc();
    stream_.next_in = packed.data();
    stream_.avail_in = packed.size();
  }
  ~XzDecoder() { lzma_end(&stream_); }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;

  /// Unpacks into `room` and adds the number of bytes to `written`; returns liblzma's status.
  lzma_ret read(std::span<std::uint8_t> room, std::size_t& written) {
    stream_.next_out = room.data();
    stream_.avail_out = room.size();
    const lzma_ret status = lzma_code(&stream_, LZMA_FINISH);
    written += room.size() - stream_.avail_out;
    return status;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

/// Calls step(room, written), which unpacks into `room` and adds to `written`, until it returns
/// true; there is always room. `guess` bytes, not 0, are made room for at first.
std::vector<std::uint8_t> collect(std::size_t guess, const auto& step) {
  std::vector<std::uint8_t> bytes(guess);
  std::size_t written = 0;
  while (!step(std::span(bytes).subspan(written), written))
    if (written == bytes.size()) bytes.resize(2 * bytes.size());
  bytes.resize(written);
  return bytes;
}

std::vector<std::uint8_t> unpack_gzip(std::span<const std::uint8_t> packed,
                                      const std::string& file) {
  Inflater inflater(packed);
  return collect(4 * packed.size(), [&](std::span<std::uint8_t> room, std::size_t& written) {
    const int status = inflater.read(room, written);
    if (status == Z_STREAM_END) {
      if (inflater.at_end()) return true;
      inflater.next_member();  // a gzip file may be several, one after the other
    } else if (status == Z_BUF_ERROR) {
      // There is always room, so no progress means that the input ran out before its end.
      throw UserError(fmt::format("{}: the gzip file is truncated", file));
    } else if (status != Z_OK) {
      throw UserError(fmt::format("{}: the gzip file is corrupt ({})", file, inflater.message()));
    }
    return false;
  });
}

std::vector<std::uint8_t> unpack_xz(std::span<const std::uint8_t> packed, const std::string& file) {
  XzDecoder decoder(packed);
  return collect(4 * packed.size(), [&](std::span<std::uint8_t> room, std::size_t& written) {
    const lzma_ret status = decoder.read(room, written);
    if (status == LZMA_STREAM_END) return true;
    if (status == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (status == LZMA_BUF_ERROR)  // no progress, as above
      throw UserError(fmt::format("{}: the xz file is truncated", file));
    if (status != LZMA_OK)
      throw UserError(fmt::format("{}: the xz file is corrupt ({})", file,
                                  status == LZMA_DATA_ERROR ? "damaged data" : "unknown format"));
    return false;
  });
}

bool begins_with(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> magic) {
  return bytes.size() >= magic.size() && std::ranges::equal(bytes.first(magic.size()), magic);
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
  constexpr std::uint8_t gzip[] = {0x1f, 0x8b}, xz[] = {0xfd, '7', 'z', 'X', 'Z', 0};
  std::vector<std::uint8_t> bytes = read_as_stored(path);
  if (begins_with(bytes, gzip)) return unpack_gzip(bytes, path.string());
  if (begins_with(bytes, xz)) return unpack_xz(bytes, path.string());
  return bytes;
}

std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const char* ending : {"", ".gz", ".xz"})
    if (std::filesystem::exists(folder / (name + ending), ignored)) return folder / (name + ending);
  const bool there = std::filesystem::is_directory(folder, ignored);
  throw UserError(fmt::format("{}: {}, must hold {}, {}.gz or {}.xz", folder.string(),
                              there ? "holds no such file" : "no such folder", name, name, name));
}

}  // namespace starling
