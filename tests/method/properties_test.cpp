/// What theory says about every method, on random graphs and losses: conserved means, one node
/// alone, exact averages, renamed nodes, contraction. All is checked against computations made here
/// in double precision.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <valarray>
#include <vector>

#include "method_support.hpp"
#include "reference.hpp"
#include "starling/base/random.hpp"
#include "starling/engine/pool.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/experiment/catalogue.hpp"

namespace starling {
namespace {

using reference::Matrix;
using reference::Nodes;
using reference::Options;
using reference::Vector;

// Methods and instances ---------------------------------------------------------------------------

/// Options that make every part of a method count; exact in single precision.
Options options_of(const std::string& name) {
  constexpr double epsilon = 0.0078125;
  static const std::map<std::string, Options> options{
      {"dsgd-m", {{"tau", 2}}},
      {"dsignsgd", {{"tau", 2}}},
      {"dsgd-m-local", {{"beta", 0.75}}},
      {"qg-dsgdm", {{"momentum", 0.75}}},
      {"cdsgd-p", {{"momentum", 0.75}}},
      {"cdsgd-p-published", {{"momentum", 0.75}}},
      {"cdsgd-n", {{"momentum", 0.75}}},
      {"cdsgd-n-textbook", {{"momentum", 0.75}}},
      {"dgd-clip", {{"threshold", 0.75}}},
      {"clipped-tracking", {{"threshold", 0.75}}},
      {"clipped-tracking-atc", {{"threshold", 0.75}}},
      {"local-sgd", {{"every", 3}}},
      {"amsgrad", {{"beta1", 0.5}, {"beta2", 0.75}, {"epsilon", epsilon}}},
      {"adagrad", {{"beta1", 0.5}, {"epsilon", epsilon}}},
      {"adam", {{"beta1", 0.5}, {"beta2", 0.75}, {"epsilon", epsilon}}},
      {"dadam", {{"beta1", 0.5}, {"beta2", 0.75}, {"beta3", 0.5}, {"epsilon", epsilon}}}};
  const auto found = options.find(name);
  return found == options.end() ? Options{} : found->second;
}

std::vector<std::string> all_methods() {
  std::vector<std::string> names;
  for (const auto& entry : methods()) names.emplace_back(entry.name);
  return names;
}

bool mixes_with_w_only(const RowUpdate& update) {
  return std::ranges::all_of(update.mixing(),
                             [](Mixing mixing) { return mixing == Mixing::doubly; });
}

const MixingWeights& weights_of(const RowUpdate& update, const Instance& instance) {
  return mixes_with_w_only(update) ? instance.doubly : instance.directed;
}

/// A random instance whose R and C live on a strongly connected directed graph: i hears i - 1 (mod
/// N), and each other node by chance.
Instance directed_instance(std::size_t nodes, std::size_t dimension, unsigned seed) {
  Random random(seed, Purpose::graph);
  reference::Adjacency hears(nodes, std::vector<int>(nodes, 0));
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t j = 0; j < nodes; ++j)
      if (i != j && ((j + 1) % nodes == i || random.uniform() < 0.2)) hears[i][j] = 1;
  const Instance undirected = random_instance(nodes, dimension, seed);
  return instance_of(undirected.losses, undirected.setting.start[0], undirected.setting.w,
                     reference::uniform_weights(hears), reference::uniform_column_weights(hears));
}

/// A random instance on the complete graph with weights 1/N, with the loss of node 0 on all nodes
/// where `equal_data`.
Instance complete_instance(std::size_t nodes, std::size_t dimension, unsigned seed,
                           bool equal_data) {
  const Instance random = random_instance(nodes, dimension, seed);
  reference::QuarticLosses losses = random.losses;
  for (std::size_t i = 1; equal_data && i < nodes; ++i) {
    losses.curvature[i] = losses.curvature[0];
    losses.center[i] = losses.center[0];
    losses.quartic[i] = losses.quartic[0];
  }
  const Matrix equal(nodes, Vector(nodes, 1 / static_cast<double>(nodes)));
  return instance_of(losses, random.setting.start[0], equal, equal, equal);
}

/// A step size that falls slowly.
double falling(int k) { return 0.08 / std::sqrt(k + 3.0); }

::testing::Message where(const std::string& name, std::size_t nodes, unsigned seed) {
  return ::testing::Message() << name << " on a graph of " << nodes << " nodes, seed " << seed;
}

// Running the library -----------------------------------------------------------------------------

using Look = std::function<void(int round, const Simulation&)>;

/// Runs a method and shows the simulation to `look` after every round.
void run_rounds(const RowUpdate& update, Instance& instance, const MixingWeights& weights,
                const reference::Schedule& step, int rounds, const Look& look) {
  Pool pool(1);
  Simulation simulation(
      update, instance.problem, weights, [&](Round k) { return step(static_cast<int>(k)); }, pool);
  for (int k = 1; k <= rounds; ++k) {
    ASSERT_FALSE(simulation.advance().has_value()) << "round " << k;
    look(k, simulation);
  }
}

/// A variable of all nodes, by its name.
Nodes rows_of(const Simulation& simulation, const RowUpdate& update, std::string_view name) {
  const auto names = update.variables();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::out_of_range(std::string{name});
  const NodeRows& rows = simulation.state()[static_cast<std::size_t>(found - names.begin())];
  Nodes result;
  for (std::size_t i = 0; i < rows.nodes(); ++i) {
    const auto row = rows.row(i);
    result.emplace_back(row.begin(), row.end());
  }
  return result;
}

/// x of all nodes after 0, 1, ... rounds.
reference::Trajectory run_method(const RowUpdate& update, Instance& instance,
                                 const reference::Schedule& step, int rounds) {
  reference::Trajectory x(1, instance.setting.start);
  run_rounds(
      update, instance, weights_of(update, instance), step, rounds,
      [&](int, const Simulation& simulation) { x.push_back(rows_of(simulation, update, "x")); });
  return x;
}

/// Expects two trajectories to agree in every round.
void expect_close(const reference::Trajectory& found, const reference::Trajectory& expected,
                  double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k)
    ASSERT_LE(relative_error(found[k], expected[k]), tolerance) << "round " << k;
}

