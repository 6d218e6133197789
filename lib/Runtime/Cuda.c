/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The driver for NVIDIA's devices. Only libcuda is needed, the part of CUDA
 * that comes with the kernel module; it is loaded when a context is created,
 * and its functions are declared here. Everything of a run goes in order on one
 * stream; the host waits where it reads and at the end. Memory is allocated
 * when a shape is first seen and only grows.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Runtime.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* --- The driver's interface, as far as it is used ------------------------- */

typedef int32_t lathe_rt_cu_result; /* 0: success */
typedef uint64_t lathe_rt_cu_address;
typedef void *lathe_rt_cu_handle; /* contexts, modules, functions, streams */

enum {
  CU_OUT_OF_MEMORY = 2,
  CU_ATTRIBUTE_MULTIPROCESSORS = 16,
  CU_ATTRIBUTE_MAJOR = 75,
  CU_ATTRIBUTE_MINOR = 76,
  CU_JIT_ERROR_LOG = 5,
  CU_JIT_ERROR_LOG_BYTES = 6
};

/* Values of `extra` of cuLaunchKernel. */
#define CU_PARAM_END ((void *)0)
#define CU_PARAM_BUFFER ((void *)1)
#define CU_PARAM_BYTES ((void *)2)

/* name in libcuda, field, parameters */
#define LATHE_RT_CU_FUNCTIONS(F)                                               \
  F(cuInit, init, (uint32_t flags))                                            \
  F(cuGetErrorString, error_string,                                            \
    (lathe_rt_cu_result error, const char **text))                             \
  F(cuDeviceGetCount, device_count, (int32_t *count))                          \
  F(cuDeviceGet, device_get, (int32_t *device, int32_t ordinal))               \
  F(cuDeviceGetAttribute, device_attribute,                                    \
    (int32_t *value, int32_t attribute, int32_t device))                       \
  F(cuDevicePrimaryCtxRetain, context_retain,                                  \
    (lathe_rt_cu_handle * context, int32_t device))                            \
  F(cuDevicePrimaryCtxRelease_v2, context_release, (int32_t device))           \
  F(cuCtxPushCurrent_v2, context_push, (lathe_rt_cu_handle context))           \
  F(cuCtxPopCurrent_v2, context_pop, (lathe_rt_cu_handle * context))           \
  F(cuModuleLoadDataEx, module_load,                                           \
    (lathe_rt_cu_handle * module, const void *image, uint32_t num_options,     \
     int32_t *options, void **values))                                         \
  F(cuModuleUnload, module_unload, (lathe_rt_cu_handle module))                \
  F(cuModuleGetFunction, module_function,                                      \
    (lathe_rt_cu_handle * function, lathe_rt_cu_handle module,                 \
     const char *name))                                                        \
  F(cuStreamCreate, stream_create,                                             \
    (lathe_rt_cu_handle * stream, uint32_t flags))                             \
  F(cuStreamDestroy_v2, stream_destroy, (lathe_rt_cu_handle stream))           \
  F(cuStreamSynchronize, stream_wait, (lathe_rt_cu_handle stream))             \
  F(cuMemAlloc_v2, memory_allocate,                                            \
    (lathe_rt_cu_address * address, size_t bytes))                             \
  F(cuMemFree_v2, memory_free, (lathe_rt_cu_address address))                  \
  F(cuMemcpyHtoDAsync_v2, copy_in,                                             \
    (lathe_rt_cu_address to, const void *from, size_t bytes,                   \
     lathe_rt_cu_handle stream))                                               \
  F(cuMemcpyDtoHAsync_v2, copy_out,                                            \
    (void *to, lathe_rt_cu_address from, size_t bytes,                         \
     lathe_rt_cu_handle stream))                                               \
  F(cuMemcpyDtoDAsync_v2, copy_within,                                         \
    (lathe_rt_cu_address to, lathe_rt_cu_address from, size_t bytes,           \
     lathe_rt_cu_handle stream))                                               \
  F(cuLaunchKernel, launch,                                                    \
    (lathe_rt_cu_handle function, uint32_t grid_x, uint32_t grid_y,            \
     uint32_t grid_z, uint32_t block_x, uint32_t block_y, uint32_t block_z,    \
     uint32_t shared_bytes, lathe_rt_cu_handle stream, void **parameters,      \
     void **extra))

