/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Making, sharing, reading and ending values. Each is one block of memory.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Values.h"

#include <stdlib.h>
#include <string.h>

static void *valueAllocate(void *user, size_t bytes, size_t alignment) {
  void *memory = NULL;
  (void)user;
  return posix_memalign(&memory, alignment, bytes) ? NULL : memory;
}

static void valueRelease(void *user, void *memory) {
  (void)user;
  free(memory);
}

const lathe_allocator *lathe_rt_default_allocator(void) {
  static const lathe_allocator standard = {NULL, valueAllocate, valueRelease};
  return &standard;
}

/* A value with `extra` bytes behind it, from `*tail` on aligned like vectors.
 */
static lathe_value *newValue(const lathe_allocator *allocator, int32_t kind,
                             int64_t extra, char **tail) {
  size_t head = (size_t)lathe_rt_align((int64_t)sizeof(lathe_value));
  lathe_value *value;
  if (extra < 0 || extra > INT64_MAX / 4)
    return NULL;
  value = allocator->allocate(allocator->user, head + (size_t)extra,
                              LATHE_RT_ALIGNMENT);
  if (!value)
    return NULL;
  memset(value, 0, sizeof(*value));
  atomic_init(&value->references, 1);
  value->kind = kind;
  value->allocator = *allocator;
  *tail = (char *)value + head;
  return value;
}

lathe_value *lathe_rt_new_tensor(const lathe_allocator *allocator,
                                 DLDataType dtype, int32_t rank,
                                 const int64_t *shape) {
  int64_t bytes = lathe_rt_dense_bytes(dtype, rank, shape);
  int64_t room;
  char *tail;
  lathe_value *value;
  if (rank < 0 || bytes < 0 || bytes > INT64_MAX / 8)
    return NULL;
  room = lathe_rt_align(bytes);
  value = newValue(allocator, LATHE_TENSOR,
                   room + (int64_t)sizeof(int64_t) * rank, &tail);
  if (!value)
    return NULL;
  value->dtype = dtype;
  value->rank = rank;
  value->count = lathe_rt_count(rank, shape);
  value->data = tail;
  value->shape = (int64_t *)(void *)(tail + room);
  if (rank)
    memcpy(value->shape, shape, sizeof(int64_t) * (size_t)rank);
  return value;
}

lathe_value *lathe_rt_new_strings(const lathe_allocator *allocator,
                                  int32_t rank, const int64_t *shape,
                                  int64_t bytes) {
  int64_t count = lathe_rt_count(rank, shape), words;
  char *tail;
  lathe_value *value;
  if (rank < 0 || bytes < 0 || bytes > INT64_MAX / 8 || count < 0 ||
      count > INT64_MAX / 64)
    return NULL;
  words = rank + count + 1;
  value = newValue(allocator, LATHE_STRINGS,
                   words * (int64_t)sizeof(int64_t) + bytes + 1, &tail);
  if (!value)
    return NULL;
  value->rank = rank;
  value->count = count;
  value->shape = (int64_t *)(void *)tail;
  value->offsets = value->shape + rank;
  value->data = tail + words * (int64_t)sizeof(int64_t);
  if (rank)
    memcpy(value->shape, shape, sizeof(int64_t) * (size_t)rank);
  memset(value->offsets, 0, sizeof(int64_t) * (size_t)(count + 1));
  return value;
}

lathe_value *lathe_rt_new_list(const lathe_allocator *allocator, int32_t kind,
                               int64_t count, int32_t num_elements) {
  char *tail;
  lathe_value *value =
      newValue(allocator, kind,
               (int64_t)sizeof(lathe_value *) * num_elements + 1, &tail);
  if (!value)
    return NULL;
  value->count = count;
  value->num_elements = value->capacity = num_elements;
  value->elements = (lathe_value **)(void *)tail;
  memset(tail, 0, sizeof(lathe_value *) * (size_t)num_elements);
  return value;
}

lathe_value *lathe_rt_new_sequence(const lathe_allocator *allocator,
                                   int32_t count, int32_t capacity) {
  lathe_value *value =
      lathe_rt_new_list(allocator, LATHE_SEQUENCE, count, capacity);
  if (value)
    value->num_elements = count;
  return value;
}