// Means -------------------------------------------------------------------------------------------

/// sum_i weights_i rows_i / sum_i weights_i.
Vector weighted_mean(const Nodes& rows, const Vector& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  Vector mean(rows.at(0).size(), 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t l = 0; l < mean.size(); ++l) mean[l] += weights.at(i) * rows[i][l] / total;
  return mean;
}

Vector mean_of(const Nodes& rows) { return weighted_mean(rows, Vector(rows.size(), 1.0)); }

/// The largest |a_l - b_l|; infinity where one is not a number.
double largest_difference(const Vector& a, const Vector& b) {
  double largest = 0;
  for (std::size_t l = 0; l < a.size(); ++l) {
    const double difference = std::abs(a[l] - b.at(l));
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

/// The largest magnitude of an entry.
double size_of(const Nodes& rows) {
  double largest = 0;
  for (const Vector& row : rows)
    largest = std::max(largest, largest_difference(row, Vector(row.size(), 0.0)));
  return largest;
}

Nodes gradients_at(const Instance& instance, const Nodes& x) {
  Nodes g;
  for (std::size_t i = 0; i < x.size(); ++i)
    g.push_back(instance.losses.gradient(static_cast<int>(i), x[i]));
  return g;
}

TEST(Properties, MeanOfWhatIsTrackedIsTheMeanOfTheSubgradients) {
  const std::vector<std::string> names{"dsgd-t",    "dgt",           "clipped-tracking",
                                       "push-pull", "push-pull-cta", "clipped-tracking-atc"};
  for (const std::string& name : names)
    for (unsigned seed = 1; seed <= 5; ++seed) {
      const std::size_t nodes = 2 + 2 * seed;
      SCOPED_TRACE(where(name, nodes, seed));
      Instance instance = directed_instance(nodes, 3 * seed, seed);
      const auto update = method_of(name, options_of(name));
      double size = 0;
      run_rounds(*update, instance, weights_of(*update, instance), falling, 40,
                 [&](int k, const Simulation& simulation) {
                   const Nodes y = rows_of(simulation, *update, "y");
                   const Nodes g = gradients_at(instance, rows_of(simulation, *update, "x"));
                   size = std::max(size, size_of(y));
                   EXPECT_LE(largest_difference(mean_of(y), mean_of(g)), 3e-6 * size)
                       << "round " << k;
                 });
    }
}

/// vhat_t of one coordinate from vhat_{t-1} and g; v is what AMSGrad and DADAM keep.
double second_moment(const std::string& name, const Options& options, int t, double v_hat,
                     double& v, double g) {
  if (name == "adagrad") return ((t - 1) * v_hat + g * g) / t;
  const double beta2 = options.at("beta2");
  if (name == "adam") return beta2 * v_hat + (1 - beta2) * g * g;
  v = beta2 * v + (1 - beta2) * g * g;
  if (name == "amsgrad") return std::max(v_hat, v);
  const double beta3 = options.at("beta3");
  return beta3 * v_hat + (1 - beta3) * std::max(v_hat, v);
}

TEST(Properties, MeanOfAdaptiveDenominatorsIsTheMeanOfSecondMoments) {
  const std::vector<std::string> names{"amsgrad", "adagrad", "adam"};
  for (const std::string& name : names)
    for (unsigned seed = 1; seed <= 5; ++seed) {
      const std::size_t nodes = 2 + 2 * seed;
      SCOPED_TRACE(where(name, nodes, seed));
      Instance instance = random_instance(nodes, 3 * seed, seed);
      const Options options = options_of(name);
      const auto update = method_of(name, options);
      Nodes x = instance.setting.start;
      Nodes v(nodes, Vector(3 * seed, 0.0));
      Nodes v_hat(nodes, Vector(3 * seed, options.at("epsilon")));
      double size = 0;
      run_rounds(*update, instance, instance.doubly, falling, 40,
                 [&](int k, const Simulation& simulation) {
                   const Nodes g = gradients_at(instance, x);
                   for (std::size_t i = 0; i < nodes; ++i)
                     for (std::size_t l = 0; l < g[i].size(); ++l)
                       v_hat[i][l] = second_moment(name, options, k, v_hat[i][l], v[i][l], g[i][l]);
                   size = std::max(size, size_of(v_hat));
                   const Vector u = mean_of(rows_of(simulation, *update, "u"));
                   EXPECT_LE(largest_difference(u, mean_of(v_hat)), 3e-6 * size) << "round " << k;
                   x = rows_of(simulation, *update, "x");
                 });
    }
}

TEST(Properties, PushSumConservesWeightAndWeightedMean) {
  constexpr int moving = 5;  // rounds with steps; in the rest the nodes only average
  constexpr int rounds = 300;
  for (unsigned seed = 1; seed <= 5; ++seed) {
    const std::size_t nodes = 2 + 2 * seed;
    SCOPED_TRACE(where("sgp", nodes, seed));
    Instance instance = directed_instance(nodes, 3 * seed, seed);
    const auto update = method_of("sgp", {});
    Nodes w(nodes, Vector(1, 1.0));  // 1, C 1, C^2 1, ...
    Vector conserved;
    run_rounds(
        *update, instance, instance.directed, [](int k) { return k <= moving ? falling(k) : 0; },
        rounds,
        [&](int k, const Simulation& simulation) {
          w = reference::mix(instance.setting.c, w);
          const auto found = simulation.push_weights();
          const Vector weights(found.begin(), found.end());
          const auto total = static_cast<double>(nodes);
          ASSERT_EQ(weights.size(), nodes);
          EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), total, 1e-6 * total);
          for (std::size_t i = 0; i < nodes; ++i) EXPECT_NEAR(weights[i], w[i][0], 1e-5);

          const Nodes x = rows_of(simulation, *update, "x");
          if (k == moving) conserved = weighted_mean(x, weights);
          if (k <= moving) return;
          EXPECT_LE(largest_difference(weighted_mean(x, weights), conserved), 1e-5 * size_of(x));
          for (std::size_t i = 0; k == rounds && i < nodes; ++i)
            EXPECT_LE(largest_difference(x[i], conserved), 1e-4 * size_of(x)) << "node " << i;
        });
  }
}

