#include "starling/engine/simulate.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <numeric>

namespace starling {
namespace {

const Team alone;

constexpr std::size_t line = 64 / sizeof(float);

/// A block's copy of the exchanged variables should stay in a second-level cache. Longer rows are
/// faster (the prefetcher has to start anew at each), measured best at 4096-8192 columns.
constexpr std::size_t block_floats = 256 * 1024, longest_block = 8192;

std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

std::vector<Node> first_nodes(std::size_t count) {
  std::vector<Node> nodes(count);
  std::iota(nodes.begin(), nodes.end(), Node{0});
  return nodes;
}

}  // namespace

Simulation::Simulation(const RowUpdate& update, Problem& problem, WeightsSequence& weights,
                       StepSize step_size, Pool& pool)
    : Rounds(update, problem, weights, std::move(step_size), pool, alone,
             first_nodes(problem.nodes())) {
  assert(weights.nodes() == nodes_);
  choose_blocks();
  start_workers();
  std::vector<RowsView> views;
  for (std::size_t v = 0; v < update_.state_count(); ++v)
    views.push_back(rows_.emplace_back(nodes_, dimension_).view());
  start(std::move(views));
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
  for (std::size_t w = 0; w < pool_.threads(); ++w) {
    Worker& worker = workers_.emplace_back(Worker{{}, {}, Scratch(update_, nodes_)});
    for (std::size_t e = 0; e < update_.exchanged_count(); ++e) {
      worker.columns.emplace_back(nodes_ * block_stride_);
      if (update_.averages_exactly()) worker.means.emplace_back(block_);
    }
  }
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
  const bool averages = weights_.exchange() == Exchange::everybody;
  if (averages) average_columns(worker, count);
  for (Node i = 0; i < nodes_; ++i)
    mix_and_update(worker.scratch, {i, first, count}, state_at(i, first),
                   [&](std::size_t e, Node j) -> const float* {
                     return averages ? worker.means[e].data()
                                     : worker.columns[e].data() + j * block_stride_;
                   });
}

void Simulation::average_columns(Worker& worker, std::size_t count) {
  for (std::size_t e = 0; e < worker.means.size(); ++e) {
    for (Node j = 0; j < nodes_; ++j)
      worker.scratch.sources[j] = worker.columns[e].data() + j * block_stride_;
    starling::average(worker.scratch.sources.data(), nodes_, worker.means[e].data(), count);
  }
}

}  // namespace starling
