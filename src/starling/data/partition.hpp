/// How the samples of a data set are split between the nodes.
///
/// A rule is a struct whose `make` takes the label of every sample (0 ... classes - 1), the number
/// of nodes and a seed. Every sample goes to at most one node and every node gets at least one.
/// `make` throws UserError where that cannot be, as with more nodes than samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "starling/base/range.hpp"
#include "starling/base/types.hpp"

namespace starling {

/// The samples of each node, ascending.
using Partition = std::vector<std::vector<std::uint32_t>>;

/// A rule with its options: labels, classes, nodes, seed -> partition.
using PartitionRule = std::function<Partition(std::span<const std::uint8_t> sample_labels,
                                              int classes, std::size_t nodes, std::uint64_t seed)>;

/// Every node gets a random share; shares differ by at most one sample.
struct Iid {
  static void options(auto&, auto&&) {}

  Partition make(std::span<const std::uint8_t> sample_labels, int classes, std::size_t nodes,
                 std::uint64_t seed) const;
};

/// Node i holds the labels i*k ... i*k + k - 1, modulo the number of classes (Chen, Karimi, Zhao &
/// Li, arXiv 2109.03194, experiments). The samples of a label are split evenly between the nodes
/// that hold it; those of a label that nobody holds are left out.
struct ByLabels {
  std::int64_t labels = 2;

  static void options(auto& self, auto&& option) {
    option("labels", self.labels, at_least(1), "labels that a node holds");
  }

  Partition make(std::span<const std::uint8_t> sample_labels, int classes, std::size_t nodes,
                 std::uint64_t seed) const;
};

/// Each label is split in proportions drawn from a symmetric Dirichlet distribution; a node left
/// without samples takes one from the node with most.
struct Dirichlet {
  /// From some point on the split is even to the last sample; a finite end keeps the draw finite.
  static constexpr Range alphas{.low = 0, .high = 1e6, .low_open = true};
  double alpha = 0.5;

  static void options(auto& self, auto&& option) {
    option("alpha", self.alpha, alphas, "concentration: small is skewed, large is even");
  }

  Partition make(std::span<const std::uint8_t> sample_labels, int classes, std::size_t nodes,
                 std::uint64_t seed) const;
};

/// Random samples, in amounts that differ between nodes (rounded by largest remainder).
struct Sizes {
  std::vector<double> sizes;

  static void options(auto& self, auto&& option) {
    option("sizes", self.sizes, positive,
           "relative amounts, one per node; empty: node i gets a share of i + 1");
  }

  Partition make(std::span<const std::uint8_t> sample_labels, int classes, std::size_t nodes,
                 std::uint64_t seed) const;
};

/// An aligned table: for each node its samples, and how many of each label; then, where there are
/// any, the samples that nobody holds. Beyond 32 nodes, one line sums up the others.
std::string summary(const Partition& partition, std::span<const std::uint8_t> sample_labels,
                    int classes);

}  // namespace starling
