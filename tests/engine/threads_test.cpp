/// The threads engine: what must hold in whatever order the cores' updates land.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "logistic_reference.hpp"
#include "starling/base/random.hpp"
#include "starling/data/partition.hpp"
#include "starling/engine/blocks.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/engine/staleness.hpp"
#include "starling/engine/threads.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/weights.hpp"
#include "starling/method/asynchronous_presets.hpp"
#include "starling/method/dgd.hpp"
#include "starling/problem/logistic.hpp"
#include "starling/problem/penalty.hpp"
#include "starling/problem/quadratic.hpp"
#include "starling/problem/robust_regression.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

struct Preset {
  std::string name;
  Asynchronous method;
};

/// The presets of several cores.
std::vector<Preset> presets(float momentum) {
  std::vector<Preset> list{{"hogwild", Hogwild{}},
                           {"assm", Assm{}},
                           {"assm-consistent", AssmConsistent{}},
                           {"passm", Passm{}},
                           {"passm-locked", PassmLocked{}}};
  for (Preset& preset : list) preset.method.momentum = momentum;
  return list;
}

struct Access {
  std::string name;
  SharedAccess access;
};

std::vector<Access> accesses() {
  std::vector<Access> list{{"strict", strict_access()}};
  if (const std::optional<SharedAccess> fast = fast_access()) list.push_back({"fast", *fast});
  return list;
}

double falling(Node, Round k) { return 0.1 / std::sqrt(static_cast<double>(k)); }

/// The fast access where there is one.
ThreadsPlan plan_of(const Asynchronous& method, const Problem& problem, std::size_t cores,
                    Round updates, CoreStep step_size = falling) {
  return {.method = method,
          .cores = cores,
          .blocks = blocks_for(method, problem, cores),
          .step_size = std::move(step_size),
          .updates = updates,
          .access = accesses().back().access,
          .measures = {.gradient_norm = false, .node_accuracy = false}};
}

ThreadsResult run(const ThreadsPlan& plan, Problem& problem) {
  return run_threads(plan, problem, {.evaluated = [](const Metrics&) {}});
}

/// Every update was made, each is counted once, and the largest staleness is one that was counted.
void expect_all_counted(const ThreadsResult& result, const ThreadsPlan& plan) {
  EXPECT_FALSE(result.divergence.has_value());
  EXPECT_FALSE(result.stopped);
  ASSERT_EQ(result.cores.size(), plan.cores);
  Round all = 0;
  for (const CoreReport& core : result.cores) {
    Round counted = 0;
    for (const Round updates : core.staleness) counted += updates;
    EXPECT_EQ(counted, core.updates);
    EXPECT_LT(core.staleness_most, plan.updates);
    all += core.updates;
    if (core.updates == 0) continue;
    EXPECT_GT(core.staleness.back(), 0u);
  }
  EXPECT_EQ(all, plan.updates);
}

constexpr std::size_t samples = 240, features = 12;
constexpr double ridge = 0.02;

/// Two classes that no hyperplane separates; inputs are whole eighths, so that text keeps them.
struct Data {
  std::vector<std::vector<double>> rows;
  std::vector<double> labels;

  Data() {
    Random random(11, Purpose::problem);
    std::vector<double> normal(features);
    for (double& value : normal) value = random.normal();
    for (std::size_t j = 0; j < samples; ++j) {
      std::vector<double>& row = rows.emplace_back();
      for (std::size_t l = 0; l < features; ++l) row.push_back(std::round(8 * random.normal()) / 8);
      row.back() = 1;
      const double margin = std::inner_product(row.begin(), row.end(), normal.begin(), 0.0);
      labels.push_back(margin + 1.5 * random.normal() > 0 ? 1 : -1);
    }
  }

  std::string text() const {
    std::string text;
    for (std::size_t j = 0; j < samples; ++j) {
      text += labels[j] > 0 ? "+1" : "-1";
      for (std::size_t l = 0; l < features; ++l)
        if (rows[j][l] != 0) text += ' ' + std::to_string(l + 1) + ':' + std::to_string(rows[j][l]);
      text += '\n';
    }
    return text;
  }
};

std::unique_ptr<Problem> logistic_of(const Data& data) {
  const TempFolder folder;
  Logistic logistic;
  logistic.path = folder.write("data", data.text()).string();
  logistic.batch = 24;
  logistic.partition = [](std::span<const std::uint8_t> labels, int classes, std::size_t nodes,
                          std::uint64_t seed) { return Iid{}.make(labels, classes, nodes, seed); };
  return with_penalties(logistic.make(1, 3), ridge, 0);
}

