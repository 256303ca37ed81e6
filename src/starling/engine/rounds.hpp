/// What all engines of rounds share: everything about the nodes of one process, but for the
/// exchange.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "starling/engine/arena.hpp"
#include "starling/engine/engine.hpp"
#include "starling/engine/pool.hpp"
#include "starling/engine/round_weights.hpp"
#include "starling/engine/row_update.hpp"
#include "starling/engine/team.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

class Rounds : public Engine {
 public:
  std::optional<Divergence> advance() override;
  Metrics evaluate(const Measures& measures) override;
  Round round() const override { return round_; }
  std::vector<float> average() const override;

  /// The nodes' push-sum weights; all 1 where the method has none.
  std::span<const double> push_weights() const { return weights_.push_weights(); }

 protected:
  static constexpr std::size_t most_variables = RowUpdate::most_variables;
  using Pointers = std::array<float*, most_variables>;

  /// Columns mixed at a time: small enough that the mixed values stay in the first-level cache.
  static constexpr std::size_t stretch_columns = 1024;

  /// Some columns of a node of this process.
  struct Stretch {
    std::size_t index;  ///< of the node, among those here
    std::size_t first, count;
  };

  /// What a thread mixes with.
  struct Scratch {
    explicit Scratch(const RowUpdate& update, std::size_t nodes)
        : mixed(update.exchanged_count() * stretch_columns), sources(nodes) {}
    Arena mixed;
    std::vector<const float*> sources;
  };

  /// A divergence that this process has seen.
  struct Suspect {
    Divergence divergence;
    bool origin;  ///< a subgradient or loss was not finite, so nobody else's numbers did it
  };

  /// `own`: the nodes of this process, ascending. References must outlive this.
  Rounds(const RowUpdate& update, Problem& problem, WeightsSequence& weights, StepSize step_size,
         Pool& pool, const Team& team, std::vector<Node> own);

  /// Takes the memory of the state variables, zeroed, and fills it. Call at the end of
  /// construction.
  void start(std::vector<RowsView> state);

  /// Called in rounds with an exchange as soon as what travels is final: for overlapped methods
  /// before the subgradients are computed.
  virtual void announce() {}
  /// Everything from the exchange on, for all nodes here.
  virtual void update_blocks() = 0;
  /// What the processes agree on, given what this one has seen first.
  virtual std::optional<Divergence> agree(const std::optional<Suspect>& seen);

  Pointers state_at(std::size_t index, std::size_t column) const;
  Pace pace_of(std::size_t index) const;
  /// What comes before the exchange: adapt or prepare, where the method has that.
  void before_exchange(const Stretch& stretch);

  /// Whether the update itself can add up what this node hears.
  bool adds_up_inside(Node node) const;

  /// Mixes and updates a stretch in place. `source(e, j)` points to the first of the stretch's
  /// columns of variable e of node j; where everybody is reached, `source(e, 0)` to their mean.
  template <class Source>
  void mix_and_update(Scratch& scratch, const Stretch& stretch, const Pointers& state,
                      const Source& source);

  Node node_of(std::size_t index) const { return own_[index]; }

  const RowUpdate& update_;
  Problem& problem_;
  Pool& pool_;
  const Team& team_;
  RoundWeights weights_;
  std::vector<Node> own_;  ///< the nodes here, ascending
  std::size_t here_, nodes_, dimension_;
  std::vector<RowsView> state_;  ///< of the nodes here

 private:
  void sample();
  void choose_steps();
  void adapt_rows();
  void adapt_stretch(const Stretch& stretch);
  void note(Magnitude worst);
  std::optional<Suspect> look_for_divergence() const;

  StepSize step_size_;
  NodeRows gradients_;
  std::vector<float> losses_;
  std::vector<float> steps_;                      ///< of each node in this round
  std::vector<std::unique_ptr<Oracle>> oracles_;  ///< one a thread
  std::uint64_t bytes_sent_ = 0;
  Round round_ = 0;
  std::atomic<bool> all_finite_ = true;
  std::optional<Suspect> suspect_;
};

template <class Source>
void Rounds::mix_and_update(Scratch& scratch, const Stretch& stretch, const Pointers& state,
                            const Source& source) {
  static constexpr float one = 1;
  const Node node = node_of(stretch.index);
  const bool neighbours = weights_.exchange() == Exchange::neighbours;
  const bool inside = adds_up_inside(node);
  const std::size_t exchanged = update_.exchanged_count();
  const std::size_t terms = neighbours && inside ? weights_.of(0).row(node).count : 1;
  const std::size_t longest = inside ? stretch.count : stretch_columns;
  std::array<const float*, most_variables> weights{};
  std::array<const float*, most_variables * Mixture::most_terms> rows{};
  for (std::size_t done = 0; done < stretch.count; done += longest) {
    const std::size_t count = std::min(longest, stretch.count - done);
    for (std::size_t e = 0; e < exchanged; ++e) {
      weights[e] = &one;
      if (!neighbours) {
        const bool nobody = weights_.exchange() == Exchange::nobody;
        rows[e] = source(e, nobody ? node : Node{0}) + done;
        continue;
      }
      const KernelWeights::Row row = weights_.of(e).row(node);
      const float** sources = inside ? &rows[e * terms] : scratch.sources.data();
      for (std::size_t k = 0; k < row.count; ++k) sources[k] = source(e, row.columns[k]) + done;
      if (inside) {
        weights[e] = row.values;
      } else {
        float* sums = scratch.mixed.data() + e * stretch_columns;
        mix(row.values, sources, row.count, sums, count);
        rows[e] = sums;
      }
    }
    const Mixture mixed{terms, weights.data(), rows.data()};
    Pointers at = state;
    for (std::size_t v = 0; v < state_.size(); ++v) at[v] += done;
    const float* g = gradients_.row(stretch.index).data() + stretch.first + done;
    note(update_.order() == Order::overlapped
             ? update_.adapt_mixed(at.data(), mixed, g, pace_of(stretch.index), count)
             : update_.combine(at.data(), mixed, pace_of(stretch.index), count));
  }
}

}  // namespace starling
