/// The asynchronous methods on real data, against an optimum that a solver of its own computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "starling/data/libsvm.hpp"
#include "starling/engine/blocks.hpp"
#include "starling/engine/threads.hpp"
#include "starling/method/asynchronous_presets.hpp"
#include "starling/problem/logistic.hpp"
#include "starling/problem/penalty.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

constexpr double ridge = 1e-3;

/// Mean logistic loss and ridge ||x||^2 / 2, in double, with derivatives.
class Reference {
 public:
  explicit Reference(SparseRows rows) : rows_(std::move(rows)), size_(rows_.features) {}

  /// The least value, by Newton's method with halved steps.
  double least() const {
    std::vector<double> x(size_);
    double value = at(x);
    for (int iteration = 0; iteration < 50; ++iteration) {
      const std::vector<double> direction = newton_direction(x);
      double share = 1, next = 0;
      std::vector<double> moved;
      do {
        moved = x;
        for (std::size_t l = 0; l < size_; ++l) moved[l] -= share * direction[l];
        next = at(moved);
        share /= 2;
      } while (next > value && share > 1e-10);
      const double gained = value - next;
      x = moved;
      value = next;
      if (gained < 1e-12) break;
    }
    return value;
  }

 private:
  double margin(std::size_t j, const std::vector<double>& x) const {
    double sum = 0;
    for (std::size_t k = rows_.offsets[j]; k < rows_.offsets[j + 1]; ++k)
      sum += double{rows_.values[k]} * x[rows_.columns[k]];
    return rows_.labels[j] * sum;
  }

  double at(const std::vector<double>& x) const {
    double sum = 0, squares = 0;
    for (std::size_t j = 0; j < rows_.rows(); ++j) {
      const double m = margin(j, x);
      sum += std::log1p(std::exp(-std::abs(m))) + std::max(-m, 0.0);
    }
    for (const double value : x) squares += value * value;
    return sum / static_cast<double>(rows_.rows()) + ridge / 2 * squares;
  }

  std::vector<double> newton_direction(const std::vector<double>& x) const {
    std::vector<double> slope(size_), curvature(size_ * size_);
    for (std::size_t l = 0; l < size_; ++l) {
      slope[l] = ridge * x[l];
      curvature[l * size_ + l] = ridge;
    }
    const auto count = static_cast<double>(rows_.rows());
    for (std::size_t j = 0; j < rows_.rows(); ++j) {
      const double wrong = 1 / (1 + std::exp(margin(j, x)));
      for (std::size_t k = rows_.offsets[j]; k < rows_.offsets[j + 1]; ++k) {
        const std::size_t row = rows_.columns[k];
        slope[row] -= rows_.labels[j] * wrong * double{rows_.values[k]} / count;
        for (std::size_t m = rows_.offsets[j]; m < rows_.offsets[j + 1]; ++m)
          curvature[row * size_ + rows_.columns[m]] +=
              wrong * (1 - wrong) / count * double{rows_.values[k]} * double{rows_.values[m]};
      }
    }
    return solved(std::move(curvature), std::move(slope));
  }

  /// Gaussian elimination; the matrix is positive definite.
  std::vector<double> solved(std::vector<double> matrix, std::vector<double> right) const {
    for (std::size_t c = 0; c < size_; ++c)
      for (std::size_t r = c + 1; r < size_; ++r) {
        const double factor = matrix[r * size_ + c] / matrix[c * size_ + c];
        for (std::size_t k = c; k < size_; ++k)
          matrix[r * size_ + k] -= factor * matrix[c * size_ + k];
        right[r] -= factor * right[c];
      }
    for (std::size_t r = size_; r-- > 0;) {
      for (std::size_t k = r + 1; k < size_; ++k) right[r] -= matrix[r * size_ + k] * right[k];
      right[r] /= matrix[r * size_ + r];
    }
    return right;
  }

  SparseRows rows_;
  std::size_t size_;
};

class A9aThreadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path folder = real_data("a9a");
    if (folder.empty()) GTEST_SKIP() << "STARLING_DATA names no folder with a9a/a9a.gz";
    path_ = (folder / "a9a.gz").string();
  }
  std::string path_;
};

TEST_F(A9aThreadsTest, EveryPresetComesWithinAPercentOfTheOptimum) {
  const double least = Reference(read_libsvm(path_, 123)).least();
  Logistic logistic{.path = path_, .features = 123, .batch = 32};
  logistic.partition = [](std::span<const std::uint8_t> labels, int classes, std::size_t nodes,
                          std::uint64_t seed) { return Iid{}.make(labels, classes, nodes, seed); };
  const std::unique_ptr<Problem> problem = with_penalties(logistic.make(1, 1), ridge, 0);
  const std::vector<std::pair<const char*, Asynchronous>> presets{
      {"hogwild", Hogwild{}},
      {"assm", Assm{}},
      {"assm-consistent", AssmConsistent{}},
      {"passm", Passm{}},
      {"passm-locked", PassmLocked{}}};
  for (const auto& [name, method] : presets)
    for (const std::size_t cores : {2u, 4u, 10u}) {
      const ThreadsPlan plan{
          .method = method,
          .cores = cores,
          .blocks = blocks_for(method, *problem, cores),
          .step_size = [](Node, Round k) { return 2 / std::sqrt(static_cast<double>(k)); },
          .updates = is_partitioned(method) ? 25000 * cores : 40000,
          .access = fast_access().value_or(strict_access()),
          .measures = {.gradient_norm = false, .node_accuracy = false}};
      double objective = 0;
      const ThreadsResult result = run_threads(
          plan, *problem,
          {.evaluated = [&](const Metrics& metrics) { objective = metrics.objective.value(); }});
      EXPECT_LT(objective, 1.01 * least) << name << ", " << cores << " cores";
      EXPECT_GT(objective, least - 1e-6) << name << ", " << cores << " cores";
      for (const CoreReport& core : result.cores) EXPECT_LT(core.staleness_most, plan.updates);
    }
}

}  // namespace
}  // namespace starling