struct Named {
  std::string name;
  std::unique_ptr<Problem> problem;
};

std::vector<Named> problems_of_one_node() {
  std::vector<Named> list;
  // Longer than the stretches that an update goes through.
  list.push_back({"quadratic", Quadratic{.dimension = 5000}.make(1, 4)});
  list.push_back({"logistic", logistic_of(Data())});
  list.push_back(
      {"robust regression, penalised",
       with_penalties(RobustRegression{.dimension = 20, .batch = 3}.make(1, 4), 5e-4, 1e-4)});
  return list;
}

struct State {
  std::vector<float> x, u;
};

/// Algorithm 1 with one core: float by float, operation by operation.
State one_after_the_other(Problem& problem, float m, const CoreStep& step_size, Round updates) {
  const std::size_t dimension = problem.dimension();
  State s{std::vector<float>(dimension), std::vector<float>(dimension)};
  problem.start(s.x);
  std::vector<float> g(dimension);
  const std::unique_ptr<Oracle> oracle = problem.oracle();
  for (Round k = 1; k <= updates; ++k) {
    oracle->subgradient(0, k, s.x, g);
    const auto step = static_cast<float>(step_size(0, k));
    for (std::size_t l = 0; l < dimension; ++l) {
      s.u[l] = m * s.u[l] + g[l];
      s.x[l] = s.x[l] - (1 - m) * step * s.u[l];
    }
  }
  if (m == 0) std::ranges::fill(s.u, 0.0f);  // none is kept
  return s;
}

void expect_sequential(Named& named, float momentum) {
  constexpr Round updates = 60;
  const State expected = one_after_the_other(*named.problem, momentum, falling, updates);
  std::vector<Preset> all = presets(momentum);
  all.push_back({"sgd", Sgd{}});
  all.back().method.momentum = momentum;
  for (const auto& [preset, method] : all)
    for (const auto& [form, access] : accesses()) {
      SCOPED_TRACE(named.name + ", " + preset + ", " + form + ", m = " + std::to_string(momentum));
      ThreadsPlan plan = plan_of(method, *named.problem, 1, updates);
      plan.access = access;
      const ThreadsResult result = run(plan, *named.problem);
      EXPECT_TRUE(result.x == expected.x);
      EXPECT_TRUE(result.u == expected.u);
      expect_all_counted(result, plan);
      EXPECT_EQ(result.cores.at(0).staleness, std::vector<Round>{updates})
          << "nobody else is there";
    }
}

TEST(ThreadsTest, OneCoreIsTheSequentialMethodBitForBit) {
  for (Named& named : problems_of_one_node())
    for (const float momentum : {0.0f, 0.9f}) expect_sequential(named, momentum);
}

TEST(ThreadsTest, OneCoreWithoutMomentumIsTheSimulateEngineWithOneNode) {
  constexpr Round updates = 60;
  for (Named& named : problems_of_one_node()) {
    SCOPED_TRACE(named.name);
    const RowUpdateOf<Dgd> update;
    const MixingWeights weights = Metropolis{}.make(Path{}.make(1, 0));
    Pool pool(1);
    Simulation simulation(
        update, *named.problem, weights, [](Round k) { return falling(0, k); }, pool);
    for (Round k = 0; k < updates; ++k) ASSERT_FALSE(simulation.advance().has_value());
    const ThreadsResult result = run(plan_of(Sgd{}, *named.problem, 1, updates), *named.problem);
    EXPECT_TRUE(std::ranges::equal(result.x, simulation.row(0, 0)));
  }
}

/// A problem whose subgradients take their time, so that all cores have one under way.
class Paced final : public Problem {
 public:
  /// Every so many subgradients of an oracle wait for some ten microseconds.
  explicit Paced(Problem& problem, int every = 4) : problem_(problem), every_(every) {}

  std::size_t nodes() const override { return problem_.nodes(); }
  std::size_t dimension() const override { return problem_.dimension(); }
  std::vector<std::size_t> tensors() const override { return problem_.tensors(); }
  void start(std::span<float> x) const override { problem_.start(x); }
  std::unique_ptr<Oracle> oracle() override {
    return std::make_unique<Slow>(problem_.oracle(), every_);
  }
  double epochs(Round rounds) const override { return problem_.epochs(rounds); }
  std::string summary() const override { return problem_.summary(); }

