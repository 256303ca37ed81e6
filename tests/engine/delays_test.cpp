/// The delays engine against Algorithm 2 written out with every version of x, the laws of delays,
/// and recorded runs replayed.
#include <algorithm>
#include <array>
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
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/engine/block_history.hpp"
#include "starling/engine/blocks.hpp"
#include "starling/engine/delay_process.hpp"
#include "starling/engine/delays.hpp"
#include "starling/engine/shared_access.hpp"
#include "starling/engine/threads.hpp"
#include "starling/method/asynchronous_presets.hpp"
#include "starling/record/trace.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

/// f(x) = n + sum_l (a_l/2 x_l^2 - c_l x_l) + (sum_l x_l)^2 / (4 n), with noise in the subgradients
/// that the sample decides. The last term makes every block matter to all others.
class Bowl final : public Problem {
 public:
  explicit Bowl(std::vector<std::size_t> tensors) : tensors_(std::move(tensors)) {}

  std::size_t nodes() const override { return 1; }
  std::size_t dimension() const override {
    return std::accumulate(tensors_.begin(), tensors_.end(), std::size_t{0});
  }
  std::vector<std::size_t> tensors() const override { return tensors_; }
  void start(std::span<float> x) const override { std::ranges::fill(x, 3.0f); }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Noisy>(*this); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "bowl"; }

  /// Every fourth subgradient of an oracle waits, so that others get between reading and writing.
  void slow_down() { slow_ = true; }

  std::vector<double> slope(const std::vector<double>& x, Round sample) const {
    Random random(5, Purpose::problem, 0, sample);
    const double mean = sum(x) / static_cast<double>(x.size());
    std::vector<double> g(x.size());
    for (std::size_t l = 0; l < x.size(); ++l)
      g[l] = curvature(l) * x[l] - target(l) + mean / 2 + 0.6 * (random.uniform() - 0.5);
    return g;
  }

  double value(const std::vector<double>& x) const {
    const auto n = static_cast<double>(x.size());
    double result = n + sum(x) * sum(x) / (4 * n);
    for (std::size_t l = 0; l < x.size(); ++l)
      result += curvature(l) / 2 * x[l] * x[l] - target(l) * x[l];
    return result;
  }

 private:
  static double curvature(std::size_t l) { return 1 + 0.1 * static_cast<double>(l % 5); }
  static double target(std::size_t l) { return static_cast<double>(l % 7) / 3 - 1; }
  static double sum(const std::vector<double>& x) {
    return std::accumulate(x.begin(), x.end(), 0.0);
  }

  class Noisy final : public Oracle {
   public:
    explicit Noisy(const Bowl& bowl) : bowl_(bowl) {}

    float subgradient(Node, Round round, std::span<const float> x, std::span<float> g) override {
      if (bowl_.slow_ && ++calls_ % 4 == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(1));
      const std::vector<double> point(x.begin(), x.end()), slope = bowl_.slope(point, round);
      for (std::size_t l = 0; l < g.size(); ++l) g[l] = static_cast<float>(slope[l]);
      return static_cast<float>(bowl_.value(point));
    }
    double objective(Node, std::span<const float> x, std::span<float>) override {
      return bowl_.value({x.begin(), x.end()});
    }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }

   private:
    const Bowl& bowl_;
    int calls_ = 0;
  };

  std::vector<std::size_t> tensors_;
  bool slow_ = false;
};

double falling(Node, Round k) { return 0.1 / std::sqrt(static_cast<double>(k)); }

/// What both sides of a comparison run.
struct Setting {
  std::string name;
  Asynchronous method;
  std::size_t cores = 1;
  std::vector<Part> blocks;
};

Setting setting_of(std::string name, const Asynchronous& method, float momentum,
                   const Problem& problem, std::size_t cores) {
  Setting setting{std::move(name), method, cores, blocks_for(method, problem, cores)};
  setting.method.momentum = momentum;
  return setting;
}

Asynchronous blocks_locked() {
  Asynchronous method;
  method.write_lock = "block";
  return method;
}

Asynchronous ranges_owned() {
  Asynchronous method;
  method.partition = "ranges";
  return method;
}

