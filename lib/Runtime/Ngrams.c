/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * TfIdfVectorizer: counts the n-grams of a pool. Those of each length are
 * sorted once a call, and what stands at each position of the input is then
 * found by halving.
 */
#include "Values.h"

#include <string.h>

/* The n-grams of a call. */
typedef struct lathe_rt_ngrams {
  const lathe_value *pool, *x;
  const int64_t *begins;  /* per length - 1, in the pool */
  const int64_t *indexes; /* per n-gram, its place in a row of the result */
  int64_t lengths;
  const int64_t *order; /* the n-grams, sorted length by length */
  int64_t *starts;      /* per n-gram, where it begins in the pool */
} lathe_rt_ngrams;

static int64_t poolEnd(const lathe_rt_ngrams *n, int64_t length) {
  return length < n->lengths ? n->begins[length] : n->pool->count;
}

/* The order of n-gram `a` of the pool and the n-gram of the input whose
 * elements are `step` apart from `at` on. */
static int compareGram(const lathe_rt_ngrams *n, int64_t gram, int64_t length,
                       int64_t at, int64_t step) {
  int order = 0;
  for (int64_t k = 0; k < length && !order; ++k)
    order = lathe_rt_compare(n->pool, n->starts[gram] + k, n->x, at + k * step);
  return order;
}

/* Adds one to the places of all n-grams of `length` that equal what stands at
 * `at`. order[begin .. end) are those of this length. */
static void countGram(const lathe_rt_ngrams *n, int64_t begin, int64_t end,
                      int64_t length, int64_t at, int64_t step, float *row) {
  int64_t low = begin, high = end;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (compareGram(n, n->order[middle], length, at, step) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  if (low < end && compareGram(n, n->order[low], length, at, step) == 0)
    row[n->indexes[n->order[low]]] += 1;
}

/* inputs: x; pool; positions in the pool of each length's n-grams; places of
 * the n-grams; weights, or nothing; the n-grams sorted length by length. ints:
 * least and greatest length, greatest number of skipped elements, mode (0 TF, 1
 * IDF, 2 TFIDF), columns. */
lathe_status lathe_rt_lib_tf_idf(lathe_rt_call *call) {
  const lathe_allocator *allocator = &call->ctx->allocator;
  const lathe_value *x = call->inputs[0], *weights = call->inputs[4];
  lathe_rt_ngrams n = {
      .pool = call->inputs[1],
      .x = x,
      .begins = (const int64_t *)(const void *)call->inputs[2]->data,
      .indexes = (const int64_t *)(const void *)call->inputs[3]->data,
      .lengths = call->inputs[2]->count};
  int64_t least = call->ints[0], most = call->ints[1], skips = call->ints[2];
  int64_t mode = call->ints[3], columns = call->ints[4];
  int64_t rows = x->rank == 2 ? x->shape[0] : 1;
  int64_t width = x->rank ? x->shape[x->rank - 1] : 1;
  int64_t shape[2] = {rows, columns}, grams = call->inputs[3]->count, next = 0;
  DLDataType f32 = {kDLFloat, 32, 1};
  lathe_value *result;
  lathe_status status =
      lathe_rt_result_tensor(call, 0, f32, x->rank == 2 ? 2 : 1,
                             x->rank == 2 ? shape : shape + 1, &result);
  float *data;
  if (status)
    return status;
  data = (float *)(void *)result->data;
  if (rows && columns)
    memset(data, 0, sizeof(float) * (size_t)(rows * columns));
  n.order = (const int64_t *)(const void *)call->inputs[5]->data;
  n.starts = allocator->allocate(
      allocator->user, sizeof(int64_t) * (size_t)grams + 1, LATHE_RT_ALIGNMENT);
  if (!n.starts)
    return lathe_rt_call_no_memory(call);
  for (int64_t length = 1; length <= n.lengths; ++length) {
    int64_t begin = next, end;
    for (int64_t at = n.begins[length - 1]; at < poolEnd(&n, length);
         at += length) {
      n.starts[next++] = at;
    }
    end = next;
    if (length < least || length > most || begin == end)
      continue;
    for (int64_t r = 0; r < rows; ++r)
      /* Elements of one are never apart. */
      for (int64_t step = 1; step <= (length == 1 ? 1 : skips + 1); ++step)
        for (int64_t i = 0; i + (length - 1) * step < width; ++i)
          countGram(&n, begin, end, length, r * width + i, step,
                    data + r * columns);
  }
  for (int64_t g = 0; g < grams && mode; ++g) {
    float weight =
        weights ? ((const float *)(const void *)weights->data)[g] : 1;
    for (int64_t r = 0; r < rows; ++r) {
      float *place = data + r * columns + n.indexes[g];
      *place = mode == 1 ? (*place > 0 ? weight : 0) : *place * weight;
    }
  }
  allocator->release(allocator->user, n.starts);
  return LATHE_OK;
}
