/// Neural networks on images, each node with its own part of the data (libtorch).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "starling/base/range.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// Cross-entropy of a network over a node's images. `architecture.hpp` describes the models; `cnn`
/// is that of Chen et al., arXiv 2109.03194, section 5, `resnet18` that of Bo & Wang, arXiv
/// 2601.03566, section V-B. Pixels are scaled to mean 0 and deviation 1 over the training images,
/// channel by channel. The derivative of ReLU at 0 is taken as 0.
///
/// BatchNorm layers (`resnet18`) normalise a minibatch with its own statistics. There are no
/// running averages: all losses are functions of x. For `objective` and `accuracy`, the statistics
/// are estimated anew at x, as means over batches of fixed training samples of all nodes, and then
/// held constant; so does the gradient of `objective` hold them constant.
struct NeuralNetwork {
  std::string model = "cnn", dataset = "fashion-mnist", path, sampling = "reshuffle";
  std::int64_t batch = 64, objective_samples = 10000, test_samples = 0, norm_samples = 1024;
  PartitionRule partition;

  static void options(auto& self, auto&& option) {
    option("model", self.model, Words{"mlp", "cnn", "resnet18"}, "the network");
    option("dataset", self.dataset, Words{}, "one of `starling list datasets`");
    option("path", self.path, Words{}, "folder of the data, instead of the usual one");
    option("batch", self.batch, between(1, 1e9), "samples a node and round");
    option("sampling", self.sampling, Words{"reshuffle", "replacement"},
           "a new order every epoch, or drawn with replacement");
    option("objective_samples", self.objective_samples, at_least(0),
           "training samples, over all nodes, that the objective is measured on; 0: all");
    option("test_samples", self.test_samples, at_least(0),
           "test samples that accuracies are measured on; 0: all");
    option("norm_samples", self.norm_samples, at_least(2),
           "training samples, over all nodes, that BatchNorm's statistics are estimated on where "
           "objectives and accuracies are measured");
  }

  /// Loads the data. Throws UserError if it, or the options, do not fit together.
  std::unique_ptr<Problem> make(std::size_t nodes, std::uint64_t seed) const;
};

}  // namespace starling