 private:
  class Slow final : public Oracle {
   public:
    Slow(std::unique_ptr<Oracle> oracle, int every) : oracle_(std::move(oracle)), every_(every) {}

    float subgradient(Node node, Round round, std::span<const float> x,
                      std::span<float> g) override {
      return partial_subgradient(node, round, x, {0, g.size()}, g);
    }
    float partial_subgradient(Node node, Round round, std::span<const float> x, Part part,
                              std::span<float> g) override {
      if (++calls_ % every_ == 0) std::this_thread::sleep_for(std::chrono::microseconds(1));
      return oracle_->partial_subgradient(node, round, x, part, g);
    }
    double objective(Node node, std::span<const float> x, std::span<float> g) override {
      return oracle_->objective(node, x, g);
    }
    std::optional<double> accuracy(std::span<const float> x) override {
      return oracle_->accuracy(x);
    }

   private:
    std::unique_ptr<Oracle> oracle_;
    int every_, calls_ = 0;
  };

  Problem& problem_;
  int every_;
};

void expect_near_the_optimum(float momentum) {
  constexpr std::array<std::size_t, 3> core_counts{2, 4, 10};
  const Data data;
  const TempFolder folder;
  const LogisticReference reference(read_libsvm(folder.write("data", data.text()), features),
                                    ridge);
  const double least = reference.least();
  const std::unique_ptr<Problem> logistic = logistic_of(data);
  Paced problem(*logistic);
  for (const auto& [name, method] : presets(momentum))
    for (const std::size_t cores : core_counts) {
      SCOPED_TRACE(name + ", " + std::to_string(cores) + " cores");
      // Ten blocks get a tenth of the updates each.
      const double initial = is_partitioned(method) ? 1.0 : 0.5;
      const ThreadsPlan plan = plan_of(method, problem, cores, 6000, [initial](Node, Round k) {
        return initial / std::sqrt(static_cast<double>(k));
      });
      const ThreadsResult result = run(plan, problem);
      expect_all_counted(result, plan);
      const std::vector<double> x(result.x.begin(), result.x.end());
      EXPECT_GE(reference.at(x), least - 1e-12);
      EXPECT_LT(reference.at(x), 1.01 * least);
    }
}

TEST(ThreadsTest, EveryPresetComesNearTheOptimumWithTwoFourAndTenCores) {
  expect_near_the_optimum(0);
}

TEST(ThreadsTest, EveryPresetComesNearTheOptimumWithMomentum) { expect_near_the_optimum(0.9f); }

/// What a core samples: the round, and x as it has read it. Returns the loss.
using Look = std::function<float(Round, std::span<const float>)>;

/// All subgradients are 1 in the part that is asked for, and no numbers elsewhere. The objective is
/// the largest difference between coordinates of x, which all start at 1/2.
class Ones final : public Problem {
 public:
  explicit Ones(std::vector<std::size_t> tensors, Look look = {})
      : tensors_(std::move(tensors)), look_(std::move(look)) {}

  std::size_t nodes() const override { return 1; }
  std::size_t dimension() const override {
    return std::accumulate(tensors_.begin(), tensors_.end(), std::size_t{0});
  }
  std::vector<std::size_t> tensors() const override { return tensors_; }
  void start(std::span<float> x) const override { std::ranges::fill(x, 0.5f); }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<One>(*this); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "ones"; }

  int oracles() const { return oracles_; }

 private:
  class One final : public Oracle {
   public:
    explicit One(Ones& problem) : problem_(problem) { ++problem_.oracles_; }
    One(const One&) = delete;
    ~One() override { --problem_.oracles_; }

    float subgradient(Node node, Round round, std::span<const float> x,
                      std::span<float> g) override {
      return partial_subgradient(node, round, x, {0, g.size()}, g);
    }
    float partial_subgradient(Node, Round round, std::span<const float> x, Part part,
                              std::span<float> g) override {
      std::ranges::fill(g, std::numeric_limits<float>::quiet_NaN());
      std::ranges::fill(g.subspan(part.first, part.count), 1.0f);
      return problem_.look_ ? problem_.look_(round, x) : 1.0f;
    }
    double objective(Node, std::span<const float> x, std::span<float>) override {
      const auto [least, most] = std::ranges::minmax(x);
      return double{most} - double{least};
    }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }

   private:
    Ones& problem_;
  };

  std::vector<std::size_t> tensors_;
  Look look_;
  std::atomic<int> oracles_ = 0;
};

