/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * call LIBRARY FUNCTION BATCHES INPUT...
 *
 * What a program in C pays for a model: prints the microseconds from dlopen to
 * the first results, those of the next run, and the median of BATCHES batches
 * of the nanoseconds of a call. An INPUT is FILE:SIZE,SIZE,... with the bytes in the file.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lathe-rt/lathe.h"

enum { CALLS = 100, MAX_RANK = 16, MAX_TENSORS = 64, MAX_BATCHES = 1000 };

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "error: %s: %s\n", what, why);
  exit(1);
}

static int64_t bytes_of(const DLTensor *tensor) {
  int64_t bytes = tensor->dtype.bits / 8;
  for (int i = 0; i < tensor->ndim; ++i)
    bytes *= tensor->shape[i];
  return bytes;
}

static void allocate(DLTensor *tensor) {
  size_t bytes = ((size_t)bytes_of(tensor) + 64) & ~(size_t)63;
  tensor->data = aligned_alloc(64, bytes);
  if (!tensor->data)
    fail("aligned_alloc", "out of memory");
}

/* Fills `tensor`, whose type is known, from FILE:SIZE,SIZE,... */
static void read_input(DLTensor *tensor, int64_t *shape, char *text) {
  char *sizes = strrchr(text, ':');
  if (!sizes)
    fail(text, "expects FILE:SIZE,SIZE,...");
  *sizes++ = 0;
  tensor->shape = shape;
  for (char *size = strtok(sizes, ","); size && tensor->ndim < MAX_RANK;
       size = strtok(NULL, ","))
    shape[tensor->ndim++] = strtoll(size, NULL, 10);
  allocate(tensor);
  FILE *file = fopen(text, "rb");
  size_t bytes = (size_t)bytes_of(tensor);
  if (!file || fread(tensor->data, 1, bytes, file) != bytes)
    fail(text, "cannot be read");
  fclose(file);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  static DLTensor inputs[MAX_TENSORS], outputs[MAX_TENSORS];
  static int64_t shapes[2][MAX_TENSORS][MAX_RANK];
  static int64_t *given[MAX_TENSORS], *made[MAX_TENSORS];
  static double batches[MAX_BATCHES];
  int count = argc - 4, num_batches = argc > 3 ? atoi(argv[3]) : 0;
  if (count < 0 || count > MAX_TENSORS || num_batches > MAX_BATCHES)
    fail("usage", "call LIBRARY FUNCTION BATCHES INPUT...");

  /* Inputs are read before the clock starts, but their types are the model's.
   */
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library)
    fail(argv[1], dlerror());
  const lathe_model *(*get)(void) = NULL;
  *(void **)&get = dlsym(library, argv[2]);
  if (!get)
    fail(argv[2], dlerror());
  for (int i = 0; i < count; ++i) {
    lathe_tensor_info info;
    if (lathe_model_get_input(get(), i, &info))
      fail(argv[4 + i], "is one input more than the model has");
    inputs[i].dtype = info.dtype;
    inputs[i].device.device_type = kDLCPU;
    read_input(&inputs[i], given[i] = shapes[0][i], argv[4 + i]);
  }
  dlclose(library);

  int64_t start = now();
  library = dlopen(argv[1], RTLD_NOW);
  *(void **)&get = dlsym(library, argv[2]);
  lathe_options options = LATHE_OPTIONS_INIT;
  char message[512];
  options.num_threads = 1;
  options.message = message;
  options.message_bytes = sizeof message;
  lathe_context *ctx;
  if (lathe_context_create(get(), &options, &ctx))
    fail("lathe_context_create", message);
  int num_outputs = lathe_model_num_outputs(get());
  if (num_outputs > MAX_TENSORS)
    fail(argv[1], "has too many outputs");
  for (int i = 0; i < num_outputs; ++i)
    made[i] = shapes[1][i];
  if (lathe_infer_shapes(ctx, (const int64_t *const *)given, made))
    fail("lathe_infer_shapes", lathe_context_message(ctx));
  for (int i = 0; i < num_outputs; ++i) {
    lathe_tensor_info info;
    lathe_model_get_output(get(), i, &info);
    outputs[i].device.device_type = kDLCPU;
    outputs[i].dtype = info.dtype;
    outputs[i].ndim = info.rank;
    outputs[i].shape = made[i];
    for (int axis = 0; axis < info.rank; ++axis)
      if (made[i][axis] < 0)
        fail(info.name, "has a shape that depends on data");
    allocate(&outputs[i]);
  }
  if (lathe_run(ctx, inputs, outputs))
    fail("lathe_run", lathe_context_message(ctx));
  int64_t first = now() - start;
  start = now();
  lathe_run(ctx, inputs, outputs);
  int64_t next = now() - start;

  for (int batch = 0; batch < num_batches; ++batch) {
    int64_t begin = now();
    for (int i = 0; i < CALLS; ++i)
      lathe_run(ctx, inputs, outputs);
    batches[batch] = (double)(now() - begin) / CALLS;
  }
  qsort(batches, (size_t)num_batches, sizeof batches[0], compare);
  printf("%.1f %.1f %.1f\n", (double)first / 1e3, (double)next / 1e3,
         batches[num_batches / 2]);
  lathe_context_destroy(ctx);
  return 0;
}