typedef struct lathe_rt_cu {
#define LATHE_RT_CU_FIELD(name, field, parameters)                             \
  lathe_rt_cu_result(*field) parameters;
  LATHE_RT_CU_FUNCTIONS(LATHE_RT_CU_FIELD)
#undef LATHE_RT_CU_FIELD
} lathe_rt_cu;

/* --- State ---------------------------------------------------------------- */

enum {
  /* A kernel's parameters take at most 4 KiB on every chip; the compiler
     refuses more. */
  MAX_PARAMETERS = 512,
  MAX_BLOCKS = 0x7fffffff, /* of a grid's first dimension */
  /* Blocks of 256 threads that a multiprocessor holds at a time: more of them
     need no scratch memory of their own. */
  BLOCKS_PER_MULTIPROCESSOR = 8
};
/* Bytes of scratch memory of all blocks together; a kernel whose blocks need
 * much runs fewer of them. */
static const int64_t max_scratch_bytes = (int64_t)256 << 20;

/* Device memory that only grows. */
typedef struct lathe_rt_cu_block {
  lathe_rt_cu_address address;
  int64_t capacity;
} lathe_rt_cu_block;

typedef struct lathe_rt_cuda_state {
  void *library;
  lathe_rt_cu cu;
  int32_t ordinal, device, multiprocessors;
  lathe_rt_cu_handle context, module, stream;
  bool is_current;
  lathe_rt_cu_block weights, arena, staging;
  lathe_rt_cu_block *late;       /* of outputs whose sizes depend on data */
  int64_t scratch_blocks;        /* that the arena has room for */
  int64_t scratch_offset;        /* in the arena */
  void **host_outputs;           /* where outputs go, or NULL */
  lathe_rt_cu_handle *functions; /* of the kernels, when first launched */
} lathe_rt_cuda_state;

static lathe_rt_cuda_state *getCuda(const lathe_context *ctx) {
  return (lathe_rt_cuda_state *)ctx->device;
}

static lathe_status cudaError(lathe_rt_cuda_state *state,
                              lathe_rt_cu_result error, const char *what,
                              lathe_rt_text *text) {
  const char *reason = NULL;
  lathe_rt_text_string(text, what);
  lathe_rt_text_string(text, ": CUDA error ");
  lathe_rt_text_int(text, error);
  if (!state->cu.error_string(error, &reason) && reason) {
    lathe_rt_text_string(text, ", ");
    lathe_rt_text_string(text, reason);
  }
  return error == CU_OUT_OF_MEMORY ? LATHE_OUT_OF_MEMORY : LATHE_FAILED;
}

static lathe_status runError(lathe_context *ctx, lathe_rt_cu_result error,
                             const char *what) {
  lathe_rt_text text = lathe_rt_error(ctx);
  return cudaError(getCuda(ctx), error, what, &text);
}

/* --- Creation --------------------------------------------------------------
 */

static lathe_status loadDriver(lathe_rt_cuda_state *state,
                               lathe_rt_text *message) {
  static const struct {
    const char *name;
    size_t offset;
  } functions[] = {
#define LATHE_RT_CU_ENTRY(name, field, parameters)                             \
  {#name, offsetof(lathe_rt_cu, field)},
      LATHE_RT_CU_FUNCTIONS(LATHE_RT_CU_ENTRY)
#undef LATHE_RT_CU_ENTRY
  };
  state->library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!state->library) {
    lathe_rt_text_string(message,
                         "no CUDA driver: libcuda.so.1 cannot be loaded");
    return LATHE_UNSUPPORTED;
  }
  for (size_t f = 0; f < sizeof(functions) / sizeof(*functions); ++f) {
    void *address = dlsym(state->library, functions[f].name);
    if (!address) {
      lathe_rt_text_string(message, "no CUDA driver: libcuda.so.1 lacks ");
      lathe_rt_text_string(message, functions[f].name);
      return LATHE_UNSUPPORTED;
    }
    memcpy((char *)&state->cu + functions[f].offset, &address, sizeof(address));
  }
  return LATHE_OK;
}

