#include "starling/graph/changing.hpp"

#include <algorithm>
#include <utility>

#include "starling/base/error.hpp"
#include "starling/graph/fill_rows.hpp"

namespace starling {

ChangingWeights::ChangingWeights(Graph graph, std::unique_ptr<Links> links, Shares shares)
    : graph_(std::move(graph)),
      links_(std::move(links)),
      shares_(shares),
      in_degrees_(graph_.nodes()),
      out_degrees_(graph_.nodes()) {
  if (shares == Shares::metropolis && graph_.is_directed())
    throw UserError(
        "weights \"metropolis\": the graph is directed, must be undirected: use \"uniform\"");
  std::size_t messages = 0;
  for (Node i = 0; i < graph_.nodes(); ++i) messages += graph_.hears(i).size();
  active_.resize(messages);
}

void ChangingWeights::count_degrees() {
  std::fill(in_degrees_.begin(), in_degrees_.end(), std::size_t{0});
  std::fill(out_degrees_.begin(), out_degrees_.end(), std::size_t{0});
  std::size_t message = 0;
  for (Node i = 0; i < graph_.nodes(); ++i)
    for (const Node j : graph_.hears(i)) {
      if (active_[message++] == 0) continue;
      ++in_degrees_[i];
      ++out_degrees_[j];
    }
}

void ChangingWeights::fill(SparseMatrix& matrix, const auto& edge, const auto& own) const {
  start_over(matrix, graph_.nodes(), active_.size() + graph_.nodes());
  fill_rows(
      matrix, graph_, [&](std::size_t message) { return active_[message] != 0; }, edge, own);
}

void ChangingWeights::weights(Round round, MixingWeights& weights) {
  links_->choose(round, active_);
  count_degrees();
  if (shares_ == Shares::metropolis) {
    const auto edge = [&](Node i, Node j) {
      return share(std::max(in_degrees_[i], in_degrees_[j]));
    };
    const auto rest = [](Node, double sum) { return 1 - sum; };
    fill(weights.pull, edge, rest);
    fill(weights.push, edge, rest);
    return;
  }
  const auto in = [&](Node receiver) { return share(in_degrees_[receiver]); };
  const auto out = [&](Node sender) { return share(out_degrees_[sender]); };
  fill(
      weights.pull, [&](Node i, Node) { return in(i); }, [&](Node i, double) { return in(i); });
  fill(
      weights.push, [&](Node, Node j) { return out(j); }, [&](Node i, double) { return out(i); });
}

}  // namespace starling
