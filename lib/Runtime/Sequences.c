/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Library functions for sequences and optionals.
 */
#include "Values.h"

#include <string.h>

/* The position in input `i`, counted from the start; `count` if it is omitted.
 * Fails unless it is in [0, limit]. */
static lathe_status readPosition(lathe_rt_call *call, int32_t i, int64_t count,
                                 int64_t limit, int64_t *position) {
  const lathe_value *given = call->inputs[i];
  *position = count;
  if (!given)
    return LATHE_OK;
  if (given->count != 1)
    return lathe_rt_call_fail_int(call, "one position", given->count);
  *position = lathe_rt_int_at(given, 0);
  if (*position < -count || *position > limit) {
    lathe_rt_text text = lathe_rt_call_error(call);
    lathe_rt_text_string(&text, "expected a position in [");
    lathe_rt_text_int(&text, -count);
    lathe_rt_text_string(&text, ", ");
    lathe_rt_text_int(&text, limit);
    lathe_rt_text_string(&text, "], got ");
    lathe_rt_text_int(&text, *position);
    return LATHE_FAILED;
  }
  if (*position < 0)
    *position += count;
  return LATHE_OK;
}

static lathe_status checkSequence(lathe_rt_call *call,
                                  const lathe_value *value) {
  return value && value->kind == LATHE_SEQUENCE
             ? LATHE_OK
             : lathe_rt_call_fail(call, "expected a sequence, got none");
}

static lathe_value *newSequence(lathe_rt_call *call, int64_t count) {
  return count > INT32_MAX
             ? NULL
             : lathe_rt_new_list(&call->ctx->allocator, LATHE_SEQUENCE, count,
                                 (int32_t)count);
}

/* Shares `from` as element `at`; false without memory. */
static bool setElement(lathe_rt_call *call, lathe_value *sequence, int64_t at,
                       lathe_value *from) {
  sequence->elements[at] = lathe_rt_retain(&call->ctx->allocator, from);
  return sequence->elements[at] != NULL;
}

/* Gives `sequence`, which is complete, or fails without memory. */
static lathe_status giveSequence(lathe_rt_call *call, lathe_value *sequence,
                                 bool complete) {
  if (sequence && !complete) {
    lathe_rt_release(sequence);
    sequence = NULL;
  }
  return lathe_rt_give(call, 0, sequence);
}

/* inputs: elements. */
lathe_status lathe_rt_lib_sequence(lathe_rt_call *call) {
  int32_t count = call->info->num_inputs;
  lathe_value *sequence = newSequence(call, count);
  bool complete = sequence != NULL;
  for (int32_t i = 0; i < count && complete; ++i)
    complete = setElement(call, sequence, i, call->inputs[i]);
  return giveSequence(call, sequence, complete);
}

/* Inserts into a sequence of no other owner, which it gives. It grows by
 * halves, so that a loop that appends does so in time linear in its steps. */
static lathe_status insertInPlace(lathe_rt_call *call, lathe_value *sequence,
                                  int64_t position) {
  int32_t count = sequence->num_elements;
  lathe_value *element =
      lathe_rt_retain(&call->ctx->allocator, call->inputs[1]);
  if (element && count == sequence->capacity) {
    lathe_value *grown = lathe_rt_new_sequence(
        &call->ctx->allocator, count, count < 4 ? 8 : count + count / 2);
    if (grown) {
      if (count)
        memcpy(grown->elements, sequence->elements,
               sizeof(lathe_value *) * (size_t)count);
      sequence->num_elements = 0;
    }
    lathe_rt_release(sequence);
    sequence = grown;
  } else if (!element) {
    lathe_rt_release(sequence);
    sequence = NULL;
  }
  if (!sequence) {
    lathe_rt_release(element);
    return lathe_rt_call_no_memory(call);
  }
  memmove(sequence->elements + position + 1, sequence->elements + position,
          sizeof(lathe_value *) * (size_t)(count - position));
  sequence->elements[position] = element;
  sequence->count = sequence->num_elements = count + 1;
  return lathe_rt_give(call, 0, sequence);
}

