// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rate of a loop of independent fused multiply-adds: what a kernel could
// reach at most on this core, now.

#include "Peak.h"

#include <chrono>

using Clock = std::chrono::steady_clock;

#pragma clang fp contract(fast)

#if defined(__x86_64__)
typedef float Vec512 __attribute__((vector_size(64)));
typedef float Vec256 __attribute__((vector_size(32)));

#define FMA_LOOP(name, vec, lanes, features)                                   \
  __attribute__((target(features), noinline)) static float name(long n) {      \
    vec acc[12] = {};                                                          \
    vec a = {};                                                                \
    vec b = {};                                                                \
    for (int i = 0; i < lanes; ++i) {                                          \
      a[i] = 0.5f;                                                             \
      b[i] = 0.25f;                                                            \
    }                                                                          \
    for (long i = 0; i < n; ++i) {                                             \
      asm volatile("" : "+v"(a), "+v"(b));                                     \
      for (int j = 0; j < 12; ++j)                                             \
        acc[j] = acc[j] * a + b;                                               \
    }                                                                          \
    vec sum = acc[0];                                                          \
    for (int j = 1; j < 12; ++j)                                               \
      sum += acc[j];                                                           \
    return sum[0];                                                             \
  }
FMA_LOOP(run512, Vec512, 16, "avx512f,fma")
FMA_LOOP(run256, Vec256, 8, "avx2,fma")
#endif

double measurePeak() {
  double best = 0;
#if defined(__x86_64__)
  volatile float sink = 0;
  const long n = 200000;
  for (int i = 0; i < 20; ++i) {
    for (bool wide : {true, false}) {
      if (wide ? !__builtin_cpu_supports("avx512f")
               : !__builtin_cpu_supports("fma"))
        continue;
      auto start = Clock::now();
      sink = sink + (wide ? run512(n) : run256(n));
      double seconds =
          std::chrono::duration<double>(Clock::now() - start).count();
      double rate = 2.0 * 12 * n * (wide ? 16 : 8) / seconds;
      best = rate > best ? rate : best;
    }
  }
#endif
  return best;
}
