/// Mixing weights over the rounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "starling/base/types.hpp"
#include "starling/graph/weights.hpp"

namespace starling {

/// Mixing weights that may differ from round to round.
class WeightsSequence {
 public:
  virtual ~WeightsSequence() = default;

  /// The nodes that mix: the matrices are nodes x nodes.
  virtual std::size_t nodes() const = 0;

  /// Rounds after which the weights repeat: 1 for fixed weights, 0 where they never do.
  virtual Round period() const = 0;

  /// Writes the weights of a round (1, 2, ...) into `weights`, reusing its memory: once it has held
  /// the largest, nothing is allocated. The weights are a function of the round alone, so rounds
  /// may be asked for in any order and more than once. The object may keep scratch memory: one
  /// thread at a time.
  virtual void weights(Round round, MixingWeights& weights) = 0;

  /// Messages that were sent but lost in the round that was written last: their entries are not in
  /// its matrices.
  struct Lost {
    std::uint64_t pull = 0, push = 0;
  };
  virtual Lost lost() const { return {}; }
};

/// The same weights in every round.
class FixedWeights final : public WeightsSequence {
 public:
  explicit FixedWeights(MixingWeights weights) : weights_(std::move(weights)) {}

  std::size_t nodes() const override { return weights_.pull.rows(); }
  Round period() const override { return 1; }
  void weights(Round, MixingWeights& weights) override { weights = weights_; }

 private:
  MixingWeights weights_;
};

/// Empties a matrix that is about to be filled anew, and makes room for that many rows and entries.
void start_over(SparseMatrix& matrix, std::size_t rows, std::size_t entries);

}  // namespace starling
