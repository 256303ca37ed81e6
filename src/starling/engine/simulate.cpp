#include "starling/engine/simulate.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numeric>

namespace starling {
namespace {

constexpr std::size_t line = 64 / sizeof(float);

/// Columns mixed at a time: small enough that the mixed values stay in the first-level cache.
constexpr std::size_t stretch_columns = 1024;

/// A block's copy of the exchanged variables should stay in a second-level cache. Longer rows are
/// faster (the prefetcher has to start anew at each), measured best at 4096-8192 columns.
constexpr std::size_t block_floats = 256 * 1024, longest_block = 8192;

std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

std::uint64_t edges_heard(const SparseMatrix& weights) {
  std::uint64_t edges = 0;
  for (Node i = 0; i < weights.rows(); ++i)
    for (const Node j : weights.row(i).columns) edges += i != j;
  return edges;
}

/// term(0) + ... + term(count - 1), in a fixed order that vector units can follow.
double sum_of(std::size_t count, const auto& term) {
  std::array<double, 8> lanes{};
  for (std::size_t c = 0; c < count; ++c) lanes[c % lanes.size()] += term(c);
  return std::accumulate(lanes.begin(), lanes.end(), 0.0);
}

/// Sums over all rows, in their order.
std::array<double, stretch_columns> sums_of_columns(const NodeRows& rows, std::size_t first,
                                                    std::size_t count) {
  std::array<double, stretch_columns> sums{};
  for (std::size_t i = 0; i < rows.nodes(); ++i) {
    const float* row = rows.row(i).data() + first;
    for (std::size_t c = 0; c < count; ++c) sums[c] += double{row[c]};
  }
  return sums;
}

}  // namespace

Simulation::Simulation(const RowUpdate& update, Problem& problem, const MixingWeights& weights,
                       StepSize step_size, Pool& pool)
    : update_(update),
      problem_(problem),
      step_size_(std::move(step_size)),
      pool_(pool),
      pull_(weights.pull, KernelWeights::SumsToOne::rows),
      push_(weights.push, KernelWeights::SumsToOne::columns),
      nodes_(problem.nodes()),
      dimension_(problem.dimension()),
      gradients_(nodes_, dimension_),
      losses_(nodes_),
      steps_(nodes_) {
  assert(weights.pull.rows() == nodes_);
  for (const Mixing mixing : update.mixing()) {
    const bool pushes = mixing == Mixing::push;
    mixing_.push_back(pushes ? &push_ : &pull_);
    bytes_per_round_ +=
        edges_heard(pushes ? weights.push : weights.pull) * dimension_ * sizeof(float);
  }
  choose_blocks();
  start_state();
}

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

void Simulation::start_state() {
  for (std::size_t v = 0; v < update_.state_count(); ++v) state_.emplace_back(nodes_, dimension_);
  problem_.start(state_[0].row(0));
  for (Node i = 1; i < nodes_; ++i) std::ranges::copy(state_[0].row(0), state_[0].row(i).begin());
  for (std::size_t w = 0; w < pool_.threads(); ++w) {
    Worker& worker = workers_.emplace_back(
        Worker{nullptr, {}, Arena(update_.exchanged_count() * stretch_columns)});
    for (std::size_t e = 0; e < update_.exchanged_count(); ++e)
      worker.columns.emplace_back(nodes_ * block_stride_);
  }
  pool_.run_on_each([&](std::size_t w, std::size_t) { workers_[w].oracle = problem_.oracle(); });
  if (update_.starts_with_subgradient()) sample();  // of round 0
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
  pool_.run(nodes_, [&](std::size_t worker, std::size_t task) {
    const auto node = static_cast<Node>(task);
    losses_[node] = workers_[worker].oracle->subgradient(node, round_, state_[0].row(node),
                                                         gradients_.row(node));
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
    const double squares = sum_of(dimension_, [x = rows.row(node).data()](std::size_t c) {
      return double{x[c]} * double{x[c]};
    });
    steps_[node] = update_.step_size(step, static_cast<float>(std::sqrt(squares)));
  });
}

Pace Simulation::pace_of(Node node) const { return {steps_[node], static_cast<float>(round_)}; }

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
    if (update_.order() == Order::adapt_first) note(adapt_stretch({i, first, count}));
    for (std::size_t e = 0; e < mixing_.size(); ++e)
      std::memcpy(worker.columns[e].data() + i * block_stride_, state_[e].row(i).data() + first,
                  count * sizeof(float));
  }
  for (Node i = 0; i < nodes_; ++i) {
    const std::size_t longest = adds_up_inside(i) ? count : stretch_columns;
    for (std::size_t done = 0; done < count; done += longest)
      update_stretch(worker, {i, first + done, std::min(longest, count - done)}, first);
  }
}

Magnitude Simulation::adapt_stretch(const Stretch& stretch) {
  return update_.adapt(state_at(stretch.node, stretch.first).data(),
                       gradients_.row(stretch.node).data() + stretch.first, pace_of(stretch.node),
                       stretch.count);
}

