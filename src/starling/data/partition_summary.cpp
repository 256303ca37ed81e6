#include <algorithm>

#include <fmt/format.h>

#include "starling/data/partition.hpp"

namespace starling {
namespace {

using Counts = std::vector<std::size_t>;

constexpr std::size_t most_lines = 32;

/// The columns of the table: all widths are known before the first line is written.
struct Columns {
  std::size_t samples, label;

  std::string line(std::string_view node, std::string_view total, const Counts& counts) const {
    std::string text = fmt::format("{:>6}  {:>{}}", node, total, samples);
    for (const std::size_t count : counts) text += fmt::format("  {:>{}}", count, label);
    return text + '\n';
  }
};

std::string rest_line(const Partition& partition) {
  std::size_t least = partition[0].size(), most = 0, sum = 0;
  for (const auto& samples : partition) {
    least = std::min(least, samples.size());
    most = std::max(most, samples.size());
    sum += samples.size();
  }
  const double mean = static_cast<double>(sum) / static_cast<double>(partition.size());
  return fmt::format("... and {} more nodes (samples of a node: min {}, mean {:.1f}, max {})\n",
                     partition.size() - most_lines, least, mean, most);
}

}  // namespace

std::string summary(const Partition& partition, std::span<const std::uint8_t> sample_labels,
                    int classes) {
  const auto all = static_cast<std::size_t>(classes);
  Counts nobody(all), header(all);
  for (std::size_t label = 0; label < all; ++label) header[label] = label;
  for (const std::uint8_t label : sample_labels) ++nobody[label];
  std::size_t unused = sample_labels.size();
  const std::size_t most = *std::max_element(nobody.begin(), nobody.end());
  const Columns columns{std::max<std::size_t>(7, fmt::formatted_size("{}", unused)),
                        fmt::formatted_size("{}", std::max(most, all - 1))};

  std::string text = "Samples of each node, and how many of each label:\n";
  text += columns.line("node", "samples", header);
  for (std::size_t node = 0; node < partition.size(); ++node) {
    Counts counts(all);
    for (const std::uint32_t sample : partition[node]) {
      ++counts[sample_labels[sample]];
      --nobody[sample_labels[sample]];
    }
    unused -= partition[node].size();
    if (node < most_lines)
      text += columns.line(std::to_string(node), std::to_string(partition[node].size()), counts);
  }
  if (partition.size() > most_lines) text += rest_line(partition);
  if (unused > 0) text += columns.line("nobody", std::to_string(unused), nobody);
  return text;
}

}  // namespace starling
