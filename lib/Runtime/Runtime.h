/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What the files of the runtime share. The runtime is C11 on libc alone, has
 * no global state, prints nothing, and is also shipped as one C file: static
 * names are therefore unique across its files, and shared ones begin with
 * lathe_rt_.
 */
#ifndef LATHE_LIB_RUNTIME_RUNTIME_H
#define LATHE_LIB_RUNTIME_RUNTIME_H

#include "lathe-rt/artifact.h"
#include "lathe-rt/lathe.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
  LATHE_RT_ALIGNMENT = 64,      /* bytes: a cache line, and the widest vector */
  LATHE_RT_MAX_RANK = 64,       /* of a tensor at the boundary */
  LATHE_RT_PLANS = 8,           /* shapes remembered per context */
  LATHE_RT_MESSAGE_BYTES = 1024 /* of the last error */
};

static inline int64_t lathe_rt_align(int64_t bytes) {
  return (bytes + LATHE_RT_ALIGNMENT - 1) & -(int64_t)LATHE_RT_ALIGNMENT;
}

/* --- Text.c: messages in fixed storage --------------------------------- */

/* A bounded string; what does not fit is cut off, the end is always a NUL. */
typedef struct lathe_rt_text {
  char *data;
  size_t bytes, length;
} lathe_rt_text;

void lathe_rt_text_begin(lathe_rt_text *text, char *data, size_t bytes);
void lathe_rt_text_string(lathe_rt_text *text, const char *string);
void lathe_rt_text_int(lathe_rt_text *text, int64_t value);
void lathe_rt_text_shape(lathe_rt_text *text, int32_t rank,
                         const int64_t *shape);
/* Like "float32"; unknown types as "dlpack<code, bits, lanes>". */
void lathe_rt_text_dtype(lathe_rt_text *text, DLDataType dtype);

/* --- Plan.c: sizes and storage for one shape --------------------------- */

typedef struct lathe_rt_plan {
  bool valid;
  uint64_t last_used;
  int64_t *symbols;
  int64_t *values;
  int64_t *offsets;
  int64_t arena_bytes;
  int64_t scratch_bytes; /* per thread, aligned */
} lathe_rt_plan;

/* Places buffers that live from `first` to `last` into one arena: in some
 * order, at first by falling size, each at the lowest offset where it meets no
 * other that is alive at the same time. `bytes` are their sizes, `work` has room
 * for 3 n. Deterministic.
 * Returns the size of the arena, or -1 if it exceeds what int64_t holds. */
int64_t lathe_rt_place_buffers(int32_t n, const lathe_rt_buffer *buffers,
                               const int64_t *bytes, int64_t *offsets,
                               int64_t *work);

/* The most bytes that are alive at once. Sizes are `bytes`, or where that is
 * null what the buffers say, with `values`. */
int64_t lathe_rt_peak_bytes(int32_t n, const lathe_rt_buffer *buffers,
                            const int64_t *bytes, const int64_t *values);

/* --- Threads.c ---------------------------------------------------------- */

typedef struct lathe_rt_pool lathe_rt_pool;

/* One launch as the threads see it. */
typedef struct lathe_rt_job {
  lathe_rt_kernel kernel;
  const int64_t *args;
  int64_t tiles;
  char *scratch; /* of thread 0; the others follow */
  int64_t scratch_bytes;
} lathe_rt_job;

/* Starts `threads` - 1 threads, unless `user` has a parallel_for. */
lathe_status lathe_rt_pool_create(int32_t threads,
                                  const lathe_thread_pool *user, bool flush,
                                  const lathe_allocator *allocator,
                                  lathe_rt_pool **pool);
void lathe_rt_pool_destroy(lathe_rt_pool *pool,
                           const lathe_allocator *allocator);
/* Between these two, idle threads spin for a moment before they sleep. */
void lathe_rt_pool_enter(lathe_rt_pool *pool);
void lathe_rt_pool_leave(lathe_rt_pool *pool);
/* Whether some thread would have to be woken. */
bool lathe_rt_pool_is_asleep(lathe_rt_pool *pool);
/* Runs all tiles of a job; returns what the kernel returned if not 0. */
int32_t lathe_rt_pool_run(lathe_rt_pool *pool, const lathe_rt_job *job);

/* Sets the processor to treat denormals as zero; returns the previous state
 * for lathe_rt_restore_float. */
uint64_t lathe_rt_flush_denormals(void);
void lathe_rt_restore_float(uint64_t state);

/* --- ThreadCount.c, CpuFeatures.c, Weights.c ---------------------------- */

/* LATHE_NUM_THREADS, else the processors this process may use: affinity and
 * the quota of its control groups. At least 1. */
int32_t lathe_rt_default_threads(void);

/* Whether the processor and the system have every feature of a comma-separated
 * list of LLVM's names. If not, appends the missing or unknown ones. */
bool lathe_rt_has_features(const char *features, lathe_rt_text *missing);

