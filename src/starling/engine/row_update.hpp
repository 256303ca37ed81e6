/// A method's scalar formulas, run over a stretch of one node's row.
///
/// Engines see methods through `RowUpdate` only: they know how many variables there are and when to
/// call what, never which method it is. `RowUpdateOf<M>` makes one from a method's struct; it is a
/// template so that a program that uses the library can pass a method of its own.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "starling/base/versions.hpp"
#include "starling/method/method.hpp"

namespace starling {

/// The largest magnitude among floats, as bits: `is_finite(worst)` tells whether all were finite.
/// Not-a-number and infinity have the largest bit patterns, so a maximum of integers finds them.
using Magnitude = std::uint32_t;
inline constexpr bool is_finite(Magnitude worst) { return worst < 0x7f800000u; }

/// The exchanged variables as weighted sums that are still to be added up: variable e is
/// sum over k < terms of weights[e][k] * rows[e * terms + k], in that order. Adding up inside the
/// update saves a trip through the cache: measured 1.2 times faster on a ring.
struct Mixture {
  static constexpr std::size_t most_terms = 4;
  std::size_t terms = 0;
  const float* const* weights = nullptr;
  const float* const* rows = nullptr;
};

/// Whom a round's exchange reaches.
enum class Exchange { neighbours, nobody, everybody };

/// `state` holds one pointer a variable, each to `count` floats; the rows of `mixed` are as long.
class RowUpdate {
 public:
  static constexpr std::size_t most_variables = 16;  ///< of a state
  virtual ~RowUpdate() = default;

  virtual std::span<const std::string_view> variables() const = 0;
  /// One entry an exchanged variable; these are the first of `variables()`.
  virtual std::span<const Mixing> mixing() const = 0;
  virtual Order order() const = 0;
  virtual Tolerates tolerates() const = 0;
  /// A bound that the eigenvalues of W must be above, W being symmetric; nothing for most methods.
  virtual std::optional<double> eigenvalues_above() const = 0;
  virtual Steps steps() const = 0;
  virtual Scaling scaling() const = 0;

  /// The variable that is evaluated, and the one that subgradients are sampled at.
  virtual std::size_t x() const = 0;
  virtual std::size_t sampled() const = 0;

  /// Where it comes from, and its equations; empty where the method does not say.
  virtual std::string_view paper() const = 0;
  virtual std::span<const std::string_view> equations() const = 0;

  /// Replaces every exchange with neighbours by exact averages over all nodes.
  void average_exactly() { averages_exactly_ = true; }
  bool averages_exactly() const { return averages_exactly_; }
  Exchange exchange(Round round) const {
    if (!exchanges(round)) return Exchange::nobody;
    return averages_exactly_ ? Exchange::everybody : Exchange::neighbours;
  }

  /// Whether it uses push-sum weights.
  virtual bool push_sum() const = 0;

  /// Fills the state from x, which variable `x()` holds on entry, and, if it
  /// `starts_with_subgradient`, from the subgradient there.
  virtual void start(float* const* state, const float* g, std::size_t count) const = 0;
  virtual bool starts_with_subgradient() const = 0;

  /// The variable whose norm over a node's whole row sets the node's step size; `state_count()`
  /// stands for the subgradient. Nothing for most methods.
  virtual std::optional<std::size_t> normed() const { return std::nullopt; }
  virtual float step_size(float step, float /*norm*/) const { return step; }

  /// The whole update of an overlapped method; returns the largest magnitude it wrote. Engines call
  /// this or the two below, as `order()` says.
  virtual Magnitude adapt_mixed(float* const* /*state*/, const Mixture& /*mixed*/,
                                const float* /*g*/, Pace /*pace*/, std::size_t /*count*/) const {
    return 0;
  }
  /// The parts of the other methods; `prepare` only where it `prepares`.
  virtual bool prepares() const { return false; }
  virtual Magnitude prepare(float* const* /*state*/, Pace /*pace*/, std::size_t /*count*/) const {
    return 0;
  }
  virtual Magnitude adapt(float* const* /*state*/, const float* /*g*/, Pace /*pace*/,
                          std::size_t /*count*/) const {
    return 0;
  }
  virtual Magnitude combine(float* const* /*state*/, const Mixture& /*mixed*/, Pace /*pace*/,
                            std::size_t /*count*/) const {
    return 0;
  }

