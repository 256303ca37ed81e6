/// What the BatchNorm layers of a network normalise with.
#pragma once

#include <cstddef>
#include <vector>

#include <ATen/ATen.h>

namespace starling {

/// BatchNorm (Ioffe & Szegedy, arXiv 1502.03167) without running averages, which would make a loss
/// depend on more than x. Training uses the statistics of each batch. For evaluations, statistics
/// are collected from several batches at the same x and then held constant. All BatchNorm layers of
/// a forward pass go through one object, numbered from 0; one thread uses one object.
class BatchNorms {
 public:
  /// From now on a layer normalises with mean and variance of the batch it is given.
  void use_batch() { source_ = Source::batch; }

  /// The same, and each layer averages its means and (unbiased) variances over the batches to
  /// come. What was collected before is forgotten. Only where no gradient is taken.
  void collect() {
    layers_.clear();
    source_ = Source::collecting;
  }

  /// From now on layers normalise with what they have collected; gradients see constants.
  void use_collected() { source_ = Source::collected; }

  /// (x - mean) / sqrt(variance + 1e-5) * weight + bias, channel by channel. x is batch x channels
  /// x rows x columns.
  at::Tensor normalise(std::size_t layer, const at::Tensor& x, const at::Tensor& weight,
                       const at::Tensor& bias) {
    if (source_ == Source::batch)
      return at::batch_norm(x, weight, bias, {}, {}, true, 0, epsilon_, false);
    if (source_ == Source::collected) {
      const Layer& own = layers_.at(layer);
      return at::batch_norm(x, weight, bias, own.mean, own.variance, false, 0, epsilon_, false);
    }
    if (layer == layers_.size()) layers_.push_back({at::zeros_like(bias), at::zeros_like(bias)});
    Layer& own = layers_[layer];
    // With share 1/k for the k-th batch, libtorch's moving averages become plain ones.
    const double share = 1.0 / ++own.batches;
    return at::batch_norm(x, weight, bias, own.mean, own.variance, true, share, epsilon_, false);
  }

 private:
  enum class Source { batch, collecting, collected };
  struct Layer {
    at::Tensor mean, variance;
    int batches = 0;
  };

  static constexpr double epsilon_ = 1e-5;
  Source source_ = Source::batch;
  std::vector<Layer> layers_;
};

}  // namespace starling