/* Maps the weights of a model compiled with --weights=file. */
lathe_status lathe_rt_map_weights(const lathe_rt_model *model, const char *path,
                                  const char **weights, lathe_rt_text *message);
void lathe_rt_unmap_weights(const char *weights, int64_t bytes);

/* --- Tensors.c: the boundary -------------------------------------------- */

/* The number of elements of a shape, or -1 if that overflows. */
int64_t lathe_rt_count(int32_t rank, const int64_t *shape);
/* Bytes of a dense tensor, or -1 if that overflows. */
int64_t lathe_rt_dense_bytes(DLDataType dtype, int32_t rank,
                             const int64_t *shape);
/* Whether elements are narrower than a byte. A tensor of them is packed from
 * the lowest bit of its first byte on; kernels see one byte for each. */
bool lathe_rt_is_packed(DLDataType dtype);
/* Bytes that kernels see of a tensor, or -1 if that overflows. */
int64_t lathe_rt_staged_bytes(const DLTensor *tensor);
/* Whether the tensor is row-major without gaps. */
bool lathe_rt_is_compact(const DLTensor *tensor);
/* Whether kernels can work on the tensor where it lies. */
bool lathe_rt_is_direct(const DLTensor *tensor);
char *lathe_rt_tensor_data(const DLTensor *tensor);
/* Copies a strided tensor to dense storage. What is packed must be compact, and
 * stays packed. */
void lathe_rt_gather(const DLTensor *from, char *to);
/* Copies between a tensor and what kernels see of it: dense and, where it is
 * packed, spread to bytes (signed integers extended by their sign, all else by
 * zeros). */
void lathe_rt_stage(const DLTensor *from, char *to);
void lathe_rt_unstage(const char *from, const DLTensor *to);

/* --- The context -------------------------------------------------------- */

/* Memory that grows when a size that depends on data asks for more. */
typedef struct lathe_rt_growable {
  char *data;
  int64_t capacity;
} lathe_rt_growable;

typedef struct lathe_rt_driver lathe_rt_driver;
typedef struct lathe_rt_running lathe_rt_running;

struct lathe_context {
  const lathe_api *api; /* first: lathe.h reads it */
  const lathe_rt_model *model;
  lathe_allocator allocator;
  uint32_t flags;
  int32_t num_threads;
  lathe_rt_pool *pool;
  atomic_int busy;
  const char *weights;
  bool weights_mapped;

  char *arena;
  int64_t arena_capacity;
  bool arena_is_callers;
  char *staging;
  int64_t staging_capacity;
  /* Where kernels run elsewhere: their driver, and its state. */
  const lathe_rt_driver *driver;
  void *device;
  char *device_arena;
  const char *device_weights;
  lathe_value **slots; /* values of the run */
  lathe_rt_growable *growables;
  lathe_rt_growable scratch; /* where a size that depends on data needs more */
  int64_t *bound_symbols;    /* of the run, where the program binds some */
  int64_t *bound_values;

  lathe_rt_plan plans[LATHE_RT_PLANS];
  const lathe_rt_plan *plan; /* the latest used, or NULL */
  uint64_t clock;
  int64_t *symbols;      /* being bound */
  int64_t *buffer_bytes; /* room for planning */
  int64_t *placing;

  void **io;
  bool *made; /* outputs that this run allocated */
  bool profiling;
  int64_t *launch_ns;
  int64_t *launch_runs;
  char message[LATHE_RT_MESSAGE_BYTES];
};

/* --- Devices -------------------------------------------------------------- */

/* What launches kernels on a device with memory of its own, and moves tensors
 * there and back. Artifacts name theirs, so that only they contain its code. */
struct lathe_rt_driver {
  DLDeviceType device_type;
  /* Makes ctx->device and uploads the weights from ctx->weights to
     ctx->device_weights; destroy is called also where this fails. */
  lathe_status (*create)(lathe_context *ctx, lathe_rt_text *message);
  void (*destroy)(lathe_context *ctx);
  /* Before a program: sets ctx->device_arena, and replaces the host's addresses
     in ctx->io by the device's, where inputs have been copied to. */
  lathe_status (*begin)(lathe_context *ctx, const lathe_rt_plan *plan,
                        const DLTensor *inputs, DLTensor *outputs);
  /* After it, if begin succeeded: waits for it, and brings the outputs to where
     ctx->io pointed, unless `status` says that it failed. Returns `status`, or
     what failed now. */
  lathe_status (*end)(lathe_context *ctx, const DLTensor *outputs,
                      lathe_status status);
  /* During it; as the functions that programs call. */
  int32_t (*launch)(lathe_rt_running *running, int32_t launch,
                    lathe_rt_kernel kernel, const int64_t *args, int64_t tiles);
  int32_t (*read)(lathe_rt_running *running, void *to, const void *from,
                  int64_t bytes);
  int32_t (*copy)(lathe_rt_running *running, void *to, const void *from,
                  int64_t bytes);
  /* Where sizes depend on data. Memory of `bytes` that begins with the first
     `kept` bytes of `old`, which is released; NULL if there is none, and
     `old` stays. With `bytes` 0, only releases. */
  void *(*grow)(lathe_context *ctx, void *old, int64_t kept, int64_t bytes);
  /* How many workers have scratch memory of `bytes` each. */
  int64_t (*count_workers)(const lathe_context *ctx, int64_t bytes);
  /* Output `index` has memory on the host now: gives it some on the device, in
     ctx->io. */
  lathe_status (*add_output)(lathe_context *ctx, int32_t index,
                             const DLTensor *output);
};

