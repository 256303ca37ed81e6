/// Gradient tracking: y_i follows the mean of all nodes' subgradients.
///
///     y_i = g_i at the start
///     x_i+ = sum_j A_ij x_j - step y_i,       then g_i+ is sampled at x_i+
///     y_i+ = sum_j B_ij y_j + g_i+ - g_i
///
/// - `dsgd-t` (Zhang, Xiao & Liu, arXiv 2403.11565, DSGD-T): A = B = W, doubly stochastic.
/// - `dgt` (Xin & Khan 2018, "AB"; a baseline of Bo & Wang, arXiv 2601.03566): A = R, B = C on a
///   directed graph, R's with a spanning tree, C's strongly connected.
///
/// g_i is the subgradient computed before, with its old batch at its old point.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

template <Mixing x_weights, Mixing y_weights>
struct Tracking {
  static constexpr std::string_view variables[] = {"x", "y", "g"};
  static constexpr Mixing mixing[] = {x_weights, y_weights};
  static constexpr Order order = Order::combine_first;
  static void options(auto&, auto&&) {}

  struct Exchanged {
    float x, y;
  };
  struct State : Exchanged {
    float g;
  };

  constexpr State start(float x, float g) const { return {{x, g}, g}; }

  constexpr void combine(State& s, const Exchanged& mixed, float step) const {
    s.x = mixed.x - step * s.y;
    s.y = mixed.y;
  }
  constexpr void adapt(State& s, float g, float) const {
    s.y += g - s.g;
    s.g = g;
  }
};

using DsgdT = Tracking<Mixing::doubly, Mixing::doubly>;
using Dgt = Tracking<Mixing::pull, Mixing::push>;

}  // namespace starling
