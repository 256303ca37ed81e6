#include "starling/data/idx.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/data/file_bytes.hpp"

namespace starling {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t image_magic = 0x00000803, label_magic = 0x00000801;
constexpr std::uint32_t largest_side = 0xffff;  // keeps the product of the dimensions in 64 bits
constexpr std::size_t image_header = 16, label_header = 8;

/// A 32-bit number of the header: IDX is big-endian.
std::uint32_t word(Bytes bytes, std::size_t index) {
  const std::uint8_t* at = bytes.data() + 4 * index;
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         std::uint32_t{at[3]};
}

void check_begin(Bytes bytes, std::uint32_t magic, std::size_t header, std::string_view kind,
                 const std::string& file) {
  if (bytes.size() < header)
    throw UserError(fmt::format("{}: {} bytes, must be at least {} (IDX {})", file, bytes.size(),
                                header, kind));
  if (word(bytes, 0) != magic)
    throw UserError(fmt::format("{}: begins with {:#010x}, must begin with {:#010x} (IDX {})", file,
                                word(bytes, 0), magic, kind));
  if (word(bytes, 1) == 0)
    throw UserError(fmt::format("{}: holds 0 {}, must hold at least 1", file, kind));
}

void check_length(Bytes bytes, std::size_t expected, const std::string& file) {
  if (bytes.size() == expected) return;
  throw UserError(fmt::format("{}: {} bytes, must be {} ({})", file, bytes.size(), expected,
                              bytes.size() < expected ? "truncated" : "extra bytes at the end"));
}

Images read_images(const std::filesystem::path& path) {
  const std::string file = path.string();
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  check_begin(bytes, image_magic, image_header, "images", file);
  const std::uint32_t rows = word(bytes, 2), columns = word(bytes, 3);
  if (std::min(rows, columns) < 1 || std::max(rows, columns) > largest_side)
    throw UserError(fmt::format("{}: images of {} x {} pixels, each must be 1 ... {}", file, rows,
                                columns, largest_side));
  Images images;
  images.count = word(bytes, 1);
  images.rows = rows;
  images.columns = columns;
  check_length(bytes, image_header + images.count * images.pixels_per_image(), file);
  images.pixels.assign(bytes.begin() + image_header, bytes.end());
  return images;
}

std::vector<std::uint8_t> read_labels(const std::filesystem::path& path) {
  const std::string file = path.string();
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  check_begin(bytes, label_magic, label_header, "labels", file);
  check_length(bytes, label_header + word(bytes, 1), file);
  const auto first = bytes.begin() + label_header;
  const auto bad = std::find_if(first, bytes.end(), [](std::uint8_t label) { return label > 9; });
  if (bad != bytes.end())
    throw UserError(fmt::format("{}: label {} of image {}, must be 0 ... 9", file,
                                static_cast<int>(*bad), bad - first));
  return {first, bytes.end()};
}

}  // namespace

Images read_idx(const std::filesystem::path& images_path,
                const std::filesystem::path& labels_path) {
  Images images = read_images(images_path);
  images.labels = read_labels(labels_path);
  if (images.labels.size() != images.count)
    throw UserError(fmt::format("{}: {} labels, must be {} as there are images in {}",
                                labels_path.string(), images.labels.size(), images.count,
                                images_path.string()));
  images.classes = std::max(2, 1 + *std::max_element(images.labels.begin(), images.labels.end()));
  return images;
}

}  // namespace starling