/// x and u of one coordinate after so many updates of a core with subgradient 1.
std::pair<float, float> after(Round updates, Node core, float m, const CoreStep& step_size) {
  float x = 0.5f, u = 0;
  for (Round k = 1; k <= updates; ++k) {
    u = m * u + 1;
    x = x - (1 - m) * static_cast<float>(step_size(core, k)) * u;
  }
  return {x, m == 0 ? 0 : u};
}

bool all_are(std::span<const float> values, float value) {
  return std::ranges::all_of(values, [value](float other) { return other == value; });
}

TEST(ThreadsTest, ACoreWritesItsOwnBlockOnlyAndNobodyElseDoes) {
  const CoreStep step_size = [](Node core, Round k) { return (1 + core) * falling(core, k); };
  Ones ones({3000, 17, 40, 2100, 983});
  Paced problem(ones);
  for (const char* const partition : {"tensors", "ranges"})
    for (const char* const lock : {"none", "block"})
      for (const float momentum : {0.0f, 0.9f})
        for (const auto& [form, access] : accesses()) {
          SCOPED_TRACE(std::string{partition} + ", " + lock + ", " + form);
          Asynchronous method;
          method.partition = partition;
          method.read_lock = method.write_lock = lock;
          method.momentum = momentum;
          ThreadsPlan plan = plan_of(method, problem, 4, 800, step_size);
          plan.access = access;
          const ThreadsResult result = run(plan, problem);
          expect_all_counted(result, plan);
          for (Node core = 0; core < 4; ++core) {
            const auto& [first, count] = plan.blocks[core];
            const auto [x, u] = after(result.cores[core].updates, core, momentum, step_size);
            EXPECT_TRUE(all_are(std::span(result.x).subspan(first, count), x)) << core;
            EXPECT_TRUE(all_are(std::span(result.u).subspan(first, count), u)) << core;
          }
        }
}

double constant(Node, Round) { return 1.0 / 64; }

TEST(ThreadsTest, NoUpdateIsLostWhereWritesAreLocked) {
  constexpr Round updates = 3000;
  Asynchronous by_block;
  by_block.write_lock = "block";
  Ones problem({500});
  for (const Asynchronous& locked :
       {Asynchronous{Assm{}}, Asynchronous{AssmConsistent{}}, by_block})
    for (const float momentum : {0.0f, 0.9f})
      for (const auto& [form, access] : accesses()) {
        SCOPED_TRACE(locked.read_lock + ", " + locked.write_lock + ", " + form);
        Asynchronous method = locked;
        method.momentum = momentum;
        ThreadsPlan plan = plan_of(method, problem, 4, updates, constant);
        plan.access = access;
        const ThreadsResult result = run(plan, problem);
        expect_all_counted(result, plan);
        // All subgradients and steps are equal, so the order does not matter.
        const auto [x, u] = after(updates, 0, momentum, constant);
        EXPECT_TRUE(all_are(result.x, x)) << result.x[0] << " instead of " << x;
        EXPECT_TRUE(all_are(result.u, u)) << result.u[0] << " instead of " << u;
        if (momentum == 0) {
          EXPECT_EQ(x, 0.5f - static_cast<float>(updates) / 64);
        }
      }
}

TEST(ThreadsTest, HogwildMayLoseUpdatesButInventsNone) {
  constexpr Round updates = 3000;
  Ones problem({500});
  const ThreadsResult result = run(plan_of(Hogwild{}, problem, 4, updates, constant), problem);
  for (const float x : result.x) {
    const float made = (0.5f - x) * 64;
    EXPECT_EQ(made, std::round(made));
    EXPECT_GE(made, 1.0f);
    EXPECT_LE(made, static_cast<float>(updates));
  }
}

bool is_level(std::span<const float> x, const Part& block) {
  return all_are(x.subspan(block.first, block.count), x[block.first]);
}

TEST(ThreadsTest, WhatIsReadUnderALockIsOfOneMoment) {
  for (const Asynchronous& method : {Asynchronous{AssmConsistent{}}, Asynchronous{PassmLocked{}}}) {
    std::vector<Part> blocks;
    std::atomic<int> mixed = 0;
    Ones problem({1500, 1500, 1500, 1500}, [&](Round, std::span<const float> x) {
      for (const Part& block : blocks) mixed += !is_level(x, block);
      return 1.0f;
    });
    const ThreadsPlan plan = plan_of(method, problem, 4, 2000, constant);
    blocks = plan.blocks;
    run(plan, problem);
    EXPECT_EQ(mixed, 0) << method.partition;
  }
}

