#include "starling/graph/weights.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/fill_rows.hpp"
#include "starling/graph/matrix_market.hpp"

namespace starling {
namespace {

/// A matrix on the graph, with all of its messages.
SparseMatrix filled(const Graph& graph, const auto& edge, const auto& own) {
  SparseMatrix matrix;
  fill_rows(
      matrix, graph, [](std::size_t) { return true; }, edge, own);
  return matrix;
}

void require_undirected(const Graph& graph, const char* rule) {
  if (graph.is_directed())
    throw UserError(fmt::format(
        "weights \"{}\": the graph is directed, must be undirected: use \"uniform\"", rule));
}

void make_lazy(SparseMatrix& matrix, double gamma) {
  for (std::size_t i = 0; i < matrix.rows(); ++i)
    for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k) {
      matrix.values[k] *= 1 - gamma;
      if (matrix.columns[k] == i) matrix.values[k] += gamma;
    }
}

}  // namespace

MixingWeights Uniform::make(const Graph& graph) const {
  const auto in = [&](Node receiver) { return share(graph.hears(receiver).size()); };
  const auto out = [&](Node sender) { return share(graph.tells(sender).size()); };
  return {filled(
              graph, [&](Node i, Node) { return in(i); }, [&](Node i, double) { return in(i); }),
          filled(
              graph, [&](Node, Node j) { return out(j); }, [&](Node i, double) { return out(i); })};
}

MixingWeights Metropolis::make(const Graph& graph) const {
  require_undirected(graph, "metropolis");
  const auto edge = [&](Node i, Node j) {
    return share(std::max(graph.hears(i).size(), graph.hears(j).size()));
  };
  SparseMatrix w = filled(graph, edge, [](Node, double sum) { return 1 - sum; });
  return {w, w};
}

MixingWeights MaxDegree::make(const Graph& graph) const {
  require_undirected(graph, "max-degree");
  std::size_t largest = 1;  // a single node has no edge and keeps everything
  for (std::size_t i = 0; i < graph.nodes(); ++i)
    largest = std::max(largest, graph.hears(static_cast<Node>(i)).size());
  const double weight = 1 / static_cast<double>(largest);
  const auto own = [&](Node i, double) {  // exactly 0 where the degree is the largest
    return static_cast<double>(largest - graph.hears(i).size()) * weight;
  };
  SparseMatrix w = filled(
      graph, [&](Node, Node) { return weight; }, own);
  return {w, w};
}

MixingWeights Lazy::make(const Graph& graph) const {
  MixingWeights weights;
  if (of == "uniform")
    weights = Uniform{}.make(graph);
  else if (of == "metropolis")
    weights = Metropolis{}.make(graph);
  else if (of == "max-degree")
    weights = MaxDegree{}.make(graph);
  else
    throw UserError(fmt::format(
        "weights \"lazy\": of = \"{}\": must be uniform, metropolis or max-degree", of));
  make_lazy(weights.pull, gamma);
  make_lazy(weights.push, gamma);
  return weights;
}

MixingWeights WeightsFile::make(const Graph& graph) const {
  const bool one = !path.empty() && pull.empty() && push.empty();
  const bool two = path.empty() && !pull.empty() && !push.empty();
  if (!one && !two)
    throw UserError("weights \"file\": must have either path, or both pull and push");
  if (two) return {read_matrix_market(pull, graph), read_matrix_market(push, graph)};
  SparseMatrix w = read_matrix_market(path, graph);
  return {w, w};
}

MixingWeights BoWangWeights::make(const Graph& graph) const {
  static constexpr double w[5][5] = {{.6, 0, 0, .4, 0},
                                     {.2, .8, 0, 0, 0},
                                     {.2, .1, .4, 0, .3},
                                     {0, 0, 0, .6, .4},
                                     {0, .1, .6, 0, .3}};
  const Graph own = BoWang{}.make(5, 0);
  bool same = graph.nodes() == 5;
  for (Node i = 0; same && i < 5; ++i) same = std::ranges::equal(graph.hears(i), own.hears(i));
  if (!same) throw UserError("weights \"bo-wang\": the graph has other edges: use \"bo-wang\"");
  const SparseMatrix matrix = filled(
      graph, [](Node i, Node j) { return w[i][j]; }, [](Node i, double) { return w[i][i]; });
  return {matrix, matrix};
}

}  // namespace starling
