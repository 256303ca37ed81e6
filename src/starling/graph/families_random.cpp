/// The families that are drawn by chance. Written by hand rather than with Boost's generators:
/// those draw through distributions whose results are the library's affair, and its small world is
/// not Watts and Strogatz's. Here only Random is asked, so a seed means the same graph everywhere.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"
#include "starling/graph/checks.hpp"
#include "starling/graph/families.hpp"

namespace starling {
namespace {

using Edges = std::vector<Edge>;
constexpr int most_draws = 100;

Node node(std::size_t number) { return static_cast<Node>(number); }

/// Edges met so far, whichever way they are named. Only asked, never walked through: its order is
/// the library's affair too.
class EdgeSet {
 public:
  bool insert(Node a, Node b) { return keys_.insert(key(a, b)).second; }
  bool contains(Node a, Node b) const { return keys_.contains(key(a, b)); }
  void erase(Node a, Node b) { keys_.erase(key(a, b)); }

 private:
  static std::uint64_t key(Node a, Node b) {
    return std::uint64_t{std::min(a, b)} << 32 | std::max(a, b);
  }
  std::unordered_set<std::uint64_t> keys_;
};

/// Draws until the graph is connected; `draw` makes a graph from a stream of random numbers.
template <class Draw>
Graph draw_connected(std::uint64_t seed, const std::string& what, const char* advice, Draw draw) {
  for (Round round = 0; round < most_draws; ++round) {
    Random random(seed, Purpose::graph, 0, round);
    Graph graph = draw(random);
    if (is_connected(graph)) return graph;
  }
  throw UserError(fmt::format("{}: none of {} draws was connected: {}", what, most_draws, advice));
}

/// Calls `choose` with each of the numbers 0 ... total-1 that chance picks, ascending. It leaps
/// from one to the next (Batagelj & Brandes, Phys. Rev. E 2005), so the cost is that of the edges.
template <class Choose>
void choose_by_chance(std::uint64_t total, double probability, Random& random, Choose choose) {
  if (probability <= 0) return;
  const double scale = probability < 1 ? 1 / std::log1p(-probability) : 0;
  for (std::uint64_t next = 0; next < total; ++next) {
    const double leap = std::floor(std::log(1 - random.uniform()) * scale);
    if (leap >= static_cast<double>(total - next)) return;
    next += static_cast<std::uint64_t>(leap);
    choose(next);
  }
}

/// Edges of a graph with equal degrees, or none if the last stubs did not fit. Stubs are paired at
/// random; those whose pair is a loop or a repetition try again (after Steger & Wormald, 1999).
Edges paired_stubs(std::size_t nodes, std::size_t degree, Random& random) {
  std::vector<Node> stubs;
  for (std::size_t i = 0; i < nodes; ++i) stubs.insert(stubs.end(), degree, node(i));
  Edges edges;
  EdgeSet taken;
  for (int attempt = 0; attempt < 200 && !stubs.empty(); ++attempt) {
    random.shuffle(std::span<Node>(stubs));
    std::vector<Node> left;
    for (std::size_t k = 0; k + 1 < stubs.size(); k += 2) {
      const Node a = stubs[k], b = stubs[k + 1];
      if (a != b && taken.insert(a, b))
        edges.emplace_back(a, b);
      else
        left.insert(left.end(), {a, b});
    }
    stubs = std::move(left);
  }
  return stubs.empty() ? edges : Edges{};
}

/// All pairs that are not in `edges`.
Edges complement(std::size_t nodes, const Edges& edges) {
  EdgeSet taken;
  for (const auto& [a, b] : edges) taken.insert(a, b);
  Edges others;
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t j = i + 1; j < nodes; ++j)
      if (!taken.contains(node(i), node(j))) others.emplace_back(node(i), node(j));
  return others;
}

/// A ring of near neighbours with each edge's far end moved by chance, as the paper goes about it:
/// first all edges to the next node, then to the one after it, and so on.
Edges small_world(std::size_t nodes, std::size_t half, double rewire, Random& random) {
  Edges edges;
  EdgeSet taken;
  std::vector<std::size_t> degree(nodes, 2 * half);
  for (std::size_t hop = 1; hop <= half; ++hop)
    for (std::size_t i = 0; i < nodes; ++i) {
      edges.emplace_back(node(i), node((i + hop) % nodes));
      taken.insert(edges.back().first, edges.back().second);
    }
  for (auto& [from, to] : edges) {
    if (random.uniform() >= rewire || degree[from] == nodes - 1) continue;
    Node other = from;
    while (other == from || taken.contains(from, other)) other = random.below(node(nodes));
    taken.erase(from, to);
    taken.insert(from, other);
    --degree[to];
    ++degree[other];
    to = other;
  }
  return edges;
}

}  // namespace

