/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Memory that grows with the data: taken from the caller's allocator, only when
 * there is more than before, and given back; a run that gets none ends with a
 * status, and the next one works.
 *
 * RUN: rm -rf %t && mkdir %t
 * RUN: %python %S/Inputs/data_sizes.py %t
 * RUN: lathe compile %t/stack.onnx --name stack -o %t/stack.o
 * RUN: %clang -std=c11 -Wall -Wextra -Werror -pedantic -O1 -I%include -I%t \
 * RUN:   -c %s -o %t/main.o
 * RUN: %clang %t/main.o %t/stack.o %bin/../lib/liblathe_rt.a -pthread \
 * RUN:   -o %t/program
 * RUN: %t/program
 */
#include "../Inputs/expect.h"
#include "stack.h"

#include <stdlib.h>
#include <string.h>

static int allocations, held;
static size_t largest = (size_t)-1;

static void *allocate(void *user, size_t bytes, size_t alignment) {
  (void)user;
  if (bytes > largest)
    return NULL;
  ++allocations;
  ++held;
  return aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
}

static void release(void *user, void *memory) {
  (void)user;
  --held;
  free(memory);
}

/* Runs the loop for `steps` steps; returns how many rows were stacked. */
static lathe_status run(lathe_context *context, int64_t steps, int64_t *rows) {
  float x[] = {1, 2, 3}, limit = 1e30f, start[] = {0, 0, 0};
  int64_t three[] = {3};
  DLTensor inputs[4], outputs[2];
  lathe_status status;
  memset(inputs, 0, sizeof(inputs));
  memset(outputs, 0, sizeof(outputs));
  for (int i = 0; i < 4; ++i) {
    inputs[i].device.device_type = kDLCPU;
    inputs[i].dtype.code = i == 3 ? kDLInt : kDLFloat;
    inputs[i].dtype.bits = i == 3 ? 64 : 32;
    inputs[i].dtype.lanes = 1;
  }
  inputs[0].data = x;
  inputs[1].data = &limit;
  inputs[2].data = start;
  inputs[3].data = &steps;
  inputs[0].ndim = inputs[2].ndim = 1;
  inputs[0].shape = inputs[2].shape = three;
  status = lathe_run(context, inputs, outputs);
  if (status)
    return status;
  *rows = outputs[1].shape[0];
  for (int64_t r = 0; r < *rows; ++r)
    EXPECT(((float *)outputs[1].data)[3 * r + 1] == 2.0f * (float)(r + 1));
  lathe_release_output(context, &outputs[0]);
  lathe_release_output(context, &outputs[1]);
  return LATHE_OK;
}

int main(void) {
  const lathe_model *model = stack_lathe_model();
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *context;
  int64_t rows = -1, shape0[] = {3}, sizes[2] = {0, 0}, last[1] = {0};
  const int64_t *inputs[] = {shape0, NULL, shape0, NULL};
  int64_t *outputs[] = {last, sizes};
  int before;
  options.allocator.allocate = allocate;
  options.allocator.release = release;
  options.num_threads = 1;
  EXPECT(lathe_context_create(model, &options, &context) == LATHE_OK);

  /* The number of steps is not to be had from shapes. */
  EXPECT(lathe_infer_shapes(context, inputs, outputs) == LATHE_OK);
  EXPECT(last[0] == 3 && sizes[0] == -1 && sizes[1] == 3);

  EXPECT(run(context, 1000, &rows) == LATHE_OK && rows == 1000);
  before = allocations;
  for (int i = 0; i < 10; ++i)
    EXPECT(run(context, 1000 - i * 100, &rows) == LATHE_OK &&
           rows == 1000 - i * 100);
  EXPECT(allocations == before + 20); /* the outputs */

  largest = 4096;
  EXPECT(run(context, 100000, &rows) == LATHE_OUT_OF_MEMORY);
  EXPECT(strstr(lathe_context_message(context), "cannot allocate"));
  largest = (size_t)-1;
  EXPECT(run(context, 100000, &rows) == LATHE_OK && rows == 100000);
  EXPECT(run(context, 0, &rows) == LATHE_OK && rows == 0);
  lathe_context_destroy(context);
  EXPECT(held == 0);
  return 0;
}
