#include "starling/record/safetensors.hpp"

#include <bit>
#include <cstdint>
#include <functional>
#include <numeric>

#include <nlohmann/json.hpp>

namespace starling {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

void write_safetensors(const std::vector<TensorRows>& tensors, const Sink& sink) {
  auto header = nlohmann::ordered_json::object();
  std::size_t end = 0;
  for (const TensorRows& tensor : tensors) {
    const std::size_t count = std::accumulate(tensor.shape.begin(), tensor.shape.end(),
                                              std::size_t{1}, std::multiplies<>{});
    const std::size_t begin = end;
    end += count * sizeof(float);
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the arrays begin on a multiple of 8

  const std::uint64_t length = text.size();
  sink({reinterpret_cast<const char*>(&length), sizeof length});
  sink(text);
  for (const TensorRows& tensor : tensors)
    for (std::size_t row = 0; row < tensor.rows; ++row) {
      const std::span<const float> values = tensor.row(row);
      sink({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
    }
}

}  // namespace starling
