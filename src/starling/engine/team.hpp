/// The processes that the nodes are spread over. All sums run in node order, so they give the same
/// bits for any number of processes, whichever nodes each of them holds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace starling {

/// Rows of a matrix that follow each other, counted from the first one of this process, from a
/// column on.
struct Tile {
  std::size_t first_row, rows, first_column;
};

/// A matrix to add up. Each process has the rows of its own nodes, ascending.
struct Addends {
  std::size_t rows, columns;  ///< rows: of this process

  /// Adds the rows of a tile to `sums`, one after the other; sums[0] is of the tile's first column.
  std::function<void(const Tile& tile, std::span<double> sums)> add;

  /// Takes the sums over all nodes of the columns from `first` on.
  std::function<void(std::size_t first, std::span<const double> sums)> use;
};

/// Each process holds some of the nodes; the functions are called by all of them alike.
class Team {
 public:
  /// Columns that are added up, and travel, at a time.
  static constexpr std::size_t chunk = 64 * 1024;

  virtual ~Team() = default;

  virtual bool is_root() const { return true; }

  /// One value a node, in node order, from those of this process's nodes.
  virtual std::vector<double> gather(std::vector<double> here) const { return here; }

  /// Adds up each column in node order. The process that holds the last node gets the sums, some
  /// columns at a time, ascending; the others' `use` is not called.
  virtual void add_up(const Addends& addends) const {
    std::vector<double> sums;
    for (std::size_t first = 0; first < addends.columns; first += chunk) {
      sums.assign(std::min(chunk, addends.columns - first), 0.0);
      addends.add({0, addends.rows, first}, sums);
      addends.use(first, sums);
    }
  }

  /// Gives all processes what the one that holds the last node has.
  virtual void share(std::span<std::byte> /*data*/) const {}
};

}  // namespace starling
