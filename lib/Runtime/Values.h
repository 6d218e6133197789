/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Values that are not plain tensors: reference-counted, never changed once they
 * are shared. A library function of a program reads values and makes new ones;
 * one that gives tensors writes them where the program wants them.
 */
#ifndef LATHE_LIB_RUNTIME_VALUES_H
#define LATHE_LIB_RUNTIME_VALUES_H

#include "Runtime.h"

struct lathe_value {
  atomic_int references; /* 0: borrowed, to be copied rather than retained */
  int32_t kind;          /* LATHE_TENSOR, … */
  DLDataType dtype;      /* of a tensor */
  int32_t rank;          /* of a tensor or of strings */
  int64_t *shape;
  /* Elements of a tensor, strings, elements of a sequence, entries of a map, 0
     or 1 of an optional. */
  int64_t count;
  /* Elements of a tensor in row-major order, or the strings' bytes, of which
     string i has those from offsets[i] to offsets[i + 1]. */
  char *data;
  int64_t *offsets;
  /* Of a sequence or an optional: `count` elements. Of a map: the keys and the
     values, each a tensor or strings of one dimension (the values may be a
     sequence instead). */
  lathe_value **elements;
  int32_t num_elements;
  int32_t capacity; /* elements that there is room for */
  lathe_allocator allocator;
};

/* --- Values.c ------------------------------------------------------------ */

const lathe_allocator *lathe_rt_default_allocator(void);

/* These make values of one owner whose contents the caller fills, or return
 * NULL without memory. */
lathe_value *lathe_rt_new_tensor(const lathe_allocator *allocator,
                                 DLDataType dtype, int32_t rank,
                                 const int64_t *shape);
/* `bytes` is the room for the text of all strings; offsets are all 0. */
lathe_value *lathe_rt_new_strings(const lathe_allocator *allocator,
                                  int32_t rank, const int64_t *shape,
                                  int64_t bytes);
/* Of `kind` sequence, map or optional; the elements are NULL. */
lathe_value *lathe_rt_new_list(const lathe_allocator *allocator, int32_t kind,
                               int64_t count, int32_t num_elements);
/* A sequence with room for more elements than `count`. */
lathe_value *lathe_rt_new_sequence(const lathe_allocator *allocator,
                                   int32_t count, int32_t capacity);

/* One more owner of `value`; a copy where it is borrowed, so NULL without
 * memory. */
lathe_value *lathe_rt_retain(const lathe_allocator *allocator,
                             lathe_value *value);

/* Whether `value` is of the type that `type` (like "seq(tensor(float))") names;
 * a value also fits the optional of its type. */
bool lathe_rt_has_type(const lathe_value *value, const char *type);
/* Writes the type of a value as ONNX does. */
void lathe_rt_text_type(lathe_rt_text *text, const lathe_value *value);

/* The functions of lathe_api. */
lathe_status lathe_rt_value_tensor(const lathe_allocator *allocator,
                                   const DLTensor *tensor, lathe_value **value);
lathe_status lathe_rt_value_strings(const lathe_allocator *allocator,
                                    int32_t rank, const int64_t *shape,
                                    const char *const *strings,
                                    const size_t *lengths, lathe_value **value);
lathe_status lathe_rt_value_sequence(const lathe_allocator *allocator,
                                     int64_t count,
                                     lathe_value *const *elements,
                                     lathe_value **value);
lathe_status lathe_rt_value_map(const lathe_allocator *allocator,
                                lathe_value *keys, lathe_value *values,
                                lathe_value **value);
lathe_status lathe_rt_value_optional(const lathe_allocator *allocator,
                                     lathe_value *element, lathe_value **value);
lathe_value *lathe_rt_value_retain(lathe_value *value);
int32_t lathe_rt_value_kind(const lathe_value *value);
int64_t lathe_rt_value_count(const lathe_value *value);
lathe_status lathe_rt_value_view(const lathe_value *value, DLTensor *view);
const char *lathe_rt_value_string(const lathe_value *value, int64_t index,
                                  size_t *length);
lathe_value *lathe_rt_value_element(const lathe_value *value, int64_t index);

/* --- Calls.c: library functions as they are called ------------------------ */

struct lathe_rt_call {
  lathe_context *ctx;
  const lathe_rt_call_info *info;
  const int64_t *ints;  /* info->num_ints, what the compiler knew */
  const int64_t *sizes; /* info->num_sizes, known when the program runs */
  lathe_value **inputs; /* info->num_inputs; NULL where omitted */
  /* info->num_results: NULL, or where the program wants a tensor. */
  lathe_value **results;
};

/* Begins the message of a failure, "node 'x': ". */
lathe_rt_text lathe_rt_call_error(lathe_rt_call *call);
/* The message "node 'x': `what`". */
lathe_status lathe_rt_call_fail(lathe_rt_call *call, const char *what);
/* The message "node 'x': expected `what`, got `value`". */
lathe_status lathe_rt_call_fail_int(lathe_rt_call *call, const char *what,
                                    int64_t value);
lathe_status lathe_rt_call_no_memory(lathe_rt_call *call);

/* Makes result `i` a tensor for the function to fill: the program's memory,
 * whose type and shape must be these, or new. */
lathe_status lathe_rt_result_tensor(lathe_rt_call *call, int32_t i,
                                    DLDataType dtype, int32_t rank,
                                    const int64_t *shape, lathe_value **result);
/* Makes result `i` what the function made or found: takes over `value` if it
 * has no other owner, else leaves the caller's ownership as it is.
 * lathe_rt_give: the function's own value, lathe_rt_share: another's. */
lathe_status lathe_rt_give(lathe_rt_call *call, int32_t i, lathe_value *value);
lathe_status lathe_rt_share(lathe_rt_call *call, int32_t i, lathe_value *value);

/* Input `i` for the function to change and to give, if nobody else has it; the
 * call holds it no longer. Else NULL. */
lathe_value *lathe_rt_take(lathe_rt_call *call, int32_t i);

/* The whole number in a tensor of integers or bools. */
int64_t lathe_rt_int_at(const lathe_value *tensor, int64_t index);

/* The order of element `i` of `a` and `j` of `b`, both strings, or both
 * integers of one type. */
int lathe_rt_compare(const lathe_value *a, int64_t i, const lathe_value *b,
                     int64_t j);

static inline const char *lathe_rt_text_at(const lathe_value *strings,
                                           int64_t index, int64_t *length) {
  *length = strings->offsets[index + 1] - strings->offsets[index];
  return strings->data + strings->offsets[index];
}

#endif /* LATHE_LIB_RUNTIME_VALUES_H */