// One node alone ----------------------------------------------------------------------------------

using Point = std::valarray<double>;
using Points = std::vector<Point>;  ///< after 0, 1, ... rounds

/// All that a method of one machine needs.
struct Alone {
  std::function<Point(const Point&)> g;
  reference::Schedule step;
  Point start;
  int rounds;
};

/// Repeats `next(k, x)`, which replaces x by the next one.
Points repeat(const Alone& f, const std::function<void(int k, Point& x)>& next) {
  Points points(1, f.start);
  for (int k = 1; k <= f.rounds; ++k) {
    Point x = points.back();
    next(k, x);
    points.push_back(x);
  }
  return points;
}

/// Subgradient descent; no step is longer than step threshold.
Points descent(const Alone& f, double threshold) {
  return repeat(f, [&](int k, Point& x) {
    const Point g = f.g(x);
    const Point squares = g * g;
    x -= f.step(k) * std::min(1.0, threshold / std::sqrt(squares.sum())) * g;
  });
}

/// Polyak: x^{k+1} = x^k - step g(x^k) + momentum (x^k - x^{k-1}).
Points heavy_ball(const Alone& f, double momentum) {
  Point before = f.start;
  return repeat(f, [&](int k, Point& x) {
    const Point now = x;
    x += momentum * (now - before) - f.step(k) * f.g(now);
    before = now;
  });
}

