/// What a method is.
///
/// In a round every node exchanges some of its state variables with its neighbours (each becomes a
/// weighted sum), samples a subgradient, and updates its state coordinate by coordinate. A method
/// writes down that update for ONE coordinate; engines run it over all coordinates of all nodes.
///
///     struct Dgd {
///       static constexpr std::string_view variables[] = {"x"};   // names of State's members
///       struct Exchanged { float x; };                            // what travels
///       struct State : Exchanged {};                              // what a node keeps
///       constexpr State start(float x) const;                     // before the first round
///       constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const;
///     };
///
/// State holds floats only, the exchanged ones first; the one called x is the iterate that is
/// evaluated. There are three kinds:
///
/// - overlapped: adapt(s, mixed, g, step) alone. The subgradient is sampled at the unmixed x, so
///   the exchange can run while it is computed. `mixed` holds the sums of the neighbours' values.
/// - combine_first: combine(s, mixed, step), then the subgradient is sampled at the x it leaves,
///   then adapt(s, g, step). Where something other than the state is to travel, prepare(s, step)
///   turns it into that before the exchange.
/// - adapt_first: the subgradient is sampled, then adapt(s, g, step), then the exchange and
///   combine(s, mixed, step).
///
/// Methods of the last two kinds say which they are: `static constexpr Order order = ...`.
///
/// Where a method needs more, it says so:
/// - Other weights than W, one entry an exchanged variable:
///   `static constexpr Mixing mixing[] = {Mixing::pull, Mixing::push};`
/// - The number of the round, or the node's push-sum weight: `Pace` in the place of `float step`;
///   push-sum weights are kept where `static constexpr bool push_sum = true`.
/// - A subgradient sampled at the start, before round 1: `start(x, g)`.
/// - A subgradient sampled elsewhere than at x: `sampled` names the state variable that holds the
///   point.
/// - A step size that depends on the length of a node's whole vector: `norm_of` names a state
///   variable or "subgradient"; what `step_size(step, norm)` gives is what the others get.
/// - Rounds without an exchange: `exchanges(round)` is false in these.
/// - A network that stays as it is, or may even lose messages: `tolerates`.
/// - A symmetric W, and all its eigenvalues above a number: `eigenvalues_above`.
/// - Step sizes that go to zero: `static constexpr Steps steps = Steps::vanishing`.
/// - Steps scaled by second moments, which have a theory of their own: `scaling`.
///
/// `paper` and `equations` are what `starling list methods NAME` prints.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "starling/base/types.hpp"

namespace starling {

/// The weights that a variable is mixed with.
enum class Mixing {
  doubly,  ///< W: rows and columns sum to 1
  pull,    ///< R: rows sum to 1
  push,    ///< C: columns sum to 1
};

/// When a round samples its subgradient.
enum class Order { overlapped, combine_first, adapt_first };

/// What a method can stand of the network without losing what it adds up: a mean that it conserves,
/// or what it has stored of former rounds.
enum class Tolerates {
  fixed_weights,     ///< only the same weights in every round
  changing_weights,  ///< other weights in every round, which sum to 1 as `mixing` says
  lost_messages,     ///< and lost messages, whose weight goes to one end of the link
};

/// What the theory of a method asks of the step sizes.
enum class Steps {
  small,      ///< small enough; they may stay the same
  vanishing,  ///< they go to zero while their sum is infinite
};

/// By what second moment a method scales its steps, as far as theory tells the ways apart (Chen,
/// Karimi, Zhao & Li, arXiv 2109.03194).
enum class Scaling {
  none,
  own,             ///< the node's own: no convergence in general (Theorem 1)
  shared,          ///< mixed with the neighbours', by any rule (Theorem 2)
  shared_maximum,  ///< mixed, and it never falls (Theorem 3)
  shared_mean,     ///< mixed, the mean of the squares so far (Theorem 4)
};

/// What is the same for all coordinates of a node in a round. Most methods need the step size only,
/// so it converts to that.
struct Pace {
  float step;        ///< the node's step size
  float round = 1;   ///< 1, 2, ...
  float weight = 1;  ///< the node's push-sum weight, as this round's exchange leaves it
  constexpr operator float() const { return step; }
};

template <class M>
inline constexpr std::size_t state_size = sizeof(typename M::State) / sizeof(float);

template <class M>
inline constexpr std::size_t exchanged_size = sizeof(typename M::Exchanged) / sizeof(float);

template <class M>
concept Overlapped = requires(const M m, typename M::State s, typename M::Exchanged mixed, float g,
                              Pace pace) {
  m.adapt(s, mixed, g, pace);
};

template <class M>
concept Phased = requires(const M m, typename M::State s, typename M::Exchanged mixed, float g,
                          Pace pace) {
  m.adapt(s, g, pace);
  m.combine(s, mixed, pace);
  { M::order } -> std::convertible_to<Order>;
};

template <class M>
concept Prepared = requires(const M m, typename M::State s, Pace pace) {
  m.prepare(s, pace);
};

template <class M>
concept StartsWithSubgradient = requires(const M m) {
  { m.start(1.0f, 1.0f) } -> std::same_as<typename M::State>;
};

template <class M>
concept StartsAlone = requires(const M m) {
  { m.start(1.0f) } -> std::same_as<typename M::State>;
};

template <class M>
concept Normed = requires(const M m) {
  { M::norm_of } -> std::convertible_to<std::string_view>;
  { m.step_size(1.0f, 1.0f) } -> std::same_as<float>;
};

/// Where in a method's state a variable is; the number of variables where it has none of that name.
template <class M>
constexpr std::size_t index_of(std::string_view variable) {
  return static_cast<std::size_t>(std::ranges::find(M::variables, variable) -
                                  std::begin(M::variables));
}

template <class M>
concept Method = (Overlapped<M> || Phased<M>)&&(StartsAlone<M> || StartsWithSubgradient<M>)&&(
    std::size(M::variables) == state_size<M>)&&(index_of<M>("x") < state_size<M>);

template <Method M>
constexpr Order order_of() {
  if constexpr (Overlapped<M>)
    return Order::overlapped;
  else
    return M::order;
}

/// The weights of exchanged variable `e`.
template <Method M>
constexpr Mixing mixing_of(std::size_t e) {
  if constexpr (requires { M::mixing[0]; })
    return M::mixing[e];
  else
    return Mixing::doubly;
}

/// The variable that holds the point to sample at.
template <Method M>
constexpr std::size_t sampled_of() {
  if constexpr (requires { M::sampled; })
    return index_of<M>(M::sampled);
  else
    return index_of<M>("x");
}

}  // namespace starling
