#include "starling/data/cifar.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/data/file_bytes.hpp"

namespace starling {
namespace {

constexpr std::size_t channels = 3, side = 32;
constexpr std::size_t record = 1 + channels * side * side;

void append_file(const std::filesystem::path& path, Images& images) {
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  const std::string file = path.string();
  if (bytes.empty() || bytes.size() % record != 0)
    throw UserError(
        fmt::format("{}: {} bytes, must be one or more records of {} (a label and {} x "
                    "{} x {} pixels)",
                    file, bytes.size(), record, channels, side, side));
  images.pixels.reserve(images.pixels.size() + bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += record) {
    const std::span<const std::uint8_t> pixels = std::span(bytes).subspan(at + 1, record - 1);
    if (bytes[at] > 9)
      throw UserError(fmt::format("{}: label {} of record {}, must be 0 ... 9", file,
                                  static_cast<int>(bytes[at]), at / record));
    images.labels.push_back(bytes[at]);
    images.pixels.insert(images.pixels.end(), pixels.begin(), pixels.end());
  }
}

}  // namespace

Images read_cifar(std::span<const std::filesystem::path> files) {
  Images images;
  images.channels = channels;
  images.rows = images.columns = side;
  images.classes = 10;
  for (const std::filesystem::path& file : files) append_file(file, images);
  images.count = images.labels.size();
  return images;
}

}  // namespace starling
