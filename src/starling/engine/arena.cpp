#include "starling/engine/arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace starling {
namespace {

constexpr std::size_t huge_page = 2 << 20;
constexpr std::size_t line = 64 / sizeof(float);

std::size_t product(std::size_t a, std::size_t b) {
  if (b != 0 && a > std::numeric_limits<std::size_t>::max() / b) throw std::bad_alloc{};
  return a * b;
}

}  // namespace

Arena::Arena(std::size_t floats) {
  if (floats > (std::size_t{1} << 60) / sizeof(float)) throw std::bad_alloc{};
  bytes_ = std::max(floats * sizeof(float), std::size_t{1});
  void* mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc{};
  data_ = static_cast<float*>(mapped);
  // Where the mapping begins and ends inside a huge page, small pages serve.
  if (bytes_ >= huge_page) madvise(mapped, bytes_, MADV_HUGEPAGE);
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}

Arena::~Arena() {
  if (data_) munmap(data_, bytes_);
}

std::size_t NodeRows::stride_of(std::size_t dimension) {
  const std::size_t lines = (dimension + line - 1) / line;
  return (lines | 1) * line;
}

NodeRows::NodeRows(std::size_t nodes, std::size_t dimension)
    : nodes_(nodes),
      dimension_(dimension),
      stride_(stride_of(dimension)),
      arena_(product(nodes, stride_)) {}

}  // namespace starling
