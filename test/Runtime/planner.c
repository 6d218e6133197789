/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Placing buffers: random live ranges never overlap, and the arena is close to
 * the most that is live at once.
 *
 * RUN: %unit/lathe-runtime-planner
 */
#include "FakeModel.h"

#include "Runtime.h"

enum { MOST = 300, LAUNCHES = 100 };

static uint64_t random_(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static void testRandom(uint64_t *seed) {
  lathe_rt_buffer buffers[MOST];
  int64_t bytes[MOST], offsets[MOST], total, peak;
  int64_t work[3 * MOST];
  int32_t n = (int32_t)(random_(seed) % MOST);
  for (int32_t i = 0; i < n; ++i) {
    bytes[i] = (int64_t)(random_(seed) % 5000);
    if (random_(seed) % 10 == 0)
      bytes[i] = 0;
    buffers[i].bytes = bytes[i];
    buffers[i].first = (int32_t)(random_(seed) % LAUNCHES);
    buffers[i].last = buffers[i].first + (int32_t)(random_(seed) % 12);
    if (buffers[i].last >= LAUNCHES)
      buffers[i].last = LAUNCHES - 1;
  }
  total = lathe_rt_place_buffers(n, buffers, bytes, offsets, work);
  peak = lathe_rt_peak_bytes(n, buffers, bytes, NULL);
  EXPECT(total >= peak);
  EXPECT(total <= peak * 5 / 4);
  for (int32_t i = 0; i < n; ++i) {
    EXPECT(offsets[i] % LATHE_RT_ALIGNMENT == 0);
    EXPECT(offsets[i] + bytes[i] <= total);
    for (int32_t j = 0; j < i; ++j) {
      bool together = buffers[i].first <= buffers[j].last &&
                      buffers[j].first <= buffers[i].last;
      bool overlap = offsets[i] < offsets[j] + bytes[j] &&
                     offsets[j] < offsets[i] + bytes[i];
      EXPECT(!(together && overlap && bytes[i] && bytes[j]));
    }
  }
}

static void testChain(void) {
  /* a -> b -> c: the third takes the place of the first. */
  lathe_rt_buffer buffers[3] = {{100, 0, 1}, {100, 1, 2}, {100, 2, 3}};
  int64_t bytes[3] = {100, 100, 100}, offsets[3];
  int64_t work[9];
  EXPECT(lathe_rt_place_buffers(3, buffers, bytes, offsets, work) == 256);
  EXPECT(offsets[0] == 0 && offsets[1] == 128 && offsets[2] == 0);
}

static void testOrder(void) {
  /* The small buffer meets two large ones at different heights: placed after
     them, as by size, it comes on top of both. */
  lathe_rt_buffer buffers[4] = {
      {192, 0, 0}, {192, 2, 3}, {64, 1, 2}, {192, 0, 1}};
  int64_t bytes[4] = {192, 192, 64, 192}, offsets[4];
  int64_t work[12];
  EXPECT(lathe_rt_place_buffers(4, buffers, bytes, offsets, work) == 384);
}

static void testOverflow(void) {
  lathe_rt_buffer buffers[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
  int64_t huge = INT64_MAX / 2;
  int64_t bytes[3] = {huge, huge, huge}, offsets[3];
  int64_t work[9];
  EXPECT(lathe_rt_place_buffers(3, buffers, bytes, offsets, work) == -1);
}

int main(void) {
  uint64_t seed = 88172645463325252u;
  for (int i = 0; i < 300; ++i)
    testRandom(&seed);
  testChain();
  testOrder();
  testOverflow();
  return 0;
}
