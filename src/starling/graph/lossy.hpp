/// Links that lose messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "starling/graph/sequence.hpp"

namespace starling {

/// The weights of another sequence where each message of a round is lost with a probability,
/// independently; j to i and i to j are two messages. A message carries everything that a node
/// sends, so pull and push lose the same ones. No weight is lost with it:
///
///     pull (R, W)   the receiver takes its own vector instead:  R_ii += R_ij, R_ij gone
///     push (C)      the share stays with the sender:            C_jj += C_ij, C_ij gone
///
/// Rows of R and columns of C go on to sum to 1, so mass is conserved. A symmetric W comes out as
/// a pull that is row-stochastic only, since the two directions of an edge are not lost together.
/// Every row has its diagonal.
class LossyWeights final : public WeightsSequence {
 public:
  /// `probability` is within [0, 1]. Losses are drawn from (seed, Purpose::loss, receiver, round),
  /// one number a message in ascending order of sender.
  LossyWeights(std::unique_ptr<WeightsSequence> of, double probability, std::uint64_t seed);

  std::size_t nodes() const override { return of_->nodes(); }
  Round period() const override { return 0; }
  void weights(Round round, MixingWeights& weights) override;
  Lost lost() const override { return lost_; }

 private:
  void fill_rows(Node receiver, Round round, MixingWeights& weights);

  std::unique_ptr<WeightsSequence> of_;
  double probability_;
  std::uint64_t seed_;
  MixingWeights given_;
  std::vector<std::size_t> push_diagonal_;  ///< where the diagonal stands in `push.values`
  Lost lost_;
  std::vector<double> returned_;  ///< what each sender keeps of what it would have given
};

}  // namespace starling