Graph ErdosRenyi::make(std::size_t nodes, std::uint64_t seed) const {
  if (nodes == 0) throw UserError("erdos-renyi: 0 nodes: a graph has at least 1");
  const std::string what = fmt::format("erdos-renyi: {} nodes, probability {}", nodes, probability);
  return draw_connected(
      seed, what, "a probability well above ln(nodes) / nodes helps", [&](Random& random) {
        Edges edges;
        std::uint64_t row = 1, row_start = 0;  // row i holds the pairs (0, i) ... (i-1, i)
        choose_by_chance(std::uint64_t{nodes} * (nodes - 1) / 2, probability, random,
                         [&](std::uint64_t pair) {
                           while (pair - row_start >= row) row_start += row++;
                           edges.emplace_back(node(pair - row_start), node(row));
                         });
        return Graph::undirected(nodes, edges);
      });
}

Graph RandomRegular::make(std::size_t nodes, std::uint64_t seed) const {
  const auto each = static_cast<std::size_t>(degree);
  if (degree < 1 || each >= nodes)
    throw UserError(fmt::format("random-regular: {} nodes, degree {}: degree must be 1 ... nodes-1",
                                nodes, degree));
  if (nodes * each % 2 != 0)
    throw UserError(fmt::format("random-regular: {} nodes, degree {}: one of the two must be even",
                                nodes, degree));
  const std::string what = fmt::format("random-regular: {} nodes, degree {}", nodes, degree);
  return draw_connected(seed, what, "degree 3 or more helps", [&](Random& random) {
    // Pairing gets stuck in dense graphs; the edges that a dense graph lacks form a sparse one.
    const bool dense = 2 * each > nodes;
    Edges edges = paired_stubs(nodes, dense ? nodes - 1 - each : each, random);
    const bool stuck = edges.empty() && each != nodes - 1;
    if (dense && !stuck) edges = complement(nodes, edges);
    return Graph::undirected(nodes, edges);
  });
}

Graph WattsStrogatz::make(std::size_t nodes, std::uint64_t seed) const {
  const auto near = static_cast<std::size_t>(neighbours);
  if (neighbours < 2 || near % 2 != 0 || near >= nodes)
    throw UserError(
        fmt::format("watts-strogatz: {} nodes, {} neighbours: neighbours must be even and less "
                    "than nodes",
                    nodes, neighbours));
  const std::string what =
      fmt::format("watts-strogatz: {} nodes, {} neighbours, rewire {}", nodes, neighbours, rewire);
  return draw_connected(seed, what, "more neighbours or less rewiring helps", [&](Random& random) {
    return Graph::undirected(nodes, small_world(nodes, near / 2, rewire, random));
  });
}

Graph BarabasiAlbert::make(std::size_t nodes, std::uint64_t seed) const {
  const auto each = static_cast<std::size_t>(attach);
  if (attach < 1 || each >= nodes)
    throw UserError(fmt::format(
        "barabasi-albert: {} nodes, attach {}: attach must be 1 ... nodes-1", nodes, attach));
  Random random(seed, Purpose::graph);
  Edges edges;
  std::vector<Node> ends;  // each node as often as it has edges: a draw from here favours hubs
  const auto link = [&](std::size_t a, std::size_t b) {
    edges.emplace_back(node(a), node(b));
    ends.insert(ends.end(), {node(a), node(b)});
  };
  for (std::size_t i = 0; i <= each; ++i)
    for (std::size_t j = 0; j < i; ++j) link(j, i);
  std::vector<Node> chosen;
  for (std::size_t i = each + 1; i < nodes; ++i) {
    chosen.clear();
    while (chosen.size() < each) {
      const Node hub = ends[random.below(static_cast<std::uint32_t>(ends.size()))];
      if (std::find(chosen.begin(), chosen.end(), hub) == chosen.end()) chosen.push_back(hub);
    }
    for (const Node hub : chosen) link(hub, i);
  }
  return Graph::undirected(nodes, edges);
}

Graph RandomDigraph::make(std::size_t nodes, std::uint64_t seed) const {
  if (nodes == 0) throw UserError("random-digraph: 0 nodes: a graph has at least 1");
  Random random(seed, Purpose::graph);
  std::vector<Node> order(nodes);
  std::iota(order.begin(), order.end(), Node{0});
  random.shuffle(std::span<Node>(order));
  Edges edges;
  for (std::size_t i = 0; i < nodes; ++i) edges.emplace_back(order[i], order[(i + 1) % nodes]);
  const std::uint64_t others = nodes - 1;
  choose_by_chance(others * nodes, probability, random, [&](std::uint64_t pair) {
    const std::uint64_t from = pair / others, to = pair % others;
    edges.emplace_back(node(from), node(to < from ? to : to + 1));
  });
  return Graph::directed(nodes, edges);
}

}  // namespace starling
