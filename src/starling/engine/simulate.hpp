/// The simulate engine: all nodes in one process.
///
/// Threads compute the nodes' subgradients in parallel; then one fused pass mixes and updates block
/// by block over coordinates, all nodes of a block together, so that every state variable is read
/// once and written once from memory and no second copy of the state is kept. A round allocates
/// nothing.
#pragma once

#include <memory>
#include <vector>

#include "starling/engine/rounds.hpp"

namespace starling {

class Simulation final : public Rounds {
 public:
  /// Every node starts at the problem's start. All references must outlive the simulation. The
  /// caller has checked that the weights are what the method needs.
  Simulation(const RowUpdate& update, Problem& problem, WeightsSequence& weights,
             StepSize step_size, Pool& pool);

  /// The same with weights that never change.
  Simulation(const RowUpdate& update, Problem& problem, const MixingWeights& weights,
             StepSize step_size, Pool& pool);

  std::span<const float> row(std::size_t variable, Node node) override {
    return rows_[variable].row(node);
  }

  /// The state variables, nodes x dimension each, in the order of `RowUpdate::variables`.
  const std::vector<NodeRows>& state() const { return rows_; }

 private:
  Simulation(const RowUpdate& update, Problem& problem, std::unique_ptr<WeightsSequence> owned,
             StepSize step_size, Pool& pool);

  struct Worker {
    std::vector<Arena> columns;  ///< one an exchanged variable: a block of it before the update
    std::vector<Arena> means;    ///< the same, averaged over all nodes, where everybody is reached
    Scratch scratch;
  };

  void choose_blocks();
  void start_workers();
  void update_blocks() override;
  void update_block(Worker& worker, std::size_t block);
  void average_columns(Worker& worker, std::size_t count);

  std::unique_ptr<WeightsSequence> owned_;
  std::vector<NodeRows> rows_;
  std::vector<Worker> workers_;  ///< one a thread
  std::size_t block_ = 0, blocks_ = 0, block_stride_ = 0;
};

}  // namespace starling
