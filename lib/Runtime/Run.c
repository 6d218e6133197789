/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Running a model: check the caller's tensors, find the plan for their shapes,
 * stage what is strided, call the program.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Runtime.h"

#include <string.h>
#include <time.h>

/* Below these estimates a launch runs on the calling thread. Handing it to
 * threads that spin costs a microsecond, and one of them reads out of another's
 * cache in either case; waking a thread that sleeps costs the caller 10 us, and it
 * comes 25 us later (measured on a virtual machine). In nanoseconds of one core,
 * taken to do 100 flops and move 40 bytes of its cache in each. */
enum {
  INLINE_NS_AWAKE = 5000,
  INLINE_NS_ASLEEP = 100000,
  FLOPS_PER_NS = 100,
  BYTES_PER_NS = 40
};

/* --- One call at a time -------------------------------------------------- */

static lathe_status enterContext(lathe_context *ctx) {
  int idle = 0;
  /* The message belongs to the call in progress: this one leaves none. */
  return atomic_compare_exchange_strong(&ctx->busy, &idle, 1) ? LATHE_OK
                                                              : LATHE_BUSY;
}

static lathe_status leaveContext(lathe_context *ctx, lathe_status status) {
  atomic_store(&ctx->busy, 0);
  return status;
}

/* --- Checking tensors ---------------------------------------------------- */

static lathe_rt_text tensorError(lathe_context *ctx, bool is_input,
                                 const lathe_rt_tensor *expected) {
  lathe_rt_text text = lathe_rt_error(ctx);
  lathe_rt_text_string(&text, is_input ? "input '" : "output '");
  lathe_rt_text_string(&text, expected->name);
  lathe_rt_text_string(&text, "': expected ");
  return text;
}

/* Whether a tensor lies where the model's kernels run, and not on the host. */
static bool isOnDevice(const lathe_context *ctx, const DLTensor *tensor) {
  return ctx->driver && tensor->device.device_type == ctx->driver->device_type;
}

/* Everything but the sizes. */
static lathe_status checkTensor(lathe_context *ctx, bool is_input,
                                const lathe_rt_tensor *expected,
                                const DLTensor *tensor) {
  DLDataType dtype = lathe_rt_dtype(expected);
  lathe_rt_text text;
  if (tensor->device.device_type != kDLCPU &&
      tensor->device.device_type != kDLCUDAHost && !isOnDevice(ctx, tensor)) {
    text = tensorError(ctx, is_input, expected);
    lathe_rt_text_string(&text, ctx->driver
                                    ? "memory of the CPU or of the model's "
                                      "device, got device type "
                                    : "memory of the CPU, got device type ");
    lathe_rt_text_int(&text, tensor->device.device_type);
    return LATHE_INVALID_ARGUMENT;
  }
  if (tensor->dtype.code != dtype.code || tensor->dtype.bits != dtype.bits ||
      tensor->dtype.lanes != dtype.lanes) {
    text = tensorError(ctx, is_input, expected);
    lathe_rt_text_string(&text, "type ");
    lathe_rt_text_dtype(&text, dtype);
    lathe_rt_text_string(&text, ", got ");
    lathe_rt_text_dtype(&text, tensor->dtype);
    return LATHE_INVALID_ARGUMENT;
  }
  if (tensor->ndim != expected->rank || (tensor->ndim > 0 && !tensor->shape)) {
    text = tensorError(ctx, is_input, expected);
    lathe_rt_text_int(&text, expected->rank);
    lathe_rt_text_string(&text, " dimensions, got ");
    if (tensor->ndim >= 0 && tensor->ndim <= LATHE_RT_MAX_RANK && tensor->shape)
      lathe_rt_text_shape(&text, tensor->ndim, tensor->shape);
    else
      lathe_rt_text_int(&text, tensor->shape ? tensor->ndim : 0);
    return LATHE_INVALID_ARGUMENT;
  }
  return LATHE_OK;
}

