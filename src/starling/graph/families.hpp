/// Families of graphs. Each is a struct of options with
/// `Graph make(std::size_t nodes, std::uint64_t seed) const`: the same seed gives the same graph on
/// every machine, and families without chance ignore it. `make` throws UserError, one line, where
/// the family has no graph with that many nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "starling/base/range.hpp"
#include "starling/graph/graph.hpp"

namespace starling {

/// Node i is linked to i+1.
struct Path {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// A path closed to a circle (two nodes: one edge).
struct Ring {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// Node 0 is linked to all others.
struct Star {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// Everybody is linked to everybody.
struct Complete {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// A rectangle of nodes, numbered row by row, each linked to those beside, above and below it.
struct Grid {
  std::int64_t rows = 0;
  static void options(auto& self, auto&& option) {
    option("rows", self.rows, at_least(0), "rows of nodes; 0: as square as the number allows");
  }
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// A grid whose opposite sides are joined.
struct Torus {
  std::int64_t rows = 0;
  static void options(auto& self, auto&& option) {
    option("rows", self.rows, at_least(0), "rows of nodes; 0: as square as the number allows");
  }
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// Nodes whose numbers differ in one binary digit are linked; the number of nodes is a power of 2.
struct Hypercube {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// Node i is linked to i +- 1, 2, 4, ... (mod N): the static exponential graph, both ways.
struct Exponential {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// Each pair of nodes is linked by chance (Gilbert's G(N, p)); drawn again until connected.
struct ErdosRenyi {
  double probability = 0.3;
  static void options(auto& self, auto&& option) {
    option("probability", self.probability, fraction, "chance of each edge");
  }
  Graph make(std::size_t nodes, std::uint64_t seed) const;
};

/// A random graph in which all nodes have the same degree; drawn again until connected.
struct RandomRegular {
  std::int64_t degree = 3;
  static void options(auto& self, auto&& option) {
    option("degree", self.degree, at_least(1), "neighbours of each node");
  }
  Graph make(std::size_t nodes, std::uint64_t seed) const;
};

/// A ring of near neighbours, some of whose edges lead anywhere (Watts & Strogatz, Nature 1998).
struct WattsStrogatz {
  std::int64_t neighbours = 4;
  double rewire = 0.1;
  static void options(auto& self, auto&& option) {
    option("neighbours", self.neighbours, at_least(2), "neighbours on the ring, an even number");
    option("rewire", self.rewire, fraction, "chance of each edge to lead elsewhere");
  }
  Graph make(std::size_t nodes, std::uint64_t seed) const;
};

/// Nodes join one by one and attach to well linked ones (Barabasi & Albert, Science 1999). The
/// first `attach` + 1 nodes are all linked.
struct BarabasiAlbert {
  std::int64_t attach = 2;
  static void options(auto& self, auto&& option) {
    option("attach", self.attach, at_least(1), "edges that each new node brings");
  }
  Graph make(std::size_t nodes, std::uint64_t seed) const;
};

/// Directed: node i tells i+1 (mod N).
struct DirectedRing {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// Directed: node i tells i + 1, 2, 4, ... (mod N).
struct DirectedExponential {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// Directed: a random circle through all nodes, which makes it strongly connected, and each other
/// edge by chance.
struct RandomDigraph {
  double probability = 0.3;
  static void options(auto& self, auto&& option) {
    option("probability", self.probability, fraction, "chance of each edge beside the circle");
  }
  Graph make(std::size_t nodes, std::uint64_t seed) const;
};

/// The directed graph of five nodes that Bo & Wang use (arXiv 2601.03566).
struct BoWang {
  static void options(auto&, auto&&) {}
  Graph make(std::size_t nodes, std::uint64_t) const;
};

/// A graph from a file: GraphML where its name ends in ".graphml" (nodes in the order of the file),
/// otherwise a list of edges, "FROM TO" a line, nodes numbered from 0, "#" or "%" starting a
/// comment. `nodes` must be what the file has; 0 takes what it has.
struct GraphFile {
  std::string path;
  bool directed = false;
  static void options(auto& self, auto&& option) {
    option("path", self.path, Words{}, "file with the graph: .graphml, or one edge a line");
    option("directed", self.directed, "edges go one way (GraphML files say so themselves)");
  }
  Graph make(std::size_t nodes, std::uint64_t) const;
};

}  // namespace starling