/* inputs: sequence, element, position. */
lathe_status lathe_rt_lib_sequence_insert(lathe_rt_call *call) {
  lathe_value *from = call->inputs[0], *sequence;
  int64_t position;
  bool complete;
  lathe_status status = checkSequence(call, from);
  if (!status)
    status = readPosition(call, 2, from->count, from->count, &position);
  if (status)
    return status;
  if (from->count < INT32_MAX / 2 && (sequence = lathe_rt_take(call, 0)))
    return insertInPlace(call, sequence, position);
  sequence = newSequence(call, from->count + 1);
  complete = sequence && setElement(call, sequence, position, call->inputs[1]);
  for (int64_t i = 0; i < from->count && complete; ++i)
    complete = setElement(call, sequence, i + (i >= position ? 1 : 0),
                          from->elements[i]);
  return giveSequence(call, sequence, complete);
}

/* inputs: sequence, position. */
lathe_status lathe_rt_lib_sequence_erase(lathe_rt_call *call) {
  lathe_value *from = call->inputs[0], *sequence;
  int64_t position;
  bool complete;
  lathe_status status = checkSequence(call, from);
  if (!status && from->count == 0)
    return lathe_rt_call_fail(call, "expected a sequence that is not empty");
  if (!status)
    status = readPosition(call, 1, from->count, from->count - 1, &position);
  if (status)
    return status;
  if (!call->inputs[1])
    position = from->count - 1;
  sequence = newSequence(call, from->count - 1);
  complete = sequence != NULL;
  for (int64_t i = 0; i < from->count && complete; ++i)
    if (i != position)
      complete = setElement(call, sequence, i - (i > position ? 1 : 0),
                            from->elements[i]);
  return giveSequence(call, sequence, complete);
}

/* inputs: sequence, position. */
lathe_status lathe_rt_lib_sequence_at(lathe_rt_call *call) {
  lathe_value *from = call->inputs[0];
  int64_t position;
  lathe_status status = checkSequence(call, from);
  if (!status)
    status = readPosition(call, 1, from->count, from->count - 1, &position);
  return status ? status : lathe_rt_share(call, 0, from->elements[position]);
}

/* inputs: sequence. */
lathe_status lathe_rt_lib_sequence_length(lathe_rt_call *call) {
  DLDataType i64 = {kDLInt, 64, 1};
  lathe_value *length;
  lathe_status status = checkSequence(call, call->inputs[0]);
  if (!status)
    status = lathe_rt_result_tensor(call, 0, i64, 0, NULL, &length);
  if (!status)
    memcpy(length->data, &call->inputs[0]->count, sizeof(int64_t));
  return status;
}

/* --- Cutting and joining ----------------------------------------------------
 */

/* The tensor as `rows` rows of `size` things of `bytes` bytes each, along an
 * axis. */
typedef struct lathe_rt_axis {
  int64_t rows, size, bytes;
} lathe_rt_axis;

static lathe_rt_axis viewAxis(const lathe_value *tensor, int64_t axis) {
  lathe_rt_axis view = {1, tensor->shape[axis], 1};
  for (int64_t d = 0; d < axis; ++d)
    view.rows *= tensor->shape[d];
  for (int64_t d = axis + 1; d < tensor->rank; ++d)
    view.bytes *= tensor->shape[d];
  if (tensor->kind == LATHE_TENSOR)
    view.bytes *= tensor->dtype.bits / 8;
  return view;
}

/* The part of `from` that has `size` indices of `axis` from `begin` on; without
 * the axis if `drop`. NULL without memory. */
static lathe_value *copyPart(lathe_rt_call *call, const lathe_value *from,
                             int64_t axis, int64_t begin, int64_t size,
                             bool drop) {
  const lathe_allocator *allocator = &call->ctx->allocator;
  lathe_rt_axis view = viewAxis(from, axis);
  int64_t shape[LATHE_RT_MAX_RANK];
  int32_t rank = 0;
  lathe_value *part;
  for (int32_t d = 0; d < from->rank; ++d)
    if (d != axis || !drop)
      shape[rank++] = d == axis ? size : from->shape[d];
  if (from->kind == LATHE_TENSOR) {
    part = lathe_rt_new_tensor(allocator, from->dtype, rank, shape);
    for (int64_t r = 0; part && r < view.rows && size * view.bytes; ++r)
      memcpy(part->data + r * size * view.bytes,
             from->data + (r * view.size + begin) * view.bytes,
             (size_t)(size * view.bytes));
    return part;
  }
  int64_t bytes = 0, next = 0;
  for (int64_t r = 0; r < view.rows; ++r) {
    const int64_t *row = from->offsets + (r * view.size + begin) * view.bytes;
    bytes += row[size * view.bytes] - row[0];
  }
  part = lathe_rt_new_strings(allocator, rank, shape, bytes);
  for (int64_t r = 0; part && r < view.rows; ++r)
    for (int64_t i = 0; i < size * view.bytes; ++i) {
      int64_t length;
      const char *text = lathe_rt_text_at(
          from, (r * view.size + begin) * view.bytes + i, &length);
      memcpy(part->data + part->offsets[next], text, (size_t)length);
      part->offsets[next + 1] = part->offsets[next] + length;
      ++next;
    }
  return part;
}

