#include "starling/engine/simulate.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numeric>

#include "starling/engine/evaluate.hpp"
#include "starling/engine/sums.hpp"

namespace starling {
namespace {

constexpr std::size_t line = 64 / sizeof(float);

/// Columns mixed at a time: small enough that the mixed values stay in the first-level cache.
constexpr std::size_t stretch_columns = 1024;

/// A block's copy of the exchanged variables should stay in a second-level cache. Longer rows are
/// faster (the prefetcher has to start anew at each), measured best at 4096-8192 columns.
constexpr std::size_t block_floats = 256 * 1024, longest_block = 8192;

std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

}  // namespace

Simulation::Simulation(const RowUpdate& update, Problem& problem, WeightsSequence& weights,
                       StepSize step_size, Pool& pool)
    : update_(update),
      problem_(problem),
      step_size_(std::move(step_size)),
      pool_(pool),
      weights_(update, weights),
      nodes_(problem.nodes()),
      dimension_(problem.dimension()),
      gradients_(nodes_, dimension_),
      losses_(nodes_),
      steps_(nodes_) {
  assert(weights.nodes() == nodes_);
  choose_blocks();
  start_workers();
  start_state();
}

Simulation::Simulation(const RowUpdate& update, Problem& problem,
                       std::unique_ptr<WeightsSequence> owned, StepSize step_size, Pool& pool)
    : Simulation(update, problem, *owned, std::move(step_size), pool) {
  owned_ = std::move(owned);
}

Simulation::Simulation(const RowUpdate& update, Problem& problem, const MixingWeights& weights,
                       StepSize step_size, Pool& pool)
    : Simulation(update, problem, std::make_unique<FixedWeights>(weights), std::move(step_size),
                 pool) {}

void Simulation::choose_blocks() {
  const std::size_t exchanged = update_.exchanged_count();
  const std::size_t fits = block_floats / (nodes_ * exchanged) / line * line;
  const std::size_t longest = std::clamp(fits, line, longest_block);
  // As many blocks as a multiple of the threads, so that all end at the same time.
  blocks_ = round_up((dimension_ + longest - 1) / longest, pool_.threads());
  block_ = round_up((dimension_ + blocks_ - 1) / blocks_, line);
  blocks_ = (dimension_ + block_ - 1) / block_;
  block_stride_ = (block_ / line | 1) * line;
}

void Simulation::start_workers() {
  const std::size_t exchanged = update_.exchanged_count();
  for (std::size_t w = 0; w < pool_.threads(); ++w) {
    Worker& worker = workers_.emplace_back(Worker{{}, {}, Arena(exchanged * stretch_columns)});
    for (std::size_t e = 0; e < exchanged; ++e) {
      worker.columns.emplace_back(nodes_ * block_stride_);
      if (update_.averages_exactly()) worker.means.emplace_back(block_);
    }
  }
  oracles_.resize(pool_.threads());
  pool_.run_on_each([&](std::size_t w, std::size_t) { oracles_[w] = problem_.oracle(); });
}

void Simulation::start_state() {
  for (std::size_t v = 0; v < update_.state_count(); ++v) state_.emplace_back(nodes_, dimension_);
  NodeRows& x = state_[update_.x()];
  problem_.start(x.row(0));
  for (Node i = 1; i < nodes_; ++i) std::ranges::copy(x.row(0), x.row(i).begin());
  // The other variables hold nothing yet, so x is where this can be sampled: in round 0.
  if (update_.starts_with_subgradient()) sample();
  for (Node i = 0; i < nodes_; ++i)
    update_.start(state_at(i, 0).data(), gradients_.row(i).data(), dimension_);
}

Simulation::Pointers Simulation::state_at(Node node, std::size_t column) {
  Pointers pointers{};
  for (std::size_t v = 0; v < state_.size(); ++v) pointers[v] = state_[v].row(node).data() + column;
  return pointers;
}

std::optional<Divergence> Simulation::advance() {
  ++round_;
  weights_.advance_to(round_);
  bytes_sent_ += weights_.bytes_sent(dimension_);
  if (update_.order() == Order::combine_first) {
    choose_steps();
    update_blocks();
    sample();
    adapt_rows();
  } else {
    sample();
    choose_steps();
    update_blocks();
  }
  return all_finite_ ? std::nullopt : find_divergence();
}

void Simulation::sample() {
  const NodeRows& point = state_[round_ == 0 ? update_.x() : update_.sampled()];
  pool_.run(nodes_, [&](std::size_t worker, std::size_t task) {
    const auto node = static_cast<Node>(task);
    losses_[node] =
        oracles_[worker]->subgradient(node, round_, point.row(node), gradients_.row(node));
    if (!std::isfinite(losses_[node])) all_finite_ = false;
  });
}

/// The step size of every node; for clipping it depends on the length of a row, summed in double in
/// a fixed order.
void Simulation::choose_steps() {
  const auto step = static_cast<float>(step_size_(round_));
  const std::optional<std::size_t> normed = update_.normed();
  if (!normed) {
    std::ranges::fill(steps_, step);
    return;
  }
  const NodeRows& rows = *normed < state_.size() ? state_[*normed] : gradients_;
  pool_.run(nodes_, [&](std::size_t, std::size_t node) {
    const double norm = std::sqrt(sum_of_squares(rows.row(node)));
    steps_[node] = update_.step_size(step, static_cast<float>(norm));
  });
}

Pace Simulation::pace_of(Node node) const {
  return {.step = steps_[node],
          .round = static_cast<float>(round_),
          .weight = static_cast<float>(weights_.push_weights()[node])};
}

void Simulation::adapt_rows() {
  pool_.run(nodes_, [&](std::size_t, std::size_t task) {
    note(adapt_stretch({static_cast<Node>(task), 0, dimension_}));
  });
}

/// Each thread takes a run of neighbouring blocks: so its streams go on where they were, and no two
/// threads fetch ahead into each other's columns.
void Simulation::update_blocks() {
  const std::size_t parts = pool_.threads();
  pool_.run(parts, [&](std::size_t worker, std::size_t part) {
    for (std::size_t block = blocks_ * part / parts; block < blocks_ * (part + 1) / parts; ++block)
      update_block(workers_[worker], block);
  });
}

/// Copies the block of every exchanged variable aside, because nodes still to come need what is
/// about to be overwritten, then updates node by node in place.
void Simulation::update_block(Worker& worker, std::size_t block) {
  const std::size_t first = block * block_, count = std::min(block_, dimension_ - first);
  for (Node i = 0; i < nodes_; ++i) {
    before_exchange({i, first, count});
    for (std::size_t e = 0; e < worker.columns.size(); ++e)
      std::memcpy(worker.columns[e].data() + i * block_stride_, state_[e].row(i).data() + first,
                  count * sizeof(float));
  }
  if (weights_.exchange() == Exchange::everybody)
    for (std::size_t e = 0; e < worker.means.size(); ++e)
      mix(weights_.equal_shares(), worker.columns[e].data(), block_stride_, worker.means[e].data(),
          count);
  for (Node i = 0; i < nodes_; ++i) {
    const std::size_t longest = adds_up_inside(i) ? count : stretch_columns;
    for (std::size_t done = 0; done < count; done += longest)
      update_stretch(worker, {i, first + done, std::min(longest, count - done)}, first);
  }
}

void Simulation::before_exchange(const Stretch& stretch) {
  if (update_.order() == Order::adapt_first)
    note(adapt_stretch(stretch));
  else if (update_.prepares())
    note(update_.prepare(state_at(stretch.node, stretch.first).data(), pace_of(stretch.node),
                         stretch.count));
}

Magnitude Simulation::adapt_stretch(const Stretch& stretch) {
  return update_.adapt(state_at(stretch.node, stretch.first).data(),
                       gradients_.row(stretch.node).data() + stretch.first, pace_of(stretch.node),
                       stretch.count);
}

/// Whether the update itself can add up what this node hears.
bool Simulation::adds_up_inside(Node node) const {
  if (weights_.exchange() != Exchange::neighbours) return true;
  const std::size_t terms = weights_.of(0).row(node).count;
  if (terms > Mixture::most_terms) return false;
  for (std::size_t e = 1; e < update_.exchanged_count(); ++e)
    if (weights_.of(e).row(node).count != terms) return false;
  return true;
}

/// Where everybody or nobody is reached, what is mixed is one row with weight 1: the mean, or the
/// node's own.
void Simulation::update_stretch(Worker& worker, const Stretch& stretch, std::size_t block_first) {
  static constexpr float one = 1;
  const auto [node, first, count] = stretch;
  const bool neighbours = weights_.exchange() == Exchange::neighbours;
  const bool inside = adds_up_inside(node);
  const std::size_t offset = first - block_first;
  std::array<const float*, most_variables> weights{};
  std::array<const float*, most_variables * Mixture::most_terms> rows{};
  const std::size_t terms = neighbours && inside ? weights_.of(0).row(node).count : 1;
  for (std::size_t e = 0; e < worker.columns.size(); ++e) {
    const float* heard = worker.columns[e].data() + offset;
    weights[e] = &one;
    if (!neighbours) {
      const bool nobody = weights_.exchange() == Exchange::nobody;
      rows[e] = nobody ? heard + node * block_stride_ : worker.means[e].data() + offset;
      continue;
    }
    const KernelWeights::Row row = weights_.of(e).row(node);
    if (inside) {
      weights[e] = row.values;
      for (std::size_t k = 0; k < terms; ++k)
        rows[e * terms + k] = heard + row.columns[k] * block_stride_;
    } else {
      float* sums = worker.mixed.data() + e * stretch_columns;
      mix(row, heard, block_stride_, sums, count);
      rows[e] = sums;
    }
  }
  const Mixture mixed{terms, weights.data(), rows.data()};
  const Pointers state = state_at(node, first);
  if (update_.order() == Order::overlapped)
    note(update_.adapt_mixed(state.data(), mixed, gradients_.row(node).data() + first,
                             pace_of(node), count));
  else
    note(update_.combine(state.data(), mixed, pace_of(node), count));
}

void Simulation::note(Magnitude worst) {
  if (!is_finite(worst)) all_finite_.store(false, std::memory_order_relaxed);
}

std::optional<Divergence> Simulation::find_divergence() const {
  const auto finite = [](std::span<const float> row) {
    return std::ranges::all_of(row, [](float value) { return std::isfinite(value); });
  };
  // It began where the subgradient went wrong: neighbours may have heard of it in the same round.
  Node origin = 0;
  while (origin < nodes_ && std::isfinite(losses_[origin]) && finite(gradients_.row(origin)))
    ++origin;
  for (Node i = origin < nodes_ ? origin : 0; i < nodes_; ++i) {
    for (std::size_t v = 0; v < state_.size(); ++v)
      if (!finite(state_[v].row(i)))
        return Divergence{round_, i, std::string{update_.variables()[v]}};
    if (i == origin) return Divergence{round_, i, "minibatch loss"};
  }
  return std::nullopt;
}

std::vector<float> Simulation::average() const { return average_of(state_[update_.x()], pool_); }

Metrics Simulation::evaluate(const Measures& measures) {
  Metrics metrics{.round = round_, .epoch = problem_.epochs(round_), .bytes_sent = bytes_sent_};
  if (round_ > 0)
    metrics.minibatch_loss =
        std::accumulate(losses_.begin(), losses_.end(), 0.0) / static_cast<double>(nodes_);
  // The gradients' rows are free between rounds: they take the full gradients.
  measure(measures, {state_[update_.x()], gradients_, oracles_, pool_}, metrics);
  return metrics;
}

}  // namespace starling