/* Whether there is memory, and of a kind that can be staged. */
static lathe_status checkMemory(lathe_context *ctx, bool is_input,
                                const lathe_rt_tensor *expected,
                                const DLTensor *tensor) {
  int64_t bytes =
      lathe_rt_dense_bytes(tensor->dtype, tensor->ndim, tensor->shape);
  lathe_rt_text text;
  if (bytes < 0) {
    text = tensorError(ctx, is_input, expected);
    lathe_rt_text_string(&text, "a shape that fits in memory, got ");
    lathe_rt_text_shape(&text, tensor->ndim, tensor->shape);
    return LATHE_INVALID_ARGUMENT;
  }
  if (bytes && !tensor->data) {
    text = tensorError(ctx, is_input, expected);
    lathe_rt_text_string(&text, "data, got a null pointer");
    return LATHE_INVALID_ARGUMENT;
  }
  if (isOnDevice(ctx, tensor) && !lathe_rt_is_direct(tensor) &&
      !lathe_rt_find_state(
          ctx->model, is_input,
          (int32_t)(expected -
                    (is_input ? ctx->model->inputs : ctx->model->outputs)))) {
    text = tensorError(ctx, is_input, expected);
    lathe_rt_text_string(&text, "dense, aligned memory on the device");
    return LATHE_INVALID_ARGUMENT;
  }
  if (lathe_rt_is_packed(tensor->dtype) && !lathe_rt_is_compact(tensor)) {
    text = tensorError(ctx, is_input, expected);
    lathe_rt_text_string(&text, "compact memory for elements below one byte");
    return LATHE_INVALID_ARGUMENT;
  }
  return LATHE_OK;
}

/* An array of tensors that is not there. */
static lathe_status checkArray(lathe_context *ctx, const char *name,
                               int32_t count, const DLTensor *tensors) {
  lathe_rt_text text;
  if (tensors || !count)
    return LATHE_OK;
  text = lathe_rt_error(ctx);
  lathe_rt_text_string(&text, name);
  lathe_rt_text_string(&text, ": expected an array of ");
  lathe_rt_text_int(&text, count);
  lathe_rt_text_string(&text, ", got a null pointer");
  return LATHE_INVALID_ARGUMENT;
}

static lathe_status checkInputs(lathe_context *ctx, const DLTensor *inputs,
                                const lathe_rt_plan **plan) {
  const lathe_rt_model *model = ctx->model;
  lathe_status status;
  /* The pointers to the shapes lie where the data pointers go later. */
  const int64_t **shapes = (const int64_t **)(void *)ctx->io;
  _Static_assert(sizeof(int64_t *) == sizeof(void *), "io holds shapes too");
  for (int32_t i = 0; i < model->num_inputs; ++i) {
    shapes[i] = inputs[i].shape;
    status = model->inputs[i].type
                 ? lathe_rt_take_input(ctx, i, &inputs[i], &shapes[i])
                 : checkTensor(ctx, true, &model->inputs[i], &inputs[i]);
    if (status)
      return status;
  }
  status = lathe_rt_prepare(ctx, shapes, plan);
  for (int32_t i = 0; i < model->num_inputs && !status; ++i)
    if (!model->inputs[i].type)
      status = checkMemory(ctx, true, &model->inputs[i], &inputs[i]);
  for (int32_t s = 0; s < model->num_states && !status; ++s)
    status = lathe_rt_check_state(ctx, &model->states[s], true,
                                  &inputs[model->states[s].input]);
  return status;
}

/* --- Outputs that the runtime makes --------------------------------------- */

static bool isWanted(const DLTensor *output) {
  return !output->data && !output->shape;
}

