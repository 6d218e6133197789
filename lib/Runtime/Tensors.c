/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Tensors of the caller: sizes, whether they are dense, and copies between
 * strided and dense storage.
 */
#include "Runtime.h"

#include <string.h>

static int64_t elementBits(DLDataType dtype) {
  return (int64_t)dtype.bits * dtype.lanes;
}

int64_t lathe_rt_count(int32_t rank, const int64_t *shape) {
  int64_t count = 1;
  for (int32_t d = 0; d < rank; ++d)
    if (shape[d] == 0)
      return 0;
  for (int32_t d = 0; d < rank; ++d)
    if (shape[d] < 0 || __builtin_mul_overflow(count, shape[d], &count))
      return -1;
  return count;
}

int64_t lathe_rt_dense_bytes(DLDataType dtype, int32_t rank,
                             const int64_t *shape) {
  int64_t count = lathe_rt_count(rank, shape), bits;
  if (count < 0 || __builtin_mul_overflow(count, elementBits(dtype), &bits) ||
      bits > INT64_MAX - 7)
    return -1;
  return (bits + 7) / 8;
}

char *lathe_rt_tensor_data(const DLTensor *tensor) {
  return tensor->data ? (char *)tensor->data + tensor->byte_offset : NULL;
}

bool lathe_rt_is_packed(DLDataType dtype) { return elementBits(dtype) % 8; }

int64_t lathe_rt_staged_bytes(const DLTensor *tensor) {
  DLDataType dtype = tensor->dtype;
  if (lathe_rt_is_packed(dtype))
    dtype.bits = 8;
  return lathe_rt_dense_bytes(dtype, tensor->ndim, tensor->shape);
}

bool lathe_rt_is_direct(const DLTensor *tensor) {
  uint64_t bytes = (uint64_t)elementBits(tensor->dtype) / 8;
  /* Generated code has each element in a byte of its own at least. */
  if (lathe_rt_is_packed(tensor->dtype))
    return false;
  /* Loads of generated code are aligned to the element. */
  if (bytes && !(bytes & (bytes - 1)) &&
      ((uintptr_t)lathe_rt_tensor_data(tensor) & (bytes - 1)))
    return false;
  return lathe_rt_is_compact(tensor);
}

bool lathe_rt_is_compact(const DLTensor *tensor) {
  int64_t expected = 1;
  if (!tensor->strides)
    return true;
  for (int32_t d = 0; d < tensor->ndim; ++d)
    if (tensor->shape[d] == 0)
      return true;
  for (int32_t d = tensor->ndim - 1; d >= 0; --d) {
    if (tensor->shape[d] != 1 && tensor->strides[d] != expected)
      return false;
    expected *= tensor->shape[d];
  }
  return true;
}

static void copyElements(char *to, int64_t to_step, const char *from,
                         int64_t from_step, int64_t count, size_t bytes) {
  if (to_step == (int64_t)bytes && from_step == (int64_t)bytes) {
    memcpy(to, from, (size_t)count * bytes);
    return;
  }
#define LATHE_RT_COPY(SIZE)                                                    \
  case SIZE:                                                                   \
    for (int64_t i = 0; i < count; ++i)                                        \
      memcpy(to + i * to_step, from + i * from_step, SIZE);                    \
    break
  switch (bytes) {
    LATHE_RT_COPY(1);
    LATHE_RT_COPY(2);
    LATHE_RT_COPY(4);
    LATHE_RT_COPY(8);
  default:
    for (int64_t i = 0; i < count; ++i)
      memcpy(to + i * to_step, from + i * from_step, bytes);
  }
#undef LATHE_RT_COPY
}

/* Walks a tensor of at least one element row by row; `gather` says in which
 * direction to copy. */
static void copyStrided(const DLTensor *tensor, char *dense, bool gather) {
  int64_t index[LATHE_RT_MAX_RANK] = {0};
  int64_t strides[LATHE_RT_MAX_RANK];
  size_t bytes = (size_t)elementBits(tensor->dtype) / 8;
  int32_t rank = tensor->ndim;
  char *row = lathe_rt_tensor_data(tensor);
  int64_t compact = (int64_t)bytes;
  int64_t length = rank ? tensor->shape[rank - 1] : 1;
  for (int32_t d = rank - 1; d >= 0; --d) {
    strides[d] =
        tensor->strides ? tensor->strides[d] * (int64_t)bytes : compact;
    compact *= tensor->shape[d];
  }
  for (;;) {
    int64_t step = rank ? strides[rank - 1] : (int64_t)bytes;
    int32_t d = rank - 2;
    if (gather)
      copyElements(dense, (int64_t)bytes, row, step, length, bytes);
    else
      copyElements(row, step, dense, (int64_t)bytes, length, bytes);
    dense += length * (int64_t)bytes;
    for (; d >= 0; --d) {
      row += strides[d];
      if (++index[d] < tensor->shape[d])
        break;
      row -= strides[d] * tensor->shape[d];
      index[d] = 0;
    }
    if (d < 0)
      return;
  }
}

/* Packed elements, from the lowest bit of the first byte on, to bytes: signed
 * integers extended by their sign, all else by zeros. */
static void unpackBits(const DLTensor *tensor, uint8_t *bytes, int64_t count) {
  const uint8_t *packed = (const uint8_t *)lathe_rt_tensor_data(tensor);
  unsigned bits = (unsigned)elementBits(tensor->dtype);
  uint8_t sign = tensor->dtype.code == kDLInt ? (uint8_t)(1u << (bits - 1)) : 0;
  uint32_t held = 0;
  unsigned have = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (have < bits) {
      held |= (uint32_t)*packed++ << have;
      have += 8;
    }
    uint8_t code = (uint8_t)(held & ((1u << bits) - 1));
    bytes[i] = (uint8_t)((code ^ sign) - sign);
    held >>= bits;
    have -= bits;
  }
}

static void packBits(const uint8_t *bytes, const DLTensor *tensor,
                     int64_t count) {
  uint8_t *packed = (uint8_t *)lathe_rt_tensor_data(tensor);
  unsigned bits = (unsigned)elementBits(tensor->dtype);
  uint32_t held = 0;
  unsigned have = 0;
  for (int64_t i = 0; i < count; ++i) {
    held |= (uint32_t)(bytes[i] & ((1u << bits) - 1)) << have;
    have += bits;
    if (have >= 8) {
      *packed++ = (uint8_t)held;
      held >>= 8;
      have -= 8;
    }
  }
  if (have)
    *packed = (uint8_t)held;
}

void lathe_rt_gather(const DLTensor *from, char *to) {
  int64_t bytes = lathe_rt_dense_bytes(from->dtype, from->ndim, from->shape);
  if (bytes > 0 && lathe_rt_is_packed(from->dtype))
    memcpy(to, lathe_rt_tensor_data(from), (size_t)bytes);
  else if (bytes > 0)
    copyStrided(from, to, true);
}

void lathe_rt_stage(const DLTensor *from, char *to) {
  if (lathe_rt_is_packed(from->dtype))
    unpackBits(from, (uint8_t *)to, lathe_rt_staged_bytes(from));
  else
    lathe_rt_gather(from, to);
}

void lathe_rt_unstage(const char *from, const DLTensor *to) {
  int64_t bytes = lathe_rt_staged_bytes(to);
  if (lathe_rt_is_packed(to->dtype))
    packBits((const uint8_t *)from, to, bytes);
  else if (bytes > 0)
    copyStrided(to, (char *)(uintptr_t)from, false);
}
