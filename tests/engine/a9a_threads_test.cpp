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

#include "logistic_reference.hpp"
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
  const double least = LogisticReference(read_libsvm(path_, 123), ridge).least();
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
