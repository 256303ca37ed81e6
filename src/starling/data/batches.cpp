#include "starling/data/batches.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "starling/base/random.hpp"

namespace starling {

Batches::Batches(Partition partition, std::size_t batch, bool reshuffle, std::uint64_t seed)
    : partition_(std::move(partition)), batch_(batch), reshuffle_(reshuffle), seed_(seed) {
  assert(batch_ > 0);
  assert(std::ranges::none_of(partition_, [](const auto& own) { return own.empty(); }));
}

BatchReader::BatchReader(const Batches& batches)
    : batches_(batches), caches_(batches.partition_.size()) {
  for (std::size_t node = 0; node < caches_.size(); ++node) {
    const std::size_t count = batches_.samples(static_cast<Node>(node));
    if (!batches_.reshuffle_)
      caches_[node].samples.resize(batches_.batch_);
    else if (batches_.batch_ < count)
      caches_[node].samples.resize(count);
  }
}

std::span<const std::uint32_t> BatchReader::batch(Node node, Round round) {
  const std::vector<std::uint32_t>& own = batches_.partition_[node];
  std::vector<std::uint32_t>& drawn = caches_[node].samples;
  const std::size_t batch = batches_.batch_;
  if (!batches_.reshuffle_) {
    Random random(batches_.seed_, Purpose::batch, node, round);
    for (std::uint32_t& sample : drawn)
      sample = own[random.below(static_cast<std::uint32_t>(own.size()))];
    return drawn;
  }
  if (batch >= own.size()) return own;
  // Epochs are numbered from 1 as rounds are; epoch 0 serves round 0 alone.
  const Round per_epoch = batches_.rounds_per_epoch(own.size());
  fill_epoch(node, round == 0 ? 0 : (round - 1) / per_epoch + 1);
  const std::size_t first = round == 0 ? 0 : (round - 1) % per_epoch * batch;
  return std::span(drawn).subspan(first, std::min(batch, own.size() - first));
}

void BatchReader::fill_epoch(Node node, Round epoch) {
  Cache& cache = caches_[node];
  if (cache.filled && cache.epoch == epoch) return;
  std::ranges::copy(batches_.partition_[node], cache.samples.begin());
  Random(batches_.seed_, Purpose::batch, node, epoch).shuffle(std::span(cache.samples));
  cache.epoch = epoch;
  cache.filled = true;
}

double Batches::epochs(Round rounds) const {
  double used = 0, all = 0;
  for (const std::vector<std::uint32_t>& own : partition_) {
    const auto count = static_cast<double>(own.size());
    const auto batch = static_cast<double>(batch_);
    all += count;
    if (reshuffle_) {
      const Round per_epoch = rounds_per_epoch(own.size());
      used += static_cast<double>(rounds / per_epoch) * count +
              static_cast<double>(rounds % per_epoch) * batch;
    } else {
      used += static_cast<double>(rounds) * batch;
    }
  }
  return used / all;
}

}  // namespace starling
