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
/* A tensor, strings, a sequence, a map or an optional: counted by references,
 * never changed. */
typedef struct lathe_value lathe_value;
enum {
  LATHE_TENSOR = 0,
  LATHE_STRINGS = 1,
  LATHE_SEQUENCE = 2,
  LATHE_MAP = 3,
  LATHE_OPTIONAL = 4
};
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

/* An input or output of a model. Lives as long as the model. What is no plain
 * tensor has the type code kDLOpaqueHandle, and rank -1 unless it is an input
 * of strings whose shape matters; lathe_model_get_type names its type. */
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

/* An output that lies in the memory of an input, which the caller gives away:
 * a model compiled with --state=IN=OUT. Where `axis` is not -1, the output is
 * the input with steps added along that axis. The memory then holds the axis
 * outermost, the other dimensions row-major behind it, and has room for `max`
 * steps: both tensors begin at the same address and have strides to match
 * (shape [b, h, s, d] with axis 2: strides [h * d, d, b * h * d, 1]). Else it is
 * dense, and holds the output after the run. */
typedef struct lathe_state_info {
  int32_t input, output;
  int32_t axis;
  int64_t max;
} lathe_state_info;

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
  const char *(*get_type)(const lathe_model *, int32_t);
  lathe_status (*value_tensor)(const lathe_allocator *, const DLTensor *,
                               lathe_value **);
  lathe_status (*value_strings)(const lathe_allocator *, int32_t,
                                const int64_t *, const char *const *,
                                const size_t *, lathe_value **);
  lathe_status (*value_sequence)(const lathe_allocator *, int64_t,
                                 lathe_value *const *, lathe_value **);
  lathe_status (*value_map)(const lathe_allocator *, lathe_value *,
                            lathe_value *, lathe_value **);
  lathe_status (*value_optional)(const lathe_allocator *, lathe_value *,
                                 lathe_value **);
  lathe_value *(*value_retain)(lathe_value *);
  void (*value_release)(lathe_value *);
  int32_t (*value_kind)(const lathe_value *);
  int64_t (*value_count)(const lathe_value *);
  lathe_status (*value_view)(const lathe_value *, DLTensor *);
  const char *(*value_string)(const lathe_value *, int64_t, size_t *);
  lathe_value *(*value_element)(const lathe_value *, int64_t);
  lathe_status (*get_state)(const lathe_model *, int32_t, lathe_state_info *);
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

/* The type of an input (tensor >= 0) or of output ~tensor as ONNX writes it,
 * like "seq(tensor(float))"; NULL for a plain tensor. */
static inline const char *lathe_model_get_type(const lathe_model *model,
                                               int32_t tensor) {
  return model->api->get_type(model, tensor);
}

/* --- Values --------------------------------------------------------------- *
 * A value travels through lathe_run in a DLTensor of type code kDLOpaqueHandle
 * (bits 64, lanes 1) whose `data` is the lathe_value: an input keeps its owner;
 * an output, which the caller leaves empty, is the caller's to release.
 * Functions that make a value take the memory from `allocator`, or from malloc
 * if that is NULL, and share the values that they are made of. */

/* A copy of a tensor, which may have any strides. */
static inline lathe_status
lathe_value_create_tensor(const lathe_model *model,
                          const lathe_allocator *allocator,
                          const DLTensor *tensor, lathe_value **value) {
  return model->api->value_tensor(allocator, tensor, value);
}
/* A tensor of strings, in row-major order; `lengths` in bytes, or NULL where
 * each ends with a NUL. */
static inline lathe_status
lathe_value_create_strings(const lathe_model *model,
                           const lathe_allocator *allocator, int32_t rank,
                           const int64_t *shape, const char *const *strings,
                           const size_t *lengths, lathe_value **value) {
  return model->api->value_strings(allocator, rank, shape, strings, lengths,
                                   value);
}
static inline lathe_status
lathe_value_create_sequence(const lathe_model *model,
                            const lathe_allocator *allocator, int64_t count,
                            lathe_value *const *elements, lathe_value **value) {
  return model->api->value_sequence(allocator, count, elements, value);
}
/* `keys`: integers or strings of one dimension; `values`: a tensor or strings
 * of one dimension, or a sequence, with as many. */
static inline lathe_status
lathe_value_create_map(const lathe_model *model,
                       const lathe_allocator *allocator, lathe_value *keys,
                       lathe_value *values, lathe_value **value) {
  return model->api->value_map(allocator, keys, values, value);
}
/* `element` may be NULL: an empty optional. */
static inline lathe_status
lathe_value_create_optional(const lathe_model *model,
                            const lathe_allocator *allocator,
                            lathe_value *element, lathe_value **value) {
  return model->api->value_optional(allocator, element, value);
}
/* One more owner. */
static inline lathe_value *lathe_value_retain(const lathe_model *model,
                                              lathe_value *value) {
  return model->api->value_retain(value);
}
/* One owner less; NULL is allowed. */
static inline void lathe_value_release(const lathe_model *model,
                                       lathe_value *value) {
  model->api->value_release(value);
}
/* LATHE_TENSOR, … */
static inline int32_t lathe_value_get_kind(const lathe_model *model,
                                           const lathe_value *value) {
  return model->api->value_kind(value);
}
/* Elements of a tensor or sequence, strings, entries of a map, 0 or 1 of an
 * optional. */
static inline int64_t lathe_value_get_count(const lathe_model *model,
                                            const lathe_value *value) {
  return model->api->value_count(value);
}
/* Shows a tensor, or the shape of strings; valid as long as the value. */
static inline lathe_status lathe_value_get_tensor(const lathe_model *model,
                                                  const lathe_value *value,
                                                  DLTensor *view) {
  return model->api->value_view(value, view);
}
/* String `index`, which may hold NULs and has none at its end; NULL where there
 * is none. */
static inline const char *lathe_value_get_string(const lathe_model *model,
                                                 const lathe_value *value,
                                                 int64_t index,
                                                 size_t *length) {
  return model->api->value_string(value, index, length);
}
/* Element `index` of a sequence; 0 of an optional; 0 and 1, the keys and the
 * values, of a map. NULL where there is none. The caller does not own it. */
static inline lathe_value *lathe_value_get_element(const lathe_model *model,
                                                   const lathe_value *value,
                                                   int64_t index) {
  return model->api->value_element(value, index);
}

/* Describes state `index`, counted from 0; LATHE_INVALID_ARGUMENT after the
 * last. An output that is a state may also be left empty: it is then described
 * by lathe_run, and lathe_release_output forgets that description. */
static inline lathe_status lathe_model_get_state(const lathe_model *model,
                                                 int32_t index,
                                                 lathe_state_info *info) {
  if (model->api->struct_bytes <= offsetof(lathe_api, get_state))
    return LATHE_INVALID_ARGUMENT; /* made by an older compiler */
  return model->api->get_state(model, index, info);
}

/* --- Contexts ---------------------------------------------------------- */

/* Makes a context, to be ended with lathe_context_destroy. `options` may be
 * NULL. On failure *ctx is NULL and options->message says why. Of a model
 * compiled for several processors it takes the best variant that this one can
 * run, or the one that LATHE_VARIANT in the environment names ("x86-64-v3"). */
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
