#include "starling/data/batches.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "starling/base/random.hpp"

namespace starling {

Batches::Batches(Partition partition, std::size_t batch, bool reshuffle, std::uint64_t seed)
    : partition_(std::move(partition)),
      batch_(batch),
      reshuffle_(reshuffle),
      seed_(seed),
      caches_(partition_.size()) {
  assert(batch_ > 0);
  for (std::size_t node = 0; node < partition_.size(); ++node) {
    const std::size_t count = partition_[node].size();
    assert(count > 0);
    if (!reshuffle_)
      caches_[node].samples.resize(batch_);
    else if (batch_ < count)
      caches_[node].samples.resize(count);
  }
}

std::span<const std::uint32_t> Batches::batch(Node node, Round round) {
  const std::vector<std::uint32_t>& own = partition_[node];
  std::vector<std::uint32_t>& drawn = caches_[node].samples;
  if (!reshuffle_) {
    Random random(seed_, Purpose::batch, node, round);
    for (std::uint32_t& sample : drawn)
      sample = own[random.below(static_cast<std::uint32_t>(own.size()))];
    return drawn;
  }
  if (batch_ >= own.size()) return own;
  // Epochs are numbered from 1 as rounds are; epoch 0 serves round 0 alone.
  const Round per_epoch = rounds_per_epoch(own.size());
  fill_epoch(node, round == 0 ? 0 : (round - 1) / per_epoch + 1);
  const std::size_t first = round == 0 ? 0 : (round - 1) % per_epoch * batch_;
  return std::span(drawn).subspan(first, std::min(batch_, own.size() - first));
}

void Batches::fill_epoch(Node node, Round epoch) {
  Cache& cache = caches_[node];
  if (cache.filled && cache.epoch == epoch) return;
  std::copy(partition_[node].begin(), partition_[node].end(), cache.samples.begin());
  Random(seed_, Purpose::batch, node, epoch).shuffle(std::span(cache.samples));
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
