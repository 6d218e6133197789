/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program as a user of the C interface writes it: four models linked into
 * it, with its own memory, threads and strides, and every way of calling them
 * wrongly. A wrong call says what was expected and leaves the context usable.
 *
 * RUN: rm -rf %t && mkdir %t
 * RUN: lathe compile %S/Inputs/client/line.onnxtxt -o %t/line.a
 * RUN: lathe compile %S/Inputs/client/pick.onnxtxt -o %t/pick.o
 * RUN: lathe compile %S/Inputs/client/outer.onnxtxt -o %t/outer.a
 * RUN: lathe compile %S/../Models/digits/digits.onnx -o %t/digits.a
 * RUN: %clang -std=c11 -Wall -Wextra -Werror -pedantic -O1 -D_GNU_SOURCE \
 * RUN:   -I%include -I%t -c %s -o %t/main.o
 * RUN: %clang %t/main.o %t/line.a %t/pick.o %t/outer.a %t/digits.a \
 * RUN:   %bin/../lib/liblathe_rt.a -pthread -o %t/program
 * RUN: %t/program
 */
#include "../Inputs/expect.h"
#include "../Inputs/watch.h"
#include "digits.h"
#include "line.h"
#include "outer.h"
#include "pick.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The call fails with this status and a message that has this part. */
#define EXPECT_ERROR(ctx, call, code, part)                                    \
  do {                                                                         \
    lathe_status got = (call);                                                 \
    if (got != (code) || !strstr(lathe_context_message(ctx), part)) {          \
      fprintf(stderr, "%s:%d: expected %d and '%s', got %d and '%s'\n",        \
              __FILE__, __LINE__, (int)(code), part, (int)got,                 \
              lathe_context_message(ctx));                                     \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

enum { MOST = 8 };

/* The tensors of model "line", for up to MOST rows. */
typedef struct Line {
  float x[MOST * 3], scale[MOST], y[MOST * 2], total[MOST];
  int64_t x_shape[2], scale_shape[1], y_shape[2], total_shape[1];
  DLTensor inputs[2], outputs[2];
} Line;

static DLTensor tensor(void *data, uint8_t code, uint8_t bits, int32_t rank,
                       int64_t *shape) {
  DLTensor made = {data, {kDLCPU, 0}, rank, {code, bits, 1}, shape, NULL, 0};
  return made;
}

static void fillLine(Line *line, int64_t rows) {
  for (int i = 0; i < MOST * 3; ++i)
    line->x[i] = (float)(i % 7) - 2;
  for (int i = 0; i < MOST; ++i)
    line->scale[i] = (float)(i + 1);
  memset(line->y, 0x7f, sizeof(line->y));
  memset(line->total, 0x7f, sizeof(line->total));
  line->x_shape[0] = line->scale_shape[0] = line->y_shape[0] =
      line->total_shape[0] = rows;
  line->x_shape[1] = 3;
  line->y_shape[1] = 2;
  line->inputs[line_input_x] = tensor(line->x, kDLFloat, 32, 2, line->x_shape);
  line->inputs[line_input_scale] =
      tensor(line->scale, kDLFloat, 32, 1, line->scale_shape);
  line->outputs[line_output_y] =
      tensor(line->y, kDLFloat, 32, 2, line->y_shape);
  line->outputs[line_output_total] =
      tensor(line->total, kDLFloat, 32, 1, line->total_shape);
}

static float expectedY(const Line *line, int64_t row, int column) {
  float sum = 0;
  for (int k = 0; k < 3; ++k)
    sum += line->x[row * 3 + k] * (float)(2 * k + column + 1);
  return sum * line->scale[row];
}

static float expectedTotal(const Line *line, int64_t row) {
  return line->x[row * 3] + line->x[row * 3 + 1] + line->x[row * 3 + 2];
}

/* All numbers are small integers, so every order of adding is exact. */
static void expectLine(const Line *line, const float *y, const float *total) {
  for (int64_t row = 0; row < line->x_shape[0]; ++row) {
    EXPECT(y[row * 2] == expectedY(line, row, 0));
    EXPECT(y[row * 2 + 1] == expectedY(line, row, 1));
    EXPECT(total[row] == expectedTotal(line, row));
  }
}

static void expectWorks(lathe_context *ctx) {
  Line line;
  fillLine(&line, 4);
  EXPECT(!lathe_run(ctx, line.inputs, line.outputs));
  expectLine(&line, line.y, line.total);
}

static lathe_context *create(const lathe_model *model,
                             const lathe_options *options) {
  lathe_context *ctx;
  EXPECT(!lathe_context_create(model, options, &ctx));
  EXPECT(ctx);
  return ctx;
}

/* --- What a model says of itself ------------------------------------------ */

static void testSignature(void) {
  const lathe_model *model = line_lathe_model();
  lathe_tensor_info info;
  const char *name;
  int64_t size;
  EXPECT(!strcmp(lathe_model_name(model), "line"));
  EXPECT(lathe_model_num_inputs(model) == line_num_inputs);
  EXPECT(lathe_model_num_outputs(model) == line_num_outputs);
  EXPECT(!lathe_model_get_input(model, line_input_x, &info));
  EXPECT(!strcmp(info.name, "x") && info.rank == 2);
  EXPECT(info.dtype.code == kDLFloat && info.dtype.bits == 32);
  EXPECT(!lathe_model_get_dim(model, line_input_x, 0, &size, &name));
  EXPECT(size == -1 && !strcmp(name, "n"));
  EXPECT(!lathe_model_get_dim(model, line_input_x, 1, &size, &name));
  EXPECT(size == 3);
  EXPECT(!lathe_model_get_dim(model, ~line_output_y, 1, &size, &name));
  EXPECT(size == 2);
  EXPECT(lathe_model_get_input(model, 2, &info) == LATHE_INVALID_ARGUMENT);
  EXPECT(lathe_model_get_input(model, -1, &info) == LATHE_INVALID_ARGUMENT);
  EXPECT(lathe_model_get_output(model, 2, &info) == LATHE_INVALID_ARGUMENT);
  EXPECT(lathe_model_get_dim(model, 0, 2, &size, &name));
  EXPECT(lathe_model_get_dim(model, 7, 0, &size, &name));
  EXPECT(lathe_model_get_dim(model, ~7, 0, &size, &name));
}

static void testShapes(void) {
  lathe_context *ctx = create(line_lathe_model(), NULL);
  int64_t x[] = {5, 3}, scale[] = {5}, y[2], total[1];
  const int64_t *inputs[] = {x, scale};
  int64_t *outputs[] = {y, total};
  EXPECT(!lathe_infer_shapes(ctx, inputs, outputs));
  EXPECT(y[0] == 5 && y[1] == 2 && total[0] == 5);
  x[0] = scale[0] = 0;
  EXPECT(!lathe_infer_shapes(ctx, inputs, outputs));
  EXPECT(y[0] == 0 && total[0] == 0);
  x[0] = 2;
  EXPECT_ERROR(ctx, lathe_infer_shapes(ctx, inputs, outputs),
               LATHE_INVALID_ARGUMENT,
               "input 'scale': expected shape [n=2], got [0]");
  x[0] = scale[0] = -1;
  EXPECT_ERROR(ctx, lathe_infer_shapes(ctx, inputs, outputs),
               LATHE_INVALID_ARGUMENT, "got [-1, 3]");
  x[0] = scale[0] = INT64_MAX;
  EXPECT(lathe_infer_shapes(ctx, inputs, outputs) || y[0] == INT64_MAX);
  expectWorks(ctx);
  lathe_context_destroy(ctx);
}

/* --- Strides and made outputs --------------------------------------------- */

static void testStrides(void) {
  lathe_context *ctx = create(line_lathe_model(), NULL);
  float columns[3][MOST], spaced[MOST][5], backwards[MOST];
  int64_t by_column[] = {1, MOST}, reversed[] = {-1}, with_gaps[] = {5, 2};
  Line line;
  fillLine(&line, MOST);
  for (int row = 0; row < MOST; ++row) {
    for (int k = 0; k < 3; ++k)
      columns[k][row] = line.x[row * 3 + k];
    backwards[MOST - 1 - row] = line.scale[row];
  }
  memset(spaced, 0, sizeof(spaced));
  line.inputs[line_input_x].data = columns;
  line.inputs[line_input_x].strides = by_column;
  line.inputs[line_input_scale].data = backwards;
  line.inputs[line_input_scale].strides = reversed;
  line.inputs[line_input_scale].byte_offset = (MOST - 1) * sizeof(float);
  line.outputs[line_output_y].data = &spaced[0][1];
  line.outputs[line_output_y].strides = with_gaps;
  EXPECT(!lathe_run(ctx, line.inputs, line.outputs));
  for (int row = 0; row < MOST; ++row) {
    EXPECT(spaced[row][1] == expectedY(&line, row, 0));
    EXPECT(spaced[row][3] == expectedY(&line, row, 1));
    EXPECT(!spaced[row][0] && !spaced[row][2] && !spaced[row][4]);
  }
  lathe_context_destroy(ctx);
}

static void testMadeOutputs(void) {
  lathe_context *ctx = create(line_lathe_model(), NULL);
  Line line;
  fillLine(&line, 3);
  memset(line.outputs, 0, sizeof(line.outputs));
  EXPECT(!lathe_run(ctx, line.inputs, line.outputs));
  EXPECT(line.outputs[0].ndim == 2 && line.outputs[0].shape[0] == 3);
  expectLine(&line, line.outputs[line_output_y].data,
             line.outputs[line_output_total].data);
  for (int o = 0; o < 2; ++o) {
    lathe_release_output(ctx, &line.outputs[o]);
    EXPECT(!line.outputs[o].data);
    lathe_release_output(ctx, &line.outputs[o]);
  }
  /* The first is made before the second is found wrong: it is given back. */
  fillLine(&line, 3);
  memset(&line.outputs[0], 0, sizeof(line.outputs[0]));
  line.total_shape[0] = 2;
  EXPECT_ERROR(ctx, lathe_run(ctx, line.inputs, line.outputs),
               LATHE_INVALID_ARGUMENT,
               "output 'total': expected shape [3], got [2]");
  EXPECT(!line.outputs[0].data);
  lathe_context_destroy(ctx);
}

/* --- The caller's memory ---------------------------------------------------
 */

typedef struct Pool {
  long held, made;
} Pool;

static void *take(void *user, size_t bytes, size_t alignment) {
  void *memory = NULL;
  ++((Pool *)user)->held;
  ++((Pool *)user)->made;
  return posix_memalign(&memory, alignment, bytes) ? NULL : memory;
}

static void giveBack(void *user, void *memory) {
  --((Pool *)user)->held;
  free(memory);
}

static void runDigits(lathe_context *ctx, float *image, int64_t batch,
                      float *probability) {
  int64_t in[] = {batch, 1, 8, 8}, out[] = {batch, 10};
  DLTensor input = tensor(image, kDLFloat, 32, 4, in);
  DLTensor output = tensor(probability, kDLFloat, 32, 2, out);
  lathe_status status = lathe_run(ctx, &input, &output);
  if (status)
    fprintf(stderr, "%s\n", lathe_context_message(ctx));
  EXPECT(!status);
}

static void testNoAllocation(void) {
  static float images[32 * 64], probability[32 * 10];
  Pool pool = {0, 0};
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *line_ctx, *digits_ctx;
  long before;
  Line line;
  options.num_threads = 2;
  options.allocator = (lathe_allocator){&pool, take, giveBack};
  line_ctx = create(line_lathe_model(), &options);
  digits_ctx = create(digits_lathe_model(), &options);
  EXPECT(pool.held > 0);
  for (int64_t rows = 1; rows <= 3; ++rows) {
    fillLine(&line, rows);
    EXPECT(!lathe_run(line_ctx, line.inputs, line.outputs));
    runDigits(digits_ctx, images, rows * 8, probability);
  }
  before = atomic_load(&allocations);
  for (int i = 0; i < 30; ++i) {
    fillLine(&line, 1 + i % 3);
    EXPECT(!lathe_run(line_ctx, line.inputs, line.outputs));
    expectLine(&line, line.y, line.total);
    runDigits(digits_ctx, images, 8 + i % 3 * 8, probability);
  }
  EXPECT(atomic_load(&allocations) == before);
  lathe_context_destroy(line_ctx);
  lathe_context_destroy(digits_ctx);
  EXPECT(pool.held == 0 && pool.made > 0);
}

static void testArena(void) {
  static _Alignas(64) char memory[1 << 20];
  static float images[5 * 64], one[5 * 10], two[5 * 10];
  int64_t shape[] = {5, 1, 8, 8};
  const int64_t *shapes[] = {shape};
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *plain = create(digits_lathe_model(), NULL), *ctx;
  char message[200];
  size_t bytes;
  for (int i = 0; i < 5 * 64; ++i)
    images[i] = (float)(i % 17) / 16.0f;
  runDigits(plain, images, 5, one);
  options.num_threads = 1;
  options.arena = memory;
  options.arena_bytes = 64;
  options.message = message;
  options.message_bytes = sizeof(message);
  ctx = create(digits_lathe_model(), &options);
  EXPECT(!lathe_workspace_bytes(ctx, shapes, &bytes));
  EXPECT(bytes > 64 && bytes <= sizeof(memory));
  {
    int64_t out[] = {5, 10};
    DLTensor input = tensor(images, kDLFloat, 32, 4, shape);
    DLTensor output = tensor(two, kDLFloat, 32, 2, out);
    EXPECT_ERROR(ctx, lathe_run(ctx, &input, &output), LATHE_OUT_OF_MEMORY,
                 "arena: expected at least");
  }
  lathe_context_destroy(ctx);
  /* Exactly enough, and not a byte behind it. */
  options.arena_bytes = bytes;
  memset(memory + bytes, 0x5a, sizeof(memory) - bytes);
  ctx = create(digits_lathe_model(), &options);
  runDigits(ctx, images, 5, two);
  EXPECT(!memcmp(one, two, sizeof(one)));
  for (size_t i = bytes; i < sizeof(memory); ++i)
    EXPECT(memory[i] == 0x5a);
  lathe_context_destroy(ctx);
  options.arena = memory + 4;
  EXPECT(lathe_context_create(digits_lathe_model(), &options, &ctx) ==
         LATHE_INVALID_ARGUMENT);
  EXPECT(!ctx && strstr(message, "arena: expected alignment to 64 bytes"));
  lathe_context_destroy(plain);
}

/* --- The caller's threads --------------------------------------------------
 */

typedef struct Tasks {
  void (*task)(void *arg, int32_t index);
  void *arg;
  int32_t index;
} Tasks;

static void *runTask(void *given) {
  Tasks *tasks = given;
  tasks->task(tasks->arg, tasks->index);
  return NULL;
}

/* A thread for each task. */
static void parallelFor(void *user, int32_t count,
                        void (*task)(void *arg, int32_t index), void *arg) {
  pthread_t threads[16];
  Tasks tasks[16];
  EXPECT(count <= 16);
  *(long *)user += count;
  for (int32_t i = 0; i < count; ++i) {
    tasks[i] = (Tasks){task, arg, i};
    EXPECT(!pthread_create(&threads[i], NULL, runTask, &tasks[i]));
  }
  for (int32_t i = 0; i < count; ++i)
    EXPECT(!pthread_join(threads[i], NULL));
}

static void testThreads(void) {
  enum { BATCH = 256 };
  static float images[BATCH * 64], one[BATCH * 10], two[BATCH * 10];
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  long tasks = 0;
  for (int i = 0; i < BATCH * 64; ++i)
    images[i] = (float)(i * 7 % 17) / 16.0f;
  options.num_threads = 1;
  ctx = create(digits_lathe_model(), &options);
  runDigits(ctx, images, BATCH, one);
  lathe_context_destroy(ctx);
  options.num_threads = 3;
  options.thread_pool = (lathe_thread_pool){&tasks, parallelFor};
  ctx = create(digits_lathe_model(), &options);
  EXPECT(lathe_context_num_threads(ctx) == 3);
  runDigits(ctx, images, BATCH, two);
  EXPECT(tasks > 0);
  EXPECT(!memcmp(one, two, sizeof(one)));
  lathe_context_destroy(ctx);
}

/* --- Wrong calls ------------------------------------------------------------
 */

static void testWrongOptions(void) {
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_model old = *line_lathe_model();
  lathe_context *ctx;
  char message[16];
  Pool pool = {0, 0};
  EXPECT(lathe_context_create(NULL, NULL, &ctx) == LATHE_UNSUPPORTED && !ctx);
  old.abi_version = LATHE_ABI_VERSION + 1;
  EXPECT(lathe_context_create(&old, NULL, &ctx) == LATHE_UNSUPPORTED && !ctx);
  options.num_threads = -1;
  options.message = message;
  options.message_bytes = sizeof(message);
  EXPECT(lathe_context_create(line_lathe_model(), &options, &ctx) ==
         LATHE_INVALID_ARGUMENT);
  /* Cut off, and ended all the same. */
  EXPECT(!ctx && strlen(message) == sizeof(message) - 1);
  options.num_threads = 0;
  options.allocator = (lathe_allocator){&pool, take, NULL};
  EXPECT(lathe_context_create(line_lathe_model(), &options, &ctx) ==
         LATHE_INVALID_ARGUMENT);
  EXPECT(!strncmp(message, "allocator: ", 11));
  lathe_context_destroy(NULL);
}

static void testWrongTensors(void) {
  lathe_context *ctx = create(line_lathe_model(), NULL);
  Line line;
#define EXPECT_WRONG(change, part)                                             \
  do {                                                                         \
    fillLine(&line, 4);                                                        \
    change;                                                                    \
    EXPECT_ERROR(ctx, lathe_run(ctx, line.inputs, line.outputs),               \
                 LATHE_INVALID_ARGUMENT, part);                                \
    expectWorks(ctx);                                                          \
  } while (0)
  EXPECT_WRONG(line.inputs[0].ndim = 1, "input 'x': expected 2 dimensions");
  EXPECT_WRONG(line.inputs[0].ndim = 0, "input 'x': expected 2 dimensions");
  EXPECT_WRONG(line.inputs[0].ndim = -1, "input 'x': expected 2 dimensions");
  EXPECT_WRONG(line.inputs[0].ndim = INT32_MAX,
               "input 'x': expected 2 dimensions");
  EXPECT_WRONG(line.inputs[0].shape = NULL, "input 'x': expected 2 dimensions");
  EXPECT_WRONG(line.inputs[0].dtype.code = kDLInt,
               "input 'x': expected type float32, got int32");
  EXPECT_WRONG(line.inputs[0].dtype.bits = 64,
               "input 'x': expected type float32, got float64");
  EXPECT_WRONG(line.inputs[0].dtype.lanes = 4, "input 'x': expected type");
  EXPECT_WRONG(line.inputs[0].data = NULL,
               "input 'x': expected data, got a null pointer");
  EXPECT_WRONG(line.inputs[0].device.device_type = kDLCUDA,
               "input 'x': expected memory of the CPU");
  EXPECT_WRONG(line.x_shape[1] = 4,
               "input 'x': expected shape [n=4, 3], got [4, 4]");
  EXPECT_WRONG(line.x_shape[0] = -4, "input 'x': expected shape");
  EXPECT_WRONG(line.scale_shape[0] = 5,
               "input 'scale': expected shape [n=4], got [5]");
  EXPECT_WRONG(line.outputs[0].ndim = 3, "output 'y': expected 2 dimensions");
  EXPECT_WRONG(line.outputs[0].dtype.bits = 16,
               "output 'y': expected type float32, got float16");
  EXPECT_WRONG(line.outputs[0].data = NULL,
               "output 'y': expected data, got a null pointer");
  EXPECT_WRONG(line.y_shape[0] = 3,
               "output 'y': expected shape [4, 2], got [3, 2]");
  EXPECT_WRONG(line.total_shape[0] = INT64_MAX,
               "output 'total': expected shape [4]");
#undef EXPECT_WRONG
  fillLine(&line, 4);
  EXPECT_ERROR(ctx, lathe_run(ctx, NULL, line.outputs), LATHE_INVALID_ARGUMENT,
               "inputs: expected an array of 2, got a null pointer");
  EXPECT_ERROR(ctx, lathe_run(ctx, line.inputs, NULL), LATHE_INVALID_ARGUMENT,
               "outputs: expected an array of 2, got a null pointer");
  /* Sizes whose product is more than there are addresses. */
  fillLine(&line, INT64_MAX / 2);
  EXPECT(lathe_run(ctx, line.inputs, line.outputs));
  expectWorks(ctx);
  /* Nothing to compute needs no memory. */
  fillLine(&line, 0);
  line.inputs[0].data = line.outputs[0].data = NULL;
  EXPECT(!lathe_run(ctx, line.inputs, line.outputs));
  lathe_context_destroy(ctx);
}

/* Sizes that overflow when they are multiplied are refused, not wrapped. */
static void testHugeSizes(void) {
  lathe_context *ctx = create(outer_lathe_model(), NULL);
  int64_t a[] = {4, 1}, b[] = {1, 4};
  const int64_t *inputs[] = {a, b};
  size_t bytes;
  EXPECT(!lathe_workspace_bytes(ctx, inputs, &bytes));
  for (int shift = 30; shift < 63; ++shift) {
    lathe_status status;
    a[0] = b[1] = INT64_C(1) << shift;
    status = lathe_workspace_bytes(ctx, inputs, &bytes);
    EXPECT(status ? status == LATHE_OUT_OF_MEMORY : shift < 31);
  }
  lathe_context_destroy(ctx);
}

/* The data is wrong: the node is named. */
static void testWrongIndex(void) {
  lathe_context *ctx = create(pick_lathe_model(), NULL);
  float data[8] = {0, 1, 2, 3, 4, 5, 6, 7}, rows[4] = {0};
  int64_t index[] = {3, -4}, data_shape[] = {4, 2}, index_shape[] = {2},
          rows_shape[] = {2, 2};
  DLTensor inputs[] = {tensor(data, kDLFloat, 32, 2, data_shape),
                       tensor(index, kDLInt, 64, 1, index_shape)};
  DLTensor output = tensor(rows, kDLFloat, 32, 2, rows_shape);
  EXPECT(!lathe_run(ctx, inputs, &output));
  EXPECT(rows[0] == 6 && rows[1] == 7 && rows[2] == 0 && rows[3] == 1);
  for (int64_t wrong = 0; wrong < 3; ++wrong) {
    static const int64_t values[] = {4, -5, INT64_MIN};
    index[1] = values[wrong];
    EXPECT_ERROR(ctx, lathe_run(ctx, inputs, &output), LATHE_FAILED,
                 "node 'lookup': expects indices in [-4, 4)");
  }
  index[1] = 0;
  EXPECT(!lathe_run(ctx, inputs, &output));
  EXPECT(rows[2] == 0 && rows[3] == 1);
  lathe_context_destroy(ctx);
}

int main(void) {
  testSignature();
  testShapes();
  testStrides();
  testMadeOutputs();
  testNoAllocation();
  testArena();
  testThreads();
  testWrongOptions();
  testWrongTensors();
  testHugeSizes();
  testWrongIndex();
  return 0;
}