using Law =
    std::function<std::unique_ptr<DelayProcess>(std::size_t cores, std::size_t blocks, Round seed)>;

struct NamedLaw {
  std::string name;
  Law make;
};

template <class T>
Law law_of(const T& rule) {
  return [rule](std::size_t cores, std::size_t blocks, Round seed) {
    return rule.make(cores, blocks, seed);
  };
}

/// For four cores.
std::vector<NamedLaw> laws() {
  return {{"fixed", law_of(FixedDelay{3})},
          {"uniform", law_of(UniformDelay{8})},
          {"geometric", law_of(GeometricDelay{4, 16})},
          {"speeds", law_of(CoreSpeeds{{1, 2, 0.5, 3}, 0.4})}};
}

/// Every version of x, and u in the end.
template <class Number>
struct Trajectory {
  std::vector<std::vector<Number>> x;
  std::vector<Number> u;
};

/// Algorithm 2 of the paper as it is printed, from all versions of x. Without `delayed`, blocks are
/// read as they are.
template <class Number>
Trajectory<Number> algorithm_2(const Bowl& bowl, const Setting& setting, DelayProcess& process,
                               Round updates, bool delayed = true) {
  const std::size_t n = bowl.dimension();
  const auto m = static_cast<Number>(setting.method.momentum);
  Trajectory<Number> all{{std::vector<Number>(n, 3)}, std::vector<Number>(n)};
  std::vector<Round> count(setting.cores);
  for (Round k = 0; k < updates; ++k) {
    const DelayEvent event = process.next(k);
    std::vector<double> seen(n);
    for (std::size_t b = 0; b < setting.blocks.size(); ++b) {
      const Part& block = setting.blocks[b];
      const std::vector<Number>& old = all.x[k - (delayed ? event.delays[b] : 0)];
      for (std::size_t l = block.first; l < block.first + block.count; ++l) seen[l] = old[l];
    }
    ++count[event.core];
    const Round sample = (count[event.core] - 1) * setting.cores + event.core + 1;
    const std::vector<double> g = bowl.slope(seen, sample);
    const auto step = static_cast<Number>(falling(event.core, count[event.core]));
    std::vector<Number> next = all.x[k];
    const bool owns = setting.method.partition != "none";
    const Part own = owns ? setting.blocks[event.core] : Part{0, n};
    for (std::size_t l = own.first; l < own.first + own.count; ++l) {
      all.u[l] = m * all.u[l] + static_cast<Number>(g[l]);
      next[l] = next[l] - (1 - m) * step * all.u[l];
    }
    all.x.push_back(std::move(next));
  }
  return all;
}

/// The largest difference, relative to the largest entry of b.
template <class A, class B>
double relative_difference(const std::vector<std::vector<A>>& a,
                           const std::vector<std::vector<B>>& b) {
  double difference = 0, size = 0;
  for (std::size_t k = 0; k < b.size(); ++k)
    for (std::size_t l = 0; l < b[k].size(); ++l) {
      difference = std::max(difference, std::abs(double{a.at(k).at(l)} - double{b[k][l]}));
      size = std::max(size, std::abs(double{b[k][l]}));
    }
  return difference / size;
}

/// x^0, x^1, ... as the engine makes them, and u.
Trajectory<float> run_engine(Bowl& bowl, const Setting& setting, DelayProcess& process,
                             Round updates) {
  Delays engine(setting.method, setting.blocks, setting.cores, falling, process, bowl, 1000000);
  Trajectory<float> all{{engine.average()}, {}};
  for (Round k = 0; k < updates; ++k) {
    EXPECT_FALSE(engine.advance().has_value()) << k;
    EXPECT_EQ(engine.round(), k + 1);
    all.x.push_back(engine.average());
  }
  const std::span<const float> x = engine.row(0, 0);
  EXPECT_TRUE(std::ranges::equal(x, all.x.back())) << "variable 0 is x";
  const std::span<const float> u = engine.row(1, 0);
  all.u.assign(u.begin(), u.end());
  return all;
}