  std::size_t state_count() const { return variables().size(); }
  std::size_t exchanged_count() const { return mixing().size(); }

 private:
  virtual bool exchanges(Round round) const = 0;
  bool averages_exactly_ = false;
};

namespace row {

/// Runs `change(state, i)` on elements 0 ... count-1. The arrays never overlap (`ivdep`), and the
/// compiler turns the loop into vector code because State is nothing but floats.
template <class M>
inline Magnitude for_each(float* const* state, std::size_t count, auto&& change) {
  constexpr std::size_t n = state_size<M>;
  std::array<float*, n> pointers;
  std::copy_n(state, n, pointers.begin());
  Magnitude worst = 0;
#pragma GCC ivdep
  for (std::size_t i = 0; i < count; ++i) {
    std::array<float, n> values;
    for (std::size_t v = 0; v < n; ++v) values[v] = pointers[v][i];
    auto s = std::bit_cast<typename M::State>(values);
    change(s, i);
    values = std::bit_cast<std::array<float, n>>(s);
    for (std::size_t v = 0; v < n; ++v) {
      pointers[v][i] = values[v];
      worst = std::max(worst, std::bit_cast<Magnitude>(values[v]) & 0x7fffffffu);
    }
  }
  return worst;
}

/// A mixture of K terms with its pointers at hand; `sum(i)` is element i of the exchanged
/// variables.
template <class M, std::size_t K>
class Sums {
 public:
  explicit Sums(const Mixture& mixture) {
    for (std::size_t e = 0; e < count; ++e)
      for (std::size_t k = 0; k < K; ++k) {
        weights_[e][k] = mixture.weights[e][k];
        rows_[e][k] = mixture.rows[e * K + k];
      }
  }

  typename M::Exchanged sum(std::size_t i) const {
    std::array<float, count> sums;
    for (std::size_t e = 0; e < count; ++e) {
      sums[e] = weights_[e][0] * rows_[e][0][i];
      for (std::size_t k = 1; k < K; ++k) sums[e] += weights_[e][k] * rows_[e][k][i];
    }
    return std::bit_cast<typename M::Exchanged>(sums);
  }

 private:
  static constexpr std::size_t count = exchanged_size<M>;
  std::array<std::array<float, K>, count> weights_;
  std::array<std::array<const float*, K>, count> rows_;
};

template <class M, std::size_t K>
inline Magnitude adapt_mixed(const M* method, float* const* state, const Mixture* mixed,
                             const float* g, Pace pace, std::size_t count) {
  const M rule = *method;
  const Sums<M, K> sums(*mixed);
  return for_each<M>(state, count,
                     [&](auto& s, std::size_t i) { rule.adapt(s, sums.sum(i), g[i], pace); });
}

template <class M>
inline Magnitude prepare(const M* method, float* const* state, Pace pace, std::size_t count) {
  const M rule = *method;
  return for_each<M>(state, count, [&](auto& s, std::size_t) { rule.prepare(s, pace); });
}

template <class M>
inline Magnitude adapt(const M* method, float* const* state, const float* g, Pace pace,
                       std::size_t count) {
  const M rule = *method;
  return for_each<M>(state, count, [&](auto& s, std::size_t i) { rule.adapt(s, g[i], pace); });
}

template <class M, std::size_t K>
inline Magnitude combine(const M* method, float* const* state, const Mixture* mixed, Pace pace,
                         std::size_t count) {
  const M rule = *method;
  const Sums<M, K> sums(*mixed);
  return for_each<M>(state, count,
                     [&](auto& s, std::size_t i) { rule.combine(s, sums.sum(i), pace); });
}

}  // namespace row

/// What all methods have in common.
template <Method M>
class AnyRowUpdate : public RowUpdate {
  static_assert(state_size<M> <= most_variables);

 public:
  explicit AnyRowUpdate(const M& method) : method_(method) {
    for (std::size_t e = 0; e < mixing_.size(); ++e) mixing_[e] = mixing_of<M>(e);
  }

  std::span<const std::string_view> variables() const override { return M::variables; }
  std::span<const Mixing> mixing() const override { return mixing_; }
  Order order() const override { return order_of<M>(); }
  std::size_t x() const override { return index_of<M>("x"); }
  std::size_t sampled() const override { return sampled_of<M>(); }

