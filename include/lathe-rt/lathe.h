/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The ABI of compiled models, for C11 and C++. A model exports one function,
 *
 *   const lathe_model *NAME_lathe_model(void);
 *
 * and everything else is reached through the table that the model carries, so
 * the same program works with a .so (whose runtime is hidden inside) and with
 * a .o or .a (linked with Lathe::runtime).
 *
 *   lathe_context *ctx;
 *   lathe_status status = lathe_context_create(NAME_lathe_model(), NULL, &ctx);
 *   status = lathe_run(ctx, inputs, outputs);
 *   if (status)
 *     complain(lathe_context_message(ctx));
 *   lathe_context_destroy(ctx);
 *
 * A model is constant data: any number of contexts, in any threads. A context
 * serves one call at a time; use one per thread that runs.
 */
#ifndef LATHE_RT_LATHE_H
#define LATHE_RT_LATHE_H

#include <stddef.h>
#include <stdint.h>

#include "dlpack.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LATHE_ABI_VERSION 1

/* What every function that can fail returns. */
typedef int32_t lathe_status;
enum {
  LATHE_OK = 0,
  LATHE_INVALID_ARGUMENT = 1, /* a tensor or option is not what was expected */
  LATHE_OUT_OF_MEMORY = 2,    /* the allocator, or the caller's arena */
  LATHE_UNSUPPORTED = 3,      /* the processor or the model's version */
  LATHE_FAILED = 4,           /* the data: an index out of range */
  LATHE_BUSY = 5,             /* the context is serving another call */
  LATHE_SYSTEM = 6            /* a thread or a file */
};

typedef struct lathe_context lathe_context;
typedef struct lathe_api lathe_api;
struct lathe_rt_model;

/* A compiled model. Treat it as opaque: use the functions below. */
typedef struct lathe_model {
  uint32_t abi_version;
  uint32_t num_variants;
  const lathe_api *api;
  const struct lathe_rt_model *const *variants;
} lathe_model;

/* Memory from the caller. `allocate` returns NULL on failure; `alignment` is a
 * power of two. */
typedef struct lathe_allocator {
  void *user;
  void *(*allocate)(void *user, size_t bytes, size_t alignment);
  void (*release)(void *user, void *memory);
} lathe_allocator;

/* Threads from the caller. `parallel_for` calls task(arg, i) exactly once for
 * each i in [0, tasks), possibly at the same time, and returns when all have
 * returned. */
typedef struct lathe_thread_pool {
  void *user;
  void (*parallel_for)(void *user, int32_t tasks,
                       void (*task)(void *arg, int32_t index), void *arg);
} lathe_thread_pool;

/* lathe_options.flags: treat denormal numbers as zero while a model runs. */
#define LATHE_FLUSH_DENORMALS 1u

/* How a context is made. Start from LATHE_OPTIONS_INIT; zero means default. */
typedef struct lathe_options {
  size_t struct_bytes; /* sizeof(lathe_options) */
  uint32_t flags;
  /* Threads that compute, the caller's included. 0: LATHE_NUM_THREADS from the
     environment, else the processors that affinity and cgroup quota allow.
     Unless a thread_pool is given, creation starts num_threads - 1 threads,
     which sleep between runs and end with the context. */
  int32_t num_threads;
  lathe_allocator allocator;
  lathe_thread_pool thread_pool;
  /* The caller's memory for intermediate values, aligned to 64 bytes, of at
     least lathe_workspace_bytes. Must outlive the context. */
  void *arena;
  size_t arena_bytes;
  /* The file of weights, for a model compiled with --weights=file; by default
     NAME.weights beside the library. */
  const char *weights_path;
  /* Where lathe_context_create writes why it failed (always terminated). */
  char *message;
  size_t message_bytes;
} lathe_options;

#define LATHE_OPTIONS_INIT                                                     \
  {sizeof(lathe_options),                                                      \
   0,                                                                          \
   0,                                                                          \
   {NULL, NULL, NULL},                                                         \
   {NULL, NULL},                                                               \
   NULL,                                                                       \
   0,                                                                          \
   NULL,                                                                       \
   NULL,                                                                       \
   0}

