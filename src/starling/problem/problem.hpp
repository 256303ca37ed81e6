/// A problem: the local losses f_1 ... f_N whose mean the nodes minimise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "starling/base/types.hpp"

namespace starling {

/// Coordinates first ... first + count - 1 of x.
struct Part {
  std::size_t first, count;
};

/// Computes with a problem's losses. One thread uses one oracle; all oracles of a problem give the
/// same numbers for the same arguments.
class Oracle {
 public:
  virtual ~Oracle() = default;

  /// Writes a stochastic subgradient of f_node at x to g (both `dimension` floats) and returns the
  /// loss of the minibatch. What is drawn depends on (seed, node, round) alone.
  virtual float subgradient(Node node, Round round, std::span<const float> x,
                            std::span<float> g) = 0;

  /// The same, but only the coordinates of `part` are written to g, which is as long as x; what the
  /// others hold then is undefined. A problem that can compute less then does.
  virtual float partial_subgradient(Node node, Round round, std::span<const float> x, Part /*part*/,
                                    std::span<float> g) {
    return subgradient(node, round, x, g);
  }

  /// f_node(x) over the node's own data. Writes its subgradient to g unless g is empty.
  virtual double objective(Node node, std::span<const float> x, std::span<float> g) = 0;

  /// The fraction of test samples that x gets right; nothing where the problem has no test data.
  virtual std::optional<double> accuracy(std::span<const float> x) = 0;
};

/// A known global minimiser of the mean of the f_i, and that mean there.
struct Optimum {
  double objective = 0;
  std::vector<float> x;
};

/// What theorems on convergence start from: bounds that hold at every x, not always the least ones.
/// Empty where there is none, or none is known.
struct Constants {
  std::optional<double> smoothness;  ///< L: every f_i has an L-Lipschitz gradient
  /// G: no entry of a (stochastic) subgradient of any f_i is larger, but for rounding.
  std::optional<double> gradient_bound;
};

class Problem {
 public:
  virtual ~Problem() = default;

  virtual std::size_t nodes() const = 0;
  virtual std::size_t dimension() const = 0;

  /// The lengths of the tensors that x consists of, in order.
  virtual std::vector<std::size_t> tensors() const { return {dimension()}; }

  /// The x that every node starts at.
  virtual void start(std::span<float> x) const = 0;

  /// An oracle for the calling thread, which must be the one that uses it.
  virtual std::unique_ptr<Oracle> oracle() = 0;

  /// Passes over the data that all nodes together have made after so many rounds.
  virtual double epochs(Round rounds) const = 0;

  /// What the problem is and how its data is split, in a few lines for people.
  virtual std::string summary() const = 0;

  /// The optimum, or nothing where it is not known. Computed when asked for.
  virtual std::optional<Optimum> optimum() const { return std::nullopt; }

  /// What is known of the losses' derivatives; nothing unless the problem says so.
  virtual Constants constants() const { return {}; }
};

}  // namespace starling