  Tolerates tolerates() const override {
    if constexpr (requires { M::tolerates; }) return M::tolerates;
    return Tolerates::changing_weights;
  }
  std::optional<double> eigenvalues_above() const override {
    if constexpr (requires { M::eigenvalues_above; }) return M::eigenvalues_above;
    return std::nullopt;
  }
  Steps steps() const override {
    if constexpr (requires { M::steps; }) return M::steps;
    return Steps::small;
  }
  Scaling scaling() const override {
    if constexpr (requires { M::scaling; }) return M::scaling;
    return Scaling::none;
  }
  std::string_view paper() const override {
    if constexpr (requires { M::paper; }) return M::paper;
    return {};
  }
  std::span<const std::string_view> equations() const override {
    if constexpr (requires { M::equations; }) return M::equations;
    return {};
  }
  bool push_sum() const override {
    return requires { M::push_sum; };
  }

  bool starts_with_subgradient() const override { return StartsWithSubgradient<M>; }

  void start(float* const* state, const float* g, std::size_t count) const override {
    row::for_each<M>(state, count, [&](auto& s, std::size_t i) {
      if constexpr (StartsWithSubgradient<M>)
        s = method_.start(s.x, g[i]);
      else
        s = method_.start(s.x);
    });
  }

  std::optional<std::size_t> normed() const override {
    if constexpr (Normed<M>) return index_of<M>(M::norm_of);
    return std::nullopt;
  }

  float step_size(float step, float norm) const override {
    if constexpr (Normed<M>)
      return method_.step_size(step, norm);
    else
      return RowUpdate::step_size(step, norm);
  }

 protected:
  /// Kernels exist for each number of terms, so that the compiler sees how many there are.
  static constexpr auto each_count_of_terms = std::make_index_sequence<Mixture::most_terms>{};
  M method_;

 private:
  bool exchanges(Round round) const override {
    if constexpr (requires { method_.exchanges(round); }) return method_.exchanges(round);
    return true;
  }
  std::array<Mixing, exchanged_size<M>> mixing_;
};

/// The update of method M, with its options: `RowUpdateOf<Amsgrad> update({.beta1 = 0.8f});`
template <class M>
class RowUpdateOf;

template <Method M>
requires Overlapped<M>
class RowUpdateOf<M> final : public AnyRowUpdate<M> {
 public:
  explicit RowUpdateOf(const M& method = {}) : AnyRowUpdate<M>(method) {}

  Magnitude adapt_mixed(float* const* state, const Mixture& mixed, const float* g, Pace pace,
                        std::size_t count) const override {
    static const auto kernels = widest(this->each_count_of_terms);
    return kernels[mixed.terms - 1](&this->method_, state, &mixed, g, pace, count);
  }

 private:
  template <std::size_t... k>
  static auto widest(std::index_sequence<k...>) {
    return std::array{Versions<&row::adapt_mixed<M, k + 1>>::widest()...};
  }
};

template <Method M>
requires Phased<M>
class RowUpdateOf<M> final : public AnyRowUpdate<M> {
 public:
  explicit RowUpdateOf(const M& method = {}) : AnyRowUpdate<M>(method) {}

  Magnitude adapt(float* const* state, const float* g, Pace pace,
                  std::size_t count) const override {
    static const auto kernel = Versions<&row::adapt<M>>::widest();
    return kernel(&this->method_, state, g, pace, count);
  }

  bool prepares() const override { return Prepared<M>; }
  Magnitude prepare(float* const* state, Pace pace, std::size_t count) const override {
    if constexpr (Prepared<M>) {
      static const auto kernel = Versions<&row::prepare<M>>::widest();
      return kernel(&this->method_, state, pace, count);
    }
    return RowUpdate::prepare(state, pace, count);
  }

  Magnitude combine(float* const* state, const Mixture& mixed, Pace pace,
                    std::size_t count) const override {
    static const auto kernels = widest(this->each_count_of_terms);
    return kernels[mixed.terms - 1](&this->method_, state, &mixed, pace, count);
  }

 private:
  template <std::size_t... k>
  static auto widest(std::index_sequence<k...>) {
    return std::array{Versions<&row::combine<M, k + 1>>::widest()...};
  }
};

}  // namespace starling
