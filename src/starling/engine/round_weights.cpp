#include "starling/engine/round_weights.hpp"

#include <algorithm>

namespace starling {
namespace {

/// Entries off the diagonal: messages.
std::uint64_t messages_of(const SparseMatrix& weights) {
  std::uint64_t messages = 0;
  for (Node i = 0; i < weights.rows(); ++i)
    for (const Node j : weights.row(i).columns) messages += i != j;
  return messages;
}

}  // namespace

RoundWeights::RoundWeights(const RowUpdate& update, WeightsSequence& sequence)
    : update_(update),
      sequence_(sequence),
      push_weights_(sequence.nodes(), 1.0),
      pushed_(push_weights_) {
  if (sequence.period() != 1) return;
  take_up(1);
  given_ = {};  // it is not needed again
}

void RoundWeights::take_up(Round round) {
  sequence_.weights(round, given_);
  pull_.assign(given_.pull, KernelWeights::SumsToOne::rows);
  push_.assign(given_.push, KernelWeights::SumsToOne::columns);
  const WeightsSequence::Lost lost = sequence_.lost();
  pull_messages_ = messages_of(given_.pull) + lost.pull;
  push_messages_ = messages_of(given_.push) + lost.push;
}

void RoundWeights::advance_to(Round round) {
  exchange_ = update_.exchange(round);
  if (exchange_ != Exchange::neighbours) return;
  ++exchanges_;
  if (sequence_.period() != 1) take_up(exchanges_);
  if (update_.push_sum()) push_on();
}

/// w_i+ = sum_j C_ij w_j
void RoundWeights::push_on() {
  for (Node i = 0; i < pushed_.size(); ++i) {
    const KernelWeights::Row row = push_.row(i);
    pushed_[i] = 0;
    for (std::size_t k = 0; k < row.count; ++k)
      pushed_[i] += double{row.values[k]} * push_weights_[row.columns[k]];
  }
  std::swap(push_weights_, pushed_);
}

std::uint64_t RoundWeights::bytes_sent(std::size_t dimension) const {
  const std::uint64_t vector = dimension * sizeof(float);
  const std::uint64_t tree = 2 * (sequence_.nodes() - 1);
  std::uint64_t bytes = 0;
  for (const Mixing mixing : update_.mixing()) {
    const std::uint64_t messages = mixing == Mixing::push ? push_messages_ : pull_messages_;
    if (exchange_ == Exchange::neighbours) bytes += messages * vector;
    if (exchange_ == Exchange::everybody) bytes += tree * vector;
  }
  if (update_.push_sum() && exchange_ == Exchange::neighbours)
    bytes += push_messages_ * sizeof(float);
  return bytes;
}

}  // namespace starling
