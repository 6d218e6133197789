/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A model as the compiler would write it, by hand: symbolic sizes, buffers
 * planned at run time, scratch memory, a check that depends on data.
 *
 *   x: float32[batch, 8], y: float32[batch, n]
 *   z = (2 x + 1)^2            float32[batch, 8]
 *   w = column sums of y       float32[2 n], written twice one after the other
 *
 * No element of y may be below -1000: the last launch checks it.
 */
#include "FakeModel.h"

#include "lathe-rt/artifact.h"

#include <string.h>

enum { BATCH, N, ROW_BYTES, SUM_BYTES, TWO_N, NUM_VALUES };

static int32_t eval(const int64_t *symbols, int64_t *values) {
  (void)symbols;
  if (values[N] > 1000)
    return 2;
  values[ROW_BYTES] = values[BATCH] * 32;
  values[SUM_BYTES] = values[N] * 4;
  values[TWO_N] = values[N] * 2;
  return 0;
}

static int32_t doubleRows(const int64_t *args, int64_t begin, int64_t end,
                          void *scratch) {
  const float *x = (const float *)args[0];
  float *a = (float *)args[1];
  (void)scratch;
  for (int64_t i = begin * 8; i < end * 8; ++i)
    a[i] = 2 * x[i];
  return 0;
}

static int32_t addOne(const int64_t *args, int64_t begin, int64_t end,
                      void *scratch) {
  const float *a = (const float *)args[0];
  float *b = (float *)args[1];
  (void)scratch;
  for (int64_t i = begin * 8; i < end * 8; ++i)
    b[i] = a[i] + 1;
  return 0;
}

static int32_t square(const int64_t *args, int64_t begin, int64_t end,
                      void *scratch) {
  const float *b = (const float *)args[0];
  float *z = (float *)args[1];
  (void)scratch;
  for (int64_t i = begin * 8; i < end * 8; ++i)
    z[i] = b[i] * b[i];
  return 0;
}

/* args: y, sums, batch, n. Keeps its running sum in scratch memory. */
static int32_t sumColumns(const int64_t *args, int64_t begin, int64_t end,
                          void *scratch) {
  const float *y = (const float *)args[0];
  float *sums = (float *)args[1];
  float *sum = scratch;
  for (int64_t i = begin; i < end; ++i) {
    *sum = 0;
    for (int64_t b = 0; b < args[2]; ++b)
      *sum += y[b * args[3] + i];
    sums[i] = *sum;
  }
  return 0;
}

static int32_t repeat(const int64_t *args, int64_t begin, int64_t end,
                      void *scratch) {
  const float *sums = (const float *)args[0];
  float *w = (float *)args[1];
  (void)scratch;
  for (int64_t i = begin; i < end; ++i)
    w[i] = sums[i % args[2]];
  return 0;
}

/* args: y, status. */
static int32_t checkRange(const int64_t *args, int64_t begin, int64_t end,
                          void *scratch) {
  const float *y = (const float *)args[0];
  int64_t *status = (int64_t *)args[1];
  (void)scratch;
  for (int64_t i = begin; i < end; ++i) {
    if (y[i] < -1000) {
      status[0] = 1;
      status[1] = (int64_t)y[i];
    }
  }
  return 0;
}

static int64_t address(const void *pointer) {
  return (int64_t)(intptr_t)pointer;
}

static int32_t program(lathe_rt_frame *frame) {
  const int64_t *values = frame->values;
  char *a = frame->arena + frame->offsets[0];
  char *b = frame->arena + frame->offsets[1];
  char *sums = frame->arena + frame->offsets[2];
  int64_t first[] = {address(frame->io[0]), address(a)};
  int64_t second[] = {address(a), address(b)};
  int64_t third[] = {address(b), address(frame->io[2])};
  int64_t fourth[] = {address(frame->io[1]), address(sums), values[BATCH],
                      values[N]};
  int64_t fifth[] = {address(sums), address(frame->io[3]), values[N]};
  int64_t sixth[] = {address(frame->io[1]), address(frame->status)};
  int32_t result = lathe_rt_launch(frame, 0, doubleRows, first, values[BATCH]);
  if (!result)
    result = lathe_rt_launch(frame, 1, addOne, second, values[BATCH]);
  if (!result)
    result = lathe_rt_launch(frame, 2, square, third, values[BATCH]);
  if (!result)
    result = lathe_rt_launch(frame, 3, sumColumns, fourth, values[N]);
  if (!result)
    result = lathe_rt_launch(frame, 4, repeat, fifth, values[TWO_N]);
  if (!result)
    result =
        lathe_rt_launch(frame, 5, checkRange, sixth, values[BATCH] * values[N]);
  return result;
}

