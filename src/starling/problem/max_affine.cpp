#include "starling/problem/max_affine.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "starling/base/random.hpp"
#include "starling/problem/samples.hpp"

namespace starling {
namespace {

/// One affine function: <slope, x - x*> + level.
struct Piece {
  std::vector<double> slope;
  double level = 0;
};

std::vector<double> normals(std::size_t count, Random& random) {
  std::vector<double> values(count);
  for (double& value : values) value = random.normal();
  return values;
}

/// The pieces of a node, and the w_i of the header.
struct NodePieces {
  std::vector<Piece> pieces;
  std::vector<double> shift;
};

std::size_t active_of(std::size_t pieces) { return (pieces + 1) / 2; }

NodePieces draw_pieces(std::size_t dimension, std::size_t count, Node node, std::uint64_t seed) {
  Random random(seed, Purpose::problem, node);
  NodePieces drawn{std::vector<Piece>(count), normals(dimension, random)};
  const double level = random.normal();
  for (std::size_t j = 0; j < count; ++j) {
    drawn.pieces[j].slope = normals(dimension, random);
    drawn.pieces[j].level = j < active_of(count) ? level : level - 0.5 - random.uniform();
  }
  return drawn;
}

/// Shifts the slopes so that those of the active pieces have this mean.
void set_mean(std::vector<Piece>& pieces, std::size_t l, double wanted) {
  const std::size_t active = active_of(pieces.size());
  double sum = 0;
  for (std::size_t j = 0; j < active; ++j) sum += pieces[j].slope[l];
  const double change = wanted - sum / static_cast<double>(active);
  for (Piece& piece : pieces) piece.slope[l] += change;
}

class MaxAffineProblem final : public Problem {
 public:
  MaxAffineProblem(const MaxAffine& options, std::size_t nodes, std::uint64_t seed)
      : optimum_{0, planted_point(static_cast<std::size_t>(options.dimension), 1, seed)},
        start_(start_point(options.start, optimum_.x.size(), "the dimension")) {
    const auto count = static_cast<std::size_t>(options.pieces);
    for (Node i = 0; i < nodes; ++i) nodes_.push_back(draw_pieces(dimension(), count, i, seed));
    for (std::size_t i = 0; i < nodes; ++i) {
      for (std::size_t l = 0; l < dimension(); ++l)
        set_mean(nodes_[i].pieces, l, nodes_[i].shift[l] - nodes_[(i + 1) % nodes].shift[l]);
      optimum_.objective += nodes_[i].pieces[0].level / static_cast<double>(nodes);
    }
  }

  std::size_t nodes() const override { return nodes_.size(); }
  std::size_t dimension() const override { return start_.size(); }
  void start(std::span<float> x) const override { std::ranges::copy(start_, x.begin()); }
  std::unique_ptr<Oracle> oracle() override;
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override {
    return fmt::format("maxima of affine functions, dimension {}, {} pieces a node, optimum {:.4f}",
                       dimension(), nodes_[0].pieces.size(), optimum_.objective);
  }
  std::optional<Optimum> optimum() const override { return optimum_; }
  Constants constants() const override;

  const std::vector<Piece>& pieces(Node node) const { return nodes_[node].pieces; }
  const std::vector<float>& center() const { return optimum_.x; }

 private:
  Optimum optimum_;
  std::vector<float> start_;
  std::vector<NodePieces> nodes_;
};

/// The subgradients are the slopes, as floats.
Constants MaxAffineProblem::constants() const {
  double largest = 0;
  for (const NodePieces& node : nodes_)
    for (const Piece& piece : node.pieces)
      for (const double value : piece.slope)
        largest = std::max(largest, std::abs(double{static_cast<float>(value)}));
  return {.gradient_bound = largest};
}

class MaxAffineOracle final : public Oracle {
 public:
  explicit MaxAffineOracle(const MaxAffineProblem& problem)
      : problem_(problem), difference_(problem.dimension()) {}

  float subgradient(Node node, Round round, std::span<const float> x, std::span<float> g) override {
    return partial_subgradient(node, round, x, {0, g.size()}, g);
  }
  float partial_subgradient(Node node, Round, std::span<const float> x, Part part,
                            std::span<float> g) override {
    return static_cast<float>(evaluate(node, x, part, g));
  }
  double objective(Node node, std::span<const float> x, std::span<float> g) override {
    return evaluate(node, x, {0, g.size()}, g);
  }
  std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }

 private:
  /// Which piece is largest takes all of x; its slope is there already.
  double evaluate(Node node, std::span<const float> x, Part part, std::span<float> g) {
    const std::vector<float>& center = problem_.center();
    for (std::size_t l = 0; l < x.size(); ++l) difference_[l] = double{x[l]} - double{center[l]};
    const std::vector<Piece>& pieces = problem_.pieces(node);
    const Piece* largest = &pieces[0];
    double value = value_of(*largest);
    for (const Piece& piece : pieces) {
      const double other = value_of(piece);
      if (!(other > value)) continue;
      largest = &piece;
      value = other;
    }
    for (std::size_t l = part.first; l < part.first + part.count; ++l)
      g[l] = static_cast<float>(largest->slope[l]);
    return value;
  }

  double value_of(const Piece& piece) const {
    return std::inner_product(difference_.begin(), difference_.end(), piece.slope.begin(),
                              piece.level);
  }

  const MaxAffineProblem& problem_;
  std::vector<double> difference_;
};

std::unique_ptr<Oracle> MaxAffineProblem::oracle() {
  return std::make_unique<MaxAffineOracle>(*this);
}

}  // namespace

std::unique_ptr<Problem> MaxAffine::make(std::size_t nodes, std::uint64_t seed) const {
  return std::make_unique<MaxAffineProblem>(*this, nodes, seed);
}

}  // namespace starling