/// A run's rows.
std::vector<Metrics> rows_of(const ThreadsPlan& plan, Problem& problem) {
  std::vector<Metrics> rows;
  run_threads(plan, problem,
              {.evaluated = [&](const Metrics& metrics) { rows.push_back(metrics); }});
  return rows;
}

TEST(ThreadsTest, SnapshotsUnderLockedWritesAreOfOneMoment) {
  Ones ones({6000});
  Paced problem(ones);
  for (const Asynchronous& method : {Asynchronous{Assm{}}, Asynchronous{AssmConsistent{}}}) {
    ThreadsPlan plan = plan_of(method, problem, 4, 2000, constant);
    plan.every = 1;
    for (const Metrics& row : rows_of(plan, problem)) EXPECT_EQ(row.objective, 0.0) << row.round;
  }
}

void expect_in_order(const std::vector<Metrics>& rows, Round updates) {
  ASSERT_GE(rows.size(), 3u);
  EXPECT_EQ(rows.front().round, 0u);
  EXPECT_FALSE(rows.front().minibatch_loss.has_value());
  EXPECT_EQ(rows.back().round, updates);
  for (std::size_t row = 1; row < rows.size(); ++row) {
    EXPECT_GE(rows[row].round, rows[row - 1].round);
    EXPECT_GE(rows[row].seconds, rows[row - 1].seconds);
    EXPECT_EQ(rows[row].epoch, static_cast<double>(rows[row].round));
    EXPECT_FALSE(rows[row].consensus_error.has_value()) << "there is one x";
  }
}

TEST(ThreadsTest, TheLastRowSumsUpWhatAllCoresDid) {
  Ones ones({100});
  Paced problem(ones);
  const ThreadsPlan plan = plan_of(Hogwild{}, problem, 4, 600, constant);
  std::vector<Metrics> rows;
  const ThreadsResult result = run_threads(
      plan, problem, {.evaluated = [&](const Metrics& metrics) { rows.push_back(metrics); }});
  ASSERT_EQ(rows.size(), 2u) << "no pace is set: the start and the end";
  EXPECT_EQ(rows[0].round, 0u);
  EXPECT_FALSE(rows[0].staleness_mean.has_value());
  EXPECT_EQ(rows[1].round, plan.updates);
  EXPECT_EQ(rows[1].minibatch_loss, 1.0);
  double mean = 0, most = 0;
  for (const CoreReport& core : result.cores) {
    for (std::size_t stale = 0; stale < core.staleness.size(); ++stale)
      mean += static_cast<double>(stale * core.staleness[stale]) / 600;
    most = std::max(most, static_cast<double>(core.staleness_most));
  }
  EXPECT_NEAR(rows[1].staleness_mean.value_or(-1), mean, 1e-9 * (1 + mean));
  EXPECT_EQ(rows[1].staleness_most, most);
}

TEST(ThreadsTest, SnapshotsComeEverySoManyUpdates) {
  constexpr Round updates = 2000;
  Ones ones({100});
  Paced problem(ones, 1);
  ThreadsPlan plan = plan_of(Hogwild{}, problem, 2, updates);
  plan.every = 300;
  const std::vector<Metrics> rows = rows_of(plan, problem);
  expect_in_order(rows, updates);
  EXPECT_LE(rows.size(), 2 + (updates - 1) / plan.every);
  EXPECT_GE(rows[1].round, plan.every);
}

TEST(ThreadsTest, SnapshotsComeEverySoManySeconds) {
  constexpr Round updates = 2000;
  Ones ones({100});
  Paced problem(ones, 1);
  ThreadsPlan plan = plan_of(Passm{}, problem, 2, updates);
  plan.seconds = 0.004;
  const std::vector<Metrics> rows = rows_of(plan, problem);
  expect_in_order(rows, updates);
  for (std::size_t row = 1; row + 1 < rows.size(); ++row)
    EXPECT_GE(rows[row].seconds, static_cast<double>(row) * plan.seconds);
}

