#include "starling/graph/links.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"

namespace starling {
namespace {

/// An edge and its messages by number: two of an undirected edge, twice the same of a directed one.
struct EdgeMessages {
  Node from, to;
  std::size_t forth, back;
};

std::size_t place_of(Node node, std::span<const Node> ascending) {
  const auto at = std::lower_bound(ascending.begin(), ascending.end(), node);
  return static_cast<std::size_t>(at - ascending.begin());
}

/// The edges in the order of their messages; an undirected edge stands where its lower node hears.
std::vector<EdgeMessages> edges_of(const Graph& graph) {
  std::vector<std::size_t> first{0};  // the number of each receiver's first message
  for (Node i = 0; i < graph.nodes(); ++i) first.push_back(first.back() + graph.hears(i).size());
  std::vector<EdgeMessages> edges;
  edges.reserve(graph.edges());
  for (Node i = 0; i < graph.nodes(); ++i) {
    std::size_t message = first[i];
    for (const Node j : graph.hears(i)) {
      if (graph.is_directed())
        edges.push_back({j, i, message, message});
      else if (i < j)
        edges.push_back({j, i, message, first[j] + place_of(i, graph.hears(j))});
      ++message;
    }
  }
  return edges;
}

/// Whether all nodes tell by the hops by which node 0 does.
bool is_circulant(const Graph& graph) {
  const std::size_t nodes = graph.nodes();
  const auto hops = graph.tells(0);
  for (std::size_t i = 0; i < nodes; ++i) {
    const auto told = graph.tells(static_cast<Node>(i));
    const auto is_told = [&](Node hop) {
      return std::binary_search(told.begin(), told.end(), static_cast<Node>((i + hop) % nodes));
    };
    if (told.size() != hops.size() || !std::all_of(hops.begin(), hops.end(), is_told)) return false;
  }
  return true;
}

class OnePeerLinks final : public Links {
 public:
  explicit OnePeerLinks(const Graph& graph) : hops_(graph.tells(0).begin(), graph.tells(0).end()) {
    const std::size_t nodes = graph.nodes();
    for (std::size_t i = 0; i < nodes; ++i)
      for (const Node j : graph.hears(static_cast<Node>(i)))
        hop_of_message_.push_back(static_cast<Node>((i + nodes - j) % nodes));
  }

  Round period() const override { return std::max<Round>(1, hops_.size()); }

  void choose(Round round, std::span<std::uint8_t> active) override {
    if (hops_.empty()) return;  // a single node: there are no messages
    const Node hop = hops_[(round - 1) % hops_.size()];
    for (std::size_t k = 0; k < active.size(); ++k) active[k] = hop_of_message_[k] == hop;
  }

 private:
  std::vector<Node> hops_, hop_of_message_;
};

class MatchingLinks final : public Links {
 public:
  MatchingLinks(const Graph& graph, std::uint64_t seed)
      : seed_(seed), edges_(edges_of(graph)), order_(edges_.size()), taken_(graph.nodes()) {}

  Round period() const override { return 0; }

  void choose(Round round, std::span<std::uint8_t> active) override {
    draw_order(round);
    std::fill(active.begin(), active.end(), std::uint8_t{0});
    std::fill(taken_.begin(), taken_.end(), std::uint8_t{0});
    for (const std::uint64_t key : order_) {
      const EdgeMessages& edge = edges_[key & 0xffffffff];
      if (taken_[edge.from] != 0 || taken_[edge.to] != 0) continue;
      taken_[edge.from] = taken_[edge.to] = 1;
      active[edge.forth] = active[edge.back] = 1;
    }
  }

 private:
  /// A random priority in the upper half of each key and the edge's number in the lower: sorted,
  /// equal priorities go by number.
  void draw_order(Round round) {
    Random random(seed_, Purpose::links, 0, round);
    for (std::size_t e = 0; e < order_.size(); ++e) order_[e] = std::uint64_t{random()} << 32 | e;
    std::sort(order_.begin(), order_.end());
  }

  std::uint64_t seed_;
  std::vector<EdgeMessages> edges_;
  std::vector<std::uint64_t> order_;
  std::vector<std::uint8_t> taken_;
};

class RandomEdgeLinks final : public Links {
 public:
  RandomEdgeLinks(const Graph& graph, double fraction, std::uint64_t seed)
      : seed_(seed), fraction_(fraction), edges_(edges_of(graph)) {}

  Round period() const override { return 0; }

  void choose(Round round, std::span<std::uint8_t> active) override {
    Random random(seed_, Purpose::links, 0, round);
    for (const EdgeMessages& edge : edges_) {
      const bool is_active = random.uniform() < fraction_;
      active[edge.forth] = active[edge.back] = is_active;
    }
  }

 private:
  std::uint64_t seed_;
  double fraction_;
  std::vector<EdgeMessages> edges_;
};

}  // namespace

std::unique_ptr<Links> OnePeer::make(const Graph& graph, std::uint64_t) const {
  const char* const advice = "use \"directed-exponential\" or \"directed-ring\"";
  if (!graph.is_directed())
    throw UserError(fmt::format(
        "links \"one-peer\": the graph is undirected, but messages go one way: {}", advice));
  if (!is_circulant(graph))
    throw UserError(fmt::format(
        "links \"one-peer\": the nodes differ in their hops, must all have the same: {}", advice));
  return std::make_unique<OnePeerLinks>(graph);
}

std::unique_ptr<Links> Matchings::make(const Graph& graph, std::uint64_t seed) const {
  if (graph.is_directed())
    throw UserError(
        "links \"matchings\": the graph is directed, must be undirected: use \"random-edges\"");
  return std::make_unique<MatchingLinks>(graph, seed);
}

std::unique_ptr<Links> RandomEdges::make(const Graph& graph, std::uint64_t seed) const {
  return std::make_unique<RandomEdgeLinks>(graph, fraction, seed);
}

}  // namespace starling