/* Borrowed values are tensors and strings. */
static lathe_value *copyValue(const lathe_allocator *allocator,
                              const lathe_value *value) {
  lathe_value *copy;
  size_t bytes;
  if (value->kind == LATHE_STRINGS) {
    bytes = (size_t)value->offsets[value->count];
    copy = lathe_rt_new_strings(allocator, value->rank, value->shape,
                                (int64_t)bytes);
    if (copy)
      memcpy(copy->offsets, value->offsets,
             sizeof(int64_t) * (size_t)(value->count + 1));
  } else {
    bytes =
        (size_t)lathe_rt_dense_bytes(value->dtype, value->rank, value->shape);
    copy =
        lathe_rt_new_tensor(allocator, value->dtype, value->rank, value->shape);
  }
  if (copy && bytes)
    memcpy(copy->data, value->data, bytes);
  return copy;
}

lathe_value *lathe_rt_retain(const lathe_allocator *allocator,
                             lathe_value *value) {
  if (!value || !atomic_load_explicit(&value->references, memory_order_relaxed))
    return value ? copyValue(allocator, value) : NULL;
  atomic_fetch_add_explicit(&value->references, 1, memory_order_relaxed);
  return value;
}

/* Nesting is bounded by the types of the model, whose depth the importer
 * bounds. */
void lathe_rt_release(lathe_value *value) {
  lathe_allocator allocator;
  if (!value || atomic_fetch_sub_explicit(&value->references, 1,
                                          memory_order_acq_rel) != 1)
    return;
  for (int32_t i = 0; i < value->num_elements; ++i)
    lathe_rt_release(value->elements[i]);
  allocator = value->allocator;
  allocator.release(allocator.user, value);
}

/* --- Types --------------------------------------------------------------- */

static const struct {
  const char *name;
  uint8_t code, bits;
} valueTypes[] = {
    {"float16", kDLFloat, 16},
    {"float", kDLFloat, 32},
    {"double", kDLFloat, 64},
    {"bfloat16", kDLBfloat, 16},
    {"int8", kDLInt, 8},
    {"int16", kDLInt, 16},
    {"int32", kDLInt, 32},
    {"int64", kDLInt, 64},
    {"uint8", kDLUInt, 8},
    {"uint16", kDLUInt, 16},
    {"uint32", kDLUInt, 32},
    {"uint64", kDLUInt, 64},
    {"bool", kDLBool, 8},
    {"complex64", kDLComplex, 64},
    {"complex128", kDLComplex, 128},
    {"float8e4m3fn", kDLFloat8_e4m3fn, 8},
    {"float8e4m3fnuz", kDLFloat8_e4m3fnuz, 8},
    {"float8e5m2", kDLFloat8_e5m2, 8},
    {"float8e5m2fnuz", kDLFloat8_e5m2fnuz, 8},
    {"float8e8m0", kDLFloat8_e8m0fnu, 8},
};

static const char *typeName(const lathe_value *value) {
  if (value->kind == LATHE_STRINGS)
    return "string";
  for (size_t i = 0; i < sizeof(valueTypes) / sizeof(valueTypes[0]); ++i)
    if (valueTypes[i].code == value->dtype.code &&
        valueTypes[i].bits == value->dtype.bits && value->dtype.lanes == 1)
      return valueTypes[i].name;
  return "unknown";
}

static bool consumeText(const char **at, const char *text) {
  size_t length = strlen(text);
  if (strncmp(*at, text, length) != 0)
    return false;
  *at += length;
  return true;
}

static bool hasElementType(const lathe_value *value, const char *at) {
  const char *name = typeName(value);
  size_t length = strlen(name);
  return (value->kind == LATHE_TENSOR || value->kind == LATHE_STRINGS) &&
         strncmp(at, name, length) == 0 && (at[length] == ')' || !at[length]);
}