TEST(ThreadsTest, TheObserverHearsOfAllUpdates) {
  Ones ones({100});
  Paced problem(ones);
  std::vector<Round> told;
  const ThreadsPlan plan = plan_of(Assm{}, problem, 2, 1000);
  run_threads(plan, problem,
              {.evaluated = [](const Metrics&) {},
               .advanced = [&](Round updates) { told.push_back(updates); }});
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_EQ(told.back(), plan.updates);
}

constexpr Round endless = Round{1} << 60;

/// What `run` throws, or "".
std::string failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(ThreadsTest, AnExceptionInOneCoreEndsAllAndIsThrownOnce) {
  for (const auto& [name, method] : presets(0)) {
    Ones problem({50, 50, 50, 50}, [](Round sample, std::span<const float>) -> float {
      if (sample == sample_of(2, 10, 4)) throw std::runtime_error("bad data");
      return 1;
    });
    const ThreadsPlan plan = plan_of(method, problem, 4, endless);
    EXPECT_EQ(failure_of([&] { run(plan, problem); }), "core 2: bad data") << name;
    EXPECT_EQ(problem.oracles(), 0) << "a core of " << name << " goes on";
  }
}

TEST(ThreadsTest, OfExceptionsInAllCoresOneIsThrown) {
  Ones problem({100}, [](Round sample, std::span<const float>) -> float {
    if (sample > 12) throw std::runtime_error("I am " + std::to_string((sample - 1) % 4));
    return 1;
  });
  const ThreadsPlan plan = plan_of(Hogwild{}, problem, 4, endless);
  const std::string failure = failure_of([&] { run(plan, problem); });
  ASSERT_EQ(failure.size(), std::string("core 0: I am 0").size()) << failure;
  EXPECT_EQ(failure, "core " + failure.substr(5, 1) + ": I am " + failure.substr(5, 1));
  EXPECT_EQ(problem.oracles(), 0);
}

TEST(ThreadsTest, WhatTheObserverThrowsEndsAllCores) {
  Ones problem({100});
  ThreadsPlan plan = plan_of(Hogwild{}, problem, 2, endless);
  plan.every = 1;
  const ThreadsObserver observer{.evaluated = [](const Metrics& metrics) {
    if (metrics.round > 0) throw std::runtime_error("disk full");
  }};
  EXPECT_EQ(failure_of([&] { run_threads(plan, problem, observer); }), "disk full");
  EXPECT_EQ(problem.oracles(), 0);
}

TEST(ThreadsTest, ALossThatIsNotFiniteIsDivergenceOfItsCore) {
  for (const float loss : {std::numeric_limits<float>::quiet_NaN(), HUGE_VALF, -HUGE_VALF}) {
    Ones problem({100}, [loss](Round sample, std::span<const float>) {
      return sample == sample_of(1, 5, 4) ? loss : 1;
    });
    const ThreadsResult result = run(plan_of(Assm{}, problem, 4, endless), problem);
    ASSERT_TRUE(result.divergence.has_value());
    EXPECT_EQ(result.divergence->node, 1u);
    EXPECT_EQ(result.divergence->variable, "the minibatch loss");
    EXPECT_GE(result.divergence->round, 5u);
    EXPECT_FALSE(result.stopped);
    EXPECT_EQ(result.cores.at(1).updates, 4u);
  }
}

TEST(ThreadsTest, DivergenceOfOneCoreNamesTheUpdateAndEndsTheRows) {
  Ones problem({100},
               [](Round sample, std::span<const float>) { return sample == 7 ? HUGE_VALF : 1; });
  std::vector<Round> rows;
  const ThreadsResult result =
      run_threads(plan_of(Sgd{}, problem, 1, endless), problem,
                  {.evaluated = [&](const Metrics& metrics) { rows.push_back(metrics.round); }});
  ASSERT_TRUE(result.divergence.has_value());
  EXPECT_EQ(result.divergence->round, 7u);
  EXPECT_EQ(result.divergence->node, 0u);
  EXPECT_EQ(rows, std::vector<Round>{0});
}

TEST(ThreadsTest, ALastUpdateThatGoesTooFarIsDivergenceAndIsNotEvaluated) {
  Ones problem({10});
  std::vector<Metrics> rows;
  const ThreadsPlan plan =
      plan_of(Hogwild{}, problem, 1, 1, [](Node, Round) { return 1e39; });  // no float
  const ThreadsResult result = run_threads(
      plan, problem, {.evaluated = [&](const Metrics& metrics) { rows.push_back(metrics); }});
  ASSERT_TRUE(result.divergence.has_value());
  EXPECT_EQ(result.divergence->round, 1u);
  EXPECT_EQ(result.divergence->variable, "x");
  EXPECT_EQ(rows.size(), 1u) << "the start";
}

