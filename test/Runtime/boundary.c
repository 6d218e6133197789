/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Symbols, shapes, types and strides at the boundary, and what their errors
 * say.
 *
 * RUN: %unit/lathe-runtime-boundary
 */
#include "FakeModel.h"

#include <string.h>

static lathe_context *makeContext(void) {
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  options.num_threads = 2;
  EXPECT(lathe_context_create(fake_lathe_model(), &options, &ctx) == LATHE_OK);
  return ctx;
}

static void expectMessage(lathe_context *ctx, const char *message) {
  if (strcmp(lathe_context_message(ctx), message)) {
    fprintf(stderr, "expected: %s\n     got: %s\n", message,
            lathe_context_message(ctx));
    exit(1);
  }
}

static void testSignature(void) {
  const lathe_model *model = fake_lathe_model();
  lathe_tensor_info info;
  const char *name, *value;
  int64_t size;
  EXPECT(!strcmp(lathe_model_name(model), "fake"));
  EXPECT(lathe_model_num_inputs(model) == 2);
  EXPECT(lathe_model_num_outputs(model) == 2);
  EXPECT(!lathe_model_get_input(model, 1, &info));
  EXPECT(!strcmp(info.name, "y") && info.rank == 2 && info.dtype.bits == 32);
  EXPECT(lathe_model_get_output(model, 2, &info) == LATHE_INVALID_ARGUMENT);
  EXPECT(!lathe_model_get_dim(model, 0, 0, &size, &name));
  EXPECT(size == -1 && !strcmp(name, "batch"));
  EXPECT(!lathe_model_get_dim(model, ~0, 1, &size, &name));
  EXPECT(size == 8 && !name);
  EXPECT(!strcmp(lathe_model_get_metadata(model, 1, &value), "version"));
  EXPECT(!strcmp(value, "1"));
  EXPECT(!lathe_model_get_metadata(model, 2, &value));
}

static void testWrongProcessor(void) {
  char message[200];
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  options.message = message;
  options.message_bytes = sizeof(message);
  EXPECT(lathe_context_create(fakeImpossibleModel(), &options, &ctx) ==
         LATHE_UNSUPPORTED);
  EXPECT(!ctx);
  EXPECT(!strcmp(message, "target 'cpu:impossible': expected a processor with "
                          "no-such-feature"));
  options.num_threads = -3;
  EXPECT(lathe_context_create(fake_lathe_model(), &options, &ctx) ==
         LATHE_INVALID_ARGUMENT);
  EXPECT(!strcmp(message, "num_threads: expected 0 to 1024, got -3"));
}

static void testRun(void) {
  lathe_context *ctx = makeContext();
  int64_t sizes[][2] = {{3, 5}, {1, 1}, {0, 4}, {4, 0}, {100, 7}, {3, 5}};
  EXPECT(!strcmp(lathe_context_target(ctx), "cpu:generic"));
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); ++i) {
    FakeData *d = makeFakeData(sizes[i][0], sizes[i][1], 0.5f + (float)i);
    EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
    EXPECT(!memcmp(d->z, d->expected_z, (size_t)sizes[i][0] * 32));
    EXPECT(!memcmp(d->w, d->expected_w, (size_t)sizes[i][1] * 8));
    freeFakeData(d);
  }
  lathe_context_destroy(ctx);
}

static void testShapes(void) {
  lathe_context *ctx = makeContext();
  int64_t x[2] = {3, 8}, y[2] = {3, 5}, z[2], w[1];
  const int64_t *inputs[2] = {x, y};
  int64_t *outputs[2] = {z, w};
  EXPECT(!lathe_infer_shapes(ctx, inputs, outputs));
  EXPECT(z[0] == 3 && z[1] == 8 && w[0] == 10);
  y[0] = 4;
  EXPECT(lathe_infer_shapes(ctx, inputs, outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx, "input 'y': expected shape [batch=3, n], got [4, 5]");
  x[1] = 7;
  EXPECT(lathe_infer_shapes(ctx, inputs, outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx, "input 'x': expected shape [batch=3, 8], got [3, 7]");
  x[1] = 8, y[0] = 3, y[1] = 2000;
  EXPECT(lathe_infer_shapes(ctx, inputs, outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx, "node 'concat': expected n of at most 1000");
  lathe_context_destroy(ctx);
}

static void testTensorErrors(void) {
  lathe_context *ctx = makeContext();
  FakeData *d = makeFakeData(3, 5, 1);
  int64_t wrong[2] = {3, 9};
  DLTensor saved = d->inputs[0];
  d->inputs[0].dtype = (DLDataType){kDLInt, 64, 1};
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx, "input 'x': expected type float32, got int64");
  d->inputs[0].dtype = (DLDataType){kDLBool, 8, 1};
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx, "input 'x': expected type float32, got bool");
  d->inputs[0] = saved;
  d->inputs[0].ndim = 1;
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx, "input 'x': expected 2 dimensions, got [3]");
  d->inputs[0] = saved;
  d->inputs[0].device.device_type = kDLCUDA;
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx,
                "input 'x': expected memory of the CPU, got device type 2");
  d->inputs[0] = saved;
  d->inputs[0].data = NULL;
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx, "input 'x': expected data, got a null pointer");
  d->inputs[0] = saved;
  d->outputs[0].shape = wrong;
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_INVALID_ARGUMENT);
  expectMessage(ctx, "output 'z': expected shape [3, 8], got [3, 9]");
  d->outputs[0].shape = d->x_shape;
  d->y[7] = -2000;
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_FAILED);
  expectMessage(ctx, "node 'gather': expected values from -1000, got -2000");
  d->y[7] = 0;
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
  freeFakeData(d);
  lathe_context_destroy(ctx);
}

