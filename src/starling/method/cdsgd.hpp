/// Consensus-based distributed SGD with Polyak's or Nesterov's momentum.
///
/// CDSGD-P and CDSGD-N of Jiang, Balu, Hegde & Sarkar, arXiv 1706.07880, baselines of Bo & Wang,
/// arXiv 2601.03566, in the form of the authors' code; plain CDSGD is DGD. Needs W doubly
/// stochastic.
///
///     v_i+ = momentum v_i - step g_i,       v_i = 0 at the start, g_i sampled at x_i
///     P:  x_i+ = sum_j W_ij x_j + v_i+
///     N:  x_i+ = sum_j W_ij x_j + momentum v_i+ - step g_i
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

template <bool nesterov>
struct CdsgdMomentum {
  float momentum = 0.9f;

  static constexpr std::string_view variables[] = {"x", "v"};
  static void options(auto& self, auto&& option) {
    option("momentum", self.momentum, decay_rate, "part of the velocity that is kept");
  }

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {
    float v;
  };

  constexpr State start(float x) const { return {{x}, 0}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.v = momentum * s.v - step * g;
    s.x = mixed.x + (nesterov ? momentum * s.v - step * g : s.v);
  }
};

using CdsgdP = CdsgdMomentum<false>;
using CdsgdN = CdsgdMomentum<true>;

}  // namespace starling