/* An input or output of a model. Lives as long as the model. */
typedef struct lathe_tensor_info {
  const char *name;
  DLDataType dtype;
  int32_t rank;
} lathe_tensor_info;

/* One launch of a kernel, for the shapes of the latest run. */
typedef struct lathe_launch_info {
  const char *kernel;
  const char *nodes; /* names of the ONNX nodes, separated by ", " */
  int64_t flops;
  int64_t bytes;       /* read and written */
  int64_t nanoseconds; /* all profiled runs together */
  int64_t runs;        /* how many were profiled */
} lathe_launch_info;

/* What a context holds, for the shapes of the latest run. */
typedef struct lathe_memory_info {
  int64_t arena_bytes;   /* intermediate values, as planned */
  int64_t lower_bound;   /* the most that is live at once: no plan is smaller */
  int64_t scratch_bytes; /* of all threads */
  int64_t staging_bytes; /* dense copies of strided inputs and outputs */
  int64_t weights_bytes;
} lathe_memory_info;

/* The functions behind the wrappers below. Only grows. */
struct lathe_api {
  uint32_t struct_bytes;
  uint32_t abi_version;
  const char *(*model_name)(const lathe_model *);
  int32_t (*num_inputs)(const lathe_model *);
  int32_t (*num_outputs)(const lathe_model *);
  lathe_status (*get_input)(const lathe_model *, int32_t, lathe_tensor_info *);
  lathe_status (*get_output)(const lathe_model *, int32_t, lathe_tensor_info *);
  lathe_status (*get_dim)(const lathe_model *, int32_t, int32_t, int64_t *,
                          const char **);
  const char *(*get_metadata)(const lathe_model *, int32_t, const char **);
  lathe_status (*context_create)(const lathe_model *, const lathe_options *,
                                 lathe_context **);
  void (*context_destroy)(lathe_context *);
  const char *(*context_message)(const lathe_context *);
  const char *(*context_target)(const lathe_context *);
  int32_t (*context_num_threads)(const lathe_context *);
  lathe_status (*infer_shapes)(lathe_context *, const int64_t *const *,
                               int64_t *const *);
  lathe_status (*workspace_bytes)(lathe_context *, const int64_t *const *,
                                  size_t *);
  lathe_status (*run)(lathe_context *, const DLTensor *, DLTensor *);
  void (*release_output)(lathe_context *, DLTensor *);
  lathe_status (*set_profiling)(lathe_context *, int32_t);
  int32_t (*num_launches)(const lathe_context *);
  lathe_status (*get_launch)(const lathe_context *, int32_t,
                             lathe_launch_info *);
  lathe_status (*get_memory)(const lathe_context *, lathe_memory_info *);
};

/* A context begins with the address of its table. */
static inline const lathe_api *lathe_context_api(const lathe_context *ctx) {
  return *(const lathe_api *const *)(const void *)ctx;
}

/* --- The model --------------------------------------------------------- */

static inline const char *lathe_model_name(const lathe_model *model) {
  return model->api->model_name(model);
}
static inline int32_t lathe_model_num_inputs(const lathe_model *model) {
  return model->api->num_inputs(model);
}
static inline int32_t lathe_model_num_outputs(const lathe_model *model) {
  return model->api->num_outputs(model);
}
/* Describes input `index`, counted from 0. */
static inline lathe_status lathe_model_get_input(const lathe_model *model,
                                                 int32_t index,
                                                 lathe_tensor_info *info) {
  return model->api->get_input(model, index, info);
}
static inline lathe_status lathe_model_get_output(const lathe_model *model,
                                                  int32_t index,
                                                  lathe_tensor_info *info) {
  return model->api->get_output(model, index, info);
}
/* One dimension of an input (tensor >= 0) or of output ~tensor. `size` is -1
 * where it depends on the inputs; `name` is NULL where it has none. */
static inline lathe_status lathe_model_get_dim(const lathe_model *model,
                                               int32_t tensor, int32_t dim,
                                               int64_t *size,
                                               const char **name) {
  return model->api->get_dim(model, tensor, dim, size, name);
}
/* The `index`-th entry of the ONNX model's metadata: returns the key, or NULL
 * after the last. */
