#include "starling/problem/logistic.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/versions.hpp"
#include "starling/data/batches.hpp"
#include "starling/data/libsvm.hpp"

namespace starling {
namespace {

/// The regulariser of one node; adds its gradient and returns its value.
struct Regulariser {
  float l2 = 0, l4 = 0, norm4 = 0, ratio = 0;

  double add(std::span<const float> x, std::span<float> g) const {
    double squares = 0, quartics = 0, ratios = 0;
    for (const float value : x) squares += double{value} * double{value};
    if (l4 > 0 || ratio > 0) {
      for (const float value : x) {
        const double square = double{value} * double{value};
        quartics += square * square;
        ratios += square / (1 + square);
      }
    }
    if (!g.empty()) add_gradient(x, g, squares);
    return 0.5 * l2 * squares + l4 * quartics + norm4 * squares * squares / 4 + ratio * ratios;
  }

 private:
  /// In double, where the powers of any float are finite.
  void add_gradient(std::span<const float> x, std::span<float> g, double squares) const {
    const double linear = l2 + norm4 * squares;
    for (std::size_t l = 0; l < x.size(); ++l) g[l] += static_cast<float>(linear * x[l]);
    if (l4 == 0 && ratio == 0) return;
    for (std::size_t l = 0; l < x.size(); ++l) {
      const double square = double{x[l]} * double{x[l]}, below = 1 + square;
      g[l] += static_cast<float>(x[l] * (4 * l4 * square + 2 * ratio / (below * below)));
    }
  }
};

/// exp(-t) for t >= 0, to about 1e-7 (for NaN as for 87: the loss carries it on). Written out so
/// that a loop over it becomes vector code, and so that the bits are the same whatever math library
/// is there: 2^-n times a Taylor polynomial.
inline float exp_minus(float t) {
  const float scaled = std::min(87.0f, t) * std::numbers::log2e_v<float>;
  const auto n = static_cast<std::int32_t>(scaled + 0.5f);
  const float r = (static_cast<float>(n) - scaled) * std::numbers::ln2_v<float>;  // |r| <= ln 2 / 2
  const float polynomial =
      1 + r * (1 + r * (1 / 2.f + r * (1 / 6.f + r * (1 / 24.f + r * (1 / 120.f + r / 720.f)))));
  return polynomial * std::bit_cast<float>((127 - n) << 23);
}

/// log(1 + e) for 0 <= e <= 1, to about 1e-7: 2 artanh(e / (2 + e)) by its series.
inline float log_one_plus(float e) {
  const float s = e / (2 + e), q = s * s;  // q <= 1/9
  return 2 * s *
         (1 + q * (1 / 3.f +
                   q * (1 / 5.f + q * (1 / 7.f + q * (1 / 9.f + q * (1 / 11.f + q / 13.f))))));
}

/// Samples at a time: their margins fit in registers and the first-level cache.
constexpr std::size_t group = 64;

/// Losses, and slopes against the margins, of `count` samples.
inline void logistic_terms(const float* margins, float share, std::size_t count, float* losses,
                           float* slopes) {
#pragma GCC ivdep
  for (std::size_t j = 0; j < count; ++j) {
    const float exponential = exp_minus(std::abs(margins[j]));
    losses[j] = log_one_plus(exponential) + std::max(-margins[j], 0.0f);
    slopes[j] = -share * (margins[j] > 0 ? exponential : 1.0f) / (1 + exponential);
  }
}

class LogisticProblem final : public Problem {
 public:
  LogisticProblem(SparseRows train, SparseRows test, Batches batches,
                  std::vector<Regulariser> regularisers, std::vector<float> start,
                  std::string summary)
      : train_(std::move(train)),
        test_(std::move(test)),
        batches_(std::move(batches)),
        regularisers_(std::move(regularisers)),
        start_(std::move(start)),
        summary_(std::move(summary)) {}

  std::size_t nodes() const override { return regularisers_.size(); }
  std::size_t dimension() const override { return start_.size(); }
  void start(std::span<float> x) const override { std::ranges::copy(start_, x.begin()); }
  std::unique_ptr<Oracle> oracle() override;
  double epochs(Round rounds) const override { return batches_.epochs(rounds); }
  std::string summary() const override { return summary_; }

 private:
  friend class LogisticOracle;
  SparseRows train_, test_;
  Batches batches_;
  std::vector<Regulariser> regularisers_;
  std::vector<float> start_;
  std::string summary_;
};

class LogisticOracle final : public Oracle {
 public:
  explicit LogisticOracle(LogisticProblem& problem) : problem_(problem) {}

  float subgradient(Node node, Round round, std::span<const float> x, std::span<float> g) override {
    return static_cast<float>(loss_over(problem_.batches_.batch(node, round), node, x, g));
  }

  double objective(Node node, std::span<const float> x, std::span<float> g) override {
    return loss_over(problem_.batches_.partition()[node], node, x, g);
  }

  std::optional<double> accuracy(std::span<const float> x) override {
    const SparseRows& test = problem_.test_;
    if (test.rows() == 0) return std::nullopt;
    std::size_t right = 0;
    for (std::size_t row = 0; row < test.rows(); ++row)
      right += (dot(test, row, x.data()) > 0) == (test.labels[row] > 0);
    return static_cast<double>(right) / static_cast<double>(test.rows());
  }

