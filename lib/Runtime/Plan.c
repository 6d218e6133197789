/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * From input shapes to a plan: bind the symbols, compute every size that
 * depends on them, place the buffers in the arena. Plans are remembered, so
 * that alternating shapes are not planned again.
 */
#include "Runtime.h"

#include <string.h>

/* --- Placing buffers ---------------------------------------------------- */

/* Pairs of buffers that trying other orders may look at: a millisecond or two.
 * And how many orders. Most programs need none but the first. */
enum { MOST_LOOKS = 2000000, MOST_PLACEMENTS = 256 };

/* Larger first; equal ones in the order of the program. */
static bool comesBefore(const int64_t *keys, int32_t a, int32_t b) {
  return keys[a] != keys[b] ? keys[a] > keys[b] : a < b;
}

/* Restores the heap (last of the order on top) below `root`. */
static void siftDown(int32_t *order, int32_t root, int32_t n,
                     const int64_t *keys) {
  for (;;) {
    int32_t child = 2 * root + 1, held = order[root];
    if (child >= n)
      return;
    if (child + 1 < n && comesBefore(keys, order[child], order[child + 1]))
      ++child;
    if (!comesBefore(keys, held, order[child]))
      return;
    order[root] = order[child];
    order[child] = held;
    root = child;
  }
}

/* Heap sort: libc's qsort may allocate. */
static void sortByKey(int32_t *order, int32_t n, const int64_t *keys) {
  for (int32_t i = 0; i < n; ++i)
    order[i] = i;
  for (int32_t i = n / 2 - 1; i >= 0; --i)
    siftDown(order, i, n, keys);
  for (int32_t i = n - 1; i > 0; --i) {
    int32_t top = order[0];
    order[0] = order[i];
    order[i] = top;
    siftDown(order, 0, i, keys);
  }
}

int64_t lathe_rt_peak_bytes(int32_t n, const lathe_rt_buffer *buffers,
                            const int64_t *bytes, const int64_t *values) {
  int64_t peak = 0;
  /* What is live grows only where a buffer begins. */
  for (int32_t i = 0; i < n; ++i) {
    int64_t live = 0;
    for (int32_t j = 0; j < n; ++j)
      if (buffers[j].first <= buffers[i].first &&
          buffers[j].last >= buffers[i].first)
        live += lathe_rt_align(
            bytes ? bytes[j] : lathe_rt_value(values, buffers[j].bytes));
    peak = live > peak ? live : peak;
  }
  return peak;
}

/* Places the buffers in the given order, each at the lowest offset where it
 * meets no placed one; -1 if the end cannot be represented. */
static int64_t placeInOrder(int32_t n, const int32_t *order,
                            const lathe_rt_buffer *buffers,
                            const int64_t *bytes, int64_t *offsets,
                            int32_t *placed /* by rising offset */) {
  int32_t num_placed = 0;
  int64_t total = 0;
  for (int32_t i = 0; i < n; ++i) {
    int32_t b = order[i], at = num_placed;
    int64_t offset = 0, end;
    if (bytes[b] == 0) {
      offsets[b] = 0;
      continue;
    }
    for (int32_t p = 0; p < num_placed; ++p) {
      int32_t other = placed[p];
      int64_t other_end = lathe_rt_align(offsets[other] + bytes[other]);
      if (buffers[other].last < buffers[b].first ||
          buffers[other].first > buffers[b].last || other_end <= offset)
        continue;
      if (offsets[other] >= offset && offsets[other] - offset >= bytes[b])
        break; /* fits in the gap below */
      offset = other_end;
    }
    if (__builtin_add_overflow(offset, bytes[b], &end) ||
        end > INT64_MAX - LATHE_RT_ALIGNMENT)
      return -1;
    offsets[b] = offset;
    end = lathe_rt_align(end);
    total = end > total ? end : total;
    for (; at > 0 && offsets[placed[at - 1]] > offset; --at)
      placed[at] = placed[at - 1];
    placed[at] = b;
    ++num_placed;
  }
  return total;
}

int64_t lathe_rt_place_buffers(int32_t n, const lathe_rt_buffer *buffers,
                               const int64_t *bytes, int64_t *offsets,
                               int64_t *work) {
  int64_t *keys = work, *trial = work + n;
  int32_t *order = (int32_t *)(work + 2 * (int64_t)n), *placed = order + n;
  int64_t best, peak, tries;
  memcpy(keys, bytes, (size_t)n * sizeof(int64_t));
  sortByKey(order, n, keys);
  best = placeInOrder(n, order, buffers, bytes, offsets, placed);
  if (best < 0)
    return best;
  peak = lathe_rt_peak_bytes(n, buffers, bytes, NULL);
  tries = n ? MOST_LOOKS / ((int64_t)n * n) : 0;
  tries = tries < MOST_PLACEMENTS ? tries : MOST_PLACEMENTS;
  if (best > peak)
    memcpy(trial, offsets, (size_t)n * sizeof(int64_t));
  /* What ends above the peak was placed too late: give it twice the weight, in
     all parts of the program at once (squeaky wheel optimization, Joslin and
     Clements, JAIR 10, 1999). */
  for (int64_t i = 0; i < tries && best > peak; ++i) {
    int64_t total;
    for (int32_t b = 0; b < n; ++b)
      if (bytes[b] && lathe_rt_align(trial[b] + bytes[b]) > peak &&
          keys[b] <= INT64_MAX / 2)
        keys[b] *= 2;
    sortByKey(order, n, keys);
    total = placeInOrder(n, order, buffers, bytes, trial, placed);
    if (total < 0)
      break;
    if (total < best) {
      best = total;
      memcpy(offsets, trial, (size_t)n * sizeof(int64_t));
    }
  }
  return best;
}

