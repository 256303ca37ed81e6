#include "starling/engine/rounds.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "starling/engine/evaluate.hpp"
#include "starling/engine/sums.hpp"

namespace starling {

Rounds::Rounds(const RowUpdate& update, Problem& problem, WeightsSequence& weights,
               StepSize step_size, Pool& pool, const Team& team, std::vector<Node> own)
    : update_(update),
      problem_(problem),
      pool_(pool),
      team_(team),
      weights_(update, weights),
      own_(std::move(own)),
      here_(own_.size()),
      nodes_(problem.nodes()),
      dimension_(problem.dimension()),
      step_size_(std::move(step_size)),
      gradients_(here_, dimension_),
      losses_(here_),
      steps_(here_),
      oracles_(pool.threads()) {
  pool_.run_on_each([&](std::size_t w, std::size_t) { oracles_[w] = problem_.oracle(); });
}

void Rounds::start(std::vector<RowsView> state) {
  state_ = std::move(state);
  if (here_ == 0) return;  // more processes than nodes
  const RowsView& x = state_[update_.x()];
  problem_.start(x.row(0));
  for (std::size_t i = 1; i < here_; ++i) std::ranges::copy(x.row(0), x.row(i).begin());
  // The other variables hold nothing yet, so x is where this can be sampled: in round 0.
  if (update_.starts_with_subgradient()) sample();
  for (std::size_t i = 0; i < here_; ++i)
    update_.start(state_at(i, 0).data(), gradients_.row(i).data(), dimension_);
}

Rounds::Pointers Rounds::state_at(std::size_t index, std::size_t column) const {
  Pointers pointers{};
  for (std::size_t v = 0; v < state_.size(); ++v)
    pointers[v] = state_[v].row(index).data() + column;
  return pointers;
}

std::optional<Divergence> Rounds::advance() {
  ++round_;
  weights_.advance_to(round_);
  bytes_sent_ += weights_.bytes_sent(dimension_);
  if (update_.order() == Order::combine_first) {
    choose_steps();
    update_blocks();
    sample();
    adapt_rows();
  } else {
    if (update_.order() == Order::overlapped && weights_.exchange() != Exchange::nobody) announce();
    sample();
    choose_steps();
    update_blocks();
  }
  if (!all_finite_ && !suspect_) suspect_ = look_for_divergence();
  return agree(suspect_);
}

std::optional<Divergence> Rounds::agree(const std::optional<Suspect>& seen) {
  return seen ? std::optional(seen->divergence) : std::nullopt;
}

void Rounds::sample() {
  const RowsView& point = state_[round_ == 0 ? update_.x() : update_.sampled()];
  pool_.run(here_, [&](std::size_t worker, std::size_t index) {
    losses_[index] = oracles_[worker]->subgradient(node_of(index), round_, point.row(index),
                                                   gradients_.row(index));
    if (!std::isfinite(losses_[index])) all_finite_ = false;
  });
}

/// The step size of every node; for clipping it depends on the length of a row.
void Rounds::choose_steps() {
  const auto step = static_cast<float>(step_size_(round_));
  const std::optional<std::size_t> normed = update_.normed();
  if (!normed) {
    std::ranges::fill(steps_, step);
    return;
  }
  const RowsView rows = *normed < state_.size() ? state_[*normed] : gradients_.view();
  pool_.run(here_, [&](std::size_t, std::size_t index) {
    const double norm = std::sqrt(sum_of_squares(rows.row(index)));
    steps_[index] = update_.step_size(step, static_cast<float>(norm));
  });
}

Pace Rounds::pace_of(std::size_t index) const {
  return {.step = steps_[index],
          .round = static_cast<float>(round_),
          .weight = static_cast<float>(weights_.push_weights()[node_of(index)])};
}

void Rounds::adapt_rows() {
  pool_.run(here_, [&](std::size_t, std::size_t index) { adapt_stretch({index, 0, dimension_}); });
}

void Rounds::before_exchange(const Stretch& stretch) {
  if (update_.order() == Order::adapt_first)
    adapt_stretch(stretch);
  else if (update_.prepares())
    note(update_.prepare(state_at(stretch.index, stretch.first).data(), pace_of(stretch.index),
                         stretch.count));
}

void Rounds::adapt_stretch(const Stretch& stretch) {
  note(update_.adapt(state_at(stretch.index, stretch.first).data(),
                     gradients_.row(stretch.index).data() + stretch.first, pace_of(stretch.index),
                     stretch.count));
}

bool Rounds::adds_up_inside(Node node) const {
  if (weights_.exchange() != Exchange::neighbours) return true;
  const std::size_t terms = weights_.of(0).row(node).count;
  if (terms > Mixture::most_terms) return false;
  for (std::size_t e = 1; e < update_.exchanged_count(); ++e)
    if (weights_.of(e).row(node).count != terms) return false;
  return true;
}

void Rounds::note(Magnitude worst) {
  if (!is_finite(worst)) all_finite_.store(false, std::memory_order_relaxed);
}

/// It began where the subgradient went wrong: neighbours may have heard of it in the same round.
std::optional<Rounds::Suspect> Rounds::look_for_divergence() const {
  const auto finite = [](std::span<const float> row) {
    return std::ranges::all_of(row, [](float value) { return std::isfinite(value); });
  };
  std::size_t origin = 0;
  while (origin < here_ && std::isfinite(losses_[origin]) && finite(gradients_.row(origin)))
    ++origin;
  const bool found = origin < here_;
  for (std::size_t i = found ? origin : 0; i < here_; ++i) {
    for (std::size_t v = 0; v < state_.size(); ++v)
      if (!finite(state_[v].row(i)))
        return Suspect{{round_, node_of(i), std::string{update_.variables()[v]}}, found};
    if (found) return Suspect{{round_, node_of(i), "minibatch loss"}, true};
  }
  return std::nullopt;
}

std::vector<float> Rounds::average() const {
  return average_of(state_[update_.x()], nodes_, pool_, team_);
}

Metrics Rounds::evaluate(const Measures& measures) {
  Metrics metrics{.round = round_, .epoch = problem_.epochs(round_), .bytes_sent = bytes_sent_};
  if (round_ > 0) {
    const std::vector<double> losses = team_.gather({losses_.begin(), losses_.end()});
    metrics.minibatch_loss =
        std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(nodes_);
  }
  // The gradients' rows are free between rounds: they take the full gradients.
  measure(measures, {state_[update_.x()], gradients_.view(), own_, nodes_, oracles_, pool_, team_},
          metrics);
  return metrics;
}

}  // namespace starling
