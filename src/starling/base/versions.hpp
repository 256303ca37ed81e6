/// One kernel, compiled for several vector units; the widest that this processor has is picked at
/// run time, so that one binary runs everywhere and fast.
///
/// All versions give the same bits: kernels are compiled with -ffp-contract=off and without
/// -ffast-math, so a wider unit does the same operations on more elements at once.
#pragma once

namespace starling {

/// `Versions<&kernel>::widest()` is a pointer to the best version of `kernel`, an inline function.
/// `flatten` inlines everything the kernel calls, so that it is compiled for the same unit.
template <auto Kernel>
struct Versions;

template <class Result, class... Arguments, Result (*Kernel)(Arguments...)>
struct Versions<Kernel> {
  using Pointer = Result (*)(Arguments...);

  [[gnu::flatten]] static Result portable(Arguments... arguments) { return Kernel(arguments...); }

#if defined(__x86_64__)
  [[gnu::flatten, gnu::target("arch=x86-64-v3")]] static Result avx2(Arguments... arguments) {
    return Kernel(arguments...);
  }
  [[gnu::flatten, gnu::target("arch=x86-64-v4")]] static Result avx512(Arguments... arguments) {
    return Kernel(arguments...);
  }
#endif

  static Pointer widest() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("x86-64-v4")) return avx512;
    if (__builtin_cpu_supports("x86-64-v3")) return avx2;
#endif
    return portable;
  }
};

}  // namespace starling