/* Transposed, reversed, broadcast and misaligned inputs; a strided output. */
static void testStrides(void) {
  lathe_context *ctx = makeContext();
  FakeData *d = makeFakeData(3, 5, 1);
  float transposed[8][3], spaced[3][16], reversed[15];
  char odd[3 * 5 * 4 + 1];
  int64_t x_strides[2] = {1, 3}, z_strides[2] = {16, 2};
  int64_t y_strides[2] = {-5, -1}, broadcast[2] = {0, 1};
  for (int b = 0; b < 3; ++b)
    for (int i = 0; i < 8; ++i)
      transposed[i][b] = d->x[b * 8 + i];
  for (int i = 0; i < 15; ++i)
    reversed[14 - i] = d->y[i];
  d->inputs[0].data = transposed;
  d->inputs[0].strides = x_strides;
  d->inputs[1].data = reversed;
  d->inputs[1].byte_offset = 14 * 4;
  d->inputs[1].strides = y_strides;
  d->outputs[0].data = spaced;
  d->outputs[0].strides = z_strides;
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
  for (int b = 0; b < 3; ++b)
    for (int i = 0; i < 8; ++i)
      EXPECT(spaced[b][i * 2] == d->expected_z[b * 8 + i]);
  EXPECT(!memcmp(d->w, d->expected_w, 40));
  memcpy(odd + 1, d->y, 60);
  d->inputs[1] = floatTensor((float *)(void *)odd, 2, d->y_shape);
  d->inputs[1].byte_offset = 1;
  memset(d->w, 0, 40);
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
  EXPECT(!memcmp(d->w, d->expected_w, 40));
  d->inputs[1] = floatTensor(d->y, 2, d->y_shape);
  d->inputs[1].strides = broadcast;
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
  EXPECT(d->w[4] == 3 * d->y[4]);
  freeFakeData(d);
  lathe_context_destroy(ctx);
}

static void testMadeOutputs(void) {
  lathe_context *ctx = makeContext();
  FakeData *d = makeFakeData(3, 5, 1);
  DLTensor made[2];
  memset(made, 0, sizeof(made));
  EXPECT(lathe_run(ctx, d->inputs, made) == LATHE_OK);
  EXPECT(made[1].ndim == 1 && made[1].shape[0] == 10);
  EXPECT(!memcmp(made[0].data, d->expected_z, 96));
  lathe_release_output(ctx, &made[0]);
  lathe_release_output(ctx, &made[1]);
  EXPECT(!made[0].data && !made[0].shape);
  d->y[0] = -5000; /* a failing run gives back what it made */
  EXPECT(lathe_run(ctx, d->inputs, made) == LATHE_FAILED);
  EXPECT(!made[0].data && !made[1].data);
  freeFakeData(d);
  lathe_context_destroy(ctx);
}

static void testProfiling(void) {
  lathe_context *ctx = makeContext();
  FakeData *d = makeFakeData(3, 5, 1);
  lathe_launch_info launch;
  lathe_memory_info memory;
  EXPECT(lathe_context_num_launches(ctx) == 6);
  EXPECT(!lathe_context_get_launch(ctx, 0, &launch) && launch.bytes == -1);
  EXPECT(!lathe_context_set_profiling(ctx, 1));
  EXPECT(!lathe_run(ctx, d->inputs, d->outputs));
  EXPECT(!lathe_run(ctx, d->inputs, d->outputs));
  EXPECT(!lathe_context_get_launch(ctx, 0, &launch));
  EXPECT(!strcmp(launch.kernel, "double_rows") && !strcmp(launch.nodes, "mul"));
  EXPECT(launch.runs == 2 && launch.nanoseconds > 0 && launch.bytes == 96);
  EXPECT(lathe_context_get_launch(ctx, 6, &launch) == LATHE_INVALID_ARGUMENT);
  EXPECT(!lathe_context_get_memory(ctx, &memory));
  EXPECT(memory.arena_bytes == 256 && memory.lower_bound == 256);
  EXPECT(memory.scratch_bytes == 2 * 64);
  freeFakeData(d);
  lathe_context_destroy(ctx);
}

int main(void) {
  testSignature();
  testWrongProcessor();
  testRun();
  testShapes();
  testTensorErrors();
  testStrides();
  testMadeOutputs();
  testProfiling();
  return 0;
}
