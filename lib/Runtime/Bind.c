/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Sizes that depend on data: a running program binds their symbols, and the
 * memory of what has no bound grows when it is asked for more.
 */
#include "Runtime.h"

#include <string.h>

_Noreturn void lathe_rt_stop(lathe_rt_running *running, lathe_status failure) {
  running->failure = failure;
  longjmp(running->stop, 1);
}

lathe_status lathe_rt_grow(lathe_context *ctx, lathe_rt_growable *growable,
                           int64_t bytes, bool keep) {
  int64_t capacity = growable->capacity;
  char *memory = NULL;
  if (bytes >= 0 && bytes <= capacity && growable->data)
    return LATHE_OK;
  if (bytes >= 0 && bytes < INT64_MAX / 4) {
    /* What grows step by step grows by halves: copies stay linear. */
    int64_t wanted = keep && bytes < capacity + capacity / 2
                         ? capacity + capacity / 2
                         : bytes;
    int64_t kept = keep && growable->data ? capacity : 0;
    wanted = lathe_rt_align(wanted ? wanted : 1);
    if (ctx->driver) {
      memory = ctx->driver->grow(ctx, growable->data, kept, wanted);
    } else {
      memory = ctx->allocator.allocate(ctx->allocator.user, (size_t)wanted,
                                       LATHE_RT_ALIGNMENT);
      if (memory && kept)
        memcpy(memory, growable->data, (size_t)kept);
      if (memory && growable->data)
        ctx->allocator.release(ctx->allocator.user, growable->data);
    }
    capacity = wanted;
  }
  if (!memory) {
    lathe_rt_text text = lathe_rt_error(ctx);
    lathe_rt_text_string(&text, "cannot allocate ");
    lathe_rt_text_int(&text, bytes);
    lathe_rt_text_string(&text,
                         " bytes for a value whose size depends on data");
    return LATHE_OUT_OF_MEMORY;
  }
  growable->data = memory;
  growable->capacity = capacity;
  return LATHE_OK;
}

void *lathe_rt_reserve(lathe_rt_frame *frame, int32_t slot, int64_t bytes,
                       int32_t keep) {
  lathe_rt_running *running = (lathe_rt_running *)frame;
  lathe_rt_growable *growable = &running->ctx->growables[slot];
  lathe_status status;
  if (running->failure)
    lathe_rt_stop(running, running->failure);
  status = lathe_rt_grow(running->ctx, growable, bytes, keep);
  if (status)
    lathe_rt_stop(running, status);
  return growable->data;
}

void lathe_rt_bind(lathe_rt_frame *frame, int32_t symbol, int64_t value,
                   int64_t max, int32_t check) {
  lathe_rt_running *running = (lathe_rt_running *)frame;
  lathe_context *ctx = running->ctx;
  const lathe_rt_model *model = ctx->model;
  int64_t scratch, total, workers;
  lathe_status status;
  /* After a failed check the data, and so the size, means nothing. */
  if (running->status[0] || running->failure)
    lathe_rt_stop(running, running->failure);
  if (value < 0 || (max >= 0 && value > max)) {
    running->status[0] = (int64_t)check + 1;
    running->status[1] = value;
    lathe_rt_stop(running, LATHE_OK);
  }
  if (ctx->bound_symbols[symbol] == value)
    return;
  ctx->bound_symbols[symbol] = value;
  /* Its conditions are on the inputs' sizes, which were checked: what is left
   * is a size that does not fit in 64 bits. */
  if (model->eval(ctx->bound_symbols, ctx->bound_values) < 0)
    lathe_rt_stop(running, lathe_rt_size_error(ctx));

  scratch = lathe_rt_value(ctx->bound_values, model->scratch_bytes);
  if (scratch <= running->scratch_bytes)
    return;
  if (scratch > INT64_MAX / 2048)
    scratch = INT64_MAX / 2048;
  scratch = lathe_rt_align(scratch);
  workers = ctx->driver ? ctx->driver->count_workers(ctx, scratch)
                        : ctx->num_threads;
  if (__builtin_mul_overflow(scratch, workers, &total))
    total = -1;
  status = lathe_rt_grow(ctx, &ctx->scratch, total, /*keep=*/false);
  if (status)
    lathe_rt_stop(running, status);
  running->scratch = ctx->scratch.data;
  running->scratch_bytes = scratch;
}
