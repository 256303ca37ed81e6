#include "starling/engine/arena.hpp"

#include <sys/mman.h>

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

}  // namespace

Arena::Arena(std::size_t floats) : size_(floats) {
  // A mapping is not aligned to huge pages by itself: ask for one more and leave the rest
  // untouched.
  bytes_ = floats * sizeof(float) + huge_page;
  void* mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc{};
  data_ = static_cast<float*>(mapped);
  if (floats * sizeof(float) >= huge_page) madvise(mapped, bytes_, MADV_HUGEPAGE);
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(other.size_), bytes_(other.bytes_) {}

Arena::~Arena() {
  if (data_) munmap(data_, bytes_);
}

NodeRows::NodeRows(std::size_t nodes, std::size_t dimension)
    : nodes_(nodes),
      dimension_(dimension),
      stride_(odd_lines(dimension)),
      arena_(nodes * stride_) {}

}  // namespace starling
