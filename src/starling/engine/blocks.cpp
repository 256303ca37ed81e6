#include "starling/engine/blocks.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>

#include "starling/base/error.hpp"

namespace starling {

std::vector<Part> equal_ranges(std::size_t dimension, std::size_t count) {
  std::vector<Part> ranges;
  for (std::size_t j = 0; j < count; ++j) {
    const std::size_t first = dimension * j / count, last = dimension * (j + 1) / count;
    ranges.push_back({first, last - first});
  }
  return ranges;
}

std::vector<Part> runs_of_tensors(std::span<const std::size_t> lengths, std::size_t count) {
  std::vector<std::size_t> ends(lengths.size());
  std::inclusive_scan(lengths.begin(), lengths.end(), ends.begin());
  const std::size_t chunk = (ends.back() + count - 1) / count;
  std::vector<Part> runs;
  std::size_t tensor = 0, first = 0;
  for (std::size_t j = 0; j < count; ++j) {
    const std::size_t latest = lengths.size() - (count - 1 - j);  // leaves one for each to come
    std::size_t next = j + 1 == count ? latest : tensor;
    while (next < latest && ends[next] <= (j + 1) * chunk) ++next;
    tensor = std::max(next, tensor + 1);
    runs.push_back({first, ends[tensor - 1] - first});
    first = ends[tensor - 1];
  }
  return runs;
}

void check_blocks(std::span<const Part> blocks, std::size_t dimension) {
  std::size_t next = 0;
  for (const Part& block : blocks) {
    if (block.first != next || block.count == 0)
      throw std::logic_error{fmt::format("a block of {} coordinates begins at {} instead of {}",
                                         block.count, block.first, next)};
    next += block.count;
  }
  if (next != dimension)
    throw std::logic_error{fmt::format("blocks cover {} of {} coordinates", next, dimension)};
}

bool is_partitioned(const Asynchronous& method) { return method.partition != "none"; }

std::vector<Part> blocks_for(const Asynchronous& method, const Problem& problem,
                             std::size_t cores) {
  const std::size_t dimension = problem.dimension();
  const std::vector<std::size_t> tensors = problem.tensors();
  const bool by_block = method.read_lock == "block" || method.write_lock == "block";
  if (!is_partitioned(method) && !by_block) return {{0, dimension}};
  const bool by_tensors = method.partition == "tensors" && tensors.size() > 1;
  if (by_tensors && tensors.size() < cores)
    throw UserError{
        fmt::format("method.partition = \"tensors\": {} cores, but x has {} tensors: use \"ranges\""
                    ", or fewer cores",
                    cores, tensors.size())};
  if (dimension < cores)
    throw UserError{fmt::format("cores = {}: x has {} coordinates, a core needs one at least",
                                cores, dimension)};
  std::vector<Part> blocks =
      by_tensors ? runs_of_tensors(tensors, cores) : equal_ranges(dimension, cores);
  check_blocks(blocks, dimension);
  return blocks;
}

}  // namespace starling