/* --- Symbols ------------------------------------------------------------ */

/* Writes "[batch=2, 3, ?]": what is known of an expected shape. */
static void expectedShape(lathe_rt_text *text, const lathe_context *ctx,
                          const lathe_rt_tensor *tensor,
                          const int64_t *values) {
  lathe_rt_text_string(text, "[");
  for (int32_t d = 0; d < tensor->rank; ++d) {
    int64_t size = tensor->dims[d];
    const char *name = tensor->dim_names ? tensor->dim_names[d] : NULL;
    if (d)
      lathe_rt_text_string(text, ", ");
    if (size >= 0) {
      lathe_rt_text_int(text, size);
      continue;
    }
    if (!name && ~size < ctx->model->num_symbols)
      name = ctx->model->symbols[~size];
    if (name && *name)
      lathe_rt_text_string(text, name);
    size = values                            ? values[~size]
           : ~size < ctx->model->num_symbols ? ctx->symbols[~size]
                                             : -1;
    if (size >= 0) {
      lathe_rt_text_string(text, name && *name ? "=" : "");
      lathe_rt_text_int(text, size);
    } else if (!name || !*name) {
      lathe_rt_text_string(text, "?");
    }
  }
  lathe_rt_text_string(text, "]");
}

static lathe_status shapeError(lathe_context *ctx, int32_t input,
                               const int64_t *shape, const int64_t *values) {
  const lathe_rt_tensor *tensor = &ctx->model->inputs[input];
  lathe_rt_text text = lathe_rt_error(ctx);
  lathe_rt_text_string(&text, "input '");
  lathe_rt_text_string(&text, tensor->name);
  lathe_rt_text_string(&text, "': expected shape ");
  expectedShape(&text, ctx, tensor, values);
  lathe_rt_text_string(&text, ", got ");
  lathe_rt_text_shape(&text, tensor->rank, shape);
  return LATHE_INVALID_ARGUMENT;
}

static lathe_status bindSymbols(lathe_context *ctx,
                                const int64_t *const *shapes) {
  const lathe_rt_model *model = ctx->model;
  for (int32_t s = 0; s < model->num_symbols; ++s)
    ctx->symbols[s] = -1;
  for (int32_t i = 0; i < model->num_inputs; ++i) {
    const lathe_rt_tensor *tensor = &model->inputs[i];
    for (int32_t d = 0; d < tensor->rank; ++d) {
      int64_t size = tensor->dims[d], got = shapes[i][d];
      int64_t *symbol = NULL;
      if (size < 0 && ~size < model->num_symbols)
        symbol = &ctx->symbols[~size];
      if (got < 0 || (size >= 0 && got != size) ||
          (symbol && *symbol >= 0 && *symbol != got))
        return shapeError(ctx, i, shapes[i], NULL);
      if (symbol)
        *symbol = got;
    }
  }
  /* What depends on data is bound by the program; until then any size that can
     be divided by will do. */
  for (int32_t s = 0; s < model->num_symbols; ++s)
    if (ctx->symbols[s] < 0)
      ctx->symbols[s] = 1;
  return LATHE_OK;
}

/* Input dimensions that are computed from other inputs' symbols. */
static lathe_status checkDerivedDims(lathe_context *ctx,
                                     const int64_t *const *shapes,
                                     const lathe_rt_plan *plan) {
  const lathe_rt_model *model = ctx->model;
  for (int32_t i = 0; i < model->num_inputs; ++i)
    for (int32_t d = 0; d < model->inputs[i].rank; ++d)
      if (lathe_rt_size(plan, model->inputs[i].dims[d]) != shapes[i][d])
        return shapeError(ctx, i, shapes[i], plan->values);
  return LATHE_OK;
}

/* --- Plans -------------------------------------------------------------- */

