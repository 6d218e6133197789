/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Library functions for maps, labels and categories. Keys are looked up in a
 * sorted list of their positions.
 */
#include "Values.h"

#include <string.h>

/* --- Looking up ---------------------------------------------------------- */

static double realAt(const lathe_value *tensor, int64_t i) {
  return tensor->dtype.bits == 32
             ? (double)((const float *)(const void *)tensor->data)[i]
             : ((const double *)(const void *)tensor->data)[i];
}

/* The order of element `i` of `a` and `j` of `b`, of one type; all NaNs are
 * equal and above the numbers. */
static int compareKeys(const lathe_value *a, int64_t i, const lathe_value *b,
                       int64_t j) {
  if (a->kind != LATHE_STRINGS && a->dtype.code == kDLFloat) {
    double x = realAt(a, i), y = realAt(b, j);
    if (x != x || y != y)
      return (x != x) - (y != y);
    return (x > y) - (x < y);
  }
  return lathe_rt_compare(a, i, b, j);
}

/* The positions of `keys` in their order, equal ones as they stand; to be given
 * back to the allocator. NULL without memory. */
static int64_t *sortKeys(lathe_rt_call *call, const lathe_value *keys) {
  const lathe_allocator *allocator = &call->ctx->allocator;
  int64_t n = keys->count;
  int64_t *from = allocator->allocate(
      allocator->user, sizeof(int64_t) * 2 * (size_t)n + 1, LATHE_RT_ALIGNMENT);
  int64_t *memory = from, *to;
  if (!from)
    return NULL;
  to = from + n;
  for (int64_t i = 0; i < n; ++i)
    from[i] = i;
  /* Merges runs of `width`. */
  for (int64_t width = 1; width < n; width *= 2) {
    for (int64_t begin = 0; begin < n; begin += 2 * width) {
      int64_t middle = begin + width < n ? begin + width : n;
      int64_t end = middle + width < n ? middle + width : n;
      int64_t l = begin, r = middle;
      for (int64_t k = begin; k < end; ++k)
        to[k] = r == end || (l < middle &&
                             compareKeys(keys, from[l], keys, from[r]) <= 0)
                    ? from[l++]
                    : from[r++];
    }
    int64_t *other = from;
    from = to;
    to = other;
  }
  if (from != memory)
    memcpy(memory, from, sizeof(int64_t) * (size_t)n);
  return memory;
}

/* The first position of `keys` that holds what element `i` of `x` does, or -1.
 */
static int64_t findKey(const lathe_value *keys, const int64_t *order,
                       const lathe_value *x, int64_t i) {
  int64_t low = 0, high = keys->count;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (compareKeys(keys, order[middle], x, i) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < keys->count && compareKeys(keys, order[low], x, i) == 0
             ? order[low]
             : -1;
}

/* Whether two values hold elements that can be compared. */
static bool haveSameKeys(const lathe_value *a, const lathe_value *b) {
  return a->kind == b->kind &&
         (a->kind == LATHE_STRINGS ||
          (a->kind == LATHE_TENSOR && a->dtype.code == b->dtype.code));
}

static void giveBack(lathe_rt_call *call, int64_t *order) {
  call->ctx->allocator.release(call->ctx->allocator.user, order);
}

/* Fills result 0, of `rank` and `shape`, with what `pick` says of element i:
 * the position in `values`, or -1 for the element of `standard`. */
static lathe_status pickValues(lathe_rt_call *call, int32_t rank,
                               const int64_t *shape, const lathe_value *values,
                               const lathe_value *standard,
                               int64_t (*pick)(const void *state, int64_t i),
                               const void *state) {
  int64_t count = lathe_rt_count(rank, shape), bytes = 0;
  lathe_value *result;
  if (values->kind == LATHE_TENSOR) {
    size_t each = values->dtype.bits / 8;
    lathe_status status =
        lathe_rt_result_tensor(call, 0, values->dtype, rank, shape, &result);
    for (int64_t i = 0; i < count && !status; ++i) {
      int64_t at = pick(state, i);
      memcpy(result->data + (size_t)i * each,
             at < 0 ? standard->data : values->data + (size_t)at * each, each);
    }
    return status;
  }
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = pick(state, i), length;
    lathe_rt_text_at(at < 0 ? standard : values, at < 0 ? 0 : at, &length);
    bytes += length;
  }
  result = lathe_rt_new_strings(&call->ctx->allocator, rank, shape, bytes);
  for (int64_t i = 0; result && i < count; ++i) {
    int64_t at = pick(state, i), length;
    const char *text =
        lathe_rt_text_at(at < 0 ? standard : values, at < 0 ? 0 : at, &length);
    if (length)
      memcpy(result->data + result->offsets[i], text, (size_t)length);
    result->offsets[i + 1] = result->offsets[i] + length;
  }
  return lathe_rt_give(call, 0, result);
}