static lathe_status makeOutput(lathe_context *ctx,
                               const lathe_rt_tensor *expected,
                               const int64_t *shape, DLTensor *output) {
  DLDataType dtype = lathe_rt_dtype(expected);
  int64_t bytes = lathe_rt_dense_bytes(dtype, expected->rank, shape);
  size_t shape_bytes = (size_t)expected->rank * sizeof(int64_t);
  char *memory = NULL;
  if (bytes >= 0 && bytes < INT64_MAX / 2)
    memory = ctx->allocator.allocate(ctx->allocator.user,
                                     (size_t)lathe_rt_align(bytes) +
                                         shape_bytes + LATHE_RT_ALIGNMENT,
                                     LATHE_RT_ALIGNMENT);
  if (!memory) {
    lathe_rt_text text = tensorError(ctx, false, expected);
    lathe_rt_text_string(&text, "memory for shape ");
    lathe_rt_text_shape(&text, expected->rank, shape);
    return LATHE_OUT_OF_MEMORY;
  }
  memset(output, 0, sizeof(*output));
  output->data = memory;
  output->device.device_type = kDLCPU;
  output->ndim = expected->rank;
  output->dtype = dtype;
  output->shape = (int64_t *)(void *)(memory + lathe_rt_align(bytes));
  if (shape_bytes)
    memcpy(output->shape, shape, shape_bytes);
  return LATHE_OK;
}

void lathe_rt_release_output(lathe_context *ctx, DLTensor *output) {
  if (output->dtype.code == kDLOpaqueHandle)
    lathe_rt_release(output->data);
  else if (output->strides) /* a state: the memory is the input's */
    ctx->allocator.release(ctx->allocator.user, output->strides);
  else if (output->data)
    ctx->allocator.release(ctx->allocator.user, output->data);
  memset(output, 0, sizeof(*output));
}

static lathe_status checkOutputShape(lathe_context *ctx,
                                     const lathe_rt_tensor *expected,
                                     const int64_t *shape,
                                     const DLTensor *output) {
  lathe_rt_text text;
  if (!expected->rank ||
      !memcmp(shape, output->shape, (size_t)expected->rank * sizeof(int64_t)))
    return LATHE_OK;
  text = tensorError(ctx, false, expected);
  lathe_rt_text_string(&text, "shape ");
  lathe_rt_text_shape(&text, expected->rank, shape);
  lathe_rt_text_string(&text, ", got ");
  lathe_rt_text_shape(&text, expected->rank, output->shape);
  return LATHE_INVALID_ARGUMENT;
}

/* Checks the outputs, and makes those that the caller did not bring; the ones
 * whose sizes depend on data are left to the program. */
static lathe_status checkOutputs(lathe_context *ctx, const lathe_rt_plan *plan,
                                 const DLTensor *inputs, DLTensor *outputs) {
  const lathe_rt_model *model = ctx->model;
  if (model->num_outputs)
    memset(ctx->made, 0, (size_t)model->num_outputs * sizeof(*ctx->made));
  for (int32_t o = 0; o < model->num_outputs; ++o) {
    const lathe_rt_tensor *expected = &model->outputs[o];
    int64_t shape[LATHE_RT_MAX_RANK];
    lathe_status status = lathe_rt_output_shape(ctx, plan, o, shape);
    if (status)
      return status;
    if (expected->type && !isWanted(&outputs[o])) {
      lathe_rt_text text = tensorError(ctx, false, expected);
      lathe_rt_text_string(&text, "no memory for a value, got a tensor");
      return LATHE_INVALID_ARGUMENT;
    }
    if (isWanted(&outputs[o]) && (expected->data_dims || expected->type)) {
      if (lathe_rt_is_packed(lathe_rt_dtype(expected))) {
        lathe_rt_text text = tensorError(ctx, false, expected);
        lathe_rt_text_string(&text, "memory of the caller for elements below "
                                    "one byte, as the size depends on data");
        return LATHE_UNSUPPORTED;
      }
      memset(&outputs[o], 0, sizeof(outputs[o]));
      continue;
    }
    const lathe_rt_state *state = lathe_rt_find_state(model, false, o);
    if (isWanted(&outputs[o])) {
      status =
          state ? lathe_rt_alias_output(ctx, state, shape, inputs, &outputs[o])
                : makeOutput(ctx, expected, shape, &outputs[o]);
      if (status)
        return status;
      ctx->made[o] = true;
      continue;
    }
    status = checkTensor(ctx, false, expected, &outputs[o]);
    if (!status && !expected->data_dims)
      status = checkOutputShape(ctx, expected, shape, &outputs[o]);
    if (!status && state)
      status = lathe_rt_alias_output(ctx, state, shape, inputs, &outputs[o]);
    if (!status)
      status = checkMemory(ctx, false, expected, &outputs[o]);
    if (status)
      return status;
  }
  return LATHE_OK;
}