/// Whether the update itself can add up what this node hears.
bool Simulation::adds_up_inside(Node node) const {
  const std::size_t terms = mixing_[0]->row(node).count;
  return terms <= Mixture::most_terms &&
         std::ranges::all_of(mixing_, [&](const KernelWeights* weights) {
           return weights->row(node).count == terms;
         });
}

void Simulation::update_stretch(Worker& worker, const Stretch& stretch, std::size_t block_first) {
  static constexpr float one = 1;
  const auto [node, first, count] = stretch;
  const bool inside = adds_up_inside(node);
  std::array<const float*, most_variables> weights{};
  std::array<const float*, most_variables * Mixture::most_terms> rows{};
  const std::size_t terms = inside ? mixing_[0]->row(node).count : 1;
  for (std::size_t e = 0; e < mixing_.size(); ++e) {
    const KernelWeights::Row row = mixing_[e]->row(node);
    const float* heard = worker.columns[e].data() + (first - block_first);
    if (inside) {
      weights[e] = row.values;
      for (std::size_t k = 0; k < terms; ++k)
        rows[e * terms + k] = heard + row.columns[k] * block_stride_;
    } else {
      float* sums = worker.mixed.data() + e * stretch_columns;
      mix(row, heard, block_stride_, sums, count);
      weights[e] = &one;
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

std::vector<float> Simulation::average() const {
  std::vector<float> average(dimension_);
  const std::size_t blocks = (dimension_ + stretch_columns - 1) / stretch_columns;
  pool_.run(blocks, [&](std::size_t, std::size_t block) {
    const std::size_t first = block * stretch_columns;
    const std::size_t count = std::min(stretch_columns, dimension_ - first);
    const auto sums = sums_of_columns(state_[0], first, count);
    for (std::size_t c = 0; c < count; ++c)
      average[first + c] = static_cast<float>(sums[c] / static_cast<double>(nodes_));
  });
  return average;
}

Metrics Simulation::evaluate(const Measures& measures) {
  const std::vector<float> mean = average();
  Metrics metrics{.round = round_,
                  .epoch = problem_.epochs(round_),
                  .bytes_sent = bytes_per_round_ * round_,
                  .consensus_error = consensus_error(mean)};
  if (round_ > 0)
    metrics.minibatch_loss =
        std::accumulate(losses_.begin(), losses_.end(), 0.0) / static_cast<double>(nodes_);

  // The gradients' rows are free between rounds: they take the full gradients.
  std::vector<double> objectives(nodes_);
  pool_.run(nodes_, [&](std::size_t worker, std::size_t node) {
    const std::span<float> g = measures.gradient_norm ? gradients_.row(node) : std::span<float>{};
    objectives[node] = workers_[worker].oracle->objective(static_cast<Node>(node), mean, g);
  });
  metrics.objective =
      std::accumulate(objectives.begin(), objectives.end(), 0.0) / static_cast<double>(nodes_);
  if (measures.gradient_norm) metrics.gradient_norm = gradient_norm();
  measure_accuracy(mean, measures.node_accuracy, metrics);
  return metrics;
}

double Simulation::consensus_error(const std::vector<float>& average) const {
  std::vector<double> distances(nodes_);
  pool_.run(nodes_, [&](std::size_t, std::size_t node) {
    const float* x = state_[0].row(node).data();
    distances[node] = sum_of(dimension_, [&](std::size_t c) {
      const double difference = double{x[c]} - double{average[c]};
      return difference * difference;
    });
  });
  return std::accumulate(distances.begin(), distances.end(), 0.0) / static_cast<double>(nodes_);
}

double Simulation::gradient_norm() const {
  const std::size_t blocks = (dimension_ + stretch_columns - 1) / stretch_columns;
  std::vector<double> squares(blocks);
  pool_.run(blocks, [&](std::size_t, std::size_t block) {
    const std::size_t first = block * stretch_columns;
    const std::size_t count = std::min(stretch_columns, dimension_ - first);
    const auto sums = sums_of_columns(gradients_, first, count);
    for (std::size_t c = 0; c < count; ++c) squares[block] += sums[c] * sums[c];
  });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0)) /
         static_cast<double>(nodes_);
}

void Simulation::measure_accuracy(const std::vector<float>& average, bool nodes, Metrics& metrics) {
  std::vector<std::optional<double>> accuracies(nodes ? nodes_ + 1 : 1);
  pool_.run(accuracies.size(), [&](std::size_t worker, std::size_t task) {
    const std::span<const float> x =
        task == 0 ? std::span<const float>{average} : std::as_const(state_[0]).row(task - 1);
    accuracies[task] = workers_[worker].oracle->accuracy(x);
  });
  metrics.test_accuracy = accuracies[0];
  if (!nodes || !accuracies[0]) return;
  double sum = 0, least = 1;
  for (Node i = 0; i < nodes_; ++i) {
    sum += *accuracies[i + 1];
    least = std::min(least, *accuracies[i + 1]);
  }
  metrics.node_accuracy_mean = sum / static_cast<double>(nodes_);
  metrics.node_accuracy_min = least;
}

}  // namespace starling
