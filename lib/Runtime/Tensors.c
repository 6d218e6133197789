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

int64_t lathe_rt_dense_bytes(DLDataType dtype, int32_t rank,
                             const int64_t *shape) {
  int64_t count = 1, bits;
  for (int32_t d = 0; d < rank; ++d)
    if (shape[d] == 0)
      return 0;
  for (int32_t d = 0; d < rank; ++d)
    if (shape[d] < 0 || __builtin_mul_overflow(count, shape[d], &count))
      return -1;
  if (__builtin_mul_overflow(count, elementBits(dtype), &bits) ||
      bits > INT64_MAX - 7)
    return -1;
  return (bits + 7) / 8;
}

char *lathe_rt_tensor_data(const DLTensor *tensor) {
  return tensor->data ? (char *)tensor->data + tensor->byte_offset : NULL;
}

bool lathe_rt_is_direct(const DLTensor *tensor) {
  int64_t expected = 1;
  uint64_t bytes = (uint64_t)elementBits(tensor->dtype) / 8;
  /* Loads of generated code are aligned to the element. */
  if (bytes && !(bytes & (bytes - 1)) &&
      ((uintptr_t)lathe_rt_tensor_data(tensor) & (bytes - 1)))
    return false;
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

void lathe_rt_gather(const DLTensor *from, char *to) {
  if (lathe_rt_dense_bytes(from->dtype, from->ndim, from->shape) > 0)
    copyStrided(from, to, true);
}

void lathe_rt_scatter(const char *from, const DLTensor *to) {
  if (lathe_rt_dense_bytes(to->dtype, to->ndim, to->shape) > 0)
    copyStrided(to, (char *)(uintptr_t)from, false);
}
