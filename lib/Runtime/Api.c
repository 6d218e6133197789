/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The table of functions that every model refers to, and the accessors of
 * lathe.h that only read.
 */
#include "Values.h"

#include <string.h>

/* The signature is the same in all variants. */
static const lathe_rt_model *signature(const lathe_model *model) {
  return model->variants[0];
}

static const char *apiModelName(const lathe_model *model) {
  return signature(model)->name;
}

static int32_t apiNumInputs(const lathe_model *model) {
  return signature(model)->num_inputs;
}

static int32_t apiNumOutputs(const lathe_model *model) {
  return signature(model)->num_outputs;
}

static lathe_status describe(const lathe_rt_tensor *tensors, int32_t count,
                             int32_t index, lathe_tensor_info *info) {
  if (index < 0 || index >= count)
    return LATHE_INVALID_ARGUMENT;
  info->name = tensors[index].name;
  info->dtype = lathe_rt_dtype(&tensors[index]);
  info->rank = tensors[index].rank;
  return LATHE_OK;
}

static lathe_status apiGetInput(const lathe_model *model, int32_t index,
                                lathe_tensor_info *info) {
  return describe(signature(model)->inputs, apiNumInputs(model), index, info);
}

static lathe_status apiGetOutput(const lathe_model *model, int32_t index,
                                 lathe_tensor_info *info) {
  return describe(signature(model)->outputs, apiNumOutputs(model), index, info);
}

static lathe_status apiGetDim(const lathe_model *model, int32_t tensor,
                              int32_t dim, int64_t *size, const char **name) {
  const lathe_rt_model *variant = signature(model);
  const lathe_rt_tensor *found;
  if (tensor >= 0 ? tensor >= variant->num_inputs
                  : ~tensor >= variant->num_outputs)
    return LATHE_INVALID_ARGUMENT;
  found = tensor >= 0 ? &variant->inputs[tensor] : &variant->outputs[~tensor];
  if (dim < 0 || dim >= found->rank)
    return LATHE_INVALID_ARGUMENT;
  *size = found->dims[dim] >= 0 ? found->dims[dim] : -1;
  *name = found->dim_names ? found->dim_names[dim] : NULL;
  return LATHE_OK;
}

static const char *apiGetMetadata(const lathe_model *model, int32_t index,
                                  const char **value) {
  const lathe_rt_model *variant = signature(model);
  const char *const *at;
  if (index < 0 ||
      variant->struct_bytes <
          offsetof(lathe_rt_model, metadata) + sizeof(variant->metadata) ||
      !variant->metadata)
    return NULL;
  for (at = variant->metadata; at[0] && index; --index)
    at += 2;
  if (at[0] && value)
    *value = at[1];
  return at[0];
}

static const char *apiGetType(const lathe_model *model, int32_t tensor) {
  const lathe_rt_model *variant = signature(model);
  if (tensor >= 0)
    return tensor < variant->num_inputs ? variant->inputs[tensor].type : NULL;
  return ~tensor < variant->num_outputs ? variant->outputs[~tensor].type : NULL;
}

static const char *apiMessage(const lathe_context *ctx) { return ctx->message; }

static const char *apiTarget(const lathe_context *ctx) {
  return ctx->model->target;
}

static int32_t apiNumThreads(const lathe_context *ctx) {
  return ctx->num_threads;
}

static lathe_status apiSetProfiling(lathe_context *ctx, int32_t on) {
  size_t bytes = (size_t)ctx->model->num_launches * sizeof(int64_t);
  int idle = 0;
  if (!atomic_compare_exchange_strong(&ctx->busy, &idle, 1))
    return LATHE_BUSY;
  ctx->profiling = on != 0;
  if (on) {
    memset(ctx->launch_ns, 0, bytes);
    memset(ctx->launch_runs, 0, bytes);
  }
  atomic_store(&ctx->busy, 0);
  return LATHE_OK;
}

static int32_t apiNumLaunches(const lathe_context *ctx) {
  return ctx->model->num_launches;
}

static lathe_status apiGetLaunch(const lathe_context *ctx, int32_t index,
                                 lathe_launch_info *info) {
  const lathe_rt_launch_info *launch;
  if (index < 0 || index >= ctx->model->num_launches)
    return LATHE_INVALID_ARGUMENT;
  launch = &ctx->model->launches[index];
  info->kernel = launch->kernel;
  info->nodes = launch->nodes;
  info->flops = info->bytes = -1;
  if (launch->flops >= 0 || ctx->plan)
    info->flops =
        lathe_rt_value(ctx->plan ? ctx->plan->values : NULL, launch->flops);
  if (launch->bytes >= 0 || ctx->plan)
    info->bytes =
        lathe_rt_value(ctx->plan ? ctx->plan->values : NULL, launch->bytes);
  info->nanoseconds = ctx->launch_ns[index];
  info->runs = ctx->launch_runs[index];
  return LATHE_OK;
}

static lathe_status apiGetMemory(const lathe_context *ctx,
                                 lathe_memory_info *info) {
  memset(info, 0, sizeof(*info));
  info->weights_bytes = ctx->model->weights_bytes;
  info->staging_bytes = ctx->staging_capacity;
  if (!ctx->plan)
    return LATHE_OK;
  info->arena_bytes = ctx->plan->arena_bytes;
  info->lower_bound = lathe_rt_peak_bytes(
      ctx->model->num_buffers, ctx->model->buffers, NULL, ctx->plan->values);
  info->scratch_bytes = ctx->plan->scratch_bytes * ctx->num_threads;
  return LATHE_OK;
}

static lathe_status apiGetState(const lathe_model *model, int32_t index,
                                lathe_state_info *info) {
  const lathe_rt_model *variant = signature(model);
  if (index < 0 || index >= variant->num_states)
    return LATHE_INVALID_ARGUMENT;
  info->input = variant->states[index].input;
  info->output = variant->states[index].output;
  info->axis = variant->states[index].axis;
  info->max = variant->states[index].max;
  return LATHE_OK;
}

const lathe_api lathe_rt_api = {
    .struct_bytes = sizeof(lathe_api),
    .abi_version = LATHE_ABI_VERSION,
    .model_name = apiModelName,
    .num_inputs = apiNumInputs,
    .num_outputs = apiNumOutputs,
    .get_input = apiGetInput,
    .get_output = apiGetOutput,
    .get_dim = apiGetDim,
    .get_metadata = apiGetMetadata,
    .context_create = lathe_rt_context_create,
    .context_destroy = lathe_rt_context_destroy,
    .context_message = apiMessage,
    .context_target = apiTarget,
    .context_num_threads = apiNumThreads,
    .infer_shapes = lathe_rt_infer_shapes,
    .workspace_bytes = lathe_rt_workspace_bytes,
    .run = lathe_rt_run,
    .release_output = lathe_rt_release_output,
    .set_profiling = apiSetProfiling,
    .num_launches = apiNumLaunches,
    .get_launch = apiGetLaunch,
    .get_memory = apiGetMemory,
    .get_type = apiGetType,
    .value_tensor = lathe_rt_value_tensor,
    .value_strings = lathe_rt_value_strings,
    .value_sequence = lathe_rt_value_sequence,
    .value_map = lathe_rt_value_map,
    .value_optional = lathe_rt_value_optional,
    .value_retain = lathe_rt_value_retain,
    .value_release = lathe_rt_release,
    .value_kind = lathe_rt_value_kind,
    .value_count = lathe_rt_value_count,
    .value_view = lathe_rt_value_view,
    .value_string = lathe_rt_value_string,
    .value_element = lathe_rt_value_element,
    .get_state = apiGetState,
};
