/// Small files of images for tests: IDX, CIFAR-10, xz.
#pragma once

#include <lzma.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "starling/base/random.hpp"
#include "test_support.hpp"

namespace starling {

/// Numbers as IDX writes them.
inline std::string big_endian(const std::vector<std::uint32_t>& numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers)
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

/// Bytes in [0, bound), drawn anew for every stream.
inline std::string random_bytes(std::size_t size, std::uint32_t bound, Node stream) {
  Random random(1, Purpose::problem, stream);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.below(bound));
  return bytes;
}

/// Labels 0 1 ... 9 0 1 ...
inline std::string counting_labels(std::size_t count) {
  std::string labels;
  for (std::size_t k = 0; k < count; ++k) labels += static_cast<char>(k % 10);
  return labels;
}

/// Writes NAME-images-idx3-ubyte and NAME-labels-idx1-ubyte; `name` is train or t10k.
inline void write_idx(const TempFolder& folder, const std::string& name, std::uint32_t rows,
                      std::uint32_t columns, const std::string& pixels, const std::string& labels) {
  const auto count = static_cast<std::uint32_t>(labels.size());
  folder.write(name + "-images-idx3-ubyte", big_endian({0x803, count, rows, columns}) + pixels);
  folder.write(name + "-labels-idx1-ubyte", big_endian({0x801, count}) + labels);
}

inline constexpr std::size_t cifar_pixels = 3 * 32 * 32;

/// One record of CIFAR-10's binary version.
inline std::string cifar_record(int label, const std::string& pixels) {
  return static_cast<char>(label) + pixels;
}

/// The bytes packed by liblzma, with a CRC64 as the program xz writes it.
inline std::string xz_of(std::string_view bytes) {
  std::vector<std::uint8_t> packed(lzma_stream_buffer_bound(bytes.size()));
  std::size_t size = 0;
  if (lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr,
                              reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                              packed.data(), &size, packed.size()) != LZMA_OK)
    throw std::runtime_error("lzma_easy_buffer_encode failed");
  packed.resize(size);
  return text_of(packed);
}

}  // namespace starling
