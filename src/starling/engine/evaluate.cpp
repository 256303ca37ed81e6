#include "starling/engine/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "starling/base/random.hpp"
#include "starling/engine/sums.hpp"
#include "starling/problem/least_norm.hpp"

namespace starling {
namespace {

/// Columns summed at a time by a thread, and by one process before the next goes on.
constexpr std::size_t stretch = 1024, chunk = 256 * stretch;

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Adds a stretch of columns of all rows here to `sums`.
void add_rows(const RowsView& rows, std::size_t first, std::span<double> sums) {
  for (std::size_t i = 0; i < rows.nodes(); ++i) {
    const float* row = rows.row(i).data() + first;
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += double{row[c]};
  }
}

/// Calls use(first, sums) for the columns from `first` on, with the sums over all nodes' rows.
void for_each_chunk(const RowsView& rows, Pool& pool, const Team& team, const auto& use) {
  std::vector<double> sums;
  for (std::size_t first = 0; first < rows.dimension(); first += chunk) {
    const std::size_t count = std::min(chunk, rows.dimension() - first);
    sums.assign(count, 0.0);
    team.add_up(sums, [&] {
      pool.run((count + stretch - 1) / stretch, [&](std::size_t, std::size_t task) {
        const std::size_t from = task * stretch, to = std::min(count, from + stretch);
        add_rows(rows, first + from, std::span(sums).subspan(from, to - from));
      });
    });
    use(first, std::span<const double>(sums));
  }
}

/// One value a node of all processes, from those of the nodes here: value(worker, index).
std::vector<double> of_nodes(const Measured& measured, const auto& value) {
  std::vector<double> values(measured.x.nodes());
  measured.pool.run(values.size(), [&](std::size_t worker, std::size_t index) {
    values[index] = value(worker, index);
  });
  return measured.team.gather(std::move(values));
}

/// The mean of the nodes' losses at a point; their subgradients go to `scratch` where wanted.
double objective_at(std::span<const float> point, bool subgradients, const Measured& measured) {
  const std::vector<double> objectives =
      of_nodes(measured, [&](std::size_t worker, std::size_t index) {
        const auto node = measured.team.first() + static_cast<Node>(index);
        const std::span<float> g = subgradients ? measured.scratch.row(index) : std::span<float>{};
        return measured.oracles[worker]->objective(node, point, g);
      });
  return sum(objectives) / static_cast<double>(measured.nodes);
}

double consensus_error(std::span<const float> average, const Measured& measured) {
  const std::vector<double> distances = of_nodes(measured, [&](std::size_t, std::size_t index) {
    const float* x = measured.x.row(index).data();
    return sum_of(average.size(), [&](std::size_t c) {
      const double difference = double{x[c]} - double{average[c]};
      return difference * difference;
    });
  });
  return sum(distances) / static_cast<double>(measured.nodes);
}

/// The length of the mean of the subgradients in `scratch`.
double gradient_norm(const Measured& measured) {
  std::vector<double> squares((measured.x.dimension() + stretch - 1) / stretch);
  for_each_chunk(measured.scratch, measured.pool, measured.team,
                 [&](std::size_t first, std::span<const double> sums) {
                   for (std::size_t c = 0; c < sums.size(); ++c)
                     squares[(first + c) / stretch] += sums[c] * sums[c];
                 });
  return std::sqrt(sum(squares)) / static_cast<double>(measured.nodes);
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
    for_each_chunk(measured.scratch, measured.pool, measured.team,
                   [&](std::size_t first, std::span<const double> sums) {
                     for (std::size_t c = 0; c < sums.size(); ++c)
                       subgradients[s * dimension + first + c] =
                           sums[c] / static_cast<double>(measured.nodes);
                   });
  }
  const std::vector<double> least = least_norm_point(subgradients, dimension);
  return std::sqrt(std::inner_product(least.begin(), least.end(), least.begin(), 0.0));
}

/// The accuracy of x, or not-a-number where the problem has no test data.
double accuracy_of(std::span<const float> x, Oracle& oracle) {
  return oracle.accuracy(x).value_or(std::numeric_limits<double>::quiet_NaN());
}

void measure_accuracy(std::span<const float> average, const Measured& measured, bool of_each,
                      Metrics& metrics) {
  // The average's accuracy is one more task beside the nodes', on every process.
  const std::size_t here = of_each ? measured.x.nodes() : 0;
  std::vector<double> accuracies(here + 1);
  measured.pool.run(here + 1, [&](std::size_t worker, std::size_t task) {
    const std::span<const float> x = task == 0 ? average : measured.x.row(task - 1);
    accuracies[task] = accuracy_of(x, *measured.oracles[worker]);
  });
  if (std::isnan(accuracies[0])) return;
  metrics.test_accuracy = accuracies[0];
  if (!of_each) return;
  accuracies.erase(accuracies.begin());
  const std::vector<double> all = measured.team.gather(std::move(accuracies));
  metrics.node_accuracy_mean = sum(all) / static_cast<double>(measured.nodes);
  metrics.node_accuracy_min = *std::ranges::min_element(all);
}

}  // namespace

std::vector<float> average_of(const RowsView& rows, std::size_t nodes, Pool& pool,
                              const Team& team) {
  std::vector<float> average(rows.dimension());
  for_each_chunk(rows, pool, team, [&](std::size_t first, std::span<const double> sums) {
    for (std::size_t c = 0; c < sums.size(); ++c)
      average[first + c] = static_cast<float>(sums[c] / static_cast<double>(nodes));
  });
  return average;
}

void measure(const Measures& measures, const Measured& measured, Metrics& metrics) {
  const std::vector<float> average =
      average_of(measured.x, measured.nodes, measured.pool, measured.team);
  metrics.consensus_error = consensus_error(average, measured);
  metrics.objective = objective_at(average, measures.gradient_norm, measured);
  if (measures.gradient_norm) metrics.gradient_norm = gradient_norm(measured);
  if (measures.stationarity > 0)
    metrics.stationarity = stationarity(average, measures.stationarity, measured);
  measure_accuracy(average, measured, measures.node_accuracy, metrics);
}

}  // namespace starling