TEST(ThreadsTest, StopsAtOnceWhereTheObserverAsksForIt) {
  using Clock = std::chrono::steady_clock;
  Ones problem({100});
  for (const auto& [name, method] : presets(0.9f)) {
    int asked = 0;
    const auto begin = Clock::now();
    const ThreadsResult result =
        run_threads(plan_of(method, problem, 2, endless), problem,
                    {.evaluated = [](const Metrics&) {}, .stop = [&] { return ++asked == 3; }});
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2)) << name;
    EXPECT_TRUE(result.stopped) << name;
    EXPECT_FALSE(result.divergence.has_value()) << name;
    EXPECT_EQ(result.x.size(), 100u) << name;
  }
}

/// Goes through a trace as one would read it: what each core did, in the order in which it landed.
void expect_consistent(const Trace& trace, const ThreadsResult& result, const ThreadsPlan& plan) {
  const std::size_t blocks = plan.blocks.size(), cores = plan.cores;
  ASSERT_EQ(trace.blocks, blocks);
  ASSERT_EQ(trace.updates.size(), plan.updates);
  ASSERT_EQ(trace.delays.size(), plan.updates * blocks);
  std::vector<Round> done(cores), last(cores), most(cores);
  std::vector<double> seconds(cores);
  for (Round k = 0; k < plan.updates; ++k) {
    const auto& [core, sample, when] = trace.updates[k];
    ASSERT_LT(core, cores);
    EXPECT_EQ(sample, done[core] * cores + core + 1) << k;
    EXPECT_GE(when, seconds[core]) << k;
    // A core has seen its own updates.
    const Round since = done[core] > 0 ? k - last[core] - 1 : k;
    for (std::size_t b = 0; b < blocks; ++b) {
      EXPECT_LE(trace.delays_of(k)[b], since) << k;
      most[core] = std::max(most[core], trace.delays_of(k)[b]);
    }
    ++done[core];
    last[core] = k;
    seconds[core] = when;
  }
  for (Node core = 0; core < cores; ++core) {
    EXPECT_EQ(done[core], result.cores[core].updates);
    EXPECT_EQ(most[core], result.cores[core].staleness_most);
  }
}

TEST(ThreadsTest, TracesHoldEveryUpdateOnce) {
  Ones ones({40, 30, 20, 10});
  Paced problem(ones);
  for (const auto& [name, method] : presets(0)) {
    SCOPED_TRACE(name);
    ThreadsPlan plan = plan_of(method, problem, 4, 600);
    plan.trace = true;
    const ThreadsResult result = run(plan, problem);
    expect_all_counted(result, plan);
    ASSERT_TRUE(result.trace.has_value());
    expect_consistent(*result.trace, result, plan);
    plan.trace = false;
    EXPECT_FALSE(run(plan, problem).trace.has_value());
  }
}

TEST(ThreadsTest, CoresGoThroughTheMinibatchesOfOneCoreTogether) {
  std::vector<Round> drawn;
  for (Round k = 1; k <= 5; ++k)
    for (Node core = 0; core < 3; ++core) drawn.push_back(sample_of(core, k, 3));
  std::vector<Round> in_turn(15);
  std::iota(in_turn.begin(), in_turn.end(), Round{1});
  EXPECT_EQ(drawn, in_turn);
}

TEST(StalenessTest, CountsOneByOneAndTheRestInOne) {
  Staleness staleness;
  const Round kinds = Staleness::kinds;
  for (const Round stale : {Round{0}, Round{3}, Round{3}, kinds - 1, kinds, kinds + 5})
    staleness.count(stale);
  EXPECT_EQ(staleness.updates(), 6u);
  EXPECT_EQ(staleness.sum(), 6 + 3 * kinds + 4);
  EXPECT_EQ(staleness.most(), kinds + 5);
  EXPECT_EQ(staleness.updates_with(0), 1u);
  EXPECT_EQ(staleness.updates_with(1), 0u);
  EXPECT_EQ(staleness.updates_with(3), 2u);
  EXPECT_EQ(staleness.updates_with(Staleness::kinds - 1), 1u);
  EXPECT_EQ(staleness.updates_with(Staleness::kinds), 2u);
}

}  // namespace
}  // namespace starling