/* The device that LATHE_CUDA_DEVICE names, by default the first. */
static lathe_status chooseDevice(lathe_rt_cuda_state *state,
                                 lathe_rt_text *message) {
  const char *wanted = getenv("LATHE_CUDA_DEVICE");
  int32_t count = 0;
  lathe_rt_cu_result error = state->cu.init(0);
  if (!error)
    error = state->cu.device_count(&count);
  if (error || count <= 0) {
    if (error)
      cudaError(state, error, "no CUDA driver", message);
    else
      lathe_rt_text_string(message, "no CUDA driver: it sees no device");
    return LATHE_UNSUPPORTED;
  }
  if (wanted && *wanted) {
    char *end;
    long ordinal = strtol(wanted, &end, 10);
    if (*end || ordinal < 0 || ordinal >= count) {
      lathe_rt_text_string(message, "LATHE_CUDA_DEVICE: expected 0 to ");
      lathe_rt_text_int(message, count - 1);
      lathe_rt_text_string(message, ", got '");
      lathe_rt_text_string(message, wanted);
      lathe_rt_text_string(message, "'");
      return LATHE_INVALID_ARGUMENT;
    }
    state->ordinal = (int32_t)ordinal;
  }
  error = state->cu.device_get(&state->device, state->ordinal);
  if (!error)
    error = state->cu.device_attribute(
        &state->multiprocessors, CU_ATTRIBUTE_MULTIPROCESSORS, state->device);
  if (!error)
    error = state->cu.context_retain(&state->context, state->device);
  return error ? cudaError(state, error, "device", message) : LATHE_OK;
}

static lathe_rt_cu_result enterCuda(lathe_rt_cuda_state *state) {
  lathe_rt_cu_result error = state->cu.context_push(state->context);
  state->is_current = !error;
  return error;
}

static void leaveCuda(lathe_rt_cuda_state *state) {
  lathe_rt_cu_handle context;
  if (state->is_current)
    state->cu.context_pop(&context);
  state->is_current = false;
}

/* The image for a chip: machine code for the same major version, else the
 * newest text that is not newer than the chip. */
static const lathe_rt_image *chooseImage(const lathe_rt_device *device,
                                         int32_t chip) {
  const lathe_rt_image *best = NULL;
  for (int32_t i = 0; i < device->num_images; ++i) {
    const lathe_rt_image *image = &device->images[i];
    if (image->chip > chip ||
        (image->is_binary && image->chip / 10 != chip / 10))
      continue;
    if (!best || image->is_binary > best->is_binary ||
        (image->is_binary == best->is_binary && image->chip > best->chip))
      best = image;
  }
  return best;
}

static lathe_status loadModule(lathe_rt_cuda_state *state,
                               const lathe_rt_model *model,
                               lathe_rt_text *message) {
  char log[256] = "";
  int32_t options[] = {CU_JIT_ERROR_LOG, CU_JIT_ERROR_LOG_BYTES};
  void *values[] = {log, (void *)(uintptr_t)sizeof(log)};
  int32_t major = 0, minor = 0;
  const lathe_rt_image *image;
  lathe_status status;
  lathe_rt_cu_result error =
      state->cu.device_attribute(&major, CU_ATTRIBUTE_MAJOR, state->device);
  if (!error)
    error =
        state->cu.device_attribute(&minor, CU_ATTRIBUTE_MINOR, state->device);
  if (error)
    return cudaError(state, error, "device", message);
  image = chooseImage(model->device, 10 * major + minor);
  if (!image) {
    lathe_rt_text_string(message, "target '");
    lathe_rt_text_string(message, model->target);
    lathe_rt_text_string(message, "': expected a chip that is not older, got "
                                  "sm_");
    lathe_rt_text_int(message, 10 * major + minor);
    return LATHE_UNSUPPORTED;
  }
  error =
      state->cu.module_load(&state->module, image->data, 2, options, values);
  if (!error)
    return LATHE_OK;
  status = cudaError(state, error, "loading the kernels", message);
  log[sizeof(log) - 1] = 0;
  if (*log) {
    lathe_rt_text_string(message, ": ");
    lathe_rt_text_string(message, log);
  }
  return status;
}

