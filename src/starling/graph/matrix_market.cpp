#include "starling/graph/matrix_market.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"

namespace starling {
namespace {

struct Entry {
  Node row, column;
  double value;
};

/// Reads one file; every error names it and the line.
class Reader {
 public:
  Reader(const std::string& path, const Graph& graph) : path_(path), graph_(graph), file_(path) {
    if (!file_) throw UserError(fmt::format("{}: cannot be opened", path));
  }

  SparseMatrix read() {
    read_banner();
    read_size();
    if (coordinate_)
      read_coordinates();
    else
      read_array();
    if (next_line()) fail("more entries than announced");
    return assembled();
  }

 private:
  [[noreturn]] void fail(const std::string& text) const {
    throw UserError(fmt::format("{}:{}: {}", path_, number_, text));
  }

  /// The next line that is neither empty nor a comment.
  bool next_line() {
    std::string line;
    while (std::getline(file_, line)) {
      ++number_;
      if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '%') continue;
      text_ = line;
      line_ = std::istringstream(line);
      return true;
    }
    return false;
  }

  /// Takes numbers from the line, all of them.
  template <class... T>
  void take(const char* what, T&... numbers) {
    std::string rest;
    if (!(line_ >> ... >> numbers) || line_ >> rest)
      fail(fmt::format("\"{}\": must be {}", text_, what));
  }

  void read_banner() {
    std::string line;
    std::getline(file_, line);
    number_ = 1;
    std::transform(line.begin(), line.end(), line.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    std::istringstream words(line);
    std::string banner, object, format, field, symmetry;
    words >> banner >> object >> format >> field >> symmetry;
    coordinate_ = format == "coordinate";
    symmetric_ = symmetry == "symmetric";
    if (banner != "%%matrixmarket" || object != "matrix" || !(coordinate_ || format == "array") ||
        !(field == "real" || field == "integer") || !(symmetric_ || symmetry == "general"))
      fail(
          "must be \"%%MatrixMarket matrix\", coordinate or array, real or integer, general or "
          "symmetric");
  }

  void read_size() {
    std::uint64_t rows = 0, columns = 0;
    if (!next_line()) fail("must go on with the size of the matrix");
    if (coordinate_)
      take("rows, columns and number of entries", rows, columns, entries_announced_);
    else
      take("rows and columns", rows, columns);
    if (rows != graph_.nodes() || columns != graph_.nodes())
      fail(fmt::format("{} x {}: must be {} x {}, as the graph has nodes", rows, columns,
                       graph_.nodes(), graph_.nodes()));
  }

  void read_coordinates() {
    for (std::uint64_t k = 0; k < entries_announced_; ++k) {
      std::uint64_t row = 0, column = 0;
      double value = 0;
      if (!next_line()) fail(fmt::format("{} entries: {} announced", k, entries_announced_));
      take("row, column and value", row, column, value);
      if (row < 1 || column < 1 || row > graph_.nodes() || column > graph_.nodes())
        fail(fmt::format("entry ({}, {}): must be within 1 ... {}", row, column, graph_.nodes()));
      add(row - 1, column - 1, value);
    }
  }

  /// Column by column; a symmetric file holds the lower triangle alone.
  void read_array() {
    for (std::size_t column = 0; column < graph_.nodes(); ++column)
      for (std::size_t row = symmetric_ ? column : 0; row < graph_.nodes(); ++row) {
        double value = 0;
        if (!next_line()) fail("fewer entries than announced");
        take("one value", value);
        add(row, column, value);
      }
  }

  void add(std::size_t row, std::size_t column, double value) {
    const Node i = static_cast<Node>(row), j = static_cast<Node>(column);
    if (!std::isfinite(value))
      fail(fmt::format("entry ({}, {}) is {}", row + 1, column + 1, value));
    put(i, j, value);
    if (symmetric_ && i != j) put(j, i, value);
  }

  void put(Node i, Node j, double value) {
    const auto heard = graph_.hears(i);
    if (i == j || std::binary_search(heard.begin(), heard.end(), j))
      entries_.push_back({i, j, value});
    else if (value != 0)
      fail(fmt::format("entry ({}, {}) = {:g}: node {} does not hear node {}, must be 0",
                       std::size_t{i} + 1, std::size_t{j} + 1, value, i, j));
  }

  SparseMatrix assembled() {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return a.row != b.row ? a.row < b.row : a.column < b.column;
    });
    SparseMatrix matrix;
    auto entry = entries_.begin();
    for (std::size_t i = 0; i < graph_.nodes(); ++i) {
      bool has_diagonal = false;
      const auto append = [&](Node column, double value) {
        matrix.columns.push_back(column);
        matrix.values.push_back(value);
      };
      for (; entry != entries_.end() && entry->row == i; ++entry) {
        if (!has_diagonal && entry->column > i) append(static_cast<Node>(i), 0);
        has_diagonal |= entry->column >= i;
        if (matrix.columns.size() > matrix.offsets.back() && matrix.columns.back() == entry->column)
          throw UserError(fmt::format("{}: entry ({}, {}) stands there twice", path_, i + 1,
                                      std::size_t{entry->column} + 1));
        append(entry->column, entry->value);
      }
      if (!has_diagonal) append(static_cast<Node>(i), 0);
      matrix.offsets.push_back(matrix.columns.size());
    }
    return matrix;
  }

  std::string path_;
  const Graph& graph_;
  std::ifstream file_;
  std::string text_;
  std::istringstream line_;
  int number_ = 0;
  bool coordinate_ = false, symmetric_ = false;
  std::uint64_t entries_announced_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace

SparseMatrix read_matrix_market(const std::string& path, const Graph& graph) {
  return Reader(path, graph).read();
}

}  // namespace starling
