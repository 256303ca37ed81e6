/// The simulate engine: all nodes in one process.
///
/// Threads compute the nodes' subgradients in parallel; then one fused pass mixes and updates block
/// by block over coordinates, all nodes of a block together, so that every state variable is read
/// once and written once from memory and no second copy of the state is kept.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "starling/engine/arena.hpp"
#include "starling/engine/pool.hpp"
#include "starling/engine/round_weights.hpp"
#include "starling/engine/row_update.hpp"
#include "starling/problem/problem.hpp"
#include "starling/record/metrics.hpp"

namespace starling {

/// Where a run stopped having finite numbers.
struct Divergence {
  Round round;
  Node node;
  std::string variable;
};

class Simulation {
 public:
  /// The step size of each round.
  using StepSize = std::function<double(Round)>;

  /// Every node starts at the problem's start. All references must outlive the simulation. The
  /// caller has checked that the weights are what the method needs.
  Simulation(const RowUpdate& update, Problem& problem, WeightsSequence& weights,
             StepSize step_size, Pool& pool);

  /// The same with weights that never change.
  Simulation(const RowUpdate& update, Problem& problem, const MixingWeights& weights,
             StepSize step_size, Pool& pool);

  /// One round of all nodes: exchange, sample, update. Allocates nothing. Returns where a value
  /// stopped being finite, if one did; the state is then of no further use.
  std::optional<Divergence> advance();

  /// Everything but `seconds`.
  Metrics evaluate(const Measures& measures);

  Round round() const { return round_; }

  /// The state variables, nodes x dimension each, in the order of `RowUpdate::variables`.
  const std::vector<NodeRows>& state() const { return state_; }

  /// The nodes' push-sum weights; all 1 where the method has none.
  std::span<const double> push_weights() const { return weights_.push_weights(); }

  /// The average of the nodes' x, summed in node order in double precision.
  std::vector<float> average() const;

 private:
  Simulation(const RowUpdate& update, Problem& problem, std::unique_ptr<WeightsSequence> owned,
             StepSize step_size, Pool& pool);

  struct Worker {
    std::vector<Arena> columns;  ///< one an exchanged variable: a block of it before the update
    std::vector<Arena> means;    ///< the same, averaged over all nodes, where everybody is reached
    Arena mixed;                 ///< one stretch of each exchanged variable, mixed
  };
  struct Stretch {
    Node node;
    std::size_t first, count;  ///< columns
  };

  void choose_blocks();
  void start_state();
  void start_workers();
  void sample();
  void choose_steps();
  Pace pace_of(Node node) const;
  void adapt_rows();
  void update_blocks();
  void update_block(Worker& worker, std::size_t block);
  void before_exchange(const Stretch& stretch);
  Magnitude adapt_stretch(const Stretch& stretch);
  bool adds_up_inside(Node node) const;
  void update_stretch(Worker& worker, const Stretch& stretch, std::size_t block_first);
  void note(Magnitude worst);
  std::optional<Divergence> find_divergence() const;

  static constexpr std::size_t most_variables = RowUpdate::most_variables;
  using Pointers = std::array<float*, most_variables>;
  Pointers state_at(Node node, std::size_t column);

  const RowUpdate& update_;
  Problem& problem_;
  StepSize step_size_;
  Pool& pool_;
  std::unique_ptr<WeightsSequence> owned_;
  RoundWeights weights_;
  std::uint64_t bytes_sent_ = 0;

  std::size_t nodes_, dimension_;
  std::vector<NodeRows> state_;
  NodeRows gradients_;
  std::vector<float> losses_;
  std::vector<float> steps_;                      ///< of each node in this round
  std::vector<std::unique_ptr<Oracle>> oracles_;  ///< one a thread, and so are the workers
  std::vector<Worker> workers_;
  std::size_t block_ = 0, blocks_ = 0, block_stride_ = 0;
  Round round_ = 0;
  std::atomic<bool> all_finite_ = true;
};

}  // namespace starling
