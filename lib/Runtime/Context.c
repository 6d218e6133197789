/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Contexts: everything that a run needs is allocated here, except the arena,
 * which depends on the shapes.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Runtime.h"

#include <stdlib.h>
#include <string.h>

static void *defaultAllocate(void *user, size_t bytes, size_t alignment) {
  void *memory = NULL;
  (void)user;
  return posix_memalign(&memory, alignment, bytes) ? NULL : memory;
}

static void defaultRelease(void *user, void *memory) {
  (void)user;
  free(memory);
}

lathe_rt_text lathe_rt_error(lathe_context *ctx) {
  lathe_rt_text text;
  lathe_rt_text_begin(&text, ctx->message, sizeof(ctx->message));
  return text;
}

/* --- Choosing the variant ----------------------------------------------- */

static bool isReadable(const lathe_rt_model *model, lathe_rt_text *message) {
  if (model->version == LATHE_RT_ARTIFACT_VERSION &&
      model->struct_bytes >= offsetof(lathe_rt_model, metadata))
    return true;
  lathe_rt_text_string(message, "model: expected artifact version ");
  lathe_rt_text_int(message, LATHE_RT_ARTIFACT_VERSION);
  lathe_rt_text_string(message, ", got ");
  lathe_rt_text_int(message, model->version);
  return false;
}

static bool areRanksSupported(const lathe_rt_tensor *tensors, int32_t count,
                              lathe_rt_text *message) {
  for (int32_t i = 0; i < count; ++i) {
    if ((tensors[i].rank >= 0 || tensors[i].type) &&
        tensors[i].rank <= LATHE_RT_MAX_RANK)
      continue;
    lathe_rt_text_string(message, "tensor '");
    lathe_rt_text_string(message, tensors[i].name);
    lathe_rt_text_string(message, "': expected at most ");
    lathe_rt_text_int(message, LATHE_RT_MAX_RANK);
    lathe_rt_text_string(message, " dimensions, got ");
    lathe_rt_text_int(message, tensors[i].rank);
    return false;
  }
  return true;
}

/* Whether `wanted` names the variant: its target, as in "cpu:x86-64-v3", or
 * what follows the colon. */
static bool isNamed(const lathe_rt_model *variant, const char *wanted) {
  const char *colon = strchr(variant->target, ':');
  return !strcmp(variant->target, wanted) ||
         (colon && !strcmp(colon + 1, wanted));
}

/* The first variant that this processor can run, or NULL; where there are
 * several, of those that LATHE_VARIANT names, if it is set. */
static const lathe_rt_model *chooseVariant(const lathe_model *model,
                                           lathe_rt_text *message) {
  const char *wanted = model->num_variants > 1 ? getenv("LATHE_VARIANT") : NULL;
  bool found = false;
  for (uint32_t v = 0; v < model->num_variants; ++v) {
    const lathe_rt_model *variant = model->variants[v];
    char names[256];
    lathe_rt_text missing;
    lathe_rt_text_begin(&missing, names, sizeof(names));
    if (!isReadable(variant, message) ||
        !areRanksSupported(variant->inputs, variant->num_inputs, message) ||
        !areRanksSupported(variant->outputs, variant->num_outputs, message))
      return NULL;
    if (wanted && *wanted && !isNamed(variant, wanted))
      continue;
    if (lathe_rt_has_features(variant->cpu_features, &missing))
      return variant;
    lathe_rt_text_string(message, found ? "; " : "");
    lathe_rt_text_string(message, "target '");
    lathe_rt_text_string(message, variant->target);
    lathe_rt_text_string(message, "': expected a processor with ");
    lathe_rt_text_string(message, names);
    found = true;
  }
  if (!found) {
    lathe_rt_text_string(message, "LATHE_VARIANT: expected");
    for (uint32_t v = 0; v < model->num_variants; ++v) {
      lathe_rt_text_string(message, v ? " or '" : " '");
      lathe_rt_text_string(message, model->variants[v]->target);
      lathe_rt_text_string(message, "'");
    }
    lathe_rt_text_string(message, ", got '");
    lathe_rt_text_string(message, wanted ? wanted : "");
    lathe_rt_text_string(message, "'");
  }
  return NULL;
}

