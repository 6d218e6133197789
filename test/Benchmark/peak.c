/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The processor's own limits: independent fused multiply-adds on registers, and
 * the triad of STREAM on memory.
 */
#ifdef __AVX512F__
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
enum { CHAINS = 12 }; /* more than latency times units of today's cores */

typedef float vec __attribute__((vector_size(LANES * sizeof(float))));

/* Runs `rounds` rounds and returns how many floating-point operations that is;
 * `sink` keeps the compiler from dropping them. */
double lathe_peak(long rounds, float *sink) {
  vec acc[CHAINS];
  vec a = {0}, b = {0};
  for (int i = 0; i < LANES; ++i) {
    a[i] = 1.0f - 1e-7f * *sink;
    b[i] = 1e-7f * *sink;
  }
  for (int i = 0; i < CHAINS; ++i)
    acc[i] = b + (float)i;
  for (long r = 0; r < rounds; ++r)
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; ++i)
      acc[i] = acc[i] * a + b;
  vec sum = acc[0];
  for (int i = 1; i < CHAINS; ++i)
    sum += acc[i];
  *sink = sum[0];
  return 2.0 * LANES * CHAINS * (double)rounds;
}

/* a = b + s * c on `count` floats each; returns the bytes that are named. */
double lathe_triad(float *restrict a, const float *restrict b,
                   const float *restrict c, long count, float s) {
  for (long i = 0; i < count; ++i)
    a[i] = b[i] + s * c[i];
  return 3.0 * sizeof(float) * (double)count;
}