void expect_algorithm_2(Bowl& bowl, const Law& law, const Setting& setting) {
  constexpr Round updates = 200;
  const auto process = [&] { return law(setting.cores, setting.blocks.size(), 9); };
  const Trajectory<float> found = run_engine(bowl, setting, *process(), updates);
  const auto exact = algorithm_2<double>(bowl, setting, *process(), updates);
  EXPECT_LT(relative_difference(found.x, exact.x), 1e-4);
  const auto single = algorithm_2<float>(bowl, setting, *process(), updates);
  EXPECT_TRUE(found.x == single.x) << "bit for bit";
  if (setting.method.momentum > 0) {
    EXPECT_TRUE(found.u == single.u) << "bit for bit";
  }
  const auto blind = algorithm_2<double>(bowl, setting, *process(), updates, false);
  EXPECT_GT(relative_difference(blind.x, exact.x), 1e-3) << "delays do not matter here";
}

TEST(DelaysTest, IsAlgorithm2) {
  Bowl bowl({5, 1, 7, 4});
  for (const NamedLaw& law : laws())
    for (const float momentum : {0.0f, 0.9f})
      for (const Setting& setting :
           {setting_of("one block", Hogwild{}, momentum, bowl, 4),
            setting_of("all blocks at once", blocks_locked(), momentum, bowl, 4),
            setting_of("tensors", Passm{}, momentum, bowl, 4),
            setting_of("ranges", ranges_owned(), momentum, bowl, 4)}) {
        SCOPED_TRACE(law.name + ", " + setting.name + ", m = " + std::to_string(momentum));
        expect_algorithm_2(bowl, law.make, setting);
      }
}

TEST(DelaysTest, OneCoreWithoutDelayIsTheSequentialMethodBitForBit) {
  constexpr Round updates = 100;
  Bowl bowl({5, 1, 7, 4});
  for (const float m : {0.0f, 0.9f}) {
    std::vector<float> x(17, 3.0f), u(17);
    for (Round k = 1; k <= updates; ++k) {
      const std::vector<double> g = bowl.slope({x.begin(), x.end()}, k);
      const auto step = static_cast<float>(falling(0, k));
      for (std::size_t l = 0; l < x.size(); ++l) {
        u[l] = m * u[l] + static_cast<float>(g[l]);
        x[l] = x[l] - (1 - m) * step * u[l];
      }
    }
    for (const Asynchronous& method : {Asynchronous{Sgd{}}, Asynchronous{Passm{}}}) {
      const Setting setting = setting_of("one core", method, m, bowl, 1);
      const auto process = FixedDelay{0}.make(1, setting.blocks.size(), 1);
      const Trajectory<float> found = run_engine(bowl, setting, *process, updates);
      EXPECT_TRUE(found.x.back() == x) << "m = " << m;
      if (m > 0) {
        EXPECT_TRUE(found.u == u);
      }
    }
  }
}

TEST(DelaysTest, MetricsTellHowOldTheOldestBlocksWere) {
  Bowl bowl({17});
  const Setting setting = setting_of("one block", Hogwild{}, 0, bowl, 2);
  const auto process = FixedDelay{3}.make(2, 1, 1);
  Delays engine(setting.method, setting.blocks, 2, falling, *process, bowl, 1000000);
  const Metrics before = engine.evaluate({.gradient_norm = false, .node_accuracy = false});
  EXPECT_FALSE(before.staleness_mean.has_value());
  EXPECT_FALSE(before.minibatch_loss.has_value());
  EXPECT_DOUBLE_EQ(before.objective.value_or(-1), bowl.value(std::vector<double>(17, 3)));
  for (int k = 0; k < 10; ++k) ASSERT_FALSE(engine.advance().has_value());
  const Metrics metrics = engine.evaluate({.gradient_norm = false, .node_accuracy = false});
  EXPECT_EQ(metrics.round, 10u);
  EXPECT_DOUBLE_EQ(metrics.staleness_mean.value_or(-1), (0 + 1 + 2 + 7 * 3) / 10.0);
  EXPECT_EQ(metrics.staleness_most, 3.0);
  EXPECT_TRUE(metrics.minibatch_loss.has_value());
  EXPECT_FALSE(metrics.consensus_error.has_value()) << "there is one x";
}