bool lathe_rt_has_type(const lathe_value *value, const char *at) {
  const char *inner = at;
  if (consumeText(&inner, "optional(")) {
    if (value->kind != LATHE_OPTIONAL)
      return lathe_rt_has_type(value, inner);
    return value->count == 0 || lathe_rt_has_type(value->elements[0], inner);
  }
  if (consumeText(&inner, "tensor("))
    return hasElementType(value, inner);
  if (consumeText(&inner, "seq(")) {
    if (value->kind != LATHE_SEQUENCE)
      return false;
    for (int64_t i = 0; i < value->count; ++i)
      if (!lathe_rt_has_type(value->elements[i], inner))
        return false;
    return true;
  }
  if (!consumeText(&inner, "map(") || value->kind != LATHE_MAP)
    return false;
  const char *key = typeName(value->elements[0]);
  if (!consumeText(&inner, key) || !consumeText(&inner, ","))
    return false;
  /* Scalars of a map lie in one tensor. */
  if (value->elements[1]->kind != LATHE_SEQUENCE)
    return consumeText(&inner, "tensor(") &&
           hasElementType(value->elements[1], inner);
  for (int64_t i = 0; i < value->count; ++i)
    if (!lathe_rt_has_type(value->elements[1]->elements[i], inner))
      return false;
  return true;
}

void lathe_rt_text_type(lathe_rt_text *text, const lathe_value *value) {
  switch (value->kind) {
  case LATHE_TENSOR:
  case LATHE_STRINGS:
    lathe_rt_text_string(text, "tensor(");
    lathe_rt_text_string(text, typeName(value));
    break;
  case LATHE_MAP:
    lathe_rt_text_string(text, "map(");
    lathe_rt_text_string(text, typeName(value->elements[0]));
    lathe_rt_text_string(text, ",");
    if (value->elements[1]->kind != LATHE_SEQUENCE)
      lathe_rt_text_type(text, value->elements[1]);
    else if (value->count)
      lathe_rt_text_type(text, value->elements[1]->elements[0]);
    break;
  default:
    lathe_rt_text_string(text,
                         value->kind == LATHE_SEQUENCE ? "seq(" : "optional(");
    if (value->count)
      lathe_rt_text_type(text, value->elements[0]);
  }
  lathe_rt_text_string(text, ")");
}

/* --- The caller's side --------------------------------------------------- */

static const lathe_allocator *chooseAllocator(const lathe_allocator *given) {
  return given && given->allocate && given->release
             ? given
             : lathe_rt_default_allocator();
}

lathe_status lathe_rt_value_tensor(const lathe_allocator *allocator,
                                   const DLTensor *tensor,
                                   lathe_value **result) {
  int64_t bytes;
  *result = NULL;
  if (tensor->ndim < 0 || tensor->ndim > LATHE_RT_MAX_RANK ||
      (tensor->ndim && !tensor->shape) || tensor->dtype.code == kDLOpaqueHandle)
    return LATHE_INVALID_ARGUMENT;
  bytes = lathe_rt_dense_bytes(tensor->dtype, tensor->ndim, tensor->shape);
  if (bytes < 0 || (bytes && !tensor->data))
    return LATHE_INVALID_ARGUMENT;
  *result = lathe_rt_new_tensor(chooseAllocator(allocator), tensor->dtype,
                                tensor->ndim, tensor->shape);
  if (!*result)
    return LATHE_OUT_OF_MEMORY;
  lathe_rt_gather(tensor, (*result)->data);
  return LATHE_OK;
}

lathe_status lathe_rt_value_strings(const lathe_allocator *allocator,
                                    int32_t rank, const int64_t *shape,
                                    const char *const *strings,
                                    const size_t *lengths,
                                    lathe_value **result) {
  int64_t count, bytes = 0;
  *result = NULL;
  if (rank < 0 || rank > LATHE_RT_MAX_RANK || (rank && !shape))
    return LATHE_INVALID_ARGUMENT;
  count = lathe_rt_count(rank, shape);
  if (count < 0)
    return LATHE_INVALID_ARGUMENT;
  for (int64_t i = 0; i < count; ++i) {
    size_t length = lengths ? lengths[i] : strlen(strings[i]);
    if (length > INT64_MAX / 16 ||
        __builtin_add_overflow(bytes, (int64_t)length, &bytes))
      return LATHE_OUT_OF_MEMORY;
  }
  *result =
      lathe_rt_new_strings(chooseAllocator(allocator), rank, shape, bytes);
  if (!*result)
    return LATHE_OUT_OF_MEMORY;
  for (int64_t i = 0, at = 0; i < count; ++i) {
    size_t length = lengths ? lengths[i] : strlen(strings[i]);
    if (length)
      memcpy((*result)->data + at, strings[i], length);
    at += (int64_t)length;
    (*result)->offsets[i + 1] = at;
  }
  return LATHE_OK;
}

