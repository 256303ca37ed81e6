/// Which edges of a graph carry messages in which round.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "starling/base/range.hpp"
#include "starling/base/types.hpp"
#include "starling/graph/graph.hpp"

namespace starling {

/// The choice of a graph's messages, round by round. Messages are numbered receiver by receiver,
/// those of a receiver as `graph.hears()` lists their senders.
class Links {
 public:
  virtual ~Links() = default;

  /// Rounds after which the choice repeats; 0 where it never does.
  virtual Round period() const = 0;

  /// Sets active[k] to 1 where message k is sent in this round (1, 2, ...) and to 0 elsewhere;
  /// `active` has a place for each message. Both directions of an undirected edge are on together.
  /// A function of the round alone. The object may keep scratch memory (one thread at a time) but
  /// allocates nothing here.
  virtual void choose(Round round, std::span<std::uint8_t> active) = 0;
};

/// The rules below are structs of options with `std::unique_ptr<Links> make(const Graph&,
/// std::uint64_t seed) const`; the links do not refer to the graph afterwards. `make` throws
/// UserError, one line, where the rule does not suit the graph.

/// In every round each node tells one neighbour only, all by the same hop (receiver - sender mod
/// N); the hops take turns, ascending, so the period is their number. On "directed-exponential"
/// that is the one-peer exponential graph, which averages exactly in log2(N) rounds where N is a
/// power of 2 (Ying et al., NeurIPS 2021). The graph must be directed, with the same hops at every
/// node.
struct OnePeer {
  static void options(auto&, auto&&) {}
  std::unique_ptr<Links> make(const Graph& graph, std::uint64_t) const;
};

/// A random maximal matching of an undirected graph, drawn anew for every round: edges are taken in
/// a random order, each unless a node of it is taken already. No node talks to two others, and no
/// edge could be added.
struct Matchings {
  static void options(auto&, auto&&) {}
  std::unique_ptr<Links> make(const Graph& graph, std::uint64_t seed) const;
};

/// Every edge is active with the same probability, independently of the others and of other rounds.
struct RandomEdges {
  double fraction = 0.5;
  static void options(auto& self, auto&& option) {
    option("fraction", self.fraction, Range{.low = 0, .high = 1, .low_open = true},
           "chance of each edge to carry messages in a round");
  }
  std::unique_ptr<Links> make(const Graph& graph, std::uint64_t seed) const;
};

/// The edges of each round from files, which take turns. `path` is a text file that names them, one
/// a line and relative to itself, "#" starting a comment. They are read as `GraphFile` reads them
/// and may name some of the nodes only; "0 0" alone makes a round without messages. All edges must
/// be edges of the graph.
struct LinkFiles {
  std::string path{};
  static void options(auto& self, auto&& option) {
    option("path", self.path, Words{}, "file that names one file of edges a line, one a round");
  }
  std::unique_ptr<Links> make(const Graph& graph, std::uint64_t) const;
};

}  // namespace starling
