#include "starling/engine/evaluate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "starling/base/random.hpp"
#include "starling/engine/sums.hpp"
#include "starling/problem/least_norm.hpp"

namespace starling {
namespace {

/// Columns summed at a time.
constexpr std::size_t stretch = 1024;

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Calls use(first, count, sums) for each stretch of columns, with the sums over all rows.
void for_each_stretch(const NodeRows& rows, Pool& pool, const auto& use) {
  const std::size_t stretches = (rows.dimension() + stretch - 1) / stretch;
  pool.run(stretches, [&](std::size_t, std::size_t task) {
    const std::size_t first = task * stretch, count = std::min(stretch, rows.dimension() - first);
    std::array<double, stretch> sums{};
    for (std::size_t i = 0; i < rows.nodes(); ++i) {
      const float* row = rows.row(i).data() + first;
      for (std::size_t c = 0; c < count; ++c) sums[c] += double{row[c]};
    }
    use(first, count, sums);
  });
}

/// The mean of the nodes' losses at a point; their subgradients go to `scratch` where wanted.
double objective_at(std::span<const float> point, bool subgradients, const Measured& measured) {
  std::vector<double> objectives(measured.x.nodes());
  measured.pool.run(objectives.size(), [&](std::size_t worker, std::size_t node) {
    const std::span<float> g = subgradients ? measured.scratch.row(node) : std::span<float>{};
    objectives[node] = measured.oracles[worker]->objective(static_cast<Node>(node), point, g);
  });
  return sum(objectives) / static_cast<double>(objectives.size());
}

double consensus_error(std::span<const float> average, const Measured& measured) {
  std::vector<double> distances(measured.x.nodes());
  measured.pool.run(distances.size(), [&](std::size_t, std::size_t node) {
    const float* x = measured.x.row(node).data();
    distances[node] = sum_of(average.size(), [&](std::size_t c) {
      const double difference = double{x[c]} - double{average[c]};
      return difference * difference;
    });
  });
  return sum(distances) / static_cast<double>(distances.size());
}

/// The length of the mean of the subgradients in `scratch`.
double gradient_norm(const Measured& measured) {
  std::vector<double> squares((measured.x.dimension() + stretch - 1) / stretch);
  for_each_stretch(measured.scratch, measured.pool,
                   [&](std::size_t first, std::size_t count, const auto& sums) {
                     for (std::size_t c = 0; c < count; ++c)
                       squares[first / stretch] += sums[c] * sums[c];
                   });
  return std::sqrt(sum(squares)) / static_cast<double>(measured.x.nodes());
}

/// A random point of the ball around `center`. The same directions in all rounds and runs: what
/// changes is where they start from.
std::vector<float> nearby(std::span<const float> center, double radius, Node sample) {
  Random random(0, Purpose::stationarity, sample);
  std::vector<double> direction(center.size());
  for (double& value : direction) value = random.normal();
  const double length =
      std::sqrt(std::inner_product(direction.begin(), direction.end(), direction.begin(), 0.0));
  const double reach =
      radius * std::pow(random.uniform(), 1 / static_cast<double>(center.size())) / length;
  std::vector<float> point(center.size());
  for (std::size_t c = 0; c < point.size(); ++c)
    point[c] = static_cast<float>(double{center[c]} + reach * direction[c]);
  return point;
}

/// The least norm in the convex hull of the objective's subgradients at points around the average.
double stationarity(std::span<const float> average, double radius, const Measured& measured) {
  const std::size_t dimension = average.size(), samples = 2 * (dimension + 1);
  std::vector<double> subgradients(samples * dimension);
  for (std::size_t s = 0; s < samples; ++s) {
    objective_at(nearby(average, radius, static_cast<Node>(s)), true, measured);
    for_each_stretch(measured.scratch, measured.pool,
                     [&](std::size_t first, std::size_t count, const auto& sums) {
                       for (std::size_t c = 0; c < count; ++c)
                         subgradients[s * dimension + first + c] =
                             sums[c] / static_cast<double>(measured.x.nodes());
                     });
  }
  const std::vector<double> least = least_norm_point(subgradients, dimension);
  return std::sqrt(std::inner_product(least.begin(), least.end(), least.begin(), 0.0));
}

void measure_accuracy(std::span<const float> average, bool of_nodes, const Measured& measured,
                      Metrics& metrics) {
  const std::size_t nodes = measured.x.nodes();
  std::vector<std::optional<double>> accuracies(of_nodes ? nodes + 1 : 1);
  measured.pool.run(accuracies.size(), [&](std::size_t worker, std::size_t task) {
    accuracies[task] =
        measured.oracles[worker]->accuracy(task == 0 ? average : measured.x.row(task - 1));
  });
  metrics.test_accuracy = accuracies[0];
  if (!of_nodes || !accuracies[0]) return;
  double total = 0, least = 1;
  for (std::size_t i = 1; i <= nodes; ++i) {
    total += *accuracies[i];
    least = std::min(least, *accuracies[i]);
  }
  metrics.node_accuracy_mean = total / static_cast<double>(nodes);
  metrics.node_accuracy_min = least;
}

}  // namespace

std::vector<float> average_of(const NodeRows& rows, Pool& pool) {
  std::vector<float> average(rows.dimension());
  for_each_stretch(rows, pool, [&](std::size_t first, std::size_t count, const auto& sums) {
    for (std::size_t c = 0; c < count; ++c)
      average[first + c] = static_cast<float>(sums[c] / static_cast<double>(rows.nodes()));
  });
  return average;
}

void measure(const Measures& measures, const Measured& measured, Metrics& metrics) {
  const std::vector<float> average = average_of(measured.x, measured.pool);
  metrics.consensus_error = consensus_error(average, measured);
  metrics.objective = objective_at(average, measures.gradient_norm, measured);
  if (measures.gradient_norm) metrics.gradient_norm = gradient_norm(measured);
  if (measures.stationarity > 0)
    metrics.stationarity = stationarity(average, measures.stationarity, measured);
  measure_accuracy(average, measures.node_accuracy, measured, metrics);
}

}  // namespace starling
