/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Outputs that lie in the memory of an input. What grows along an axis has that
 * axis first in memory, so that a step is added behind the others and nothing
 * moves.
 */
#include "Runtime.h"

#include <string.h>

const lathe_rt_state *lathe_rt_find_state(const lathe_rt_model *model,
                                          bool is_input, int32_t index) {
  for (int32_t s = 0; s < model->num_states; ++s)
    if ((is_input ? model->states[s].input : model->states[s].output) == index)
      return &model->states[s];
  return NULL;
}

/* Row-major strides, with `axis` (if not -1) before the other dimensions. */
static void stateStrides(const lathe_rt_state *state, int32_t rank,
                         const int64_t *shape, int64_t *strides) {
  int64_t stride = 1;
  for (int32_t d = rank - 1; d >= 0; --d) {
    strides[d] = stride;
    if (d != state->axis)
      stride *= shape[d];
  }
  if (state->axis >= 0)
    strides[state->axis] = stride;
}

static lathe_rt_text stateError(lathe_context *ctx, const lathe_rt_state *state,
                                bool is_input) {
  const lathe_rt_model *model = ctx->model;
  lathe_rt_text text = lathe_rt_error(ctx);
  lathe_rt_text_string(&text, is_input ? "input '" : "output '");
  lathe_rt_text_string(&text, is_input ? model->inputs[state->input].name
                                       : model->outputs[state->output].name);
  lathe_rt_text_string(&text, "': expected ");
  return text;
}

lathe_status lathe_rt_check_state(lathe_context *ctx,
                                  const lathe_rt_state *state, bool is_input,
                                  const DLTensor *tensor) {
  int64_t expected[LATHE_RT_MAX_RANK], dense = 1;
  lathe_rt_text text;
  int64_t count = 1;
  for (int32_t d = 0; d < tensor->ndim; ++d)
    count *= tensor->shape[d];
  if (state->axis >= 0 && tensor->shape[state->axis] > state->max) {
    text = stateError(ctx, state, is_input);
    lathe_rt_text_string(&text, "at most ");
    lathe_rt_text_int(&text, state->max);
    lathe_rt_text_string(&text, " steps, got ");
    lathe_rt_text_int(&text, tensor->shape[state->axis]);
    return LATHE_INVALID_ARGUMENT;
  }
  if (!count) /* Without elements the strides say nothing. */
    return LATHE_OK;
  stateStrides(state, tensor->ndim, tensor->shape, expected);
  for (int32_t d = tensor->ndim - 1; d >= 0; --d) {
    int64_t stride = tensor->strides ? tensor->strides[d] : dense;
    dense *= tensor->shape[d];
    if (stride == expected[d] || tensor->shape[d] == 1)
      continue;
    text = stateError(ctx, state, is_input);
    lathe_rt_text_string(&text, "memory of a state, with strides ");
    lathe_rt_text_shape(&text, tensor->ndim, expected);
    lathe_rt_text_string(&text, ", got stride ");
    lathe_rt_text_int(&text, stride);
    lathe_rt_text_string(&text, " in dimension ");
    lathe_rt_text_int(&text, d);
    return LATHE_INVALID_ARGUMENT;
  }
  return LATHE_OK;
}

lathe_status lathe_rt_alias_output(lathe_context *ctx,
                                   const lathe_rt_state *state,
                                   const int64_t *shape, const DLTensor *inputs,
                                   DLTensor *output) {
  const DLTensor *input = &inputs[state->input];
  const lathe_rt_tensor *expected = &ctx->model->outputs[state->output];
  lathe_rt_text text;
  lathe_status status;
  int64_t *block;
  if (output->data || output->shape) {
    if (lathe_rt_tensor_data(output) != lathe_rt_tensor_data(input)) {
      text = stateError(ctx, state, /*is_input=*/false);
      lathe_rt_text_string(&text, "the memory of input '");
      lathe_rt_text_string(&text, ctx->model->inputs[state->input].name);
      lathe_rt_text_string(&text, "', got another");
      return LATHE_INVALID_ARGUMENT;
    }
    return lathe_rt_check_state(ctx, state, /*is_input=*/false, output);
  }
  if (state->axis >= 0 && shape[state->axis] > state->max) {
    DLTensor wanted = {.ndim = expected->rank, .shape = (int64_t *)shape};
    status = lathe_rt_check_state(ctx, state, /*is_input=*/false, &wanted);
    return status;
  }
  /* Shape and strides in one block; lathe_rt_release_output knows it by the
     strides. */
  block = ctx->allocator.allocate(
      ctx->allocator.user, (2 * (size_t)expected->rank + 1) * sizeof(int64_t),
      LATHE_RT_ALIGNMENT);
  if (!block) {
    text = stateError(ctx, state, /*is_input=*/false);
    lathe_rt_text_string(&text, "memory for a shape");
    return LATHE_OUT_OF_MEMORY;
  }
  *output = *input;
  output->ndim = expected->rank;
  output->strides = block;
  output->shape = block + expected->rank;
  if (expected->rank)
    memcpy(output->shape, shape, (size_t)expected->rank * sizeof(int64_t));
  stateStrides(state, expected->rank, shape, output->strides);
  return LATHE_OK;
}
