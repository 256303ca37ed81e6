/// Gradient tracking: y_i follows the mean of all nodes' subgradients.
///
/// - `dsgd-t` (Zhang, Xiao & Liu, DSGD-T): one doubly stochastic W for x and y.
/// - `dgt` (Xin & Khan's AB; a baseline of Bo & Wang; also `push-pull-cta`): x with R, whose graph
///   has a spanning tree, y with C, whose graph is strongly connected.
///
/// g_i is the subgradient computed before, with its old batch at its old point. Where messages are
/// lost, the sum of the y is kept as long as C's weight stays with the sender.
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

struct DsgdT : Tracking<Mixing::doubly, Mixing::doubly> {
  static constexpr std::string_view paper = "Zhang, Xiao & Liu, arXiv 2403.11565 (DSGD-T)";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j W_ij x_j - step y_i,  then g_i+ is sampled at x_i+",
      "y_i+ = sum_j W_ij y_j + g_i+ - g_i,  y_i = g_i at the start"};
  static constexpr Steps steps = Steps::vanishing;
};

struct Dgt : Tracking<Mixing::pull, Mixing::push> {
  static constexpr std::string_view paper = "Xin & Khan, IEEE L-CSS 2(3), 2018 (AB)";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j R_ij x_j - step y_i,  then g_i+ is sampled at x_i+",
      "y_i+ = sum_j C_ij y_j + g_i+ - g_i,  y_i = g_i at the start"};
  static constexpr Tolerates tolerates = Tolerates::lost_messages;
};

}  // namespace starling
