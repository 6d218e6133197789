/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Elements narrower than a byte, between packed memory and bytes.
 *
 * RUN: %unit/lathe-runtime-packed
 */
#include "FakeModel.h"
#include "Runtime.h"

#include <string.h>

static DLTensor makeTensor(void *data, uint8_t code, uint8_t bits,
                           int64_t *shape) {
  DLTensor tensor = {data, {kDLCPU, 0}, 1, {code, bits, 1}, shape, NULL, 0};
  return tensor;
}

/* Unpacks, compares, and packs again. */
static void check(uint8_t code, uint8_t bits, const uint8_t *packed,
                  size_t packed_bytes, const int8_t *expected, int64_t count) {
  uint8_t memory[16], again[16];
  int8_t bytes[16];
  int64_t shape[1] = {count};
  DLTensor tensor = makeTensor(memory, code, bits, shape);
  memcpy(memory, packed, packed_bytes);
  EXPECT(lathe_rt_is_packed(tensor.dtype) && !lathe_rt_is_direct(&tensor));
  EXPECT(lathe_rt_dense_bytes(tensor.dtype, 1, shape) == (int64_t)packed_bytes);
  EXPECT(lathe_rt_staged_bytes(&tensor) == count);
  lathe_rt_stage(&tensor, (char *)bytes);
  EXPECT(!memcmp(bytes, expected, (size_t)count));
  memset(again, 0xff, sizeof(again));
  tensor.data = again;
  lathe_rt_unstage((const char *)bytes, &tensor);
  EXPECT(!memcmp(again, packed, packed_bytes));
  EXPECT(again[packed_bytes] == 0xff);
}

int main(void) {
  const uint8_t nibbles[] = {0x8f, 0x07};
  const int8_t signed_nibbles[] = {-1, -8, 7}, unsigned_nibbles[] = {15, 8, 7};
  const uint8_t pairs[] = {0xe4, 0x02};
  const int8_t signed_pairs[] = {0, 1, -2, -1, -2};
  const int8_t unsigned_pairs[] = {0, 1, 2, 3, 2};
  const uint8_t sixes[] = {0x41, 0x20, 0xfc, 0x01}; /* 1, 1, 2, 63, 1 */
  const int8_t codes[] = {1, 1, 2, 63, 1};
  int64_t none[1] = {0}, strides[1] = {2};
  DLTensor empty = makeTensor(NULL, kDLInt, 4, none);
  check(kDLInt, 4, nibbles, 2, signed_nibbles, 3);
  check(kDLUInt, 4, nibbles, 2, unsigned_nibbles, 3);
  check(kDLFloat4_e2m1fn, 4, nibbles, 2, unsigned_nibbles, 3);
  check(kDLInt, 2, pairs, 2, signed_pairs, 5);
  check(kDLUInt, 2, pairs, 2, unsigned_pairs, 5);
  check(kDLFloat6_e2m3fn, 6, sixes, 4, codes, 5);
  EXPECT(lathe_rt_staged_bytes(&empty) == 0);
  lathe_rt_stage(&empty, NULL);
  lathe_rt_unstage(NULL, &empty);
  empty.shape = strides;
  EXPECT(lathe_rt_is_compact(&empty));
  empty.strides = strides;
  EXPECT(!lathe_rt_is_compact(&empty));
  return 0;
}
