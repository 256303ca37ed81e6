/// The mixing weights of a round, as a method's kernels read them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "starling/engine/mix.hpp"
#include "starling/engine/row_update.hpp"
#include "starling/graph/sequence.hpp"

namespace starling {

class RoundWeights {
 public:
  /// All references must outlive this. The caller has checked that the weights are what the method
  /// needs.
  RoundWeights(const RowUpdate& update, WeightsSequence& sequence);

  /// Goes on to a round: the first call must be for round 1, each call for the round after.
  void advance_to(Round round);

  /// Whom this round reaches; `of` means something where that is the neighbours.
  Exchange exchange() const { return exchange_; }
  const KernelWeights& of(std::size_t exchanged) const {
    return update_.mixing()[exchanged] == Mixing::push ? push_ : pull_;
  }

  /// The nodes' push-sum weights after this round's exchange; all 1 for other methods.
  std::span<const double> push_weights() const { return push_weights_; }

  /// What all nodes together send in this round, for vectors of this many floats. Exact averages
  /// count as a sum up a tree of the nodes and back down.
  std::uint64_t bytes_sent(std::size_t dimension) const;

 private:
  void take_up(Round round);
  void push_on();

  const RowUpdate& update_;
  WeightsSequence& sequence_;
  Exchange exchange_ = Exchange::neighbours;
  MixingWeights given_;
  KernelWeights pull_, push_;
  Round exchanges_ = 0;  ///< links change from exchange to exchange
  std::uint64_t pull_messages_ = 0, push_messages_ = 0;
  std::vector<double> push_weights_, pushed_;
};

}  // namespace starling