static inline const char *lathe_model_get_metadata(const lathe_model *model,
                                                   int32_t index,
                                                   const char **value) {
  return model->api->get_metadata(model, index, value);
}

/* --- Contexts ---------------------------------------------------------- */

/* Makes a context, to be ended with lathe_context_destroy. `options` may be
 * NULL. On failure *ctx is NULL and options->message says why. */
static inline lathe_status lathe_context_create(const lathe_model *model,
                                                const lathe_options *options,
                                                lathe_context **ctx) {
  *ctx = NULL;
  if (!model || model->abi_version != LATHE_ABI_VERSION)
    return LATHE_UNSUPPORTED;
  return model->api->context_create(model, options, ctx);
}
/* Ends a context and its threads. NULL is allowed. */
static inline void lathe_context_destroy(lathe_context *ctx) {
  if (ctx)
    lathe_context_api(ctx)->context_destroy(ctx);
}
/* Why the context's latest failing call failed; "" before any. */
static inline const char *lathe_context_message(const lathe_context *ctx) {
  return lathe_context_api(ctx)->context_message(ctx);
}
/* The variant in use, like "cpu:x86-64-v4". */
static inline const char *lathe_context_target(const lathe_context *ctx) {
  return lathe_context_api(ctx)->context_target(ctx);
}
static inline int32_t lathe_context_num_threads(const lathe_context *ctx) {
  return lathe_context_api(ctx)->context_num_threads(ctx);
}

/* --- Running ----------------------------------------------------------- */

/* Computes the outputs' shapes: output_shapes[i] has room for the rank of
 * output i. Nothing runs. */
static inline lathe_status
lathe_infer_shapes(lathe_context *ctx, const int64_t *const *input_shapes,
                   int64_t *const *output_shapes) {
  return lathe_context_api(ctx)->infer_shapes(ctx, input_shapes, output_shapes);
}
/* How large options.arena must be for these shapes and this context's number
 * of threads. */
static inline lathe_status
lathe_workspace_bytes(lathe_context *ctx, const int64_t *const *input_shapes,
                      size_t *bytes) {
  return lathe_context_api(ctx)->workspace_bytes(ctx, input_shapes, bytes);
}
/* Runs the model once. Inputs may have any strides. Outputs are the caller's
 * buffers of the right type and shape, also with any strides; they must not
 * overlap the inputs or each other. An output whose `data` is NULL and `shape`
 * is NULL gets memory of the context's allocator, to be given back with
 * lathe_release_output. Allocates nothing once a shape was seen, other than
 * such outputs. */
static inline lathe_status lathe_run(lathe_context *ctx, const DLTensor *inputs,
                                     DLTensor *outputs) {
  return lathe_context_api(ctx)->run(ctx, inputs, outputs);
}
/* Gives back an output that lathe_run made, and empties it. */
static inline void lathe_release_output(lathe_context *ctx, DLTensor *output) {
  lathe_context_api(ctx)->release_output(ctx, output);
}

/* --- Looking inside ---------------------------------------------------- */

/* Switches the timing of launches on (and back to zero) or off. */
static inline lathe_status lathe_context_set_profiling(lathe_context *ctx,
                                                       int32_t on) {
  return lathe_context_api(ctx)->set_profiling(ctx, on);
}
static inline int32_t lathe_context_num_launches(const lathe_context *ctx) {
  return lathe_context_api(ctx)->num_launches(ctx);
}
static inline lathe_status lathe_context_get_launch(const lathe_context *ctx,
                                                    int32_t index,
                                                    lathe_launch_info *info) {
  return lathe_context_api(ctx)->get_launch(ctx, index, info);
}
static inline lathe_status lathe_context_get_memory(const lathe_context *ctx,
                                                    lathe_memory_info *info) {
  return lathe_context_api(ctx)->get_memory(ctx, info);
}

#ifdef __cplusplus
}
#endif
#endif /* LATHE_RT_LATHE_H */