static lathe_status requirementError(lathe_context *ctx, int32_t check) {
  lathe_rt_text text = lathe_rt_error(ctx);
  if (check < 0 || check >= ctx->model->num_checks) {
    lathe_rt_text_string(&text, "expected other input shapes");
    return LATHE_INVALID_ARGUMENT;
  }
  if (ctx->model->checks[check].node[0]) {
    lathe_rt_text_string(&text, "node '");
    lathe_rt_text_string(&text, ctx->model->checks[check].node);
    lathe_rt_text_string(&text, "': ");
  } else {
    lathe_rt_text_string(&text, "inputs: ");
  }
  lathe_rt_text_string(&text, ctx->model->checks[check].message);
  return LATHE_INVALID_ARGUMENT;
}

lathe_status lathe_rt_size_error(lathe_context *ctx) {
  lathe_rt_text text = lathe_rt_error(ctx);
  lathe_rt_text_string(&text, "expected smaller inputs: intermediate values "
                              "exceed the address space");
  return LATHE_OUT_OF_MEMORY;
}

/* Fills `plan` for the symbols in ctx->symbols. */
static lathe_status makePlan(lathe_context *ctx, lathe_rt_plan *plan) {
  const lathe_rt_model *model = ctx->model;
  size_t symbol_bytes = (size_t)model->num_symbols * sizeof(int64_t);
  int64_t scratch;
  if (symbol_bytes) {
    memcpy(plan->symbols, ctx->symbols, symbol_bytes);
    memcpy(plan->values, ctx->symbols, symbol_bytes);
  }
  if (model->eval) {
    int32_t failed = model->eval(plan->symbols, plan->values);
    if (failed)
      return failed < 0 ? lathe_rt_size_error(ctx)
                        : requirementError(ctx, failed - 1);
  }
  scratch = lathe_rt_size(plan, model->scratch_bytes);
  if (scratch < 0 || scratch > INT64_MAX / 2048)
    return lathe_rt_size_error(ctx);
  plan->scratch_bytes = lathe_rt_align(scratch);
  for (int32_t b = 0; b < model->num_buffers; ++b) {
    int64_t bytes = lathe_rt_size(plan, model->buffers[b].bytes);
    if (bytes < 0 || bytes > INT64_MAX / 2)
      return lathe_rt_size_error(ctx);
    ctx->buffer_bytes[b] = bytes;
  }
  if (model->offsets) {
    plan->arena_bytes = model->arena_bytes;
  } else {
    plan->arena_bytes =
        lathe_rt_place_buffers(model->num_buffers, model->buffers,
                               ctx->buffer_bytes, plan->offsets, ctx->placing);
    if (plan->arena_bytes < 0)
      return lathe_rt_size_error(ctx);
  }
  plan->valid = true;
  return LATHE_OK;
}

lathe_status lathe_rt_prepare(lathe_context *ctx,
                              const int64_t *const *input_shapes,
                              const lathe_rt_plan **result) {
  size_t symbol_bytes = (size_t)ctx->model->num_symbols * sizeof(int64_t);
  lathe_rt_plan *plan = NULL;
  lathe_status status = bindSymbols(ctx, input_shapes);
  if (status)
    return status;
  for (int32_t p = 0; p < LATHE_RT_PLANS && !plan; ++p)
    if (ctx->plans[p].valid &&
        (!symbol_bytes ||
         !memcmp(ctx->plans[p].symbols, ctx->symbols, symbol_bytes)))
      plan = &ctx->plans[p];
  if (!plan) {
    plan = &ctx->plans[0];
    for (int32_t p = 1; p < LATHE_RT_PLANS && plan->valid; ++p)
      if (!ctx->plans[p].valid || ctx->plans[p].last_used < plan->last_used)
        plan = &ctx->plans[p];
    plan->valid = false;
    if (ctx->plan == plan)
      ctx->plan = NULL;
    status = makePlan(ctx, plan);
    if (status)
      return status;
  }
  plan->last_used = ++ctx->clock;
  *result = plan;
  return checkDerivedDims(ctx, input_shapes, plan);
}

lathe_status lathe_rt_output_shape(lathe_context *ctx,
                                   const lathe_rt_plan *plan, int32_t index,
                                   int64_t *shape) {
  const lathe_rt_tensor *tensor = &ctx->model->outputs[index];
  for (int32_t d = 0; d < tensor->rank; ++d)
    shape[d] = lathe_rt_size(plan, tensor->dims[d]);
  for (int32_t d = 0; d < tensor->rank; ++d)
    if (tensor->data_dims >> d & 1)
      shape[d] = -1;
  for (int32_t d = 0; d < tensor->rank; ++d) {
    if (shape[d] < 0 && !(tensor->data_dims >> d & 1)) {
      lathe_rt_text text = lathe_rt_error(ctx);
      lathe_rt_text_string(&text, "output '");
      lathe_rt_text_string(&text, tensor->name);
      lathe_rt_text_string(&text, "': expected inputs large enough for it, its "
                                  "shape comes out as ");
      lathe_rt_text_shape(&text, tensor->rank, shape);
      return LATHE_INVALID_ARGUMENT;
    }
  }
  return LATHE_OK;
}