static void giveBackOutputs(lathe_context *ctx, DLTensor *outputs) {
  for (int32_t o = 0; o < ctx->model->num_outputs; ++o)
    if (ctx->made[o])
      lathe_rt_release_output(ctx, &outputs[o]);
}

/* --- Memory --------------------------------------------------------------- */

/* Grows one of the context's blocks; what it holds is not kept. */
static lathe_status growBlock(lathe_context *ctx, char **block,
                              int64_t *capacity, int64_t bytes,
                              const char *name) {
  char *memory;
  if (bytes <= *capacity)
    return LATHE_OK;
  if (*block)
    ctx->allocator.release(ctx->allocator.user, *block);
  *block = NULL;
  *capacity = 0;
  memory = ctx->allocator.allocate(ctx->allocator.user, (size_t)bytes,
                                   LATHE_RT_ALIGNMENT);
  if (!memory) {
    lathe_rt_text text = lathe_rt_error(ctx);
    lathe_rt_text_string(&text, name);
    lathe_rt_text_string(&text, ": cannot allocate ");
    lathe_rt_text_int(&text, bytes);
    lathe_rt_text_string(&text, " bytes");
    return LATHE_OUT_OF_MEMORY;
  }
  *block = memory;
  *capacity = bytes;
  return LATHE_OK;
}

/* The arena, followed by each thread's scratch; -1 on overflow. */
static int64_t workspaceBytes(const lathe_context *ctx,
                              const lathe_rt_plan *plan) {
  int64_t bytes;
  if (__builtin_add_overflow(lathe_rt_align(plan->arena_bytes),
                             plan->scratch_bytes * ctx->num_threads, &bytes))
    return -1;
  return bytes;
}

static lathe_status reserveArena(lathe_context *ctx,
                                 const lathe_rt_plan *plan) {
  int64_t bytes = workspaceBytes(ctx, plan);
  lathe_rt_text text;
  if (bytes >= 0 && !ctx->arena_is_callers)
    return growBlock(ctx, &ctx->arena, &ctx->arena_capacity, bytes, "arena");
  if (bytes >= 0 && bytes <= ctx->arena_capacity)
    return LATHE_OK;
  text = lathe_rt_error(ctx);
  lathe_rt_text_string(&text, "arena: expected at least ");
  lathe_rt_text_int(&text, bytes);
  lathe_rt_text_string(&text, " bytes, got ");
  lathe_rt_text_int(&text, ctx->arena_capacity);
  return LATHE_OUT_OF_MEMORY;
}

/* Whether a tensor is an output that is not made yet, or a value. */
static bool isUnmade(const DLTensor *tensor) {
  return !tensor->dtype.bits || tensor->dtype.code == kDLOpaqueHandle;
}

/* Whether kernels work on a dense copy of an input or output. */
static bool isStaged(const lathe_rt_model *model, bool is_input, int32_t i,
                     const DLTensor *tensor) {
  return !isUnmade(tensor) && !lathe_rt_is_direct(tensor) &&
         !lathe_rt_find_state(model, is_input, i);
}