/* Makes room for `bytes`; what the block holds is not kept. */
static lathe_rt_cu_result growDevice(lathe_rt_cuda_state *state,
                                     lathe_rt_cu_block *block, int64_t bytes) {
  lathe_rt_cu_result error;
  if (bytes <= block->capacity)
    return 0;
  if (block->address) {
    /* What is still running may use it. */
    error = state->cu.stream_wait(state->stream);
    if (!error)
      error = state->cu.memory_free(block->address);
    block->address = 0;
    block->capacity = 0;
    if (error)
      return error;
  }
  error = state->cu.memory_allocate(&block->address, (size_t)bytes);
  if (!error)
    block->capacity = bytes;
  return error;
}

static lathe_status uploadWeights(lathe_context *ctx,
                                  lathe_rt_cuda_state *state,
                                  lathe_rt_text *message) {
  int64_t bytes = ctx->model->weights_bytes;
  lathe_rt_cu_result error = 0;
  if (bytes)
    error = growDevice(state, &state->weights, bytes);
  if (bytes && !error)
    error = state->cu.copy_in(state->weights.address, ctx->weights,
                              (size_t)bytes, state->stream);
  if (!error)
    error = state->cu.stream_wait(state->stream);
  ctx->device_weights = (const char *)(uintptr_t)state->weights.address;
  return error ? cudaError(state, error, "weights", message) : LATHE_OK;
}

static lathe_status startDevice(lathe_context *ctx, lathe_rt_cuda_state *state,
                                lathe_rt_text *message) {
  lathe_rt_cu_result error;
  lathe_status status = loadDriver(state, message);
  if (!status)
    status = chooseDevice(state, message);
  if (status)
    return status;
  error = enterCuda(state);
  if (!error)
    /* A blocking one: it waits for what the caller has put on the default
       stream, such as the computation of an input. */
    error = state->cu.stream_create(&state->stream, 0);
  if (error)
    return cudaError(state, error, "device", message);
  status = loadModule(state, ctx->model, message);
  return status ? status : uploadWeights(ctx, state, message);
}

static lathe_status createCuda(lathe_context *ctx, lathe_rt_text *message) {
  const lathe_rt_model *model = ctx->model;
  size_t state_bytes = (sizeof(lathe_rt_cuda_state) + 15) & ~(size_t)15;
  size_t outputs_bytes = (size_t)model->num_outputs * sizeof(void *);
  size_t functions_bytes = (size_t)model->device->num_kernels * sizeof(void *);
  size_t bytes = state_bytes + outputs_bytes + functions_bytes +
                 (size_t)model->num_outputs * sizeof(lathe_rt_cu_block);
  char *memory =
      ctx->allocator.allocate(ctx->allocator.user, bytes, LATHE_RT_ALIGNMENT);
  lathe_rt_cuda_state *state;
  lathe_status status;
  if (!memory) {
    lathe_rt_text_string(message, "context: out of memory");
    return LATHE_OUT_OF_MEMORY;
  }
  memset(memory, 0, bytes);
  state = (lathe_rt_cuda_state *)(void *)memory;
  state->host_outputs = (void **)(void *)(memory + state_bytes);
  state->functions =
      (lathe_rt_cu_handle *)(void *)(memory + state_bytes + outputs_bytes);
  state->late = (lathe_rt_cu_block *)(void *)(memory + state_bytes +
                                              outputs_bytes + functions_bytes);
  ctx->device = state;
  status = startDevice(ctx, state, message);
  leaveCuda(state);
  return status;
}

static void destroyCuda(lathe_context *ctx) {
  lathe_rt_cuda_state *state = getCuda(ctx);
  lathe_rt_cu_block *blocks[3];
  if (!state)
    return;
  blocks[0] = &state->weights;
  blocks[1] = &state->arena;
  blocks[2] = &state->staging;
  if (state->context && !enterCuda(state)) {
    for (int32_t i = 0; i < 3; ++i)
      if (blocks[i]->address)
        state->cu.memory_free(blocks[i]->address);
    for (int32_t o = 0; o < ctx->model->num_outputs; ++o)
      if (state->late[o].address)
        state->cu.memory_free(state->late[o].address);
    if (state->module)
      state->cu.module_unload(state->module);
    if (state->stream)
      state->cu.stream_destroy(state->stream);
    leaveCuda(state);
  }
  if (state->context)
    state->cu.context_release(state->device);
  if (state->library)
    dlclose(state->library);
  ctx->allocator.release(ctx->allocator.user, state);
  ctx->device = NULL;
}

