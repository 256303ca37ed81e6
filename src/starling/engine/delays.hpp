/// The delays engine: the asynchronous methods under the paper's model of delays, one update after
/// the other, deterministic.
///
/// Kungurtsev, Egan, Chatterjee & Alistarh, arXiv 1905.11845, Algorithm 2. In iteration k core i^k
/// takes a subgradient at a point whose block j is that of x^{k - d_j}, and updates its own block
/// of x^k. A round is one update.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "starling/engine/block_history.hpp"
#include "starling/engine/cores.hpp"
#include "starling/engine/delay_process.hpp"
#include "starling/engine/engine.hpp"
#include "starling/engine/snapshots.hpp"
#include "starling/method/asynchronous.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

class Delays final : public Engine {
 public:
  /// `blocks` are those of `blocks_for`, the process is made for as many. The problem has one node,
  /// and `updates` are made in all. References must outlive this.
  Delays(const Asynchronous& method, std::vector<Part> blocks, std::size_t cores,
         CoreStep step_size, DelayProcess& process, Problem& problem, Round updates);

  std::optional<Divergence> advance() override;
  Metrics evaluate(const Measures& measures) override;
  Round round() const override { return round_; }

  /// x.
  std::vector<float> average() const override;

  /// x or the momentum u, variables 0 and 1.
  std::span<const float> row(std::size_t variable, Node node) override;

 private:
  void read(std::span<const Round> delays);
  void update(std::size_t block, float step);
  void copy_newest(std::span<float> x) const;

  BlockRule rule_;
  bool owned_;
  std::vector<Part> blocks_;
  std::size_t cores_;
  CoreStep step_size_;
  DelayProcess& process_;
  Problem& problem_;
  Round updates_;
  std::unique_ptr<Oracle> oracle_;
  std::vector<BlockHistory> histories_;
  std::vector<float> u_;           ///< 0 without momentum
  std::vector<float> x_, g_;       ///< as read, and the subgradient there
  std::vector<Round> updates_of_;  ///< by core
  std::vector<float> losses_;  ///< of the last minibatch of each core; not-a-number at the start
  Snapshots snapshots_;
  Round round_ = 0;
  double delay_sum_ = 0, delay_most_ = 0;
};

}  // namespace starling
