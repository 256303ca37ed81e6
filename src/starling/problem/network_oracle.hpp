/// Oracles of the network problem. Sees no tensor: libtorch is behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "starling/data/batches.hpp"
#include "starling/data/image_sets.hpp"
#include "starling/problem/architecture.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// What makes a channel's pixels (0 ... 255) have mean 0 and deviation 1: pixel * scale - shift.
struct PixelScale {
  float scale, shift;
};

/// What all oracles of a network problem read.
struct NetworkData {
  const Architecture& architecture;
  std::vector<ParameterShape> parameters;
  std::size_t dimension = 0;  ///< numbers in all of them
  ImageSet images;
  std::vector<PixelScale> scales;  ///< one a channel
  Batches batches;
  Partition objective_samples;              ///< training samples, one list a node
  Partition norm_batches;                   ///< what BatchNorm statistics are collected from
  std::vector<std::uint32_t> test_samples;  ///< what accuracies are measured on
};

/// An oracle for the calling thread; `data` must outlive it.
std::unique_ptr<Oracle> make_network_oracle(const NetworkData& data);

}  // namespace starling