/* Adds to `total`; false where it is more than there are addresses. */
static bool addStagedBytes(const lathe_rt_model *model, bool is_input,
                           const DLTensor *tensors, int32_t count,
                           int64_t *total) {
  for (int32_t i = 0; i < count; ++i) {
    int64_t bytes;
    if (!isStaged(model, is_input, i, &tensors[i]))
      continue;
    bytes = lathe_rt_staged_bytes(&tensors[i]);
    if (bytes < 0 || bytes > INT64_MAX / 4 ||
        *total + lathe_rt_align(bytes) > INT64_MAX / 2)
      return false;
    *total += lathe_rt_align(bytes);
  }
  return true;
}

/* Fills io: the tensors' own memory, or staging. */
static char *assignMemory(const lathe_rt_model *model, bool is_input,
                          const DLTensor *tensors, int32_t count, void **io,
                          char *staging) {
  for (int32_t i = 0; i < count; ++i) {
    if (isUnmade(&tensors[i])) {
      io[i] = NULL;
      continue;
    }
    if (!isStaged(model, is_input, i, &tensors[i])) {
      io[i] = lathe_rt_tensor_data(&tensors[i]);
      continue;
    }
    io[i] = staging;
    if (is_input)
      lathe_rt_stage(&tensors[i], staging);
    staging += lathe_rt_align(lathe_rt_staged_bytes(&tensors[i]));
  }
  return staging;
}

/* --- The program -----------------------------------------------------------
 */

