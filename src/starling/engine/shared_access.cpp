#include "starling/engine/shared_access.hpp"

#include <atomic>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace starling {
namespace {

/// An atomic_ref of constants is not in C++20; nothing is written through it.
std::atomic_ref<float> atomic_at(const float* shared) {
  return std::atomic_ref<float>(*const_cast<float*>(shared));
}

void load_each(const float* shared, float* own, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k)
    own[k] = atomic_at(shared + k).load(std::memory_order_relaxed);
}

void store_each(const float* own, float* shared, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k)
    atomic_at(shared + k).store(own[k], std::memory_order_relaxed);
}

#if defined(__x86_64__)

[[gnu::target("avx")]] inline __m256 load_eight(const float* shared) {
  __m256 own;
  asm volatile("vmovups %1, %0" : "=x"(own) : "m"(*reinterpret_cast<const __m256_u*>(shared)));
  return own;
}

[[gnu::target("avx")]] inline void store_eight(__m256 own, float* shared) {
  asm volatile("vmovups %1, %0" : "=m"(*reinterpret_cast<__m256_u*>(shared)) : "x"(own));
}

/// Four vectors at a time keep the units that load and store busy.
[[gnu::target("avx")]] void load_vectors(const float* shared, float* own, std::size_t count) {
  std::size_t k = 0;
  for (; k + 32 <= count; k += 32) {
    const __m256 a = load_eight(shared + k), b = load_eight(shared + k + 8),
                 c = load_eight(shared + k + 16), d = load_eight(shared + k + 24);
    _mm256_storeu_ps(own + k, a);
    _mm256_storeu_ps(own + k + 8, b);
    _mm256_storeu_ps(own + k + 16, c);
    _mm256_storeu_ps(own + k + 24, d);
  }
  load_each(shared + k, own + k, count - k);
}

[[gnu::target("avx")]] void store_vectors(const float* own, float* shared, std::size_t count) {
  std::size_t k = 0;
  for (; k + 32 <= count; k += 32) {
    const __m256 a = _mm256_loadu_ps(own + k), b = _mm256_loadu_ps(own + k + 8),
                 c = _mm256_loadu_ps(own + k + 16), d = _mm256_loadu_ps(own + k + 24);
    store_eight(a, shared + k);
    store_eight(b, shared + k + 8);
    store_eight(c, shared + k + 16);
    store_eight(d, shared + k + 24);
  }
  store_each(own + k, shared + k, count - k);
}

#elif defined(__aarch64__)

void load_vectors(const float* shared, float* own, std::size_t count) {
  std::size_t k = 0;
  for (; k + 4 <= count; k += 4) {
    float32x4_t value;
    asm volatile("ld1 {%0.4s}, %1"
                 : "=w"(value)
                 : "Q"(*reinterpret_cast<const float32x4_t*>(shared + k)));
    vst1q_f32(own + k, value);
  }
  load_each(shared + k, own + k, count - k);
}

void store_vectors(const float* own, float* shared, std::size_t count) {
  std::size_t k = 0;
  for (; k + 4 <= count; k += 4) {
    const float32x4_t value = vld1q_f32(own + k);
    asm volatile("st1 {%1.4s}, %0"
                 : "=Q"(*reinterpret_cast<float32x4_t*>(shared + k))
                 : "w"(value));
  }
  store_each(own + k, shared + k, count - k);
}

#endif

}  // namespace

SharedAccess strict_access() { return {load_each, store_each}; }

std::optional<SharedAccess> fast_access() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx")) return SharedAccess{load_vectors, store_vectors};
  return std::nullopt;
#elif defined(__aarch64__)
  return SharedAccess{load_vectors, store_vectors};
#else
  return std::nullopt;
#endif
}

}  // namespace starling
