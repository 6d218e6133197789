// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Measures the peak of fused multiply-adds. Sixteen independent chains hide the
// latency on every processor with two pipes of up to eight cycles.

#include "PeakFlops.h"
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace {
constexpr int chains = 16;

/// Runs `steps` multiply-adds on each chain of vectors of `lanes` floats.
template <int lanes> struct Chains {
  typedef float Vector __attribute__((vector_size(lanes * sizeof(float))));

  __attribute__((always_inline)) static float run(int64_t steps) {
    Vector sums[chains], factor = {}, term = {};
    for (int lane = 0; lane < lanes; ++lane) {
      factor[lane] = 0.999f;
      term[lane] = 0.001f * static_cast<float>(lane);
    }
    for (Vector &sum : sums)
      sum = term;
    for (int64_t i = 0; i < steps; ++i)
#pragma clang loop unroll(full)
      for (int c = 0; c < chains; ++c)
        sums[c] = __builtin_elementwise_fma(sums[c], factor, term);
    float total = 0;
    for (Vector &sum : sums)
      total += sum[0];
    return total;
  }
};
} // namespace

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static float run512(int64_t steps) {
  return Chains<16>::run(steps);
}
__attribute__((target("avx2,fma"))) static float run256(int64_t steps) {
  return Chains<8>::run(steps);
}
#endif

/// A baseline without fused operations: multiply and add apart.
static float runBase(int64_t steps) {
  typedef float Vector __attribute__((vector_size(16)));
  Vector sums[chains] = {}, factor = {.9f, .9f, .9f, .9f}, term = {1, 2, 3, 4};
  for (int64_t i = 0; i < steps; ++i)
#pragma clang loop unroll(full)
    for (int c = 0; c < chains; ++c)
      sums[c] = sums[c] * factor + term;
  float total = 0;
  for (Vector &sum : sums)
    total += sum[0];
  return total;
}

double lathe::driver::measurePeakFlops(unsigned threads) {
  float (*run)(int64_t) = runBase;
  int lanes = 4;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    run = run512;
    lanes = 16;
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    run = run256;
    lanes = 8;
  }
#endif
  constexpr int64_t steps = 1000000;
  double best = 0;
  volatile float sink = run(steps / 10);
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::vector<std::thread> workers;
    std::vector<float> sums(threads);
    auto begin = std::chrono::steady_clock::now();
    for (unsigned t = 1; t < threads; ++t)
      workers.emplace_back([&, t] { sums[t] = run(steps); });
    sums[0] = run(steps);
    for (std::thread &worker : workers)
      worker.join();
    std::chrono::duration<double, std::nano> time =
        std::chrono::steady_clock::now() - begin;
    for (float sum : sums)
      sink = sum;
    best =
        std::max(best, 2.0 * chains * lanes * steps * threads / time.count());
  }
  (void)sink;
  return best;
}

double lathe::driver::measurePeakBandwidth(unsigned threads) {
  constexpr size_t bytes = size_t(48) << 20;
  std::vector<std::vector<char>> from(threads, std::vector<char>(bytes, 1));
  std::vector<std::vector<char>> to(threads, std::vector<char>(bytes, 2));
  auto copy = [&](unsigned t) { memcpy(to[t].data(), from[t].data(), bytes); };
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::vector<std::thread> workers;
    auto begin = std::chrono::steady_clock::now();
    for (unsigned t = 1; t < threads; ++t)
      workers.emplace_back(copy, t);
    copy(0);
    for (std::thread &worker : workers)
      worker.join();
    std::chrono::duration<double, std::nano> time =
        std::chrono::steady_clock::now() - begin;
    best = std::max(best, 2.0 * bytes * threads / time.count());
  }
  return best;
}
