/// Decentralized subgradient descent, adapt then combine; and with an exchange in some rounds only.
///
/// - `dsgd-atc`: the ATC variant of Zhang, Xiao & Liu's framework, after the diffusion strategies
///   of Sayed et al. Needs W doubly stochastic, a connected graph.
/// - `local-sgd`: the same, whose nodes go on alone for `every` - 1 rounds of `every` (Stich, arXiv
///   1805.09767; with exact averages it is FedAvg with all nodes taking part). Links that change do
///   so from exchange to exchange.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct DsgdAtc {
  static constexpr std::string_view paper = "Zhang, Xiao & Liu, arXiv 2403.11565, section 2 (ATC)";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j W_ij (x_j - step g_j),  g_j sampled at x_j"};
  static constexpr std::string_view variables[] = {"x"};
  static constexpr Order order = Order::adapt_first;
  static constexpr Tolerates tolerates = Tolerates::lost_messages;
  static constexpr Steps steps = Steps::vanishing;
  static void options(auto&, auto&&) {}

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {};

  constexpr State start(float x) const { return {{x}}; }

  constexpr void adapt(State& s, float g, float step) const { s.x -= step * g; }
  constexpr void combine(State& s, const Exchanged& mixed, float) const { s.x = mixed.x; }
};

struct LocalSgd : DsgdAtc {
  static constexpr std::string_view paper = "Stich, arXiv 1805.09767, over a graph";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j W_ij (x_j - step g_j)  in rounds that `every` divides",
      "x_i+ = x_i - step g_i               in the others"};
  static constexpr Steps steps = Steps::small;

  std::int64_t every = 8;

  static void options(auto& self, auto&& option) {
    option("every", self.every, at_least(1), "rounds from one exchange to the next");
  }
  constexpr bool exchanges(Round round) const { return round % static_cast<Round>(every) == 0; }
};

}  // namespace starling