typedef struct lathe_rt_lookup {
  const lathe_value *keys;
  const int64_t *order;
  const lathe_value *x;
} lathe_rt_lookup;

static int64_t pickFound(const void *state, int64_t i) {
  const lathe_rt_lookup *lookup = state;
  return findKey(lookup->keys, lookup->order, lookup->x, i);
}

/* --- Labels -------------------------------------------------------------- */

/* inputs: elements, keys, values of the keys, one value for all others, the
 * positions of the keys in their order. */
lathe_status lathe_rt_lib_look_up(lathe_rt_call *call) {
  const lathe_value *x = call->inputs[0], *keys = call->inputs[1];
  lathe_rt_lookup lookup = {
      keys, (const int64_t *)(const void *)call->inputs[4]->data, x};
  if (!haveSameKeys(x, keys))
    return lathe_rt_call_fail(call, "expected elements of the keys' type");
  return pickValues(call, x->rank, x->shape, call->inputs[2], call->inputs[3],
                    pickFound, &lookup);
}

static int64_t pickAt(const void *state, int64_t i) {
  return ((const int64_t *)state)[i];
}

/* Fills `groups`: which distinct string each of `x` is, and `firsts`: where
 * each first occurs; `order` is that of the strings. Returns how many there
 * are. Numbers them by their order, or by their first occurrence. */
static int64_t groupStrings(const lathe_value *x, const int64_t *order,
                            bool by_order, int64_t *groups, int64_t *firsts,
                            int64_t *numbers) {
  int64_t n = x->count, distinct = 0, next = 0;
  for (int64_t k = 0; k < n; ++k) {
    /* Equal ones are in the order of their positions. */
    if (!k || compareKeys(x, order[k - 1], x, order[k]) != 0)
      firsts[distinct++] = order[k];
    groups[order[k]] = distinct - 1;
  }
  if (by_order)
    return distinct;
  for (int64_t g = 0; g < distinct; ++g)
    numbers[g] = -1;
  for (int64_t i = 0; i < n; ++i) {
    if (numbers[groups[i]] < 0)
      numbers[groups[i]] = next++;
    groups[i] = numbers[groups[i]];
  }
  for (int64_t i = n; i-- > 0;)
    firsts[groups[i]] = i;
  return distinct;
}

/* inputs: strings; ints: whether to sort. results: the distinct strings, where
 * each first occurs, which of them each is, how often each occurs. */
lathe_status lathe_rt_lib_string_unique(lathe_rt_call *call) {
  const lathe_allocator *allocator = &call->ctx->allocator;
  const lathe_value *x = call->inputs[0];
  DLDataType i64 = {kDLInt, 64, 1};
  lathe_value *indices, *inverse, *counts;
  int64_t n = x->count, distinct;
  int64_t *order = sortKeys(call, x), *groups, *firsts;
  lathe_status status;
  if (!order)
    return lathe_rt_call_no_memory(call);
  groups = allocator->allocate(
      allocator->user, sizeof(int64_t) * 3 * (size_t)n + 1, LATHE_RT_ALIGNMENT);
  if (!groups) {
    giveBack(call, order);
    return lathe_rt_call_no_memory(call);
  }
  firsts = groups + n;
  distinct = groupStrings(x, order, call->ints[0] != 0, groups, firsts,
                          groups + 2 * n);
  status = pickValues(call, 1, &distinct, x, x, pickAt, firsts);
  if (!status)
    status = lathe_rt_result_tensor(call, 1, i64, 1, &distinct, &indices);
  if (!status)
    status = lathe_rt_result_tensor(call, 2, i64, 1, &n, &inverse);
  if (!status)
    status = lathe_rt_result_tensor(call, 3, i64, 1, &distinct, &counts);
  if (!status && n) {
    memcpy(indices->data, firsts, sizeof(int64_t) * (size_t)distinct);
    memcpy(inverse->data, groups, sizeof(int64_t) * (size_t)n);
    memset(counts->data, 0, sizeof(int64_t) * (size_t)distinct);
    for (int64_t i = 0; i < n; ++i)
      ++((int64_t *)(void *)counts->data)[groups[i]];
  }
  giveBack(call, groups);
  giveBack(call, order);
  return status;
}