TEST(DelaysTest, ALossThatIsNotFiniteIsDivergenceOfItsCore) {
  Bowl bowl({17});
  const Setting setting = setting_of("one block", Hogwild{}, 0, bowl, 3);
  const auto events = FixedDelay{0}.make(3, 1, 1), same = FixedDelay{0}.make(3, 1, 1);
  // From x = 3 one step leads so far that the next loss is no float any more.
  Delays engine(
      setting.method, setting.blocks, 3, [](Node, Round) { return 1e25; }, *events, bowl, 1000000);
  EXPECT_FALSE(engine.advance().has_value());
  const std::optional<Divergence> divergence = engine.advance();
  ASSERT_TRUE(divergence.has_value());
  EXPECT_EQ(divergence->round, 2u);
  EXPECT_EQ(divergence->variable, "the minibatch loss");
  same->next(0);
  EXPECT_EQ(divergence->node, same->next(1).core);
}

TEST(DelaysTest, ALastUpdateThatGoesTooFarIsDivergence) {
  for (const Round updates : {Round{1}, Round{2}}) {
    Bowl bowl({17});
    const Setting setting = setting_of("one block", Hogwild{}, 0, bowl, 1);
    const auto events = FixedDelay{0}.make(1, 1, 1);
    Delays engine(
        setting.method, setting.blocks, 1, [](Node, Round) { return 1e39; }, *events, bowl,
        updates);
    const std::optional<Divergence> divergence = engine.advance();
    // Before the last one it is the next minibatch that tells.
    EXPECT_EQ(divergence.has_value(), updates == 1);
    if (divergence) {
      EXPECT_EQ(divergence->variable, "x");
    }
  }
}

TEST(DelayProcessTest, NoDelayIsLargerThanTheUpdatesBeforeOrTheBound) {
  for (const NamedLaw& law : laws()) {
    const auto process = law.make(4, 3, 1);
    for (Round k = 0; k < 2000; ++k) {
      const DelayEvent event = process->next(k);
      ASSERT_LT(event.core, 4u) << law.name;
      ASSERT_EQ(event.delays.size(), 3u) << law.name;
      EXPECT_FALSE(event.sample.has_value()) << law.name;
      for (const Round delay : event.delays)
        ASSERT_LE(delay, std::min(k, process->most())) << law.name;
    }
    EXPECT_FALSE(process->length().has_value()) << law.name;
  }
}

TEST(DelayProcessTest, ASeedDecidesEverything) {
  for (const NamedLaw& law : laws()) {
    const auto one = law.make(4, 2, 1), same = law.make(4, 2, 1), other = law.make(4, 2, 2);
    int differences = 0;
    for (Round k = 0; k < 500; ++k) {
      const DelayEvent a = one->next(k), b = same->next(k), c = other->next(k);
      EXPECT_EQ(a.core, b.core) << law.name;
      EXPECT_TRUE(std::ranges::equal(a.delays, b.delays)) << law.name;
      differences += a.core != c.core || !std::ranges::equal(a.delays, c.delays);
    }
    EXPECT_GT(differences, 50) << law.name;
  }
}

/// Events after the first ones, whose delays the start limits.
struct Counts {
  std::vector<double> cores, delays;
  double events = 0, blocks = 0;
};

Counts count(DelayProcess& process, std::size_t cores, Round events) {
  Counts counts{std::vector<double>(cores), std::vector<double>(process.most() + 1)};
  for (Round k = 0; k < events + process.most(); ++k) {
    const DelayEvent event = process.next(k);
    if (k < process.most()) continue;
    ++counts.cores[event.core];
    ++counts.events;
    for (const Round delay : event.delays) {
      ++counts.delays.at(delay);
      ++counts.blocks;
    }
  }
  return counts;
}

/// Pearson's statistic against equal chances.
double chi_square(const std::vector<double>& counts) {
  const double expected =
      std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
  double sum = 0;
  for (const double found : counts) sum += (found - expected) * (found - expected) / expected;
  return sum;
}