/* --- A run ------------------------------------------------------------------
 */

static bool liesOnCuda(const DLTensor *tensor) {
  return tensor->device.device_type == kDLCUDA;
}

/* Bytes that a tensor of the host takes on the device while the model runs. A
 * state has room for what the run adds to it. */
static int64_t inputBytes(const lathe_context *ctx, int32_t i,
                          const DLTensor *inputs, const DLTensor *outputs) {
  const lathe_rt_state *state = lathe_rt_find_state(ctx->model, true, i);
  int64_t bytes = lathe_rt_staged_bytes(&inputs[i]);
  if (liesOnCuda(&inputs[i]))
    return 0;
  if (state && lathe_rt_staged_bytes(&outputs[state->output]) > bytes)
    bytes = lathe_rt_staged_bytes(&outputs[state->output]);
  return lathe_rt_align(bytes);
}

static int64_t outputBytes(const lathe_context *ctx, int32_t o,
                           const DLTensor *outputs) {
  return liesOnCuda(&outputs[o]) || lathe_rt_find_state(ctx->model, false, o)
             ? 0
             : lathe_rt_align(lathe_rt_staged_bytes(&outputs[o]));
}

static lathe_status checkPlace(lathe_context *ctx, const char *name,
                               const DLTensor *tensor) {
  lathe_rt_text text;
  if (!liesOnCuda(tensor) || tensor->device.device_id == getCuda(ctx)->ordinal)
    return LATHE_OK;
  text = lathe_rt_error(ctx);
  lathe_rt_text_string(&text, "tensor '");
  lathe_rt_text_string(&text, name);
  lathe_rt_text_string(&text, "': expected memory of CUDA device ");
  lathe_rt_text_int(&text, getCuda(ctx)->ordinal);
  lathe_rt_text_string(&text, ", got device ");
  lathe_rt_text_int(&text, tensor->device.device_id);
  return LATHE_INVALID_ARGUMENT;
}

static int64_t countCudaBlocks(const lathe_context *ctx, int64_t bytes) {
  int64_t blocks =
      (int64_t)getCuda(ctx)->multiprocessors * BLOCKS_PER_MULTIPROCESSOR;
  if (bytes && blocks > max_scratch_bytes / bytes)
    blocks = max_scratch_bytes / bytes;
  return blocks > 1 ? blocks : 1;
}

/* Room for the arena and the blocks' scratch memory behind it. */
static lathe_rt_cu_result reserveCuda(lathe_context *ctx,
                                      const lathe_rt_plan *plan) {
  lathe_rt_cuda_state *state = getCuda(ctx);
  state->scratch_offset = lathe_rt_align(plan->arena_bytes);
  state->scratch_blocks = countCudaBlocks(ctx, plan->scratch_bytes);
  return growDevice(state, &state->arena,
                    state->scratch_offset +
                        state->scratch_blocks * plan->scratch_bytes);
}

static void *growCuda(lathe_context *ctx, void *old, int64_t kept,
                      int64_t bytes) {
  lathe_rt_cuda_state *state = getCuda(ctx);
  lathe_rt_cu_address from = (lathe_rt_cu_address)(uintptr_t)old, to = 0;
  bool was_current = state->is_current;
  lathe_rt_cu_result error = was_current ? 0 : enterCuda(state);
  if (!error && bytes)
    error = state->cu.memory_allocate(&to, (size_t)bytes);
  if (!error && kept)
    error = state->cu.copy_within(to, from, (size_t)kept, state->stream);
  /* What is still running may use the old memory. */
  if (!error && from)
    error = state->cu.stream_wait(state->stream);
  if (from && (!error || !bytes))
    state->cu.memory_free(from);
  if (error && to)
    state->cu.memory_free(to);
  if (!was_current)
    leaveCuda(state);
  return error ? NULL : (void *)(uintptr_t)to;
}

