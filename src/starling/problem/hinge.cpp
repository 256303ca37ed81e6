#include "starling/problem/hinge.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"
#include "starling/base/versions.hpp"
#include "starling/problem/samples.hpp"

namespace starling {
namespace {

inline void hinge_terms(const float* margins, float share, std::size_t count, float* losses,
                        float* slopes) {
#pragma GCC ivdep
  for (std::size_t j = 0; j < count; ++j) {
    losses[j] = std::max(1 - margins[j], 0.0f);
    slopes[j] = margins[j] < 1 ? -share : 0.0f;
  }
}

double add_ridge(double ridge, std::span<const float> x, Part part, std::span<float> g) {
  double squares = 0;
  for (const float value : x) squares += double{value} * double{value};
  for (std::size_t l = part.first; l < part.first + part.count; ++l)
    g[l] += static_cast<float>(ridge * double{x[l]});
  return 0.5 * ridge * squares;
}

/// Two samples with the same margin at x* and opposite parts across it. A node with an odd number
/// of samples has one alone, whose part across is 0.
struct Pair {
  double margin = 0;
  std::vector<double> across;
};

/// Of four pairs two lie beyond the margin, one inside and one on the wrong side. Those inside come
/// first, so that the margins below 1 have a positive sum.
double draw_margin(std::size_t k, Random& random) {
  const double u = random.uniform();
  if (k % 2 == 1) return 1.1 + 0.9 * u;
  return k % 4 == 0 ? 0.5 + 0.4 * u : -0.4 * u;
}

std::vector<Pair> draw_pairs(const std::vector<double>& along, std::size_t samples, Node node,
                             std::uint64_t seed) {
  Random random(seed, Purpose::problem, node);
  std::vector<Pair> pairs((samples + 1) / 2);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    pairs[k].margin = draw_margin(k, random);
    std::vector<double>& across = pairs[k].across;
    across.resize(along.size());
    if (2 * k + 1 == samples) continue;
    for (double& value : across) value = random.normal();
    const double shared = std::inner_product(across.begin(), across.end(), along.begin(), 0.0);
    for (std::size_t l = 0; l < across.size(); ++l) across[l] -= shared * along[l];
  }
  return pairs;
}

/// Rows written out in full, all 0.
SparseRows full_rows(std::size_t count, std::size_t features) {
  SparseRows rows;
  rows.features = features;
  rows.labels.resize(count);
  rows.values.resize(count * features);
  rows.columns.resize(count * features);
  rows.offsets.resize(count + 1);
  for (std::size_t k = 0; k < rows.columns.size(); ++k)
    rows.columns[k] = static_cast<std::uint32_t>(k % features);
  for (std::size_t row = 0; row <= count; ++row) rows.offsets[row] = row * features;
  return rows;
}

std::vector<double> unit_vector(std::size_t dimension, std::uint64_t seed) {
  const std::vector<float> drawn = planted_point(dimension, 1, seed);
  std::vector<double> vector(drawn.begin(), drawn.end());
  const double squares = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0);
  for (double& value : vector) value /= std::sqrt(squares);
  return vector;
}

/// Random data as the header says. Sample 2k of a node is the first of its pair k, sample 2k + 1
/// the second of the previous node's; the label is 1 for firsts, -1 for seconds.
class Planted {
 public:
  Planted(const Hinge& options, std::size_t nodes, std::uint64_t seed)
      : nodes_(nodes),
        samples_(static_cast<std::size_t>(options.samples)),
        ridge_(options.ridge),
        along_(unit_vector(static_cast<std::size_t>(options.dimension), seed)) {
    for (Node node = 0; node < nodes; ++node)
      pairs_.push_back(draw_pairs(along_, samples_, node, seed));
    const double count = static_cast<double>(nodes_ * samples_);
    double below = 0, losses = 0;
    for_each_sample([&](std::size_t, const Pair& pair, double) {
      if (pair.margin >= 1) return;
      below += pair.margin;
      losses += 1 - pair.margin;
    });
    length_ = std::sqrt(below / (count * ridge_));
    objective_ = losses / count + 0.5 * ridge_ * length_ * length_;
  }

  Optimum optimum() const {
    Optimum known{objective_, {}};
    for (const double value : along_) known.x.push_back(static_cast<float>(length_ * value));
    return known;
  }

  SparseRows rows() const {
    const std::size_t dimension = along_.size();
    SparseRows full = full_rows(nodes_ * samples_, dimension);
    for_each_sample([&](std::size_t sample, const Pair& pair, double side) {
      full.labels[sample] = static_cast<float>(side);
      for (std::size_t l = 0; l < dimension; ++l) {
        const double labelled = pair.margin / length_ * along_[l] + side * pair.across[l];
        full.values[sample * dimension + l] = static_cast<float>(side * labelled);
      }
    });
    return full;
  }

 private:
  /// Calls use(sample, its pair, side), where side is 1 for the first of a pair and -1 for the
  /// second.
  void for_each_sample(auto&& use) const {
    for (std::size_t i = 0; i < nodes_; ++i)
      for (std::size_t k = 0; k < pairs_[i].size(); ++k) {
        use(i * samples_ + 2 * k, pairs_[i][k], 1.0);
        if (2 * k + 1 < samples_) use((i + 1) % nodes_ * samples_ + 2 * k + 1, pairs_[i][k], -1.0);
      }
  }

  std::size_t nodes_, samples_;
  double ridge_, length_ = 0, objective_ = 0;
  std::vector<double> along_;
  std::vector<std::vector<Pair>> pairs_;
};

ClassifierParts plant(const Hinge& options, std::size_t nodes, std::uint64_t seed) {
  if (!options.test.empty())
    throw UserError{fmt::format("problem.test = \"{}\": needs problem.path", options.test)};
  if (options.features != 0)
    throw UserError{fmt::format(
        "problem.features = {}: needs problem.path; the length of random x is problem.dimension",
        options.features)};
  if (options.ridge == 0)
    throw UserError{"problem.ridge = 0: must be > 0 for random data (no problem.path)"};
  ClassifierParts parts;
  parts.shares = consecutive_shares(nodes, static_cast<std::size_t>(options.samples));
  const Planted planted(options, nodes, seed);
  parts.train = planted.rows();
  parts.optimum = planted.optimum();
  parts.summary = fmt::format("linear SVM, dimension {}, {} samples a node, optimum {:.4f}",
                              options.dimension, options.samples, parts.optimum->objective);
  return parts;
}

}  // namespace

std::unique_ptr<Problem> Hinge::make(std::size_t nodes, std::uint64_t seed) const {
  const bool from_file = !path.empty();
  ClassifierParts parts = from_file
                              ? read_classifier({path, test, features}, partition, nodes, seed)
                              : plant(*this, nodes, seed);
  if (from_file) parts.summary = "linear SVM, " + parts.summary;
  parts.batch = static_cast<std::size_t>(batch);
  parts.loss = Versions<&hinge_terms>::widest();
  if (ridge == 0) parts.constants.gradient_bound = largest_of(parts.train.values);
  parts.regulariser = [weight = ridge](Node, std::span<const float> x, Part part,
                                       std::span<float> g) {
    return add_ridge(weight, x, part, g);
  };
  const char* what = from_file ? "the features" : "the dimension";
  parts.start = start_point(start, parts.train.features, what);
  return make_classifier(std::move(parts), seed);
}

}  // namespace starling