/* The size of part `i`: from a list, or all one size but perhaps the last. */
static int64_t partSize(const lathe_value *split, int64_t i, int64_t begin,
                        int64_t size) {
  int64_t part = 1;
  if (split)
    part = lathe_rt_int_at(split, split->rank ? i : 0);
  if (split && split->rank)
    return part;
  return part > size - begin ? size - begin : part;
}

/* inputs: tensor, sizes; ints: axis from the front, whether the axis stays. */
lathe_status lathe_rt_lib_split_to_sequence(lathe_rt_call *call) {
  const lathe_value *from = call->inputs[0], *split = call->inputs[1];
  int64_t axis = call->ints[0], size, count, begin = 0;
  bool drop = !split && !call->ints[1], complete;
  lathe_value *sequence;
  if (axis >= from->rank || from->rank > LATHE_RT_MAX_RANK)
    return lathe_rt_call_fail_int(call, "a tensor that has the axis",
                                  from->rank);
  size = from->shape[axis];
  count = size;
  if (split && split->rank) {
    int64_t total = 0;
    count = split->count;
    for (int64_t i = 0; i < count; ++i) {
      int64_t part = lathe_rt_int_at(split, i);
      if (part < 0 || part > size - total)
        return lathe_rt_call_fail_int(call, "sizes that fit the axis", part);
      total += part;
    }
    if (total != size)
      return lathe_rt_call_fail_int(call, "sizes that cover the axis", total);
  } else if (split) {
    int64_t part = lathe_rt_int_at(split, 0);
    if (part < 1)
      return lathe_rt_call_fail_int(call, "a positive size", part);
    count = size / part + (size % part ? 1 : 0);
  }
  sequence = newSequence(call, count);
  complete = sequence != NULL;
  for (int64_t i = 0; i < count && complete; ++i) {
    int64_t part = partSize(split, i, begin, size);
    sequence->elements[i] = copyPart(call, from, axis, begin, part, drop);
    complete = sequence->elements[i] != NULL;
    begin += part;
  }
  return giveSequence(call, sequence, complete);
}

/* Finds the shape of joined tensors; `axis` counts from the front. */
static lathe_status joinedShape(lathe_rt_call *call,
                                const lathe_value *sequence, int64_t axis,
                                bool is_new, int32_t *rank, int64_t *shape) {
  const lathe_value *first = sequence->elements[0];
  int32_t d = 0;
  *rank = first->rank + (is_new ? 1 : 0);
  if (axis >= *rank || *rank > LATHE_RT_MAX_RANK)
    return lathe_rt_call_fail_int(call, "tensors that have the axis",
                                  first->rank);
  for (int32_t r = 0; r < *rank; ++r)
    shape[r] = is_new && r == axis ? 0 : first->shape[d++];
  if (is_new)
    shape[axis] = sequence->count;
  for (int64_t i = 1; i < sequence->count; ++i) {
    const lathe_value *next = sequence->elements[i];
    bool fits = next->kind == first->kind && next->rank == first->rank &&
                next->dtype.code == first->dtype.code &&
                next->dtype.bits == first->dtype.bits;
    for (int32_t r = 0; r < first->rank && fits; ++r)
      fits = next->shape[r] == first->shape[r] || (!is_new && r == axis);
    if (!fits) {
      lathe_rt_text text = lathe_rt_call_error(call);
      lathe_rt_text_string(&text, "expected tensors like ");
      lathe_rt_text_shape(&text, first->rank, first->shape);
      lathe_rt_text_string(&text, ", got ");
      lathe_rt_text_shape(&text, next->rank, next->shape);
      return LATHE_FAILED;
    }
    if (!is_new)
      shape[axis] += next->shape[axis];
  }
  return LATHE_OK;
}