static int64_t nowNs(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Whether a launch is not worth the threads. */
static bool isTooSmall(const lathe_rt_running *running, int32_t launch) {
  const lathe_context *ctx = running->ctx;
  const lathe_rt_launch_info *info = &ctx->model->launches[launch];
  const int64_t *values = running->frame.values;
  int64_t ns = lathe_rt_value(values, info->flops) / FLOPS_PER_NS +
               lathe_rt_value(values, info->bytes) / BYTES_PER_NS;
  return ns < INLINE_NS_AWAKE ||
         (ns < INLINE_NS_ASLEEP && lathe_rt_pool_is_asleep(ctx->pool));
}

int32_t lathe_rt_launch(lathe_rt_frame *frame, int32_t launch,
                        lathe_rt_kernel kernel, const int64_t *args,
                        int64_t tiles) {
  lathe_rt_running *running = (lathe_rt_running *)frame;
  lathe_context *ctx = running->ctx;
  int64_t begin = ctx->profiling ? nowNs() : 0;
  int32_t result = 0;
  /* After a check that failed, the program runs out without doing anything. */
  if (running->status[0])
    return 1;
  bool is_inline =
      ctx->num_threads == 1 || tiles < 2 || isTooSmall(running, launch);
  if (ctx->driver) {
    result = ctx->driver->launch(running, launch, kernel, args, tiles);
  } else if (tiles > 0 && is_inline) {
    result = kernel(args, 0, tiles, running->scratch);
  } else if (tiles > 0) {
    lathe_rt_job job = {kernel, args, tiles, running->scratch,
                        running->scratch_bytes};
    result = lathe_rt_pool_run(ctx->pool, &job);
  }
  if (ctx->profiling) {
    ctx->launch_ns[launch] += nowNs() - begin;
    ++ctx->launch_runs[launch];
  }
  if (result)
    return result;
  return running->status[0] != 0;
}

int32_t lathe_rt_read(lathe_rt_frame *frame, void *to, const void *from,
                      int64_t bytes) {
  lathe_rt_running *running = (lathe_rt_running *)frame;
  return running->ctx->driver->read(running, to, from, bytes);
}

int32_t lathe_rt_copy(lathe_rt_frame *frame, void *to, const void *from,
                      int64_t bytes) {
  lathe_rt_running *running = (lathe_rt_running *)frame;
  return running->ctx->driver->copy(running, to, from, bytes);
}

/* Turns {check + 1, value} into a message. */
static lathe_status checkError(lathe_context *ctx, const int64_t *status) {
  const lathe_rt_check *check = &ctx->model->checks[status[0] - 1];
  lathe_rt_text text = lathe_rt_error(ctx);
  const char *at = check->message;
  const char *hole = strstr(at, "%lld");
  if (check->node[0]) { /* else a condition on the sizes of the inputs */
    lathe_rt_text_string(&text, "node '");
    lathe_rt_text_string(&text, check->node);
    lathe_rt_text_string(&text, "': ");
  }
  for (; *at && at != hole; ++at) {
    char one[2] = {*at, 0};
    lathe_rt_text_string(&text, one);
  }
  if (hole) {
    lathe_rt_text_int(&text, status[1]);
    lathe_rt_text_string(&text, hole + 4);
  }
  return LATHE_FAILED;
}

void *lathe_rt_output(lathe_rt_frame *frame, int32_t index) {
  lathe_rt_running *running = (lathe_rt_running *)frame;
  lathe_context *ctx = running->ctx;
  const lathe_rt_tensor *expected = &ctx->model->outputs[index];
  DLTensor *output = &running->outputs[index];
  void **memory = &ctx->io[ctx->model->num_inputs + index];
  int64_t shape[LATHE_RT_MAX_RANK];
  lathe_status status;
  if (running->status[0] || running->failure)
    lathe_rt_stop(running, running->failure);
  for (int32_t d = 0; d < expected->rank; ++d)
    shape[d] = lathe_rt_value(frame->values, expected->dims[d]);
  if (isUnmade(output)) {
    status = makeOutput(ctx, expected, shape, output);
    if (!status) {
      ctx->made[index] = true;
      *memory = output->data;
      if (ctx->driver)
        status = ctx->driver->add_output(ctx, index, output);
    }
  } else {
    status = checkOutputShape(ctx, expected, shape, output);
  }
  if (status)
    lathe_rt_stop(running, status);
  return *memory;
}

/* Calls the program, which may stop half-way. */
static int32_t callProgram(lathe_rt_running *running) {
  const lathe_rt_model *model = running->ctx->model;
  if ((model->num_binds || model->num_growables || model->host) &&
      setjmp(running->stop))
    return 1;
  return model->program(&running->frame);
}

static lathe_status runProgram(lathe_context *ctx, const lathe_rt_plan *plan,
                               DLTensor *outputs) {
  const lathe_rt_model *model = ctx->model;
  bool flush = ctx->flags & LATHE_FLUSH_DENORMALS;
  uint64_t float_state = 0;
  int32_t result;
  lathe_rt_running running = {
      .frame = {.values = plan->values,
                .arena = ctx->driver ? ctx->device_arena : ctx->arena,
                .offsets = model->offsets ? model->offsets : plan->offsets,
                .weights = ctx->driver ? ctx->device_weights : ctx->weights,
                .io = ctx->io},
      .ctx = ctx,
      .outputs = outputs,
      .scratch_bytes = plan->scratch_bytes,
      .scratch = plan->scratch_bytes && !ctx->driver
                     ? ctx->arena + lathe_rt_align(plan->arena_bytes)
                     : NULL};
  running.frame.status = running.status;
  if (model->num_binds) {
    memcpy(ctx->bound_symbols, plan->symbols,
           (size_t)model->num_symbols * sizeof(int64_t));
    memcpy(ctx->bound_values, plan->values,
           (size_t)model->num_values * sizeof(int64_t));
    running.frame.values = ctx->bound_values;
  }
  if (flush)
    float_state = lathe_rt_flush_denormals();
  lathe_rt_pool_enter(ctx->pool);
  result = callProgram(&running);
  lathe_rt_pool_leave(ctx->pool);
  if (flush)
    lathe_rt_restore_float(float_state);
  if (running.failure)
    return running.failure;
  if (running.status[0] > 0 && running.status[0] <= model->num_checks)
    return checkError(ctx, running.status);
  if (result || running.status[0]) {
    lathe_rt_text text = lathe_rt_error(ctx);
    lathe_rt_text_string(&text, "model '");
    lathe_rt_text_string(&text, model->name);
    lathe_rt_text_string(&text, "': a kernel failed with status ");
    lathe_rt_text_int(&text, result);
    return LATHE_FAILED;
  }
  return LATHE_OK;
}

static lathe_status runPrepared(lathe_context *ctx, const lathe_rt_plan *plan,
                                const DLTensor *inputs, DLTensor *outputs) {
  const lathe_rt_model *model = ctx->model;
  void **outputs_io = ctx->io + model->num_inputs;
  int64_t staged = 0;
  char *staging;
  lathe_status status = ctx->driver ? LATHE_OK : reserveArena(ctx, plan);
  if (!status &&
      (!addStagedBytes(model, true, inputs, model->num_inputs, &staged) ||
       !addStagedBytes(model, false, outputs, model->num_outputs, &staged)))
    status = lathe_rt_size_error(ctx);
  if (!status)
    status = growBlock(ctx, &ctx->staging, &ctx->staging_capacity, staged,
                       "staging of strided tensors");
  if (status)
    return status;
  ctx->plan = plan;
  staging = assignMemory(model, true, inputs, model->num_inputs, ctx->io,
                         ctx->staging);
  assignMemory(model, false, outputs, model->num_outputs, outputs_io, staging);
  if (ctx->driver)
    status = ctx->driver->begin(ctx, plan, inputs, outputs);
  if (status)
    return status;
  status = runProgram(ctx, plan, outputs);
  if (ctx->driver)
    status = ctx->driver->end(ctx, outputs, status);
  for (int32_t o = 0; o < model->num_outputs && !status; ++o)
    if (model->outputs[o].type)
      lathe_rt_give_output(ctx, o, &outputs[o]);
  for (int32_t o = 0; o < model->num_outputs && !status; ++o)
    if (isStaged(model, false, o, &outputs[o]))
      lathe_rt_unstage(outputs_io[o], &outputs[o]);
  return status;
}

lathe_status lathe_rt_run(lathe_context *ctx, const DLTensor *inputs,
                          DLTensor *outputs) {
  const lathe_rt_plan *plan;
  lathe_status status = enterContext(ctx);
  if (status)
    return status;
  status = checkArray(ctx, "inputs", ctx->model->num_inputs, inputs);
  if (!status)
    status = checkArray(ctx, "outputs", ctx->model->num_outputs, outputs);
  if (!status)
    status = checkInputs(ctx, inputs, &plan);
  if (!status) {
    status = checkOutputs(ctx, plan, inputs, outputs);
    if (!status)
      status = runPrepared(ctx, plan, inputs, outputs);
    if (status)
      giveBackOutputs(ctx, outputs);
  }
  lathe_rt_clear_slots(ctx);
  return leaveContext(ctx, status);
}

lathe_status lathe_rt_infer_shapes(lathe_context *ctx,
                                   const int64_t *const *input_shapes,
                                   int64_t *const *output_shapes) {
  const lathe_rt_plan *plan;
  lathe_status status = enterContext(ctx);
  if (status)
    return status;
  status = lathe_rt_prepare(ctx, input_shapes, &plan);
  for (int32_t o = 0; o < ctx->model->num_outputs && !status; ++o)
    status = lathe_rt_output_shape(ctx, plan, o, output_shapes[o]);
  return leaveContext(ctx, status);
}

lathe_status lathe_rt_workspace_bytes(lathe_context *ctx,
                                      const int64_t *const *input_shapes,
                                      size_t *bytes) {
  const lathe_rt_plan *plan;
  lathe_status status = enterContext(ctx);
  if (status)
    return status;
  status = lathe_rt_prepare(ctx, input_shapes, &plan);
  *bytes = 0;
  if (!status) {
    int64_t needed = workspaceBytes(ctx, plan);
    if (needed < 0)
      status = LATHE_OUT_OF_MEMORY;
    else
      *bytes = (size_t)needed;
  }
  return leaveContext(ctx, status);
}