/// Nesterov: x^{k+1} = z^k - step g(z^k), z^k = x^k + momentum (x^k - x^{k-1}). Gives the x, or the
/// z where `looked_at`.
Points nesterov(const Alone& f, double momentum, bool looked_at) {
  Point now = f.start;  // of the x
  Point before = f.start;
  return repeat(f, [&](int k, Point& result) {
    const Point z = now + momentum * (now - before);
    before = now;
    now = z - f.step(k) * f.g(z);
    result = looked_at ? Point(now + momentum * (now - before)) : now;
  });
}

double sign_of(double value) { return static_cast<double>((value > 0) - (value < 0)); }

/// Along an average y of the subgradients before, or its sign.
Points averaged(const Alone& f, double tau, bool sign) {
  Point y(0.0, f.start.size());
  return repeat(f, [&](int k, Point& x) {
    const Point g = f.g(x);
    const Point direction = sign ? Point(y.apply(sign_of)) : y;
    x -= f.step(k) * direction;
    y = (1 - tau * f.step(k)) * y + tau * f.step(k) * g;
  });
}

/// Along an average m of the subgradients, this round's included.
Points with_momentum(const Alone& f, double beta) {
  Point m(0.0, f.start.size());
  return repeat(f, [&](int k, Point& x) {
    m = beta * m + (1 - beta) * f.g(x);
    x -= f.step(k) * m;
  });
}

/// QG-DSGDm: what moved x is momentum m + g itself, so m+ = momentum (2 - momentum) m +
/// (1 - momentum) g.
Points quasi_global(const Alone& f, double momentum) {
  Point m(0.0, f.start.size());
  return repeat(f, [&](int k, Point& x) {
    const Point g = f.g(x);
    x -= f.step(k) * (momentum * m + g);
    m = momentum * (2 - momentum) * m + (1 - momentum) * g;
  });
}

/// Steps over the root of the second moment: DADAM's of this round, otherwise that of the round
/// before (Chen et al., Algorithm 2).
Points adaptive(const Alone& f, const std::string& name, const Options& options) {
  const double beta1 = options.at("beta1");
  const double epsilon = options.at("epsilon");
  Point m(0.0, f.start.size());
  Point v = m;
  Point v_hat(epsilon, m.size());
  return repeat(f, [&](int k, Point& x) {
    const Point g = f.g(x);
    m = beta1 * m + (1 - beta1) * g;
    for (std::size_t l = 0; l < x.size(); ++l) {
      const double before = v_hat[l];
      v_hat[l] = second_moment(name, options, k, before, v[l], g[l]);
      const double u = name == "dadam" ? v_hat[l] : std::max(before, epsilon);
      x[l] -= f.step(k) * m[l] / std::sqrt(u);
    }
  });
}

