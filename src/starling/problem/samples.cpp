#include "starling/problem/samples.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"
#include "starling/data/batches.hpp"

namespace starling {
namespace {

constexpr std::size_t most_samples = std::numeric_limits<std::uint32_t>::max();

std::size_t all_if_zero(std::size_t batch) { return batch == 0 ? most_samples : batch; }

void check_count(std::size_t nodes, std::size_t per_node) {
  if (per_node > most_samples / nodes)
    throw UserError{fmt::format("problem.samples = {}: must be at most {} for {} nodes", per_node,
                                most_samples / nodes, nodes)};
}

void fill_normal(std::span<float> values, double scale, Random& random) {
  for (float& value : values) value = static_cast<float>(scale * random.normal());
}

class SampledProblem final : public Problem {
 public:
  SampledProblem(SampledParts parts, std::uint64_t seed)
      : parts_(std::move(parts)),
        batches_(consecutive_shares(parts_.samples.nodes, parts_.samples.per_node),
                 all_if_zero(parts_.batch), true, seed) {}

  std::size_t nodes() const override { return parts_.samples.nodes; }
  std::size_t dimension() const override { return parts_.start.size(); }
  void start(std::span<float> x) const override { std::ranges::copy(parts_.start, x.begin()); }
  std::unique_ptr<Oracle> oracle() override;
  double epochs(Round rounds) const override { return batches_.epochs(rounds); }
  std::string summary() const override { return parts_.summary; }
  std::optional<Optimum> optimum() const override { return parts_.optimum; }
  Constants constants() const override { return parts_.constants; }

 private:
  friend class SampledOracle;
  SampledParts parts_;
  Batches batches_;
};

class SampledOracle final : public Oracle {
 public:
  explicit SampledOracle(SampledProblem& problem)
      : problem_(problem), reader_(problem.batches_), sum_(problem.dimension()) {}

  float subgradient(Node node, Round round, std::span<const float> x, std::span<float> g) override {
    return partial_subgradient(node, round, x, {0, g.size()}, g);
  }
  float partial_subgradient(Node node, Round round, std::span<const float> x, Part part,
                            std::span<float> g) override {
    return static_cast<float>(mean_loss(reader_.batch(node, round), x, part, g));
  }
  double objective(Node node, std::span<const float> x, std::span<float> g) override {
    return mean_loss(problem_.batches_.partition()[node], x, {0, g.size()}, g);
  }
  std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }

 private:
  double mean_loss(std::span<const std::uint32_t> own, std::span<const float> x, Part part,
                   std::span<float> g) {
    const DenseSamples& samples = problem_.parts_.samples;
    std::ranges::fill(std::span<double>(sum_).subspan(part.first, part.count), 0.0);
    double loss = 0;
    for (const std::uint32_t j : own)
      loss += problem_.parts_.loss(samples.row(j), samples.targets[j], x, part, sum_);
    const auto count = static_cast<double>(own.size());
    for (std::size_t l = part.first; l < part.first + part.count; ++l)
      g[l] = static_cast<float>(sum_[l] / count);
    return loss / count;
  }

  SampledProblem& problem_;
  BatchReader reader_;
  std::vector<double> sum_;  // of the samples' subgradients, in the part asked for
};

std::unique_ptr<Oracle> SampledProblem::oracle() { return std::make_unique<SampledOracle>(*this); }

class ClassifierProblem final : public Problem {
 public:
  ClassifierProblem(ClassifierParts parts, std::uint64_t seed)
      : parts_(std::move(parts)),
        batches_(std::move(parts_.shares), all_if_zero(parts_.batch), parts_.reshuffle, seed) {}

  std::size_t nodes() const override { return batches_.partition().size(); }
  std::size_t dimension() const override { return parts_.start.size(); }
  void start(std::span<float> x) const override { std::ranges::copy(parts_.start, x.begin()); }
  std::unique_ptr<Oracle> oracle() override;
  double epochs(Round rounds) const override { return batches_.epochs(rounds); }
  std::string summary() const override { return parts_.summary; }
  std::optional<Optimum> optimum() const override { return parts_.optimum; }
  Constants constants() const override { return parts_.constants; }

 private:
  friend class ClassifierOracle;
  ClassifierParts parts_;
  Batches batches_;
};

class ClassifierOracle final : public Oracle {
 public:
  explicit ClassifierOracle(ClassifierProblem& problem)
      : problem_(problem), reader_(problem.batches_) {}