TEST(DelayProcessTest, UniformDelaysAndCoresAreUniform) {
  const auto process = UniformDelay{7}.make(5, 2, 3);
  EXPECT_EQ(process->most(), 7u);
  EXPECT_DOUBLE_EQ(process->least_chance().value(), 0.2);
  const Counts counts = count(*process, 5, 20000);
  // Seven and four degrees of freedom: chance exceeds these once in a million seeds.
  EXPECT_LT(chi_square(counts.delays), 41);
  EXPECT_LT(chi_square(counts.cores), 34);
}

TEST(DelayProcessTest, GeometricDelaysHaveTheirLawUpToTheBound) {
  constexpr double mean = 4;
  const auto process = GeometricDelay{mean, 12}.make(3, 2, 3);
  EXPECT_EQ(process->most(), 12u);
  const Counts counts = count(*process, 3, 20000);
  double at_least = counts.blocks;
  for (std::size_t d = 0; d < counts.delays.size(); ++d) {
    const double chance = std::pow(mean / (1 + mean), static_cast<double>(d));
    const double deviation = std::sqrt(chance * (1 - chance) / counts.blocks);
    EXPECT_NEAR(at_least / counts.blocks, chance, 5 * deviation + 1e-12) << d;
    at_least -= counts.delays[d];
  }
  EXPECT_EQ(at_least, 0);
}

TEST(DelayProcessTest, FixedDelaysAreFixedOnceThereAreThatManyVersions) {
  const auto process = FixedDelay{3}.make(2, 2, 1);
  EXPECT_EQ(process->most(), 3u);
  EXPECT_DOUBLE_EQ(process->least_chance().value(), 0.5);
  for (Round k = 0; k < 50; ++k) {
    const Round expected = std::min<Round>(k, 3);
    for (const Round delay : process->next(k).delays) EXPECT_EQ(delay, expected);
  }
}

TEST(DelayProcessTest, CoresOfKnownSpeedsTakeTurnsAsAClockWouldHaveIt) {
  // Core 1 ends three updates within one of core 0: at 0.32, 0.65, 0.97; then core 0 at 1.
  const auto process = CoreSpeeds{{1, 3.1}, 0}.make(2, 2, 1);
  const std::vector<Node> cores{1, 1, 1, 0, 1, 1, 1, 0, 1};
  const std::vector<Round> delays{0, 0, 0, 3, 1, 0, 0, 3, 1};
  for (Round k = 0; k < cores.size(); ++k) {
    const DelayEvent event = process->next(k);
    EXPECT_EQ(event.core, cores[k]) << k;
    EXPECT_EQ(event.delays[0], delays[k]) << k;
    EXPECT_EQ(event.delays[1], delays[k]) << k;
  }
}

TEST(DelayProcessTest, SharesOfCoresFollowTheirSpeeds) {
  const auto process = CoreSpeeds{{1, 2, 4}, 0.3}.make(3, 1, 1);
  EXPECT_FALSE(process->least_chance().has_value());
  const Counts counts = count(*process, 3, 14000);
  for (std::size_t core = 0; core < 3; ++core)
    EXPECT_NEAR(counts.cores[core] / counts.events, std::pow(2.0, core) / 7, 0.01) << core;
  const auto equal = CoreSpeeds{{2.5}, 0.2}.make(4, 1, 1);
  EXPECT_FALSE(equal->least_chance().has_value());
}

/// 49 times 1/49 times 98 is a little less than 98 in floating point.
TEST(DelayProcessTest, TiesStayWithinTheBoundOfSpeeds) {
  for (const std::vector<double>& speeds :
       {std::vector<double>{49, 98}, {1, 3, 9}, {0.1, 0.3, 0.7}, {1, 1, 1, 1}}) {
    const auto process = CoreSpeeds{speeds, 0}.make(speeds.size(), 1, 1);
    for (Round k = 0; k < 20000; ++k) ASSERT_LE(process->next(k).delays[0], process->most());
  }
}