lathe_status lathe_rt_value_sequence(const lathe_allocator *allocator,
                                     int64_t count,
                                     lathe_value *const *elements,
                                     lathe_value **result) {
  *result = NULL;
  if (count < 0 || count > INT32_MAX)
    return LATHE_INVALID_ARGUMENT;
  for (int64_t i = 0; i < count; ++i)
    if (!elements[i])
      return LATHE_INVALID_ARGUMENT;
  *result = lathe_rt_new_list(chooseAllocator(allocator), LATHE_SEQUENCE, count,
                              (int32_t)count);
  if (!*result)
    return LATHE_OUT_OF_MEMORY;
  for (int64_t i = 0; i < count; ++i)
    (*result)->elements[i] = lathe_rt_value_retain(elements[i]);
  return LATHE_OK;
}

lathe_status lathe_rt_value_map(const lathe_allocator *allocator,
                                lathe_value *keys, lathe_value *values,
                                lathe_value **result) {
  bool are_keys, are_values;
  *result = NULL;
  if (!keys || !values)
    return LATHE_INVALID_ARGUMENT;
  are_keys = keys->rank == 1 &&
             (keys->kind == LATHE_STRINGS ||
              (keys->kind == LATHE_TENSOR && keys->dtype.lanes == 1 &&
               (keys->dtype.code == kDLInt || keys->dtype.code == kDLUInt)));
  are_values = values->kind == LATHE_SEQUENCE ||
               (values->rank == 1 && (values->kind == LATHE_TENSOR ||
                                      values->kind == LATHE_STRINGS));
  if (!are_keys || !are_values || keys->count != values->count)
    return LATHE_INVALID_ARGUMENT;
  *result =
      lathe_rt_new_list(chooseAllocator(allocator), LATHE_MAP, keys->count, 2);
  if (!*result)
    return LATHE_OUT_OF_MEMORY;
  (*result)->elements[0] = lathe_rt_value_retain(keys);
  (*result)->elements[1] = lathe_rt_value_retain(values);
  return LATHE_OK;
}

lathe_status lathe_rt_value_optional(const lathe_allocator *allocator,
                                     lathe_value *element,
                                     lathe_value **result) {
  int32_t count = element ? 1 : 0;
  *result = lathe_rt_new_list(chooseAllocator(allocator), LATHE_OPTIONAL, count,
                              count);
  if (!*result)
    return LATHE_OUT_OF_MEMORY;
  if (element)
    (*result)->elements[0] = lathe_rt_value_retain(element);
  return LATHE_OK;
}

lathe_value *lathe_rt_value_retain(lathe_value *value) {
  return lathe_rt_retain(lathe_rt_default_allocator(), value);
}

int32_t lathe_rt_value_kind(const lathe_value *value) { return value->kind; }

int64_t lathe_rt_value_count(const lathe_value *value) { return value->count; }

lathe_status lathe_rt_value_view(const lathe_value *value, DLTensor *view) {
  memset(view, 0, sizeof(*view));
  if (value->kind != LATHE_TENSOR && value->kind != LATHE_STRINGS)
    return LATHE_INVALID_ARGUMENT;
  view->device.device_type = kDLCPU;
  view->ndim = value->rank;
  view->shape = value->shape;
  if (value->kind == LATHE_STRINGS) {
    view->dtype.code = kDLOpaqueHandle;
    view->dtype.bits = 64;
    view->dtype.lanes = 1;
    return LATHE_OK;
  }
  view->dtype = value->dtype;
  view->data = value->data;
  return LATHE_OK;
}

const char *lathe_rt_value_string(const lathe_value *value, int64_t index,
                                  size_t *length) {
  int64_t found;
  const char *text;
  if (value->kind != LATHE_STRINGS || index < 0 || index >= value->count)
    return NULL;
  text = lathe_rt_text_at(value, index, &found);
  *length = (size_t)found;
  return text;
}

lathe_value *lathe_rt_value_element(const lathe_value *value, int64_t index) {
  return index >= 0 && index < value->num_elements ? value->elements[index]
                                                   : NULL;
}
