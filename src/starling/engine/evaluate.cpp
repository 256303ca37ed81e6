#include "starling/engine/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "starling/base/random.hpp"
#include "starling/engine/sums.hpp"
#include "starling/problem/least_norm.hpp"

namespace starling {
namespace {

/// Columns summed at a time by a thread.
constexpr std::size_t stretch = 1024;

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Adds some rows to `sums`, from a column on.
void add_rows(const RowsView& rows, const Tile& tile, std::span<double> sums) {
  for (std::size_t i = tile.first_row; i < tile.first_row + tile.rows; ++i) {
    const float* row = rows.row(i).data() + tile.first_column;
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += double{row[c]};
  }
}

/// Adds up the rows of all nodes. The process that holds the last node gets the sums, some columns
/// at a time: use(first column, sums).
void add_up_rows(const RowsView& rows, Pool& pool, const Team& team, const auto& use) {
  const auto add = [&](const Tile& tile, std::span<double> sums) {
    pool.run((sums.size() + stretch - 1) / stretch, [&](std::size_t, std::size_t task) {
      const std::size_t from = task * stretch, to = std::min(sums.size(), from + stretch);
      add_rows(rows, {tile.first_row, tile.rows, tile.first_column + from},
               sums.subspan(from, to - from));
    });
  };
  team.add_up({rows.nodes(), rows.dimension(), add, use});
}

/// Gives all processes the values of the one that holds the last node.
template <class T>
void share(const Team& team, std::vector<T>& values) {
  team.share(std::as_writable_bytes(std::span(values)));
}

/// One value of each node here: value(worker, index).
std::vector<double> of_nodes_here(const Measured& measured, const auto& value) {
  std::vector<double> values(measured.x.nodes());
  measured.pool.run(values.size(), [&](std::size_t worker, std::size_t index) {
    values[index] = value(worker, index);
  });
  return values;
}

/// The mean over all nodes of a value that each has.
double mean_over_nodes(std::vector<double> here, const Measured& measured) {
  return sum(measured.team.gather(std::move(here))) / static_cast<double>(measured.nodes);
}

/// The losses at a point of the nodes here; their subgradients go to `scratch` where wanted.
std::vector<double> losses_at(std::span<const float> point, bool subgradients,
                              const Measured& measured) {
  return of_nodes_here(measured, [&](std::size_t worker, std::size_t index) {
    const std::span<float> g = subgradients ? measured.scratch.row(index) : std::span<float>{};
    return measured.oracles[worker]->objective(measured.own[index], point, g);
  });
}

double consensus_error(std::span<const float> average, const Measured& measured) {
  const auto squared_distance = [&](std::size_t, std::size_t index) {
    const float* x = measured.x.row(index).data();
    return sum_of(average.size(), [&](std::size_t c) {
      const double difference = double{x[c]} - double{average[c]};
      return difference * difference;
    });
  };
  return mean_over_nodes(of_nodes_here(measured, squared_distance), measured);
}

/// The length of the mean of the subgradients in `scratch`.
double gradient_norm(const Measured& measured) {
  std::vector<double> squares((measured.x.dimension() + stretch - 1) / stretch);
  add_up_rows(measured.scratch, measured.pool, measured.team,
              [&](std::size_t first, std::span<const double> sums) {
                for (std::size_t c = 0; c < sums.size(); ++c)
                  squares[(first + c) / stretch] += sums[c] * sums[c];
              });
  share(measured.team, squares);
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
    losses_at(nearby(average, radius, static_cast<Node>(s)), true, measured);
    add_up_rows(measured.scratch, measured.pool, measured.team,
                [&](std::size_t first, std::span<const double> sums) {
                  for (std::size_t c = 0; c < sums.size(); ++c)
                    subgradients[s * dimension + first + c] =
                        sums[c] / static_cast<double>(measured.nodes);
                });
  }
  share(measured.team, subgradients);
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
  add_up_rows(rows, pool, team, [&](std::size_t first, std::span<const double> sums) {
    for (std::size_t c = 0; c < sums.size(); ++c)
      average[first + c] = static_cast<float>(sums[c] / static_cast<double>(nodes));
  });
  share(team, average);
  return average;
}

void measure(const Measures& measures, const Measured& measured, Metrics& metrics) {
  const std::vector<float> average =
      average_of(measured.x, measured.nodes, measured.pool, measured.team);
  metrics.consensus_error = consensus_error(average, measured);
  metrics.objective =
      mean_over_nodes(losses_at(average, measures.gradient_norm, measured), measured);
  if (measures.gradient_norm) metrics.gradient_norm = gradient_norm(measured);
  if (measures.stationarity > 0)
    metrics.stationarity = stationarity(average, measures.stationarity, measured);
  measure_accuracy(average, measured, measures.node_accuracy, metrics);
}

}  // namespace starling
