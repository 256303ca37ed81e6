/// The one place where cores touch numbers that others write at the same time.
///
/// In C++ two threads that use the same float, one of them writing, race unless both accesses are
/// atomic. Both forms below make every float an atomic of its own: a reader sees what was there at
/// some moment, never half a float. Neither orders one float after another, and a vector read while
/// it is written has entries of different age: the inconsistent read of the paper.
///
/// - strict: std::atomic_ref, relaxed, float by float. The language's own words, which
///   ThreadSanitizer follows; compilers make no vector code of it.
/// - fast: vector loads and stores in assembly, which the compiler can neither see through nor
///   assume away. That each aligned float of such an access is atomic is the processor's promise:
///   AArch64's architecture manual says it of the elements of ld1 and st1; on x86-64 the makers say
///   it of 8 aligned bytes, and a vector goes to the cache in such pieces or larger ones.
#pragma once

#include <cstddef>
#include <optional>

namespace starling {

/// How floats move between the memory that cores share and a core's own.
struct SharedAccess {
  /// own[k] = shared[k] for k < count.
  void (*load)(const float* shared, float* own, std::size_t count);
  /// shared[k] = own[k] for k < count.
  void (*store)(const float* own, float* shared, std::size_t count);
};

SharedAccess strict_access();

/// Nothing on processors for which no such form is written.
std::optional<SharedAccess> fast_access();

}  // namespace starling