  float subgradient(Node node, Round round, std::span<const float> x, std::span<float> g) override {
    return partial_subgradient(node, round, x, {0, g.size()}, g);
  }

  float partial_subgradient(Node node, Round round, std::span<const float> x, Part part,
                            std::span<float> g) override {
    return static_cast<float>(loss_over(reader_.batch(node, round), node, x, part, g));
  }

  double objective(Node node, std::span<const float> x, std::span<float> g) override {
    return loss_over(problem_.batches_.partition()[node], node, x, {0, g.size()}, g);
  }

  std::optional<double> accuracy(std::span<const float> x) override {
    const SparseRows& test = problem_.parts_.test;
    if (test.rows() == 0) return std::nullopt;
    std::size_t right = 0;
    for (std::size_t row = 0; row < test.rows(); ++row)
      right += (product(test, row, x.data()) > 0) == (test.labels[row] > 0);
    return static_cast<double>(right) / static_cast<double>(test.rows());
  }

 private:
  /// Samples at a time: their margins fit in registers and the first-level cache.
  static constexpr std::size_t group = 64;

  /// Four sums side by side, because one would wait for each addition to end.
  static float product(const SparseRows& rows, std::size_t row, const float* x) {
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
                   Part part, std::span<float> g) const {
    std::ranges::fill(g.subspan(part.first, part.count), 0.0f);
    const float share = 1 / static_cast<float>(samples.size());
    double loss = 0;
    for (std::size_t first = 0; first < samples.size(); first += group)
      loss += add_group(samples.subspan(first, std::min(group, samples.size() - first)), share, x,
                        part, g);
    return loss / static_cast<double>(samples.size()) +
           problem_.parts_.regulariser(node, x, part, g);
  }

  /// Margins, then losses and slopes as vector code, then what the rows add to the gradient.
  double add_group(std::span<const std::uint32_t> samples, float share, std::span<const float> x,
                   Part part, std::span<float> g) const {
    const SparseRows& rows = problem_.parts_.train;
    // The rows lie anywhere in memory: ask for all of them at once, then wait once.
    for (const std::uint32_t sample : samples) {
      __builtin_prefetch(rows.columns.data() + rows.offsets[sample]);
      __builtin_prefetch(rows.values.data() + rows.offsets[sample]);
      __builtin_prefetch(rows.labels.data() + sample);
    }
    std::array<float, group> margins{}, losses{}, slopes{};
    for (std::size_t j = 0; j < samples.size(); ++j)
      margins[j] = rows.labels[samples[j]] * product(rows, samples[j], x.data());
    problem_.parts_.loss(margins.data(), share, samples.size(), losses.data(), slopes.data());
    if (part.count > 0)
      for (std::size_t j = 0; j < samples.size(); ++j)
        add_row(rows, samples[j], slopes[j], part, g.data());
    return std::accumulate(losses.begin(),
                           losses.begin() + static_cast<std::ptrdiff_t>(samples.size()), 0.0);
  }

  static void add_row(const SparseRows& rows, std::size_t row, float slope, Part part, float* g) {
    const float scale = slope * rows.labels[row];
    std::size_t first = rows.offsets[row], last = rows.offsets[row + 1];
    if (part.count < rows.features) {
      first = entry_from(rows, first, last, part.first);
      last = entry_from(rows, first, last, part.first + part.count);
    }
    for (std::size_t k = first; k < last; ++k) g[rows.columns[k]] += scale * rows.values[k];
  }

  /// The first of a row's entries first ... last - 1 whose column is at least `column`, or `last`.
  static std::size_t entry_from(const SparseRows& rows, std::size_t first, std::size_t last,
                                std::size_t column) {
    const std::uint32_t* columns = rows.columns.data();  // they ascend within a row
    const std::uint32_t* found = std::lower_bound(columns + first, columns + last, column);
    return static_cast<std::size_t>(found - columns);
  }

  ClassifierProblem& problem_;
  BatchReader reader_;
};

std::unique_ptr<Oracle> ClassifierProblem::oracle() {
  return std::make_unique<ClassifierOracle>(*this);
}

}  // namespace

std::vector<float> start_point(const std::vector<double>& start, std::size_t length,
                               std::string_view what) {
  if (start.size() != 1 && start.size() != length)
    throw UserError{fmt::format("problem.start: {} numbers, must be one or {} ({})", start.size(),
                                length, what)};
  std::vector<float> x(length);
  for (std::size_t l = 0; l < length; ++l)
    x[l] = static_cast<float>(start[start.size() == 1 ? 0 : l]);
  return x;
}

