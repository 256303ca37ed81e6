/// Asynchronous subgradient methods on shared memory.
///
/// Kungurtsev, Egan, Chatterjee & Alistarh, arXiv 1905.11845, Algorithm 1. Cores share one x and
/// the momentum u of every block of it. Each of them reads x, samples a subgradient there, and
/// updates the blocks that it owns, while the others do the same. SGD, Hogwild, ASSM and PASSM are
/// this one mechanism: they differ in what is locked and in who owns what.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "starling/base/range.hpp"

namespace starling {

/// What one coordinate of a block goes through in an update.
struct BlockRule {
  float momentum = 0;

  struct State {
    float x, u;
  };

  constexpr State start(float x) const { return {x, 0}; }

  constexpr void adapt(State& s, float g, float step) const {
    s.u = momentum * s.u + g;
    s.x = s.x - (1 - momentum) * step * s.u;
  }
};

struct Asynchronous {
  static constexpr std::string_view paper =
      "Kungurtsev, Egan, Chatterjee & Alistarh, arXiv 1905.11845, Algorithm 1";
  static constexpr std::string_view equations[] = {
      "u_b+ = m u_b + g_b,  g_b sampled at what core c has read of x, b a block that c owns",
      "x_b+ = x_b - (1 - m) alpha_c step_k u_b+,  k the updates of core c so far"};

  float momentum = 0;
  std::vector<double> alpha{1.0};
  std::int64_t cores = 0;
  std::string read_lock = "none", write_lock = "none", partition = "none";

  static void options(auto& self, auto&& option) {
    option("momentum", self.momentum, decay_rate, "m: decay of the momentum");
    option("alpha", self.alpha, positive,
           "alpha_c: factor of a core's step sizes, one for all or one a core");
    option("cores", self.cores, between(0, 1024), "cores; 0: as engine.cores says");
    option("read_lock", self.read_lock, Words{"none", "block", "whole"}, "what x is read under");
    option("write_lock", self.write_lock, Words{"none", "block", "whole"},
           "what x and u are updated under");
    option(
        "partition", self.partition, Words{"none", "tensors", "ranges"},
        "what a core updates: all of x, or a block of its own: whole tensors, or an equal range");
  }
};

}  // namespace starling