static lathe_status addCudaOutput(lathe_context *ctx, int32_t index,
                                  const DLTensor *output) {
  lathe_rt_cuda_state *state = getCuda(ctx);
  int64_t bytes = lathe_rt_align(lathe_rt_staged_bytes(output));
  lathe_rt_cu_result error =
      growDevice(state, &state->late[index], bytes ? bytes : 1);
  if (error)
    return runError(ctx, error, "memory of the device");
  state->host_outputs[index] = output->data;
  ctx->io[ctx->model->num_inputs + index] =
      (void *)(uintptr_t)state->late[index].address;
  return LATHE_OK;
}

static lathe_status beginCuda(lathe_context *ctx, const lathe_rt_plan *plan,
                              const DLTensor *inputs, DLTensor *outputs) {
  const lathe_rt_model *model = ctx->model;
  lathe_rt_cuda_state *state = getCuda(ctx);
  void **outputs_io = ctx->io + model->num_inputs;
  int64_t bytes = 0;
  char *at;
  lathe_rt_cu_result error;
  for (int32_t i = 0; i < model->num_inputs; ++i) {
    lathe_status status = checkPlace(ctx, model->inputs[i].name, &inputs[i]);
    if (status)
      return status;
    bytes += inputBytes(ctx, i, inputs, outputs);
  }
  for (int32_t o = 0; o < model->num_outputs; ++o) {
    lathe_status status = checkPlace(ctx, model->outputs[o].name, &outputs[o]);
    if (status)
      return status;
    bytes += outputBytes(ctx, o, outputs);
  }
  error = enterCuda(state);
  if (!error)
    error = reserveCuda(ctx, plan);
  if (!error)
    error = growDevice(state, &state->staging, bytes);
  if (error) {
    leaveCuda(state);
    return runError(ctx, error, "memory of the device");
  }
  ctx->device_arena = (char *)(uintptr_t)state->arena.address;
  at = (char *)(uintptr_t)state->staging.address;
  for (int32_t i = 0; i < model->num_inputs && !error; ++i) {
    int64_t filled = lathe_rt_staged_bytes(&inputs[i]);
    if (liesOnCuda(&inputs[i]))
      continue;
    if (filled)
      error = state->cu.copy_in((lathe_rt_cu_address)(uintptr_t)at, ctx->io[i],
                                (size_t)filled, state->stream);
    ctx->io[i] = at;
    at += inputBytes(ctx, i, inputs, outputs);
  }
  for (int32_t o = 0; o < model->num_outputs; ++o) {
    const lathe_rt_state *shared = lathe_rt_find_state(model, false, o);
    state->host_outputs[o] = NULL;
    if (liesOnCuda(&outputs[o]))
      continue;
    state->host_outputs[o] = outputs_io[o];
    outputs_io[o] = shared ? ctx->io[shared->input] : at;
    at += outputBytes(ctx, o, outputs);
  }
  if (error) {
    leaveCuda(state);
    return runError(ctx, error, "inputs");
  }
  return LATHE_OK;
}

static lathe_status endCuda(lathe_context *ctx, const DLTensor *outputs,
                            lathe_status status) {
  const lathe_rt_model *model = ctx->model;
  lathe_rt_cuda_state *state = getCuda(ctx);
  void **outputs_io = ctx->io + model->num_inputs;
  lathe_rt_cu_result error = 0;
  for (int32_t o = 0; o < model->num_outputs && !status && !error; ++o) {
    int64_t filled = lathe_rt_staged_bytes(&outputs[o]);
    if (!state->host_outputs[o])
      continue;
    if (filled)
      error = state->cu.copy_out(state->host_outputs[o],
                                 (lathe_rt_cu_address)(uintptr_t)outputs_io[o],
                                 (size_t)filled, state->stream);
    outputs_io[o] = state->host_outputs[o];
  }
  /* Also where the run failed: nothing may use the caller's memory later. */
  if (!error)
    error = state->cu.stream_wait(state->stream);
  leaveCuda(state);
  if (error && !status)
    return runError(ctx, error, "a kernel failed");
  return status;
}

static int32_t stopRun(lathe_rt_running *running, lathe_status status) {
  running->failure = status;
  return 1;
}

static int32_t launchError(lathe_rt_running *running, int32_t launch,
                           lathe_rt_cu_result error) {
  const lathe_rt_launch_info *info = &running->ctx->model->launches[launch];
  lathe_rt_text text = lathe_rt_error(running->ctx);
  lathe_rt_text_string(&text, "node '");
  lathe_rt_text_string(&text, info->nodes);
  lathe_rt_text_string(&text, "': launch of kernel '");
  lathe_rt_text_string(&text, info->kernel);
  return stopRun(running, cudaError(getCuda(running->ctx), error, "'", &text));
}