TEST(DelayProcessTest, TheBoundOfSpeedsIsNeverExceeded) {
  Random random(7, Purpose::delays);
  for (int trial = 0; trial < 12; ++trial) {
    CoreSpeeds rule{std::vector<double>(2 + random.below(5)), 0.9 * random.uniform()};
    for (double& speed : rule.speeds) speed = 0.2 + 5 * random.uniform();
    const auto process = rule.make(rule.speeds.size(), 1, random());
    const Round most = process->most();
    Round largest = 0;
    for (Round k = 0; k < 20000; ++k) largest = std::max(largest, process->next(k).delays[0]);
    EXPECT_LE(largest, most) << ::testing::PrintToString(rule.speeds) << " " << rule.jitter;
    EXPECT_GE(largest, 1u);
  }
}

TEST(DelayProcessTest, TooFewSpeedsForTheCoresIsOneLine) {
  const auto error = [](std::vector<double> speeds, std::size_t cores) {
    return user_error_of([&] { CoreSpeeds{speeds, 0}.make(cores, 1, 1); });
  };
  EXPECT_TRUE(says(error({1, 2}, 3), "engine.delay.speeds: 2 numbers for 3 cores"));
  EXPECT_TRUE(says(error({}, 2), "engine.delay.speeds: 0 numbers for 2 cores"));
  EXPECT_EQ(error({1}, 2), "");
  EXPECT_EQ(error({1, 2}, 2), "");
  EXPECT_EQ(error({1, 2, 3}, 2), "");
}

class TracedDelaysTest : public ::testing::Test {
 protected:
  /// The process that a file with this text makes.
  std::unique_ptr<DelayProcess> made_of(const std::string& text, std::size_t cores,
                                        std::size_t blocks) const {
    return TracedDelays{folder_.write("trace.csv", text).string()}.make(cores, blocks, 1);
  }
  std::string error_of(const std::string& text, std::size_t cores, std::size_t blocks) const {
    return user_error_of([&] { made_of(text, cores, blocks); });
  }

  const std::string three_updates =
      "core,block,sample,seconds,delay_0,delay_1\n"
      "0,0,1,0.1,0,0\n"
      "1,1,12,0.2,1,0\n"
      "0,0,3,0.3,0,2\n";

 private:
  TempFolder folder_;
};

TEST_F(TracedDelaysTest, AreThoseOfTheFile) {
  const auto process = made_of(three_updates, 2, 2);
  EXPECT_EQ(process->length(), Round{3});
  EXPECT_EQ(process->most(), 2u);
  EXPECT_FALSE(process->least_chance().has_value());
  EXPECT_EQ(process->next(0).core, 0u);
  const DelayEvent second = process->next(1);
  EXPECT_EQ(second.core, 1u);
  EXPECT_EQ(second.sample, Round{12});
  EXPECT_TRUE(std::ranges::equal(second.delays, std::vector<Round>{1, 0}));
  const DelayEvent third = process->next(2);
  EXPECT_EQ(third.core, 0u);
  EXPECT_EQ(third.sample, Round{3});
  EXPECT_TRUE(std::ranges::equal(third.delays, std::vector<Round>{0, 2}));
}

TEST_F(TracedDelaysTest, AFileThatDoesNotFitIsOneLine) {
  EXPECT_TRUE(
      says(user_error_of([] { TracedDelays{}.make(1, 1, 1); }), "engine.delay.path: empty"));
  EXPECT_TRUE(
      says(error_of(three_updates, 2, 3), "has delays of 2 blocks, the method makes 3 of x"));
  EXPECT_TRUE(says(error_of(three_updates, 1, 2), "trace.csv:3: core = 1: there are 1 cores"));
  EXPECT_TRUE(says(error_of("nothing\n", 2, 2), "trace.csv:1: must be the header"));
}