/// What a method is where there is one node; empty where nobody has written it down here.
Points alone(const std::string& name, const Options& options, const Alone& f) {
  const auto is = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (is({"dgd", "dsgd", "cdsgd", "dsgd-atc", "local-sgd", "centralized", "sgp", "d2", "extra",
          "dsgd-t", "dgt", "push-pull", "push-pull-cta"}))
    return descent(f, std::numeric_limits<double>::infinity());
  if (is({"dgd-clip", "clipped-tracking", "clipped-tracking-atc"}))
    return descent(f, options.at("threshold"));
  if (is({"cdsgd-p", "cdsgd-p-published"})) return heavy_ball(f, options.at("momentum"));
  if (is({"cdsgd-n-textbook"})) return nesterov(f, options.at("momentum"), false);
  if (is({"cdsgd-n"})) return nesterov(f, options.at("momentum"), true);
  if (is({"dsgd-m"})) return averaged(f, options.at("tau"), false);
  if (is({"dsignsgd"})) return averaged(f, options.at("tau"), true);
  if (is({"dsgd-m-local"})) return with_momentum(f, options.at("beta"));
  if (is({"qg-dsgdm"})) return quasi_global(f, options.at("momentum"));
  if (is({"amsgrad", "adagrad", "adam", "dadam"})) return adaptive(f, name, options);
  return {};
}

/// The trajectory of as many nodes that all do what node 0 would do alone.
reference::Trajectory alone_on_all_nodes(const std::string& name, const Instance& instance,
                                         int rounds) {
  const Vector& start = instance.setting.start[0];
  const Alone f{.g =
                    [&](const Point& x) {
                      const Vector point(std::begin(x), std::end(x));
                      const Vector g = instance.losses.gradient(0, point);
                      return Point(g.data(), g.size());
                    },
                .step = falling,
                .start = Point(start.data(), start.size()),
                .rounds = rounds};
  reference::Trajectory trajectory;
  for (const Point& x : alone(name, options_of(name), f)) {
    const Vector row(std::begin(x), std::end(x));
    trajectory.emplace_back(instance.setting.start.size(), row);
  }
  return trajectory;
}

TEST(Properties, OneNodeIsTheTextbookMethod) {
  for (const std::string& name : all_methods())
    for (unsigned seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(where(name, 1, seed));
      Instance instance = random_instance(1, 5 * seed, seed);
      const reference::Trajectory expected = alone_on_all_nodes(name, instance, 40);
      ASSERT_FALSE(expected.empty()) << "the method's textbook form is to be added to alone()";
      const auto update = method_of(name, options_of(name));
      expect_close(run_method(*update, instance, falling, 40), expected, 1e-4);
    }
}

// Exact averages ----------------------------------------------------------------------------------

/// Few, because D^2 and EXTRA add up rounding errors from round to round.
constexpr int few_rounds = 12;

/// Another method, with its options, run with exact averages.
std::unique_ptr<RowUpdate> centralized(const std::string& of) {
  Table chosen = table_of(options_of(of));
  chosen.set("name", Value::of(of));
  Table table;
  table.set("of", Value{.data = chosen});
  return method_from("centralized", table);
}

TEST(Properties, EqualDataOnCompleteGraphIsExactAveragingAndTheTextbookMethod) {
  for (const std::string& name : all_methods())
    for (unsigned seed = 1; seed <= 3; ++seed) {
      const std::size_t nodes = 2 + seed;
      const auto update = method_of(name, options_of(name));
      if (name == "centralized" || !mixes_with_w_only(*update)) continue;
      SCOPED_TRACE(where(name, nodes, seed));
      Instance instance = complete_instance(nodes, 5 * seed, seed, true);
      const auto mixed = run_method(*update, instance, falling, few_rounds);
      const auto averaged_exactly = run_method(*centralized(name), instance, falling, few_rounds);
      expect_close(mixed, averaged_exactly, 1e-5);
      expect_close(averaged_exactly, alone_on_all_nodes(name, instance, few_rounds), 1e-4);
    }
}

TEST(Properties, DifferentDataOnCompleteGraphIsExactAveraging) {
  for (const std::string& name : all_methods())
    for (unsigned seed = 1; seed <= 3; ++seed) {
      const std::size_t nodes = 2 + seed;
      const auto update = method_of(name, options_of(name));
      if (name == "centralized" || !mixes_with_w_only(*update)) continue;
      SCOPED_TRACE(where(name, nodes, seed));
      Instance instance = complete_instance(nodes, 5 * seed, seed, false);
      const auto mixed = run_method(*update, instance, falling, few_rounds);
      expect_close(mixed, run_method(*centralized(name), instance, falling, few_rounds), 1e-5);
    }
}

// Renamed nodes -----------------------------------------------------------------------------------