/* --- Maps ---------------------------------------------------------------- */

/* inputs: one row of numbers, or several, and a label for each column. */
lathe_status lathe_rt_lib_zip_map(lathe_rt_call *call) {
  const lathe_allocator *allocator = &call->ctx->allocator;
  const lathe_value *x = call->inputs[0];
  int64_t columns = x->rank ? x->shape[x->rank - 1] : 1;
  int64_t rows = x->rank == 2 ? x->shape[0] : 1;
  lathe_value *keys, *sequence;
  bool complete;
  if (call->inputs[1]->count != columns)
    return lathe_rt_call_fail_int(call, "a column for each label", columns);
  if (rows > INT32_MAX)
    return lathe_rt_call_no_memory(call);
  keys = lathe_rt_retain(allocator, call->inputs[1]);
  sequence = lathe_rt_new_list(allocator, LATHE_SEQUENCE, rows, (int32_t)rows);
  complete = keys && sequence;
  for (int64_t r = 0; r < rows && complete; ++r) {
    size_t bytes = (size_t)columns * (x->dtype.bits / 8);
    lathe_value *map = lathe_rt_new_list(allocator, LATHE_MAP, columns, 2);
    sequence->elements[r] = map;
    if (map)
      map->elements[1] = lathe_rt_new_tensor(allocator, x->dtype, 1, &columns);
    complete = map && map->elements[1];
    if (complete) {
      map->elements[0] = lathe_rt_retain(allocator, keys);
      memcpy(map->elements[1]->data, x->data + (size_t)r * bytes, bytes);
    }
  }
  lathe_rt_release(keys);
  if (!complete) {
    lathe_rt_release(sequence);
    sequence = NULL;
  }
  return lathe_rt_give(call, 0, sequence);
}

static lathe_status checkMap(lathe_rt_call *call, const lathe_value *map) {
  if (map->kind != LATHE_MAP)
    return lathe_rt_call_fail(call, "expected a map, got none");
  if (map->elements[1]->kind == LATHE_SEQUENCE)
    return lathe_rt_call_fail(call, "expected a map of scalars");
  return LATHE_OK;
}

/* inputs: a map, keys, one value for those that it does not have. */
lathe_status lathe_rt_lib_dict_vectorizer(lathe_rt_call *call) {
  const lathe_value *map = call->inputs[0], *words = call->inputs[1];
  lathe_status status = checkMap(call, map);
  lathe_rt_lookup lookup;
  int64_t shape[2] = {1, words->count};
  int64_t *order;
  if (status)
    return status;
  if (!haveSameKeys(map->elements[0], words))
    return lathe_rt_call_fail(call, "expected a vocabulary of the keys' type");
  order = sortKeys(call, map->elements[0]);
  if (!order)
    return lathe_rt_call_no_memory(call);
  lookup.keys = map->elements[0];
  lookup.order = order;
  lookup.x = words;
  status = pickValues(call, 2, shape, map->elements[1], call->inputs[2],
                      pickFound, &lookup);
  giveBack(call, order);
  return status;
}

/* inputs: a map with keys int64, one value for places without a key; ints: the
 * number of places, or 0 for the values in the order of their keys. */
lathe_status lathe_rt_lib_map_values(lathe_rt_call *call) {
  const lathe_allocator *allocator = &call->ctx->allocator;
  const lathe_value *map = call->inputs[0], *keys;
  lathe_status status = checkMap(call, map);
  int64_t shape[2] = {1, call->ints[0]};
  int64_t *order;
  if (status)
    return status;
  keys = map->elements[0];
  if (keys->kind != LATHE_TENSOR)
    return lathe_rt_call_fail(call, "expected a map with numbers as keys");
  if (!shape[1]) {
    shape[1] = map->count;
    order = sortKeys(call, keys);
  } else {
    order =
        allocator->allocate(allocator->user, sizeof(int64_t) * (size_t)shape[1],
                            LATHE_RT_ALIGNMENT);
    for (int64_t i = 0; order && i < shape[1]; ++i)
      order[i] = -1;
    for (int64_t i = 0; order && i < map->count && !status; ++i) {
      int64_t key = lathe_rt_int_at(keys, i);
      if (key < 0 || key >= shape[1])
        status = lathe_rt_call_fail_int(call, "keys below max_map", key);
      else
        order[key] = i;
    }
  }
  if (!order)
    return lathe_rt_call_no_memory(call);
  if (!status)
    status = pickValues(call, 2, shape, map->elements[1], call->inputs[1],
                        pickAt, order);
  giveBack(call, order);
  return status;
}
