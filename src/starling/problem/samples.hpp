/// What problems over samples share: random dense samples whose optimum is known, and linear
/// classifiers on sparse samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "starling/base/types.hpp"
#include "starling/data/libsvm.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/problem.hpp"

namespace starling {

/// x0 from an option `start`: one number for all coordinates, or all of them. Throws UserError on
/// any other count; `what` says there what the `length` of x is.
std::vector<float> start_point(const std::vector<double>& start, std::size_t length,
                               std::string_view what);

/// A random point for an optimum to be at: normal coordinates of deviation `scale`, no node's own.
std::vector<float> planted_point(std::size_t dimension, double scale, std::uint64_t seed);

/// Node i has the samples i per_node ... (i + 1) per_node - 1. Throws UserError where there are
/// more than can be numbered.
Partition consecutive_shares(std::size_t nodes, std::size_t per_node);

/// sum of a_l x_l in double, in a fixed order.
double dot(std::span<const float> a, std::span<const float> x);

/// sum += factor a in the coordinates of `part`; `sum` is as long as a.
void add_scaled(double factor, std::span<const float> a, Part part, std::span<double> sum);

/// The largest magnitude of these numbers; 0 where there are none.
double largest_of(std::span<const float> values);

/// The subgradient of |t| that is used everywhere: 0 at 0.
constexpr double sign_of(double t) { return static_cast<double>((t > 0) - (t < 0)); }

/// Samples written out in full, the same number for every node (`consecutive_shares`).
struct DenseSamples {
  std::size_t nodes = 0, per_node = 0, inputs = 0;
  std::vector<float> values;    ///< one sample a row
  std::vector<double> targets;  ///< one a sample
  double mean_error = 0;        ///< of the targets, in absolute value

  std::span<const float> row(std::size_t sample) const {
    return {values.data() + sample * inputs, inputs};
  }
  std::span<float> row(std::size_t sample) { return {values.data() + sample * inputs, inputs}; }
};

/// Gross errors of targets. They come in pairs of samples with the same inputs and opposite errors:
/// one sample on node i, the other on node i + 1 (mod N).
struct GrossErrors {
  double fraction = 0;  ///< of a node's samples, rounded to a whole number of pairs
  double size = 0;      ///< mean of |e|, which is uniform in [size / 2, 3 size / 2)
};

/// Standard normal inputs a with the targets target(a), but for gross errors e.
///
/// Whatever is fitted to the targets, the mean absolute residual over all samples is at least
/// `mean_error`, because |p - e| + |p + e| >= 2 |e| for every pair and |p| >= 0 for the other
/// samples; what gives target(a) for every a attains this. Throws UserError where there are more
/// samples than can be numbered.
DenseSamples draw_samples(std::size_t nodes, std::size_t per_node, std::size_t inputs,
                          const GrossErrors& errors, std::uint64_t seed,
                          const std::function<double(std::span<const float> a)>& target);

/// The loss of one sample with inputs a and target b; adds the coordinates of `part` of its
/// subgradient at x to `sum`, which is as long as x.
using SampleLoss =
    std::function<double(std::span<const float> a, double b, std::span<const float> x, Part part,
                         std::span<double> sum)>;

/// A problem whose f_i is the mean loss of the node's samples.
struct SampledParts {
  DenseSamples samples;
  SampleLoss loss;
  std::size_t batch = 0;  ///< samples a node and round, reshuffled; 0: all of the node's
  std::vector<float> start;
  Optimum optimum;
  Constants constants;
  std::string summary;
};

std::unique_ptr<Problem> make_sampled(SampledParts parts, std::uint64_t seed);

/// Losses of `count` samples by their margins, and slopes against the margins times `share`.
using MarginLoss = void (*)(const float* margins, float share, std::size_t count, float* losses,
                            float* slopes);

/// The whole regulariser of a node at x; adds the coordinates of `part` of its subgradient to g,
/// which is as long as x, or empty where `part` is.
using NodeRegulariser =
    std::function<double(Node node, std::span<const float> x, Part part, std::span<float> g)>;

/// A linear classifier: f_i is the mean loss of the margins b_j <a_j, x> plus a regulariser.
struct ClassifierParts {
  SparseRows train, test;  ///< accuracy is measured on `test`, if it has rows
  Partition shares;
  std::size_t batch = 0;  ///< samples a node and round; 0: all of the node's (reshuffle only)
  bool reshuffle = true;  ///< a new order every epoch; otherwise drawn with replacement
  MarginLoss loss = nullptr;
  NodeRegulariser regulariser;
  std::vector<float> start;
  std::optional<Optimum> optimum;
  Constants constants;
  std::string summary;
};

std::unique_ptr<Problem> make_classifier(ClassifierParts parts, std::uint64_t seed);

/// LIBSVM files, plain or gzip; `test` may be empty, `features` may be 0.
struct ClassifierFiles {
  std::string path, test;
  std::int64_t features = 0;
};

/// Reads the files and splits the samples: `train`, `test`, `shares`, and a summary of them. Throws
/// UserError where that cannot be.
ClassifierParts read_classifier(const ClassifierFiles& files, const PartitionRule& partition,
                                std::size_t nodes, std::uint64_t seed);

}  // namespace starling
