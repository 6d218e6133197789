/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * How programs call library functions, and hold values: each value has a slot
 * of the context, which owns it until another takes the place or the run ends.
 */
#include "Values.h"

#include <string.h>

/* --- Slots --------------------------------------------------------------- */

void lathe_rt_clear_slots(lathe_context *ctx) {
  if (!ctx->model->host)
    return;
  for (int32_t s = 0; s < ctx->model->host->num_slots; ++s) {
    lathe_rt_release(ctx->slots[s]);
    ctx->slots[s] = NULL;
  }
}

static void setSlot(lathe_context *ctx, int32_t slot, lathe_value *value) {
  lathe_value *before = ctx->slots[slot];
  ctx->slots[slot] = value;
  lathe_rt_release(before);
}

void lathe_rt_move(lathe_rt_frame *frame, int32_t to, int32_t from) {
  lathe_context *ctx = ((lathe_rt_running *)frame)->ctx;
  if (from >= 0) {
    setSlot(ctx, to, lathe_rt_retain(&ctx->allocator, ctx->slots[from]));
  } else {
    lathe_value *value = ctx->slots[~from];
    ctx->slots[~from] = NULL;
    setSlot(ctx, to, value);
  }
}

int64_t lathe_rt_value_size(lathe_rt_frame *frame, int32_t slot, int32_t dim) {
  lathe_rt_running *running = (lathe_rt_running *)frame;
  const lathe_value *value = running->ctx->slots[slot];
  if (value && dim < 0)
    return value->count;
  return value && dim < value->rank ? value->shape[dim] : -1;
}

/* --- Values at the boundary ---------------------------------------------- */

static lathe_status valueError(lathe_context *ctx,
                               const lathe_rt_tensor *expected,
                               const lathe_value *value) {
  lathe_rt_text text = lathe_rt_error(ctx);
  lathe_rt_text_string(&text, "input '");
  lathe_rt_text_string(&text, expected->name);
  lathe_rt_text_string(&text, "': expected a value of type ");
  lathe_rt_text_string(&text, expected->type);
  if (expected->rank >= 0) {
    lathe_rt_text_string(&text, " of ");
    lathe_rt_text_int(&text, expected->rank);
    lathe_rt_text_string(&text, " dimensions");
  }
  lathe_rt_text_string(&text, ", got ");
  if (!value) {
    lathe_rt_text_string(&text, "a tensor");
    return LATHE_INVALID_ARGUMENT;
  }
  lathe_rt_text_type(&text, value);
  if (expected->rank >= 0)
    lathe_rt_text_shape(&text, value->rank, value->shape);
  return LATHE_INVALID_ARGUMENT;
}

lathe_status lathe_rt_take_input(lathe_context *ctx, int32_t index,
                                 const DLTensor *input, const int64_t **shape) {
  const lathe_rt_tensor *expected = &ctx->model->inputs[index];
  lathe_value *value =
      input->dtype.code == kDLOpaqueHandle ? input->data : NULL;
  if (!value || !lathe_rt_has_type(value, expected->type) ||
      (expected->rank >= 0 && value->rank != expected->rank))
    return valueError(ctx, expected, value);
  setSlot(ctx, index, lathe_rt_retain(&ctx->allocator, value));
  *shape = value->shape;
  return LATHE_OK;
}

void lathe_rt_give_output(lathe_context *ctx, int32_t index, DLTensor *output) {
  int32_t slot = ctx->model->num_inputs + index;
  memset(output, 0, sizeof(*output));
  output->data = ctx->slots[slot];
  output->device.device_type = kDLCPU;
  output->dtype.code = kDLOpaqueHandle;
  output->dtype.bits = 64;
  output->dtype.lanes = 1;
  ctx->slots[slot] = NULL;
}

/* --- Errors -------------------------------------------------------------- */

lathe_rt_text lathe_rt_call_error(lathe_rt_call *call) {
  lathe_rt_text text = lathe_rt_error(call->ctx);
  lathe_rt_text_string(&text, "node '");
  lathe_rt_text_string(&text, call->info->node);
  lathe_rt_text_string(&text, "': ");
  return text;
}

lathe_status lathe_rt_call_fail(lathe_rt_call *call, const char *what) {
  lathe_rt_text text = lathe_rt_call_error(call);
  lathe_rt_text_string(&text, what);
  return LATHE_FAILED;
}

lathe_status lathe_rt_call_fail_int(lathe_rt_call *call, const char *what,
                                    int64_t value) {
  lathe_rt_text text = lathe_rt_call_error(call);
  lathe_rt_text_string(&text, "expected ");
  lathe_rt_text_string(&text, what);
  lathe_rt_text_string(&text, ", got ");
  lathe_rt_text_int(&text, value);
  return LATHE_FAILED;
}

lathe_status lathe_rt_call_no_memory(lathe_rt_call *call) {
  lathe_rt_text text = lathe_rt_call_error(call);
  lathe_rt_text_string(&text, "cannot allocate memory for a value");
  return LATHE_OUT_OF_MEMORY;
}

/* --- Results ------------------------------------------------------------- */