/* --- Creation ------------------------------------------------------------ */

/* Hands out parts of one block; with base == NULL it only adds up. */
typedef struct lathe_rt_carver {
  char *base;
  size_t used;
} lathe_rt_carver;

static void *carve(lathe_rt_carver *carver, int64_t count, size_t bytes) {
  size_t at = carver->used;
  carver->used += ((size_t)count * bytes + 15) & ~(size_t)15;
  return carver->base ? carver->base + at : NULL;
}

static void carveTables(lathe_context *ctx, const lathe_rt_model *model,
                        lathe_rt_carver *carver) {
  int64_t values = model->num_values > model->num_symbols ? model->num_values
                                                          : model->num_symbols;
  /* Without symbols there is only one shape. */
  int32_t plans = model->num_symbols ? LATHE_RT_PLANS : 1;
  ctx->symbols = carve(carver, model->num_symbols, sizeof(int64_t));
  ctx->buffer_bytes = carve(carver, model->num_buffers, sizeof(int64_t));
  ctx->placing =
      carve(carver, 3 * (int64_t)model->num_buffers, sizeof(int64_t));
  ctx->io = carve(carver, (int64_t)model->num_inputs + model->num_outputs,
                  sizeof(void *));
  ctx->made = carve(carver, model->num_outputs, sizeof(bool));
  ctx->slots = carve(carver, model->host ? model->host->num_slots : 0,
                     sizeof(lathe_value *));
  ctx->launch_ns = carve(carver, model->num_launches, sizeof(int64_t));
  ctx->launch_runs = carve(carver, model->num_launches, sizeof(int64_t));
  ctx->growables =
      carve(carver, model->num_growables, sizeof(lathe_rt_growable));
  if (model->num_binds) {
    ctx->bound_symbols = carve(carver, model->num_symbols, sizeof(int64_t));
    ctx->bound_values = carve(carver, values, sizeof(int64_t));
  }
  for (int32_t p = 0; p < plans; ++p) {
    lathe_rt_plan *plan = &ctx->plans[p];
    plan->symbols = carve(carver, model->num_symbols, sizeof(int64_t));
    plan->values = carve(carver, values, sizeof(int64_t));
    plan->offsets =
        carve(carver, model->offsets ? 0 : model->num_buffers, sizeof(int64_t));
  }
}

static lathe_context *allocateContext(const lathe_rt_model *model,
                                      const lathe_allocator *allocator) {
  lathe_context sizes = {0};
  lathe_rt_carver carver = {NULL, 0};
  lathe_context *ctx;
  char *memory;
  carve(&carver, 1, sizeof(lathe_context));
  carveTables(&sizes, model, &carver);
  memory =
      allocator->allocate(allocator->user, carver.used, LATHE_RT_ALIGNMENT);
  if (!memory)
    return NULL;
  memset(memory, 0, carver.used);
  carver.base = memory;
  carver.used = 0;
  ctx = carve(&carver, 1, sizeof(lathe_context));
  carveTables(ctx, model, &carver);
  return ctx;
}

static lathe_status checkOptions(const lathe_options *options,
                                 lathe_rt_text *message) {
  if (options->num_threads < 0 || options->num_threads > 1024) {
    lathe_rt_text_string(message, "num_threads: expected 0 to 1024, got ");
    lathe_rt_text_int(message, options->num_threads);
    return LATHE_INVALID_ARGUMENT;
  }
  if ((uintptr_t)options->arena % LATHE_RT_ALIGNMENT) {
    lathe_rt_text_string(message, "arena: expected alignment to ");
    lathe_rt_text_int(message, LATHE_RT_ALIGNMENT);
    lathe_rt_text_string(message, " bytes");
    return LATHE_INVALID_ARGUMENT;
  }
  if (!options->allocator.allocate != !options->allocator.release) {
    lathe_rt_text_string(message,
                         "allocator: expected both allocate and release");
    return LATHE_INVALID_ARGUMENT;
  }
  return LATHE_OK;
}

/* The driver of the device that kernels run on, or NULL. */
static const lathe_rt_driver *getDriver(const lathe_rt_model *model) {
  return model->struct_bytes >= sizeof(lathe_rt_model) && model->device
             ? model->device->driver
             : NULL;
}