/// The same instance where node i is called to[i].
Instance renamed(const Instance& from, const std::vector<std::size_t>& to) {
  reference::QuarticLosses losses = from.losses;
  Matrix w = from.setting.w, r = from.setting.r, c = from.setting.c;
  for (std::size_t i = 0; i < to.size(); ++i) {
    losses.curvature[to[i]] = from.losses.curvature[i];
    losses.center[to[i]] = from.losses.center[i];
    losses.quartic[to[i]] = from.losses.quartic[i];
    for (std::size_t j = 0; j < to.size(); ++j) {
      w[to[i]][to[j]] = from.setting.w[i][j];
      r[to[i]][to[j]] = from.setting.r[i][j];
      c[to[i]][to[j]] = from.setting.c[i][j];
    }
  }
  return instance_of(losses, from.setting.start[0], w, r, c);
}

TEST(Properties, RenamingTheNodesRenamesTheResult) {
  for (const std::string& name : all_methods())
    for (unsigned seed = 1; seed <= 3; ++seed) {
      const std::size_t nodes = 3 + 3 * seed;
      SCOPED_TRACE(where(name, nodes, seed));
      std::vector<std::size_t> to(nodes);
      std::iota(to.begin(), to.end(), std::size_t{0});
      Random random(seed, Purpose::graph, 0, 1);
      random.shuffle(std::span<std::size_t>(to));
      ASSERT_FALSE(std::is_sorted(to.begin(), to.end()));

      Instance instance = directed_instance(nodes, 4 * seed, seed);
      Instance other = renamed(instance, to);
      const auto update = method_of(name, options_of(name));
      const reference::Trajectory expected = run_method(*update, instance, falling, 50);
      reference::Trajectory found = run_method(*update, other, falling, 50);
      for (Nodes& x : found) {
        Nodes named_back;
        for (const std::size_t new_name : to) named_back.push_back(x[new_name]);
        x = named_back;
      }
      expect_close(found, expected, 1e-4);
    }
}

// Contraction -------------------------------------------------------------------------------------

/// The mean squared distance of the nodes to their average.
double consensus_error(const Nodes& x) {
  const Vector mean = mean_of(x);
  double sum = 0;
  for (const Vector& row : x)
    for (std::size_t l = 0; l < mean.size(); ++l) sum += (row[l] - mean[l]) * (row[l] - mean[l]);
  return sum / static_cast<double>(x.size());
}

/// lambda^2, the square of the second largest |eigenvalue| of a symmetric W: how much W shrinks the
/// consensus error of the vector that power iteration ends with.
double squared_lambda(const Matrix& w, unsigned seed) {
  Random random(seed, Purpose::start);
  Nodes v(w.size(), Vector(1));
  for (Vector& row : v) row[0] = random.normal();
  double factor = 0;
  for (int k = 0; k < 500; ++k) {
    const double mean = mean_of(v)[0];
    const double size = std::sqrt(consensus_error(v));
    for (Vector& row : v) row[0] = (row[0] - mean) / size;
    v = reference::mix(w, v);
    factor = consensus_error(v);
  }
  return factor;
}

TEST(Properties, ZeroStepsShrinkTheConsensusErrorByLambdaSquared) {
  constexpr int moving = 3;  // rounds that drive the nodes apart
  const std::vector<std::pair<std::string, Options>> averaging{
      {"dgd", {}}, {"dsgd-atc", {}}, {"sgp", {}}, {"local-sgd", {{"every", 1}}}};
  for (const auto& [name, options] : averaging)
    for (unsigned seed = 1; seed <= 8; ++seed) {
      const std::size_t nodes = 4 + seed;
      SCOPED_TRACE(where(name, nodes, seed));
      Instance instance = random_instance(nodes, 1 + seed % 4, seed);
      const double factor = squared_lambda(instance.setting.w, seed);
      ASSERT_LT(factor, 1);
      const auto update = method_of(name, options);
      double before = 0;
      run_rounds(
          *update, instance, instance.doubly, [](int k) { return k <= moving ? 0.2 : 0.0; },
          moving + 8,
          [&](int k, const Simulation& simulation) {
            const double now = consensus_error(rows_of(simulation, *update, "x"));
            if (k == moving) {
              EXPECT_GT(now, 1e-4) << "nothing to contract";
            }
            if (k > moving) {
              EXPECT_LE(now, factor * before * (1 + 1e-3) + 1e-12) << "round " << k;
            }
            before = now;
          });
    }
}

}  // namespace
}  // namespace starling