TEST(BlockHistoryTest, HasEveryVersionThatDelaysCanReach) {
  constexpr std::array<Round, 4> reaches{0, 1, 5, 16};
  for (const Round most : reaches) {
    Random random(most, Purpose::delays);
    std::vector<float> x{1, 2, 3, 4, 5};
    BlockHistory history(x, most);
    std::vector<std::vector<float>> all{x};
    for (Round k = 1; k <= 300; ++k) {
      if (random.below(3) > 0) {
        const std::span<float> next = history.add(k);
        ASSERT_TRUE(std::ranges::equal(next, x)) << "begins as a copy";
        for (float& value : next) value += static_cast<float>(random.uniform());
        x.assign(next.begin(), next.end());
      }
      all.push_back(x);
      ASSERT_TRUE(std::ranges::equal(history.newest(), x));
      for (Round delay = 0; delay <= std::min(most, k); ++delay)
        ASSERT_TRUE(std::ranges::equal(history.at(k - delay), all[k - delay]))
            << delay << " before " << k << ", at most " << most;
    }
  }
}

/// A recorded run with real threads, and its events replayed by the model.
struct Replay {
  ThreadsResult real;
  Trajectory<float> model;
};

Replay replay(const Asynchronous& method, float momentum, Bowl& bowl, std::size_t cores) {
  constexpr Round updates = 400;
  const Setting setting = setting_of("replay", method, momentum, bowl, cores);
  const ThreadsPlan plan{.method = setting.method,
                         .cores = cores,
                         .blocks = setting.blocks,
                         .step_size = falling,
                         .updates = updates,
                         .access = fast_access().value_or(strict_access()),
                         .trace = true};
  Replay both;
  both.real = run_threads(plan, bowl, {.evaluated = [](const Metrics&) {}});
  std::string text;
  write_trace(both.real.trace.value(), is_partitioned(method),
              [&](std::string_view piece) { text += piece; });
  const TempFolder folder;
  const TracedDelays events{folder.write("trace.csv", text).string()};
  both.model = run_engine(bowl, setting, *events.make(cores, setting.blocks.size(), 1), updates);
  return both;
}

/// Eight tensors, so that eight cores can own one each.
Bowl large_bowl() {
  Bowl bowl({200, 100, 1, 150, 90, 200, 40, 219});
  bowl.slow_down();
  return bowl;
}

void expect_bit_for_bit(const Asynchronous& method, std::span<const std::size_t> core_counts) {
  Bowl bowl = large_bowl();
  for (const std::size_t cores : core_counts)
    for (const float momentum : {0.0f, 0.9f}) {
      SCOPED_TRACE(std::to_string(cores) + " cores, m = " + std::to_string(momentum));
      const Replay both = replay(method, momentum, bowl, cores);
      EXPECT_TRUE(both.model.x.back() == both.real.x);
      EXPECT_TRUE(both.model.u == both.real.u);
      EXPECT_FALSE(both.model.x.back() == both.model.x.front()) << "nothing has happened";
    }
}

constexpr std::array<std::size_t, 4> one_to_eight{1, 2, 4, 8};
constexpr std::array<std::size_t, 1> one{1};

TEST(ReplayTest, ARunWithConsistentReadsIsReplayedBitForBit) {
  expect_bit_for_bit(AssmConsistent{}, one_to_eight);
}

TEST(ReplayTest, ARunThatReadsAndWritesBlocksAsAWholeIsReplayedBitForBit) {
  expect_bit_for_bit(PassmLocked{}, one_to_eight);
}

TEST(ReplayTest, ARunOfOneCoreIsReplayedBitForBit) {
  for (const Asynchronous& method :
       {Asynchronous{Sgd{}}, Asynchronous{Hogwild{}}, Asynchronous{Assm{}}, Asynchronous{Passm{}}})
    expect_bit_for_bit(method, one);
}

TEST(ReplayTest, AFreeRunIsReplayedUpToWritesDuringReads) {
  Bowl bowl = large_bowl();
  for (const Asynchronous& method :
       {Asynchronous{Hogwild{}}, Asynchronous{Assm{}}, Asynchronous{Passm{}}}) {
    const Replay both = replay(method, 0, bowl, 4);
    const double real = bowl.value({both.real.x.begin(), both.real.x.end()});
    const std::vector<float>& x = both.model.x.back();
    EXPECT_NEAR(bowl.value({x.begin(), x.end()}), real, 0.05 * real) << method.partition;
    EXPECT_LT(real, 0.5 * bowl.value(std::vector<double>(bowl.dimension(), 3)));
  }
}

}  // namespace
}  // namespace starling
