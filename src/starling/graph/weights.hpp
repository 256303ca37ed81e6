/// Mixing weights: how much of each neighbour's vector a node takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/graph/graph.hpp"

namespace starling {

/// A sparse N x N matrix. Row i holds the weights with which node i hears, in ascending order of
/// neighbour, itself included: that order is the order of summation everywhere.
struct SparseMatrix {
  std::vector<std::size_t> offsets{0};  ///< N + 1
  std::vector<Node> columns;
  std::vector<double> values;

  struct Row {
    std::span<const Node> columns;
    std::span<const double> values;
  };
  std::size_t rows() const { return offsets.size() - 1; }
  Row row(Node node) const {
    const std::size_t first = offsets[node], count = offsets[node + 1] - first;
    return {{columns.data() + first, count}, {values.data() + first, count}};
  }
};

/// The matrices a network mixes with. `pull` (R) has rows that sum to 1: the receiver chooses.
/// `push` (C) has columns that sum to 1: the sender chooses. Where one doubly stochastic matrix W
/// serves as both, they are equal.
struct MixingWeights {
  SparseMatrix pull, push;
};

/// The rules below are structs of options with `MixingWeights make(const Graph&) const`. They throw
/// UserError, one line, where the rule does not suit the graph.

/// Equal shares: a node takes 1/(in-degree + 1) of itself and of each whom it hears (pull), and
/// gives 1/(out-degree + 1) to itself and to each whom it tells (push).
struct Uniform {
  static void options(auto&, auto&&) {}
  MixingWeights make(const Graph& graph) const;
};

/// Undirected: 1/(1 + the larger degree of the two) on each edge, the rest for the node itself.
/// Symmetric and doubly stochastic with positive diagonal on every graph (Xiao & Boyd 2004).
struct Metropolis {
  static void options(auto&, auto&&) {}
  MixingWeights make(const Graph& graph) const;
};

/// Undirected: 1/(largest degree) on each edge, the rest for the node itself (arXiv 2109.03194).
/// On regular bipartite graphs the diagonal is empty and the nodes never agree: see Lazy.
struct MaxDegree {
  static void options(auto&, auto&&) {}
  MixingWeights make(const Graph& graph) const;
};

/// gamma I + (1 - gamma) W, with W from another rule: keeps eigenvalues away from -1.
struct Lazy {
  std::string of = "metropolis";
  double gamma = 0.5;
  static void options(auto& self, auto&& option) {
    option("of", self.of, Words{"uniform", "metropolis", "max-degree"}, "the rule made lazy");
    option("gamma", self.gamma, Range{.low = 0, .high = 1, .low_open = true, .high_open = true},
           "weight that a node keeps for itself beforehand");
  }
  MixingWeights make(const Graph& graph) const;
};

/// Matrices from Matrix Market files: one for both uses, or one each. Entry (i, j), counted from 1,
/// is the weight with which node i-1 hears node j-1; entries lie on edges or the diagonal.
struct WeightsFile {
  std::string path{}, pull{}, push{};
  static void options(auto& self, auto&& option) {
    option("path", self.path, Words{}, "Matrix Market file of one matrix for both uses");
    option("pull", self.pull, Words{}, "file of the matrix with rows that sum to 1");
    option("push", self.push, Words{}, "file of the matrix with columns that sum to 1");
  }
  MixingWeights make(const Graph& graph) const;
};

/// The doubly stochastic, not symmetric matrix of Bo & Wang's group, on graph "bo-wang".
struct BoWangWeights {
  static void options(auto&, auto&&) {}
  MixingWeights make(const Graph& graph) const;
};

}  // namespace starling
