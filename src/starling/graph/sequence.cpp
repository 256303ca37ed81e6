#include "starling/graph/sequence.hpp"

namespace starling {

void start_over(SparseMatrix& matrix, std::size_t rows, std::size_t entries) {
  matrix.offsets.reserve(rows + 1);
  matrix.columns.reserve(entries);
  matrix.values.reserve(entries);
  matrix.offsets.assign(1, std::size_t{0});
  matrix.columns.clear();
  matrix.values.clear();
}

}  // namespace starling