/* The frame as the runtime sees it. */
struct lathe_rt_running {
  lathe_rt_frame frame; /* first: generated code has its address */
  lathe_context *ctx;
  DLTensor *outputs;
  char *scratch;
  int64_t scratch_bytes; /* per thread */
  int64_t status[2];
  lathe_status failure; /* why `stop` was jumped to, with a message; or OK */
  jmp_buf stop;
};

static inline int64_t lathe_rt_value(const int64_t *values, int64_t size) {
  return size >= 0 ? size : values[~size];
}

static inline int64_t lathe_rt_size(const lathe_rt_plan *plan, int64_t size) {
  return lathe_rt_value(plan->values, size);
}

static inline DLDataType lathe_rt_dtype(const lathe_rt_tensor *tensor) {
  DLDataType dtype = {tensor->dtype_code, tensor->dtype_bits,
                      tensor->dtype_lanes};
  return dtype;
}

/* Starts the message of an error in the context. */
lathe_rt_text lathe_rt_error(lathe_context *ctx);

/* Plan.c: binds the symbols from the inputs' shapes, checks all input shapes,
 * and finds or makes the plan for them. */
lathe_status lathe_rt_prepare(lathe_context *ctx,
                              const int64_t *const *input_shapes,
                              const lathe_rt_plan **plan);
/* Says that sizes are more than there are addresses. */
lathe_status lathe_rt_size_error(lathe_context *ctx);
/* The shape of output `index`; fails where it comes out negative. */
lathe_status lathe_rt_output_shape(lathe_context *ctx,
                                   const lathe_rt_plan *plan, int32_t index,
                                   int64_t *shape);

/* Values.c, Calls.c: values at the boundary. */
/* Holds input `index`, which is a value, for the run; gives its shape. */
lathe_status lathe_rt_take_input(lathe_context *ctx, int32_t index,
                                 const DLTensor *input, const int64_t **shape);
/* Hands output `index`, which is a value, to the caller. */
void lathe_rt_give_output(lathe_context *ctx, int32_t index, DLTensor *output);
/* Lets go of all values of the run. */
void lathe_rt_clear_slots(lathe_context *ctx);
void lathe_rt_release(lathe_value *value);

/* Context.c */
lathe_status lathe_rt_context_create(const lathe_model *model,
                                     const lathe_options *options,
                                     lathe_context **result);
void lathe_rt_context_destroy(lathe_context *ctx);
/* State.c */
/* The state that input (output) `index` is, or NULL. */
const lathe_rt_state *lathe_rt_find_state(const lathe_rt_model *model,
                                          bool is_input, int32_t index);
/* Whether the tensor of a state lies in memory as states must; else an error.
 */
lathe_status lathe_rt_check_state(lathe_context *ctx,
                                  const lathe_rt_state *state, bool is_input,
                                  const DLTensor *tensor);
/* Describes an output of `shape` in the memory of its input: the caller's
 * description must say the same, or is made. */
lathe_status lathe_rt_alias_output(lathe_context *ctx,
                                   const lathe_rt_state *state,
                                   const int64_t *shape, const DLTensor *inputs,
                                   DLTensor *output);

/* Bind.c: ends the run with `failure`, whose message is in the context; or
 * with a check that failed, if OK. */
_Noreturn void lathe_rt_stop(lathe_rt_running *running, lathe_status failure);
/* Makes room for `bytes`; keeps what is there if `keep`. */
lathe_status lathe_rt_grow(lathe_context *ctx, lathe_rt_growable *growable,
                           int64_t bytes, bool keep);
/* Run.c */
lathe_status lathe_rt_infer_shapes(lathe_context *ctx,
                                   const int64_t *const *input_shapes,
                                   int64_t *const *output_shapes);
lathe_status lathe_rt_workspace_bytes(lathe_context *ctx,
                                      const int64_t *const *input_shapes,
                                      size_t *bytes);
lathe_status lathe_rt_run(lathe_context *ctx, const DLTensor *inputs,
                          DLTensor *outputs);
void lathe_rt_release_output(lathe_context *ctx, DLTensor *output);

#endif /* LATHE_LIB_RUNTIME_RUNTIME_H */