/* inputs: sequence; ints: axis, whether it is new. */
lathe_status lathe_rt_lib_concat_from_sequence(lathe_rt_call *call) {
  const lathe_value *sequence = call->inputs[0], *first;
  int64_t axis = call->ints[0], shape[LATHE_RT_MAX_RANK];
  bool is_new = call->ints[1] != 0;
  int32_t rank;
  lathe_value *result;
  int64_t rows = 1, text_bytes = 0, at = 0;
  lathe_status status = checkSequence(call, sequence);
  if (status)
    return status;
  if (sequence->count == 0)
    return lathe_rt_call_fail(call, "expected a sequence that is not empty");
  first = sequence->elements[0];
  if (axis < 0)
    axis += first->rank + (is_new ? 1 : 0);
  if (axis < 0)
    return lathe_rt_call_fail_int(call, "tensors that have the axis",
                                  first->rank);
  status = joinedShape(call, sequence, axis, is_new, &rank, shape);
  if (status)
    return status;
  for (int64_t d = 0; d < axis; ++d)
    rows *= shape[d];
  if (first->kind == LATHE_TENSOR) {
    status =
        lathe_rt_result_tensor(call, 0, first->dtype, rank, shape, &result);
    for (int64_t r = 0; r < rows && !status; ++r)
      for (int64_t i = 0; i < sequence->count; ++i) {
        const lathe_value *part = sequence->elements[i];
        int64_t bytes = rows ? part->count / rows * (first->dtype.bits / 8) : 0;
        if (bytes)
          memcpy(result->data + at, part->data + r * bytes, (size_t)bytes);
        at += bytes;
      }
    return status;
  }
  for (int64_t i = 0; i < sequence->count; ++i)
    text_bytes += sequence->elements[i]->offsets[sequence->elements[i]->count];
  result = lathe_rt_new_strings(&call->ctx->allocator, rank, shape, text_bytes);
  for (int64_t r = 0; result && r < rows; ++r)
    for (int64_t i = 0; i < sequence->count; ++i) {
      const lathe_value *part = sequence->elements[i];
      for (int64_t k = 0, n = part->count / rows; k < n; ++k, ++at) {
        int64_t length;
        const char *text = lathe_rt_text_at(part, r * n + k, &length);
        memcpy(result->data + result->offsets[at], text, (size_t)length);
        result->offsets[at + 1] = result->offsets[at] + length;
      }
    }
  return lathe_rt_give(call, 0, result);
}

/* --- Optionals ---------------------------------------------------------------
 */

/* inputs: what it holds, or nothing. */
lathe_status lathe_rt_lib_optional(lathe_rt_call *call) {
  lathe_value *element = call->inputs[0];
  lathe_value *optional = lathe_rt_new_list(
      &call->ctx->allocator, LATHE_OPTIONAL, element ? 1 : 0, element ? 1 : 0);
  bool complete =
      optional && (!element || setElement(call, optional, 0, element));
  return giveSequence(call, optional, complete);
}

/* inputs: optional, or another value, which it counts as holding. */
lathe_status lathe_rt_lib_optional_has_element(lathe_rt_call *call) {
  DLDataType type = {kDLBool, 8, 1};
  const lathe_value *value = call->inputs[0];
  lathe_value *result;
  lathe_status status = lathe_rt_result_tensor(call, 0, type, 0, NULL, &result);
  if (!status)
    result->data[0] =
        value && (value->kind != LATHE_OPTIONAL || value->count != 0);
  return status;
}

/* inputs: optional, or another value, which it gives. */
lathe_status lathe_rt_lib_optional_get_element(lathe_rt_call *call) {
  lathe_value *value = call->inputs[0];
  if (!value || (value->kind == LATHE_OPTIONAL && value->count == 0))
    return lathe_rt_call_fail(call,
                              "expected an optional that holds a value, got "
                              "an empty one");
  return lathe_rt_share(
      call, 0, value->kind == LATHE_OPTIONAL ? value->elements[0] : value);
}
