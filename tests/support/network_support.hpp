/// What the tests of networks share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "starling/data/partition.hpp"
#include "starling/problem/network.hpp"
#include "test_support.hpp"

namespace starling {

/// A network on the images of a folder, 20 a round, its objective on all of them.
inline NeuralNetwork network_on(const TempFolder& folder, const std::string& model) {
  NeuralNetwork network;
  network.model = model;
  network.path = folder.path().string();
  network.batch = 20;
  network.objective_samples = 0;
  network.partition = [](auto labels, int classes, auto nodes, auto seed) {
    return Iid{}.make(labels, classes, nodes, seed);
  };
  return network;
}

inline std::vector<float> start_of(const Problem& problem) {
  std::vector<float> x(problem.dimension());
  problem.start(x);
  return x;
}

/// Nothing, single coordinates, halves, cuts through tensors, everything, and every `stride`-th
/// tensor by itself.
inline std::vector<Part> parts_of(const Problem& problem, std::size_t stride) {
  const std::size_t all = problem.dimension();
  std::vector<Part> parts{{0, 0},
                          {all / 2, 0},
                          {0, 1},
                          {all - 1, 1},
                          {0, all / 2},
                          {all / 2, all - all / 2},
                          {all / 3, all / 5},
                          {0, all}};
  std::size_t first = 0, tensor = 0;
  for (const std::size_t length : problem.tensors()) {
    if (tensor++ % stride == 0) parts.push_back({first, length});
    first += length;
  }
  EXPECT_EQ(first, all) << "tensors() must be all of x";
  return parts;
}

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// The coordinates of the part have the bits of `full`, and those of tensors that do not meet it
/// are still not-a-number.
inline void expect_only_part(const Problem& problem, Part part, std::span<const float> full,
                             std::span<const float> g) {
  const std::string name = std::to_string(part.first) + " + " + std::to_string(part.count);
  EXPECT_TRUE(same_bits(g.subspan(part.first, part.count), full.subspan(part.first, part.count)))
      << name;
  std::size_t first = 0;
  for (const std::size_t length : problem.tensors()) {
    const bool apart =
        part.count == 0 || first + length <= part.first || part.first + part.count <= first;
    const auto tensor = g.subspan(first, length);
    const auto untouched = [](float value) { return std::isnan(value); };
    EXPECT_TRUE(!apart || std::ranges::all_of(tensor, untouched))
        << name << " wrote to the tensor that begins at " << first;
    first += length;
  }
}

/// Partial subgradients are parts of the subgradient, bit for bit, with the same loss; and the
/// oracle gives the whole subgradient afterwards.
inline void expect_partial_subgradients(Problem& problem, const std::vector<Part>& parts, Node node,
                                        Round round) {
  const auto oracle = problem.oracle();
  const std::vector<float> x = start_of(problem);
  std::vector<float> full(x.size()), g(x.size());
  const float loss = oracle->subgradient(node, round, x, full);
  EXPECT_TRUE(std::ranges::all_of(full, [](float value) { return std::isfinite(value); }));
  for (const Part part : parts) {
    std::ranges::fill(g, std::numeric_limits<float>::quiet_NaN());
    EXPECT_EQ(oracle->partial_subgradient(node, round, x, part, g), loss);
    expect_only_part(problem, part, full, g);
  }
  EXPECT_EQ(oracle->subgradient(node, round, x, g), loss);
  EXPECT_TRUE(same_bits(g, full));
}

}  // namespace starling
