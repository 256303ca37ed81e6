#include "starling/engine/arena.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <limits>
#include <new>
#include <utility>

namespace starling {
namespace {

constexpr std::size_t huge_page = 2 << 20;
constexpr std::size_t line = 64 / sizeof(float);

std::size_t odd_lines(std::size_t floats) {
  const std::size_t lines = (floats + line - 1) / line;
  return (lines | 1) * line;
}

std::size_t product(std::size_t a, std::size_t b) {
  if (b != 0 && a > std::numeric_limits<std::size_t>::max() / b) throw std::bad_alloc{};
  return a * b;
}

}  // namespace

Arena::Arena(std::size_t floats) {
  // A mapping is not aligned to huge pages by itself: ask for one more and begin inside it.
  if (floats > (std::size_t{1} << 60) / sizeof(float)) throw std::bad_alloc{};
  bytes_ = floats * sizeof(float) + huge_page;
  mapped_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped_ == MAP_FAILED) throw std::bad_alloc{};
  const auto address = reinterpret_cast<std::uintptr_t>(mapped_);
  const std::uintptr_t aligned = (address + huge_page - 1) / huge_page * huge_page;
  data_ = reinterpret_cast<float*>(aligned);
  if (floats * sizeof(float) >= huge_page) madvise(data_, floats * sizeof(float), MADV_HUGEPAGE);
}

Arena::Arena(Arena&& other) noexcept
    : mapped_(std::exchange(other.mapped_, nullptr)), data_(other.data_), bytes_(other.bytes_) {}

Arena::~Arena() {
  if (mapped_) munmap(mapped_, bytes_);
}

NodeRows::NodeRows(std::size_t nodes, std::size_t dimension)
    : nodes_(nodes),
      dimension_(dimension),
      stride_(odd_lines(dimension)),
      arena_(product(nodes, stride_)) {}

}  // namespace starling
