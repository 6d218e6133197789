/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * RUN: env LD_PRELOAD=%unit/lathe-amx.so %unit/lathe-amx-check
 * REQUIRES: x86-64, avx2
 * UNSUPPORTED: sanitize
 *
 * AMX, of the processor or emulated: shapes, all instructions of products,
 * where their sums round, and what they take for zero.
 */
#undef NDEBUG
#include <assert.h>
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 5, COLUMNS = 7, GROUPS = 11 };

static _Alignas(64) uint8_t left[ROWS][64], right[GROUPS][64], config[64];
static _Alignas(64) union {
  int32_t words[16][20];
  float floats[16][20];
} got;

static void configure(void) {
  memset(config, 0, sizeof(config));
  config[0] = 1;
  const uint8_t rows[3] = {ROWS, ROWS, GROUPS};
  const uint8_t bytes[3] = {COLUMNS * 4, GROUPS * 4, COLUMNS * 4};
  for (int t = 0; t < 3; ++t) {
    config[16 + 2 * t] = bytes[t];
    config[48 + t] = rows[t];
  }
  _tile_loadconfig(config);
  uint8_t stored[64];
  _tile_storeconfig(stored);
  assert(!memcmp(stored, config, sizeof(config)));
}

#define MULTIPLY(op)                                                           \
  do {                                                                         \
    _tile_zero(0);                                                             \
    _tile_loadd(1, left, 64);                                                  \
    _tile_stream_loadd(2, right, 64);                                          \
    op(0, 1, 2);                                                               \
    op(0, 1, 2);                                                               \
    memset(&got, 0x5a, sizeof(got));                                           \
    _tile_stored(0, &got, sizeof(got.words[0]));                               \
  } while (0)

static void checkWords(int leftSigned, int rightSigned) {
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 20; ++n) {
      int32_t sum = 0;
      for (int i = 0; i < 4 * GROUPS && m < ROWS && n < COLUMNS; ++i) {
        uint8_t a = left[m][i], b = right[i / 4][4 * n + i % 4];
        sum += 2 * (leftSigned ? (int8_t)a : a) * (rightSigned ? (int8_t)b : b);
      }
      int32_t want = m < ROWS && n < COLUMNS ? sum : 0x5a5a5a5a;
      if (got.words[m][n] != want)
        printf("[%d, %d]: expected %d, got %d\n", m, n, want, got.words[m][n]);
      assert(got.words[m][n] == want);
    }
}

static void setHalf(uint8_t *at, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  at[0] = bits >> 16, at[1] = bits >> 24;
}

static void fill(float a, float b) {
  memset(left, 0, sizeof(left));
  memset(right, 0, sizeof(right));
  for (int m = 0; m < ROWS; ++m)
    setHalf(left[m], a);
  for (int n = 0; n < COLUMNS; ++n)
    setHalf(right[0] + 4 * n, b);
}

int main(void) {
  uint32_t random = 1;
  configure();
  for (int i = 0; i < 64; ++i) {
    for (int m = 0; m < ROWS; ++m)
      left[m][i] = (random = random * 1664525 + 1013904223) >> 24;
    for (int k = 0; k < GROUPS; ++k)
      right[k][i] = (random = random * 1664525 + 1013904223) >> 24;
  }
  MULTIPLY(_tile_dpbssd);
  checkWords(1, 1);
  MULTIPLY(_tile_dpbsud);
  checkWords(1, 0);
  MULTIPLY(_tile_dpbusd);
  checkWords(0, 1);
  MULTIPLY(_tile_dpbuud);
  checkWords(0, 0);

  fill(1.5f, -2.25f);
  MULTIPLY(_tile_dpbf16ps);
  assert(got.floats[ROWS - 1][COLUMNS - 1] == -6.75f);
  assert(got.words[ROWS][0] == 0x5a5a5a5a);
  /* Subnormal factors and results are zero, also of two normal factors. */
  fill(0x1p-130f, 0x1p20f);
  MULTIPLY(_tile_dpbf16ps);
  assert(got.floats[0][0] == 0);
  fill(0x1p-70f, 0x1p-70f);
  MULTIPLY(_tile_dpbf16ps);
  assert(got.floats[0][0] == 0);
  /* Sums begin at zero and are added to what is there at the end: one product
   * after the other would be lost in 2^24. */
  fill(0x1p12f, 0x1p11f);
  for (int i = 1; i < 2 * GROUPS; ++i) {
    setHalf(left[0] + 2 * i, 1);
    setHalf(right[i / 2] + i % 2 * 2, i % 2 ? 1 : 0);
  }
  MULTIPLY(_tile_dpbf16ps);
  assert(got.floats[0][0] == 0x1p24f + 2 * GROUPS);

  /* Registers are empty after a new configuration. */
  configure();
  memset(&got, 0x5a, sizeof(got));
  _tile_stored(0, &got, sizeof(got.words[0]));
  assert(got.words[0][0] == 0 && got.words[0][COLUMNS] == 0x5a5a5a5a);
  _tile_release();
  uint8_t stored[64], none[64] = {0};
  _tile_storeconfig(stored);
  assert(!memcmp(stored, none, sizeof(none)));
  return 0;
}