 private:
  /// Four sums side by side, because one would wait for each addition to end.
  static float dot(const SparseRows& rows, std::size_t row, const float* x) {
    const std::uint32_t* column = rows.columns.data() + rows.offsets[row];
    const float* value = rows.values.data() + rows.offsets[row];
    const std::size_t count = rows.offsets[row + 1] - rows.offsets[row];
    float a = 0, b = 0, c = 0, d = 0;
    std::size_t k = 0;
    for (; k + 4 <= count; k += 4) {
      a += value[k] * x[column[k]];
      b += value[k + 1] * x[column[k + 1]];
      c += value[k + 2] * x[column[k + 2]];
      d += value[k + 3] * x[column[k + 3]];
    }
    for (; k < count; ++k) a += value[k] * x[column[k]];
    return (a + b) + (c + d);
  }

  double loss_over(std::span<const std::uint32_t> samples, Node node, std::span<const float> x,
                   std::span<float> g) const {
    std::ranges::fill(g, 0.0f);
    const float share = 1 / static_cast<float>(samples.size());
    double loss = 0;
    for (std::size_t first = 0; first < samples.size(); first += group)
      loss +=
          add_group(samples.subspan(first, std::min(group, samples.size() - first)), share, x, g);
    return loss / static_cast<double>(samples.size()) + problem_.regularisers_[node].add(x, g);
  }

  /// Margins, then losses and slopes as vector code, then the rows' parts of the gradient.
  double add_group(std::span<const std::uint32_t> samples, float share, std::span<const float> x,
                   std::span<float> g) const {
    const SparseRows& rows = problem_.train_;
    // The rows lie anywhere in memory: ask for all of them at once, then wait once.
    for (const std::uint32_t sample : samples) {
      __builtin_prefetch(rows.columns.data() + rows.offsets[sample]);
      __builtin_prefetch(rows.values.data() + rows.offsets[sample]);
      __builtin_prefetch(rows.labels.data() + sample);
    }
    std::array<float, group> margins{}, losses{}, slopes{};
    for (std::size_t j = 0; j < samples.size(); ++j)
      margins[j] = rows.labels[samples[j]] * dot(rows, samples[j], x.data());
    static const auto terms = Versions<&logistic_terms>::widest();
    terms(margins.data(), share, samples.size(), losses.data(), slopes.data());
    if (!g.empty())
      for (std::size_t j = 0; j < samples.size(); ++j)
        add_row(rows, samples[j], slopes[j], g.data());
    return std::accumulate(losses.begin(),
                           losses.begin() + static_cast<std::ptrdiff_t>(samples.size()), 0.0);
  }

  static void add_row(const SparseRows& rows, std::size_t row, float slope, float* g) {
    const float scale = slope * rows.labels[row];
    for (std::size_t k = rows.offsets[row]; k < rows.offsets[row + 1]; ++k)
      g[rows.columns[k]] += scale * rows.values[k];
  }

  LogisticProblem& problem_;
};

std::unique_ptr<Oracle> LogisticProblem::oracle() {
  return std::make_unique<LogisticOracle>(*this);
}

float weight_of(const char* name, const std::vector<double>& weights, Node node,
                std::size_t nodes) {
  if (weights.empty()) return 0;
  if (weights.size() != 1 && weights.size() != nodes)
    throw UserError{
        fmt::format("problem.{}: {} numbers for {} nodes: must be one for all or one "
                    "a node",
                    name, weights.size(), nodes)};
  return static_cast<float>(weights[weights.size() == 1 ? 0 : node]);
}

}  // namespace

std::unique_ptr<Problem> Logistic::make(std::size_t nodes, std::uint64_t seed) const {
  if (path.empty()) throw UserError{"problem.path: name a LIBSVM file, plain or gzip (say a9a.gz)"};
  SparseRows train = read_libsvm(path, static_cast<std::size_t>(features));
  SparseRows held_out;
  if (!test.empty()) held_out = read_libsvm_like(train, test);

  std::vector<std::uint8_t> classes(train.rows());
  std::ranges::transform(train.labels, classes.begin(), [](float label) { return label > 0; });
  Partition shares = partition(classes, 2, nodes, seed);
  std::string text = fmt::format("logistic regression, {} samples, {} features, {} test samples\n",
                                 train.rows(), train.features, held_out.rows()) +
                     starling::summary(shares, classes, 2);

  std::vector<Regulariser> regularisers;
  for (Node i = 0; i < nodes; ++i)
    regularisers.push_back({static_cast<float>(l2), weight_of("l4", l4, i, nodes),
                            weight_of("norm4", norm4, i, nodes),
                            weight_of("ratio", ratio, i, nodes)});
  if (start.size() != 1 && start.size() != train.features)
    throw UserError{fmt::format("problem.start: {} numbers, must be one or {} (the features)",
                                start.size(), train.features)};
  std::vector<float> x0(train.features, static_cast<float>(start[0]));
  if (start.size() > 1) std::ranges::copy(start, x0.begin());
  Batches batches(std::move(shares), static_cast<std::size_t>(batch), sampling == "reshuffle",
                  seed);
  return std::make_unique<LogisticProblem>(std::move(train), std::move(held_out),
                                           std::move(batches), std::move(regularisers),
                                           std::move(x0), std::move(text));
}

}  // namespace starling
