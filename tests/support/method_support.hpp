/// Methods of the catalogue, and random instances to run them and the reference on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "quartic_problem.hpp"
#include "reference.hpp"
#include "starling/base/options.hpp"
#include "starling/base/value.hpp"
#include "starling/engine/row_update.hpp"
#include "starling/experiment/catalogue.hpp"
#include "starling/graph/weights.hpp"

namespace starling {

/// Options as an experiment would hold them. Whole numbers are written as such: every kind of
/// number takes them.
inline Table table_of(const reference::Options& options) {
  Table table;
  for (const auto& [key, value] : options) {
    if (value == std::floor(value))
      table.set(key, Value::of(static_cast<std::int64_t>(value)));
    else
      table.set(key, Value::of(value));
  }
  return table;
}

/// The library's method by its catalogue name, with the options of a table.
inline std::unique_ptr<RowUpdate> method_from(const std::string& name, const Table& table) {
  OptionReader reader(table, "", "method");
  Table resolved;
  auto update = find_entry(methods(), name, "name", reader).read(reader, resolved)();
  reader.finish();
  return update;
}

/// The library's method by its catalogue name, with these options.
inline std::unique_ptr<RowUpdate> method_of(const std::string& name,
                                            const reference::Options& options) {
  return method_from(name, table_of(options));
}

/// The entries of a dense matrix that are not 0.
inline SparseMatrix sparse(const reference::Matrix& dense) {
  SparseMatrix matrix;
  for (const auto& row : dense) {
    for (Node j = 0; j < row.size(); ++j) {
      if (row[j] == 0) continue;
      matrix.columns.push_back(j);
      matrix.values.push_back(row[j]);
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  return matrix;
}

/// The largest error, relative to the largest entry; infinity where a number is not finite.
inline double relative_error(const reference::Nodes& found, const reference::Nodes& expected) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (std::size_t l = 0; l < expected[i].size(); ++l) {
      const double difference = std::abs(found.at(i).at(l) - expected[i][l]);
      if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
      error = std::max(error, difference);
      size = std::max(size, std::abs(expected[i][l]));
    }
  return error / size;
}

/// The same losses, weights and start, as the reference and as the library see them.
struct Instance {
  reference::QuarticLosses losses;
  reference::Setting setting;
  QuarticProblem problem;
  MixingWeights doubly, directed;  ///< W for both uses; R and C
};

/// An instance of these losses and weights where every node starts at `start`; 200 rounds of step
/// sizes that fall from 0.05.
inline Instance instance_of(const reference::QuarticLosses& losses, const reference::Vector& start,
                            const reference::Matrix& w, const reference::Matrix& r,
                            const reference::Matrix& c) {
  reference::Setting setting{
      .w = w,
      .r = r,
      .c = c,
      .start = reference::Nodes(losses.curvature.size(), start),
      .gradient = [losses](int node, int, const auto& x) { return losses.gradient(node, x); },
      .step = reference::sqrt_step(0.05),
      .rounds = 200};
  return {losses,
          setting,
          QuarticProblem(losses, start),
          {sparse(w), sparse(w)},
          {sparse(r), sparse(c)}};
}

/// Random losses on a random graph; at 200 rounds of double precision the float error is what is
/// measured, so the losses are strongly convex: nothing amplifies it.
inline Instance random_instance(std::size_t nodes, std::size_t dimension, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> curvature(0.5, 2), center(-3, 3), quartic(0, 0.05);
  reference::QuarticLosses losses;
  for (std::size_t i = 0; i < nodes; ++i) {
    losses.quartic.push_back(quartic(random));
    auto& a = losses.curvature.emplace_back();
    auto& c = losses.center.emplace_back();
    for (std::size_t l = 0; l < dimension; ++l) {
      a.push_back(curvature(random));
      c.push_back(center(random));
    }
  }
  reference::Vector start;
  // Exactly representable, so that both begin at the same point.
  for (std::size_t l = 0; l < dimension; ++l)
    start.push_back(static_cast<double>(static_cast<float>(center(random))));
  const reference::Adjacency adjacency = reference::random_adjacency(nodes, 0.4, random);
  return instance_of(losses, start, reference::metropolis_weights(adjacency),
                     reference::uniform_weights(adjacency),
                     reference::uniform_column_weights(adjacency));
}

}  // namespace starling