/* Whether result `i` is memory of the program. */
static bool isPlaced(const lathe_rt_call *call, int32_t i) {
  const lathe_rt_operand *operands = call->info->operands;
  return operands[call->info->num_inputs + i].kind == LATHE_RT_TENSOR;
}

static lathe_status checkPlaced(lathe_rt_call *call, const lathe_value *place,
                                int32_t kind, DLDataType dtype, int32_t rank,
                                const int64_t *shape) {
  lathe_rt_text text;
  if (kind == LATHE_TENSOR && dtype.code == place->dtype.code &&
      dtype.bits == place->dtype.bits && rank == place->rank &&
      (!rank || !memcmp(shape, place->shape, sizeof(int64_t) * (size_t)rank)))
    return LATHE_OK;
  text = lathe_rt_call_error(call);
  lathe_rt_text_string(&text, "expected ");
  lathe_rt_text_dtype(&text, place->dtype);
  lathe_rt_text_shape(&text, place->rank, place->shape);
  lathe_rt_text_string(&text, ", got ");
  if (kind == LATHE_TENSOR) {
    lathe_rt_text_dtype(&text, dtype);
    lathe_rt_text_shape(&text, rank, shape);
  } else {
    lathe_rt_text_string(&text,
                         kind == LATHE_STRINGS ? "strings" : "no tensor");
  }
  return LATHE_FAILED;
}

lathe_status lathe_rt_result_tensor(lathe_rt_call *call, int32_t i,
                                    DLDataType dtype, int32_t rank,
                                    const int64_t *shape,
                                    lathe_value **result) {
  *result = call->results[i];
  if (isPlaced(call, i))
    return checkPlaced(call, *result, LATHE_TENSOR, dtype, rank, shape);
  *result = call->results[i] =
      lathe_rt_new_tensor(&call->ctx->allocator, dtype, rank, shape);
  return *result ? LATHE_OK : lathe_rt_call_no_memory(call);
}

lathe_status lathe_rt_share(lathe_rt_call *call, int32_t i,
                            lathe_value *value) {
  lathe_value *place = call->results[i];
  lathe_status status;
  int64_t bytes;
  if (!isPlaced(call, i)) {
    call->results[i] = lathe_rt_retain(&call->ctx->allocator, value);
    return call->results[i] ? LATHE_OK : lathe_rt_call_no_memory(call);
  }
  status = checkPlaced(call, place, value->kind, value->dtype, value->rank,
                       value->shape);
  if (status)
    return status;
  bytes = lathe_rt_dense_bytes(value->dtype, value->rank, value->shape);
  if (bytes)
    memcpy(place->data, value->data, (size_t)bytes);
  return LATHE_OK;
}

lathe_status lathe_rt_give(lathe_rt_call *call, int32_t i, lathe_value *value) {
  lathe_status status;
  if (!value)
    return lathe_rt_call_no_memory(call);
  status = lathe_rt_share(call, i, value);
  lathe_rt_release(value);
  return status;
}

lathe_value *lathe_rt_take(lathe_rt_call *call, int32_t i) {
  lathe_value *value = call->inputs[i];
  if (call->info->operands[i].kind != LATHE_RT_LAST || !value ||
      atomic_load_explicit(&value->references, memory_order_acquire) != 1)
    return NULL;
  call->inputs[i] = NULL;
  return value;
}

int64_t lathe_rt_int_at(const lathe_value *tensor, int64_t index) {
  switch (tensor->dtype.bits) {
  case 8:
    return tensor->dtype.code == kDLInt
               ? ((const int8_t *)tensor->data)[index]
               : ((const uint8_t *)tensor->data)[index];
  case 16:
    return tensor->dtype.code == kDLInt
               ? ((const int16_t *)(const void *)tensor->data)[index]
               : ((const uint16_t *)(const void *)tensor->data)[index];
  case 32:
    return tensor->dtype.code == kDLInt
               ? (int64_t)((const int32_t *)(const void *)tensor->data)[index]
               : (int64_t)((const uint32_t *)(const void *)tensor->data)[index];
  default:
    return ((const int64_t *)(const void *)tensor->data)[index];
  }
}

int lathe_rt_compare(const lathe_value *a, int64_t i, const lathe_value *b,
                     int64_t j) {
  if (a->kind == LATHE_STRINGS) {
    int64_t a_bytes, b_bytes;
    const char *x = lathe_rt_text_at(a, i, &a_bytes);
    const char *y = lathe_rt_text_at(b, j, &b_bytes);
    int order = memcmp(x, y, (size_t)(a_bytes < b_bytes ? a_bytes : b_bytes));
    return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
  }
  int64_t x = lathe_rt_int_at(a, i), y = lathe_rt_int_at(b, j);
  return (x > y) - (x < y);
}

/* --- Calling ------------------------------------------------------------- */

/* What a call needs beside its operands' own memory. */
typedef struct lathe_rt_call_space {
  lathe_value *heads;
  lathe_value **pointers;
  int64_t *shapes;
} lathe_rt_call_space;

/* Describes operand `o` of the program in `head`; moves on in args and shapes.
 */
