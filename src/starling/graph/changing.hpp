/// Mixing weights of a graph whose edges come and go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "starling/graph/graph.hpp"
#include "starling/graph/links.hpp"
#include "starling/graph/sequence.hpp"

namespace starling {

/// By which rule weights are chosen: those of `Uniform` and `Metropolis`.
enum class Shares { uniform, metropolis };

/// The rule of a fixed graph, applied to the active edges of each round:
///
///     uniform      R_ij = 1 / (active in-degree of i + 1)
///                  C_ij = 1 / (active out-degree of j + 1)
///     metropolis   W_ij = 1 / (1 + the larger active degree of the two), the rest on the diagonal
///
/// Rows hold active edges and the diagonal only. A node without active edges keeps what it has.
class ChangingWeights final : public WeightsSequence {
 public:
  /// `links` must be made for `graph`. UserError for metropolis on a directed graph.
  ChangingWeights(Graph graph, std::unique_ptr<Links> links, Shares shares);

  std::size_t nodes() const override { return graph_.nodes(); }
  Round period() const override { return links_->period(); }
  void weights(Round round, MixingWeights& weights) override;

 private:
  void count_degrees();

  /// As `fill_rows`, on the active messages.
  void fill(SparseMatrix& matrix, const auto& edge, const auto& own) const;

  Graph graph_;
  std::unique_ptr<Links> links_;
  Shares shares_;
  std::vector<std::uint8_t> active_;  ///< of each message
  std::vector<std::size_t> in_degrees_, out_degrees_;
};

}  // namespace starling
