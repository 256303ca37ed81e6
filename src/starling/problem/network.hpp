/// Neural networks on images, each node with its own part of the data (libtorch).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "starling/base/range.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// Cross-entropy of a network over a node's images.
///
/// - `mlp`: 784-256-10, one ReLU layer.
/// - `cnn`: three convolutions (16 and 32 of 5x5, 64 of 3x3, each with ReLU and 2x2 max-pooling)
///   and one fully connected layer, as in Chen et al., arXiv 2109.03194, section 5.
///
/// The derivative of ReLU at 0 is taken as 0.
struct NeuralNetwork {
  std::string model = "cnn", dataset = "fashion-mnist", path, sampling = "reshuffle";
  std::int64_t batch = 64, objective_samples = 10000, test_samples = 0;
  PartitionRule partition;

  static void options(auto& self, auto&& option) {
    option("model", self.model, Words{"mlp", "cnn"}, "the network");
    option("dataset", self.dataset, Words{}, "one of `starling list datasets`");
    option("path", self.path, Words{}, "folder of the data, instead of the usual one");
    option("batch", self.batch, between(1, 1e9), "samples a node and round");
    option("sampling", self.sampling, Words{"reshuffle", "replacement"},
           "a new order every epoch, or drawn with replacement");
    option("objective_samples", self.objective_samples, at_least(0),
           "training samples, over all nodes, that the objective is measured on; 0: all");
    option("test_samples", self.test_samples, at_least(0),
           "test samples that accuracies are measured on; 0: all");
  }

  /// Loads the data. Throws UserError if it, or the options, do not fit together.
  std::unique_ptr<Problem> make(std::size_t nodes, std::uint64_t seed) const;
};

}  // namespace starling