static lathe_value *describeOperand(lathe_context *ctx,
                                    const lathe_rt_operand *o,
                                    lathe_value *head, const int64_t **args,
                                    int64_t **shapes) {
  const lathe_rt_literal *literal;
  switch (o->kind) {
  case LATHE_RT_SLOT:
    return ctx->slots[o->index];
  case LATHE_RT_LAST: {
    lathe_value *value = ctx->slots[o->index];
    ctx->slots[o->index] = NULL;
    return value;
  }
  case LATHE_RT_LITERAL:
    literal = &ctx->model->host->literals[o->index];
    head->kind = literal->offsets ? LATHE_STRINGS : LATHE_TENSOR;
    head->dtype.code = literal->dtype_code;
    head->dtype.bits = literal->dtype_bits;
    head->dtype.lanes = 1;
    head->rank = literal->rank;
    head->shape = (int64_t *)(uintptr_t)literal->shape;
    head->data = (char *)(uintptr_t)literal->data;
    head->offsets = (int64_t *)(uintptr_t)literal->offsets;
    head->count = lathe_rt_count(head->rank, head->shape);
    return head;
  case LATHE_RT_TENSOR:
    head->kind = LATHE_TENSOR;
    head->dtype.code = o->dtype_code;
    head->dtype.bits = o->dtype_bits;
    head->dtype.lanes = 1;
    head->rank = o->rank;
    head->shape = *shapes;
    head->data = (char *)(uintptr_t)*(*args)++;
    for (int32_t d = 0; d < o->rank; ++d)
      *(*shapes)++ = o->dims[d] >= 0 ? o->dims[d] : *(*args)++;
    head->count = lathe_rt_count(head->rank, head->shape);
    return head;
  default:
    return NULL;
  }
}

static lathe_status runCall(lathe_rt_call *call, lathe_rt_call_space space,
                            lathe_rt_function function, const int64_t *args) {
  const lathe_rt_call_info *info = call->info;
  int32_t n = info->num_inputs;
  lathe_status status;
  call->inputs = space.pointers;
  call->results = space.pointers + n;
  for (int32_t o = 0; o < n + info->num_results; ++o) {
    bool is_result = o >= n;
    space.pointers[o] =
        is_result && info->operands[o].kind != LATHE_RT_TENSOR
            ? NULL
            : describeOperand(call->ctx, &info->operands[o], &space.heads[o],
                              &args, &space.shapes);
  }
  call->sizes = args;
  status = function(call);
  for (int32_t i = 0; i < n; ++i)
    if (info->operands[i].kind == LATHE_RT_LAST)
      lathe_rt_release(call->inputs[i]);
  for (int32_t r = 0; r < info->num_results; ++r) {
    const lathe_rt_operand *o = &info->operands[n + r];
    if (o->kind == LATHE_RT_TENSOR)
      continue;
    if (!status && o->kind == LATHE_RT_SLOT)
      setSlot(call->ctx, o->index, call->results[r]);
    else
      lathe_rt_release(call->results[r]);
  }
  return status;
}

void lathe_rt_library(lathe_rt_frame *frame, int32_t index,
                      lathe_rt_function function, const int64_t *args) {
  lathe_rt_running *running = (lathe_rt_running *)frame;
  lathe_context *ctx = running->ctx;
  const lathe_rt_call_info *info = &ctx->model->host->calls[index];
  lathe_rt_call call = {.ctx = ctx, .info = info, .ints = info->ints};
  union {
    char bytes[4096];
    lathe_value align;
  } local;
  char *memory = local.bytes;
  size_t operands = (size_t)info->num_inputs + (size_t)info->num_results;
  size_t dims = 0, bytes;
  lathe_rt_call_space space;
  lathe_status status;
  if (running->status[0])
    lathe_rt_stop(running, LATHE_OK);
  for (size_t o = 0; o < operands; ++o)
    if (info->operands[o].kind == LATHE_RT_TENSOR)
      dims += (size_t)info->operands[o].rank;
  bytes = operands * (sizeof(lathe_value) + sizeof(lathe_value *)) +
          dims * sizeof(int64_t);
  if (bytes > sizeof(local.bytes))
    memory =
        ctx->allocator.allocate(ctx->allocator.user, bytes, LATHE_RT_ALIGNMENT);
  if (!memory)
    lathe_rt_stop(running, lathe_rt_call_no_memory(&call));
  memset(memory, 0, bytes);
  space.heads = (lathe_value *)(void *)memory;
  space.pointers = (lathe_value **)(void *)(space.heads + operands);
  space.shapes = (int64_t *)(void *)(space.pointers + operands);
  status = runCall(&call, space, function, args);
  if (memory != local.bytes)
    ctx->allocator.release(ctx->allocator.user, memory);
  if (status)
    lathe_rt_stop(running, status);
}

/* --- The value itself ---------------------------------------------------- */

/* result 0: input 0. Between tensors of the program and values. */
lathe_status lathe_rt_lib_identity(lathe_rt_call *call) {
  return lathe_rt_share(call, 0, call->inputs[0]);
}