static int32_t launchCuda(lathe_rt_running *running, int32_t launch,
                          lathe_rt_kernel code, const int64_t *args,
                          int64_t tiles) {
  lathe_context *ctx = running->ctx;
  lathe_rt_cuda_state *state = getCuda(ctx);
  const lathe_rt_device_kernel *kernel =
      (const lathe_rt_device_kernel *)(uintptr_t)code;
  lathe_rt_cu_handle *function =
      &state->functions[kernel - ctx->model->device->kernels];
  int64_t words[MAX_PARAMETERS], blocks = tiles, most = state->scratch_blocks;
  size_t bytes = (size_t)(kernel->num_args + 3) * sizeof(int64_t);
  void *extra[] = {CU_PARAM_BUFFER, words, CU_PARAM_BYTES, &bytes,
                   CU_PARAM_END};
  lathe_rt_cu_result error = 0;
  if (running->failure)
    return 1;
  if (tiles <= 0)
    return 0;
  if (!*function)
    error = state->cu.module_function(function, state->module, kernel->name);
  if (error)
    return launchError(running, launch, error);
  if (kernel->num_args)
    memcpy(words, args, (size_t)kernel->num_args * sizeof(int64_t));
  if (ctx->scratch.data) { /* a size that depends on data asked for more */
    words[kernel->num_args] = (int64_t)(uintptr_t)ctx->scratch.data;
    most = running->scratch_bytes
               ? ctx->scratch.capacity / running->scratch_bytes
               : most;
  } else {
    words[kernel->num_args] =
        (int64_t)state->arena.address + state->scratch_offset;
  }
  words[kernel->num_args + 1] = running->scratch_bytes;
  words[kernel->num_args + 2] = tiles;
  if (kernel->has_scratch && blocks > most)
    blocks = most;
  if (blocks > MAX_BLOCKS)
    blocks = MAX_BLOCKS;
  error = state->cu.launch(*function, (uint32_t)blocks, 1, 1,
                           (uint32_t)kernel->threads, 1, 1, 0, state->stream,
                           NULL, extra);
  /* A profile is of each launch by itself. */
  if (!error && ctx->profiling)
    error = state->cu.stream_wait(state->stream);
  return error ? launchError(running, launch, error) : 0;
}

static int32_t readCuda(lathe_rt_running *running, void *to, const void *from,
                        int64_t bytes) {
  lathe_rt_cuda_state *state = getCuda(running->ctx);
  lathe_rt_cu_result error;
  /* Zero where nothing was computed: the program runs out quietly. */
  memset(to, 0, (size_t)bytes);
  if (running->failure || running->status[0])
    return 1;
  error = state->cu.copy_out(to, (lathe_rt_cu_address)(uintptr_t)from,
                             (size_t)bytes, state->stream);
  if (!error)
    error = state->cu.stream_wait(state->stream);
  return error ? stopRun(running,
                         runError(running->ctx, error, "a kernel failed"))
               : 0;
}

static int32_t copyCuda(lathe_rt_running *running, void *to, const void *from,
                        int64_t bytes) {
  lathe_rt_cuda_state *state = getCuda(running->ctx);
  lathe_rt_cu_result error = 0;
  if (running->failure || running->status[0])
    return 1;
  if (bytes > 0)
    error = state->cu.copy_within((lathe_rt_cu_address)(uintptr_t)to,
                                  (lathe_rt_cu_address)(uintptr_t)from,
                                  (size_t)bytes, state->stream);
  return error
             ? stopRun(running, runError(running->ctx, error, "a copy failed"))
             : 0;
}

const struct lathe_rt_driver lathe_rt_cuda = {
    .device_type = kDLCUDA,
    .create = createCuda,
    .destroy = destroyCuda,
    .begin = beginCuda,
    .end = endCuda,
    .launch = launchCuda,
    .read = readCuda,
    .copy = copyCuda,
    .grow = growCuda,
    .count_workers = countCudaBlocks,
    .add_output = addCudaOutput,
};