std::vector<float> planted_point(std::size_t dimension, double scale, std::uint64_t seed) {
  Random random(seed, Purpose::problem, 0, 1);  // the nodes' own streams have round 0
  std::vector<float> x(dimension);
  fill_normal(x, scale, random);
  return x;
}

Partition consecutive_shares(std::size_t nodes, std::size_t per_node) {
  check_count(nodes, per_node);
  Partition shares(nodes, std::vector<std::uint32_t>(per_node));
  std::uint32_t sample = 0;
  for (std::vector<std::uint32_t>& own : shares)
    for (std::uint32_t& number : own) number = sample++;
  return shares;
}

double largest_of(std::span<const float> values) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(double{value}));
  return largest;
}

/// Four sums side by side, because one would wait for each addition to end.
double dot(std::span<const float> a, std::span<const float> x) {
  std::array<double, 4> sums{};
  std::size_t l = 0;
  for (; l + 4 <= a.size(); l += 4)
    for (std::size_t lane = 0; lane < 4; ++lane)
      sums[lane] += double{a[l + lane]} * double{x[l + lane]};
  for (; l < a.size(); ++l) sums[0] += double{a[l]} * double{x[l]};
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void add_scaled(double factor, std::span<const float> a, Part part, std::span<double> sum) {
  for (std::size_t l = part.first; l < part.first + part.count; ++l)
    sum[l] += factor * double{a[l]};
}

DenseSamples draw_samples(std::size_t nodes, std::size_t per_node, std::size_t inputs,
                          const GrossErrors& errors, std::uint64_t seed,
                          const std::function<double(std::span<const float> a)>& target) {
  check_count(nodes, per_node);
  DenseSamples drawn{nodes, per_node, inputs};
  drawn.values.resize(nodes * per_node * inputs);
  drawn.targets.resize(nodes * per_node);
  const auto wanted =
      static_cast<std::size_t>(std::lround(errors.fraction * static_cast<double>(per_node) / 2));
  const std::size_t pairs = std::min(wanted, per_node / 2);
  double sum = 0;
  // A node's samples: halves of its own pairs, the other halves of the previous node's, the rest.
  for (Node node = 0; node < nodes; ++node) {
    Random random(seed, Purpose::problem, node);
    const std::size_t own = node * per_node, next = (node + 1) % nodes * per_node;
    for (std::size_t k = 0; k < pairs; ++k) {
      const std::size_t half = own + k, other = next + pairs + k;
      fill_normal(drawn.row(half), 1, random);
      std::ranges::copy(drawn.row(half), drawn.row(other).begin());
      const double clean = target(drawn.row(half));
      const double error = errors.size * (0.5 + random.uniform());
      drawn.targets[half] = clean + error;
      drawn.targets[other] = clean - error;
      sum += 2 * error;
    }
    for (std::size_t sample = own + 2 * pairs; sample < own + per_node; ++sample) {
      fill_normal(drawn.row(sample), 1, random);
      drawn.targets[sample] = target(drawn.row(sample));
    }
  }
  drawn.mean_error = sum / static_cast<double>(nodes * per_node);
  return drawn;
}

std::unique_ptr<Problem> make_sampled(SampledParts parts, std::uint64_t seed) {
  return std::make_unique<SampledProblem>(std::move(parts), seed);
}

std::unique_ptr<Problem> make_classifier(ClassifierParts parts, std::uint64_t seed) {
  return std::make_unique<ClassifierProblem>(std::move(parts), seed);
}

ClassifierParts read_classifier(const ClassifierFiles& files, const PartitionRule& partition,
                                std::size_t nodes, std::uint64_t seed) {
  ClassifierParts parts;
  parts.train = read_libsvm(files.path, static_cast<std::size_t>(files.features));
  if (!files.test.empty()) parts.test = read_libsvm_like(parts.train, files.test);
  std::vector<std::uint8_t> classes(parts.train.rows());
  std::ranges::transform(parts.train.labels, classes.begin(),
                         [](float label) { return label > 0; });
  parts.shares = partition(classes, 2, nodes, seed);
  parts.summary = fmt::format("{} samples, {} features, {} test samples\n", parts.train.rows(),
                              parts.train.features, parts.test.rows()) +
                  starling::summary(parts.shares, classes, 2);
  return parts;
}

}  // namespace starling
