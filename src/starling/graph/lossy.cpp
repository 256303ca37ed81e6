#include "starling/graph/lossy.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "starling/base/random.hpp"

namespace starling {
namespace {

constexpr Node nobody = std::numeric_limits<Node>::max();

/// A row of a matrix, read entry by entry.
class RowReader {
 public:
  explicit RowReader(const SparseMatrix::Row& row) : row_(row) {}

  /// The column of the next entry, `nobody` behind the last.
  Node next() const { return at_ < row_.columns.size() ? row_.columns[at_] : nobody; }

  /// Takes the entry of this column: 0 where the next entry is another's.
  double take(Node column) { return next() == column ? row_.values[at_++] : 0.0; }

 private:
  SparseMatrix::Row row_;
  std::size_t at_ = 0;
};

void append(SparseMatrix& matrix, Node column, double value) {
  matrix.columns.push_back(column);
  matrix.values.push_back(value);
}

}  // namespace

LossyWeights::LossyWeights(std::unique_ptr<WeightsSequence> of, double probability,
                           std::uint64_t seed)
    : of_(std::move(of)),
      probability_(probability),
      seed_(seed),
      push_diagonal_(of_->nodes()),
      returned_(of_->nodes()) {}

void LossyWeights::weights(Round round, MixingWeights& weights) {
  of_->weights(round, given_);
  const std::size_t count = nodes();  // rows that lack a diagonal get one
  start_over(weights.pull, count, given_.pull.columns.capacity() + count);
  start_over(weights.push, count, given_.push.columns.capacity() + count);
  lost_ = {};
  std::fill(returned_.begin(), returned_.end(), 0.0);
  for (Node i = 0; i < count; ++i) fill_rows(i, round, weights);
  for (Node i = 0; i < count; ++i) weights.push.values[push_diagonal_[i]] += returned_[i];
}

/// The two rows are walked through together, as their messages are the same.
void LossyWeights::fill_rows(Node receiver, Round round, MixingWeights& weights) {
  Random random(seed_, Purpose::loss, receiver, round);
  RowReader pull(given_.pull.row(receiver)), push(given_.push.row(receiver));
  std::size_t pull_diagonal = 0;
  double kept = 0;  // what the receiver takes of itself instead of others
  bool is_past_diagonal = false;
  while (true) {
    const Node column = std::min({pull.next(), push.next(), is_past_diagonal ? nobody : receiver});
    if (column == nobody) break;
    const bool is_own = column == receiver;
    const bool is_pulled = is_own || pull.next() == column;
    const bool is_pushed = is_own || push.next() == column;
    const double pulled = pull.take(column), pushed = push.take(column);
    if (is_own) {
      is_past_diagonal = true;
      pull_diagonal = weights.pull.values.size();
      push_diagonal_[receiver] = weights.push.values.size();
    } else if (random.uniform() < probability_) {
      kept += pulled;
      returned_[column] += pushed;
      lost_.pull += is_pulled;
      lost_.push += is_pushed;
      continue;
    }
    if (is_pulled) append(weights.pull, column, pulled);
    if (is_pushed) append(weights.push, column, pushed);
  }
  weights.pull.values[pull_diagonal] += kept;
  weights.pull.offsets.push_back(weights.pull.columns.size());
  weights.push.offsets.push_back(weights.push.columns.size());
}

}  // namespace starling