static const int64_t xDims[] = {~BATCH, 8}, yDims[] = {~BATCH, ~N},
                     wDims[] = {~TWO_N};
static const char *const xNames[] = {"batch", NULL};
static const char *const yNames[] = {"batch", "n"};
static const lathe_rt_tensor inputs[] = {
    {"x", kDLFloat, 32, 1, 2, xDims, xNames},
    {"y", kDLFloat, 32, 1, 2, yDims, yNames},
};
static const lathe_rt_tensor outputs[] = {
    {"z", kDLFloat, 32, 1, 2, xDims, xNames},
    {"w", kDLFloat, 32, 1, 1, wDims, NULL},
};
static const char *const symbols[] = {"batch", "n"};
static const lathe_rt_buffer buffers[] = {
    {~ROW_BYTES, 0, 1}, {~ROW_BYTES, 1, 2}, {~SUM_BYTES, 3, 4}};
/* Large costs, so that even small shapes go to the threads. */
#define COST ((int64_t)1 << 30)
static const lathe_rt_launch_info launches[] = {
    {"double_rows", "mul", COST, ~ROW_BYTES},
    {"add_one", "add", COST, COST},
    {"square", "mul_1", COST, COST},
    {"sum_columns", "sum", COST, COST},
    {"repeat", "concat", COST, COST},
    {"check", "gather", COST, COST}};
static const lathe_rt_check checks[] = {
    {"gather", "expected values from -1000, got %lld"},
    {"concat", "expected n of at most 1000"}};
static const char *const metadata[] = {"producer", "hand", "version", "1",
                                       NULL};

static const lathe_rt_model variant = {
    .version = LATHE_RT_ARTIFACT_VERSION,
    .struct_bytes = sizeof(lathe_rt_model),
    .name = "fake",
    .target = "cpu:generic",
    .cpu_features = "",
    .num_inputs = 2,
    .num_outputs = 2,
    .num_symbols = 2,
    .num_values = NUM_VALUES,
    .num_buffers = 3,
    .num_launches = 6,
    .num_checks = 2,
    .inputs = inputs,
    .outputs = outputs,
    .symbols = symbols,
    .buffers = buffers,
    .scratch_bytes = 4,
    .eval = eval,
    .program = program,
    .launches = launches,
    .checks = checks,
    .metadata = metadata,
};

/* A variant that no processor can run, to be passed over. */
static const lathe_rt_model impossible = {
    .version = LATHE_RT_ARTIFACT_VERSION,
    .struct_bytes = sizeof(lathe_rt_model),
    .name = "fake",
    .target = "cpu:impossible",
    .cpu_features = "+no-such-feature,-avx",
    .num_inputs = 2,
    .num_outputs = 2,
    .num_symbols = 2,
    .inputs = inputs,
    .outputs = outputs,
    .symbols = symbols,
    .metadata = metadata,
};

static const lathe_rt_model *const variants[] = {&impossible, &variant};
static const lathe_model model = {LATHE_ABI_VERSION, 2, &lathe_rt_api,
                                  variants};
static const lathe_model onlyImpossible = {LATHE_ABI_VERSION, 1, &lathe_rt_api,
                                           variants};

__attribute__((visibility("default"))) const lathe_model *
fake_lathe_model(void) {
  return &model;
}

const lathe_model *fakeImpossibleModel(void) { return &onlyImpossible; }
