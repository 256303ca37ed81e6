#include "starling/engine/delays.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "starling/engine/block_update.hpp"
#include "starling/engine/blocks.hpp"

namespace starling {

Delays::Delays(const Asynchronous& method, std::vector<Part> blocks, std::size_t cores,
               CoreStep step_size, DelayProcess& process, Problem& problem, Round updates)
    : rule_{method.momentum},
      owned_(is_partitioned(method)),
      blocks_(std::move(blocks)),
      cores_(cores),
      step_size_(std::move(step_size)),
      process_(process),
      problem_(problem),
      updates_(updates),
      oracle_(problem.oracle()),
      u_(problem.dimension()),
      x_(problem.dimension()),
      g_(problem.dimension()),
      updates_of_(cores),
      losses_(cores, std::numeric_limits<float>::quiet_NaN()),
      snapshots_(problem) {
  assert(problem.nodes() == 1);
  problem.start(x_);
  histories_.reserve(blocks_.size());
  for (const Part& block : blocks_)
    histories_.emplace_back(std::span(x_).subspan(block.first, block.count),
                            std::min(process.most(), updates));
}

void Delays::read(std::span<const Round> delays) {
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    assert(delays[b] <= round_);
    const std::span<const float> version = histories_[b].at(round_ - delays[b]);
    std::ranges::copy(version, x_.begin() + static_cast<std::ptrdiff_t>(blocks_[b].first));
  }
}

void Delays::update(std::size_t block, float step) {
  const Part& part = blocks_[block];
  const std::span<float> x = histories_[block].add(round_ + 1);
  if (rule_.momentum > 0)
    update_floats(rule_, g_.data() + part.first, step, x.data(), u_.data() + part.first,
                  part.count);
  else
    update_floats(g_.data() + part.first, step, x.data(), part.count);
}

/// Algorithm 2 of the paper.
std::optional<Divergence> Delays::advance() {
  const DelayEvent event = process_.next(round_);
  read(event.delays);
  const Round k = ++updates_of_[event.core];
  const Round sample = event.sample.value_or(sample_of(event.core, k, cores_));
  const Part part = owned_ ? blocks_[event.core] : Part{0, x_.size()};
  const float loss = oracle_->partial_subgradient(0, sample, x_, part, g_);
  if (!std::isfinite(loss)) return Divergence{round_ + 1, event.core, "the minibatch loss"};
  losses_[event.core] = loss;
  const auto step = static_cast<float>(step_size_(event.core, k));
  if (owned_) {
    update(event.core, step);
  } else {
    for (std::size_t b = 0; b < blocks_.size(); ++b) update(b, step);
  }
  const auto oldest = static_cast<double>(std::ranges::max(event.delays));
  delay_sum_ += oldest;
  delay_most_ = std::max(delay_most_, oldest);
  ++round_;
  // No minibatch will look at the last one.
  if (round_ == updates_ && !is_finite(average())) return Divergence{round_, event.core, "x"};
  return std::nullopt;
}

void Delays::copy_newest(std::span<float> x) const {
  for (std::size_t b = 0; b < blocks_.size(); ++b)
    std::ranges::copy(histories_[b].newest(),
                      x.begin() + static_cast<std::ptrdiff_t>(blocks_[b].first));
}

Metrics Delays::evaluate(const Measures& measures) {
  Metrics metrics{.round = round_};
  if (round_ > 0) {
    metrics.minibatch_loss = mean_loss(cores_, [this](std::size_t core) { return losses_[core]; });
    metrics.staleness_mean = delay_sum_ / static_cast<double>(round_);
    metrics.staleness_most = delay_most_;
  }
  copy_newest(snapshots_.x());
  snapshots_.evaluate(measures, metrics);
  return metrics;
}

std::vector<float> Delays::average() const {
  std::vector<float> x(x_.size());
  copy_newest(x);
  return x;
}

std::span<const float> Delays::row(std::size_t variable, Node) {
  if (variable == 1) return u_;
  copy_newest(x_);
  return x_;
}

}  // namespace starling