/* Fills what the model's threads and weights need. */
static lathe_status startContext(lathe_context *ctx,
                                 const lathe_options *options,
                                 lathe_rt_text *message) {
  lathe_status status;
  ctx->num_threads =
      options->num_threads ? options->num_threads : lathe_rt_default_threads();
  ctx->driver = getDriver(ctx->model);
  if (ctx->driver)
    ctx->num_threads = 1; /* that launches */
  status = lathe_rt_pool_create(ctx->num_threads, &options->thread_pool,
                                ctx->flags & LATHE_FLUSH_DENORMALS,
                                &ctx->allocator, &ctx->pool);
  if (status) {
    lathe_rt_text_string(message, "num_threads: cannot start ");
    lathe_rt_text_int(message, ctx->num_threads);
    lathe_rt_text_string(message, " threads");
    return status;
  }
  ctx->weights = ctx->model->weights;
  if (!ctx->weights && ctx->model->weights_bytes) {
    status = lathe_rt_map_weights(ctx->model, options->weights_path,
                                  &ctx->weights, message);
    ctx->weights_mapped = !status;
  }
  return status || !ctx->driver ? status : ctx->driver->create(ctx, message);
}

lathe_status lathe_rt_context_create(const lathe_model *model,
                                     const lathe_options *given,
                                     lathe_context **result) {
  lathe_options options = LATHE_OPTIONS_INIT;
  const lathe_rt_model *variant;
  lathe_rt_text message;
  lathe_context *ctx;
  lathe_status status;
  *result = NULL;
  /* A caller compiled against an older header gives a shorter struct. */
  if (given)
    memcpy(&options, given,
           given->struct_bytes < sizeof(options) ? given->struct_bytes
                                                 : sizeof(options));
  lathe_rt_text_begin(&message, options.message,
                      options.message ? options.message_bytes : 0);
  status = checkOptions(&options, &message);
  if (status)
    return status;
  variant = chooseVariant(model, &message);
  if (!variant)
    return LATHE_UNSUPPORTED;
  lathe_rt_text_begin(&message, options.message,
                      options.message ? options.message_bytes : 0);
  if (!options.allocator.allocate) {
    options.allocator.allocate = defaultAllocate;
    options.allocator.release = defaultRelease;
  }
  ctx = allocateContext(variant, &options.allocator);
  if (!ctx) {
    lathe_rt_text_string(&message, "context: out of memory");
    return LATHE_OUT_OF_MEMORY;
  }
  ctx->api = model->api;
  ctx->model = variant;
  ctx->allocator = options.allocator;
  ctx->flags = options.flags;
  ctx->arena = options.arena;
  ctx->arena_is_callers = options.arena != NULL;
  ctx->arena_capacity =
      options.arena
          ? (int64_t)(options.arena_bytes & ~(size_t)(LATHE_RT_ALIGNMENT - 1))
          : 0;
  status = startContext(ctx, &options, &message);
  if (status) {
    lathe_rt_context_destroy(ctx);
    return status;
  }
  *result = ctx;
  return LATHE_OK;
}

static void releaseGrowable(lathe_context *ctx, lathe_rt_growable *growable) {
  if (!growable->data)
    return;
  if (ctx->driver)
    ctx->driver->grow(ctx, growable->data, 0, 0);
  else
    ctx->allocator.release(ctx->allocator.user, growable->data);
}

void lathe_rt_context_destroy(lathe_context *ctx) {
  lathe_allocator allocator = ctx->allocator;
  if (ctx->pool)
    lathe_rt_pool_destroy(ctx->pool, &allocator);
  if (ctx->weights_mapped)
    lathe_rt_unmap_weights(ctx->weights, ctx->model->weights_bytes);
  if (ctx->arena && !ctx->arena_is_callers)
    allocator.release(allocator.user, ctx->arena);
  if (ctx->staging)
    allocator.release(allocator.user, ctx->staging);
  for (int32_t g = 0; g < ctx->model->num_growables; ++g)
    releaseGrowable(ctx, &ctx->growables[g]);
  releaseGrowable(ctx, &ctx->scratch);
  if (ctx->driver)
    ctx->driver->destroy(ctx);
  allocator.release(allocator.user, ctx);
}
