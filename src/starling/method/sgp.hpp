/// Stochastic gradient push.
///
/// Assran, Loizou, Ballas & Rabbat, ICML 2019, arXiv 1811.10792, after Nedic & Olshevsky. For
/// directed graphs on which a sender only knows how many it tells: columns of C sum to 1, the graph
/// (over time) is strongly connected. Each node's share w_i of what has been pushed about is known
/// to it, and dividing by it takes the bias out. The sum of the w_i is N in every round.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct Sgp {
  static constexpr std::string_view paper = "Assran et al., arXiv 1811.10792, Algorithm 1";
  static constexpr std::string_view equations[] = {
      "u_i+ = sum_j C_ij (u_j - step g_j),  g_j sampled at x_j, u_j = x_j at the start",
      "w_i+ = sum_j C_ij w_j,  one number a node, 1 at the start", "x_i+ = u_i+ / w_i+"};
  static constexpr std::string_view variables[] = {"u", "x"};
  static constexpr Mixing mixing[] = {Mixing::push};
  static constexpr Order order = Order::adapt_first;
  static constexpr Tolerates tolerates = Tolerates::lost_messages;
  static constexpr bool push_sum = true;
  static void options(auto&, auto&&) {}

  struct Exchanged {
    float u;
  };
  struct State : Exchanged {
    float x;
  };

  constexpr State start(float x) const { return {{x}, x}; }

  constexpr void adapt(State& s, float g, float step) const { s.u -= step * g; }
  constexpr void combine(State& s, const Exchanged& mixed, const Pace& pace) const {
    s.u = mixed.u;
    s.x = mixed.u / pace.weight;
  }
};

}  // namespace starling
