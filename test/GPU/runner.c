/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs the models that pack.py has packed: compares their outputs with the
 * expected ones, and measures them on memory of the host and of the device.
 * Needs libc and the CUDA driver.
 *
 *   runner [-n RUNS] [-k KERNELS] MANIFEST
 *
 * MANIFEST lists, one a line: "model NAME LIBRARY SYMBOL", then for each case
 * "case", its tensors as "input|output NAME FILE CODE BITS RANK DIM..." and
 * "run RTOL ATOL". Exit status 1 if an output differs.
 */
#include "lathe-rt/lathe.h"

#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_TENSORS = 256, MAX_RANK = 16 };

typedef struct Tensor {
  char name[256];
  int64_t shape[MAX_RANK];
  DLTensor host;
  uint64_t device; /* address */
  size_t bytes;
} Tensor;

static struct {
  int runs, kernels;
  char folder[4096];
  void *library;
  const lathe_model *model;
  char name[256];
  Tensor inputs[MAX_TENSORS], outputs[MAX_TENSORS];
  int num_inputs, num_outputs;
  int failed, passed;
} app = {.runs = 50, .kernels = 5};

static _Noreturn void die(const char *what, const char *about) {
  fprintf(stderr, "runner: %s: %s\n", what, about);
  exit(2);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* --- The driver: memory of the device for the tensors ------------------------
 */

static struct {
  int32_t (*init)(uint32_t);
  int32_t (*get)(int32_t *, int32_t);
  int32_t (*name)(char *, int32_t, int32_t);
  int32_t (*retain)(void **, int32_t);
  int32_t (*push)(void *);
  int32_t (*pop)(void **);
  int32_t (*allocate)(uint64_t *, size_t);
  int32_t (*release)(uint64_t);
  int32_t (*copy_in)(uint64_t, const void *, size_t);
  int32_t (*copy_out)(void *, uint64_t, size_t);
  void *context;
} cuda;

static void find(void *library, const char *name, void *field) {
  void *address = dlsym(library, name);
  memcpy(field, &address, sizeof(address));
}

static bool openCuda(void) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  char name[256] = "?";
  int32_t device;
  if (!library)
    return false;
  find(library, "cuInit", &cuda.init);
  find(library, "cuDeviceGet", &cuda.get);
  find(library, "cuDeviceGetName", &cuda.name);
  find(library, "cuDevicePrimaryCtxRetain", &cuda.retain);
  find(library, "cuCtxPushCurrent_v2", &cuda.push);
  find(library, "cuCtxPopCurrent_v2", &cuda.pop);
  find(library, "cuMemAlloc_v2", &cuda.allocate);
  find(library, "cuMemFree_v2", &cuda.release);
  find(library, "cuMemcpyHtoD_v2", &cuda.copy_in);
  find(library, "cuMemcpyDtoH_v2", &cuda.copy_out);
  if (!cuda.copy_in || !cuda.copy_out || cuda.init(0) || cuda.get(&device, 0) ||
      cuda.retain(&cuda.context, device))
    return false;
  if (cuda.name)
    cuda.name(name, sizeof(name), device);
  printf("device: %s\n", name);
  return true;
}

/* Copies to the device's memory, which is made first; or back and frees it. */
static bool moveTensors(Tensor *tensors, int count, bool in) {
  void *context;
  bool ok = !cuda.push(cuda.context);
  for (int i = 0; i < count && ok; ++i) {
    size_t bytes = tensors[i].bytes ? tensors[i].bytes : 1;
    if (in)
      ok = !cuda.allocate(&tensors[i].device, bytes) &&
           !cuda.copy_in(tensors[i].device, tensors[i].host.data,
                         tensors[i].bytes);
    else
      ok = !cuda.copy_out(tensors[i].host.data, tensors[i].device,
                          tensors[i].bytes) &&
           !cuda.release(tensors[i].device);
  }
  cuda.pop(&context);
  return ok;
}

/* --- Cases
 * -------------------------------------------------------------------- */

static void readTensor(char *line, Tensor *tensor) {
  char file[512], path[5000];
  int code, bits, rank, used = 0;
  FILE *stream;
  size_t bytes;
  if (sscanf(line, "%*s %255s %511s %d %d %d%n", tensor->name, file, &code,
             &bits, &rank, &used) != 5 ||
      rank > MAX_RANK)
    die("expected a tensor, got", line);
  bytes = (size_t)bits / 8;
  for (int d = 0; d < rank; ++d) {
    int more = 0;
    long long dim;
    if (sscanf(line + used, "%lld%n", &dim, &more) != 1)
      die("expected a shape, got", line);
    used += more;
    tensor->shape[d] = dim;
    bytes *= (size_t)dim;
  }
  free(tensor->host.data);
  tensor->bytes = bytes;
  tensor->host = (DLTensor){.data = malloc(bytes ? bytes : 1),
                            .ndim = rank,
                            .dtype = {(uint8_t)code, (uint8_t)bits, 1},
                            .shape = tensor->shape};
  tensor->host.device.device_type = kDLCPU;
  snprintf(path, sizeof(path), "%s/%s", app.folder, file);
  stream = fopen(path, "rb");
  if (!stream || fread(tensor->host.data, 1, bytes, stream) != bytes)
    die("cannot read", path);
  fclose(stream);
}

static Tensor *findTensor(Tensor *tensors, int count, const char *name) {
  for (int i = 0; i < count; ++i)
    if (!strcmp(tensors[i].name, name))
      return &tensors[i];
  die("expected data for", name);
}

static double getElement(const DLTensor *tensor, size_t i) {
  const void *data = tensor->data;
  switch (tensor->dtype.code << 8 | tensor->dtype.bits) {
  case kDLFloat << 8 | 32:
    return ((const float *)data)[i];
  case kDLFloat << 8 | 64:
    return ((const double *)data)[i];
  case kDLInt << 8 | 64:
    return (double)((const int64_t *)data)[i];
  case kDLInt << 8 | 32:
    return ((const int32_t *)data)[i];
  case kDLInt << 8 | 8:
    return ((const int8_t *)data)[i];
  case kDLUInt << 8 | 8:
  case kDLBool << 8 | 8:
    return ((const uint8_t *)data)[i];
  }
  die("cannot compare elements of", "this type");
}

/* Number of elements that differ; the largest difference in `worst`. */
static size_t compare(const Tensor *expected, const DLTensor *got, double rtol,
                      double atol, double *worst) {
  size_t count = expected->bytes / (expected->host.dtype.bits / 8), wrong = 0;
  *worst = 0;
  for (size_t i = 0; i < count; ++i) {
    double want = getElement(&expected->host, i), have = getElement(got, i);
    double difference = fabs(have - want);
    if (want == have || (isnan(want) && isnan(have)))
      continue;
    if (!(difference <= atol + rtol * fabs(want)))
      ++wrong;
    if (!(difference <= *worst))
      *worst = difference;
  }
  return wrong;
}

static int compareTimes(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Median of the runs, in microseconds. */
static double measure(lathe_context *ctx, const DLTensor *inputs,
                      DLTensor *outputs) {
  double *times = malloc((size_t)app.runs * sizeof(double)), median;
  for (int i = -3; i < app.runs; ++i) {
    double begin = now();
    if (lathe_run(ctx, inputs, outputs))
      die(app.name, lathe_context_message(ctx));
    if (i >= 0)
      times[i] = now() - begin;
  }
  qsort(times, (size_t)app.runs, sizeof(double), compareTimes);
  median = times[app.runs / 2];
  free(times);
  return median;
}

/* The launches that take most time. */
static void profile(lathe_context *ctx, const DLTensor *inputs,
                    DLTensor *outputs) {
  int32_t count = lathe_context_num_launches(ctx);
  bool *shown = calloc((size_t)count + 1, sizeof(bool));
  lathe_context_set_profiling(ctx, 1);
  for (int i = 0; i < 10; ++i)
    lathe_run(ctx, inputs, outputs);
  lathe_context_set_profiling(ctx, 0);
  for (int k = 0; k < app.kernels && k < count; ++k) {
    lathe_launch_info best = {0}, info;
    int32_t at = -1;
    for (int32_t i = 0; i < count; ++i)
      if (!shown[i] && !lathe_context_get_launch(ctx, i, &info) && info.runs &&
          (at < 0 ||
           info.nanoseconds / info.runs > best.nanoseconds / best.runs)) {
        best = info;
        at = i;
      }
    if (at < 0)
      break;
    shown[at] = true;
    double us = (double)best.nanoseconds / (double)best.runs / 1e3;
    printf("    %9.1f us %9.1f GFLOP/s %8.1f GB/s  %s  %s\n", us,
           (double)best.flops / us / 1e3, (double)best.bytes / us / 1e3,
           best.kernel, best.nodes);
  }
  free(shown);
}

static void runCase(double rtol, double atol) {
  char message[1024] = "";
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  DLTensor inputs[MAX_TENSORS], outputs[MAX_TENSORS];
  Tensor *given[MAX_TENSORS], *expected[MAX_TENSORS];
  Tensor results[MAX_TENSORS];
  int num_inputs = lathe_model_num_inputs(app.model);
  int num_outputs = lathe_model_num_outputs(app.model);
  double begin = now(), created, host_time, device_time = NAN;
  size_t wrong = 0;
  double most = 0;
  options.message = message;
  options.message_bytes = sizeof(message);
  if (lathe_context_create(app.model, &options, &ctx)) {
    printf("FAIL %s: %s\n", app.name, message);
    ++app.failed;
    return;
  }
  created = now() - begin;
  for (int i = 0; i < num_inputs; ++i) {
    lathe_tensor_info info;
    lathe_model_get_input(app.model, i, &info);
    given[i] = findTensor(app.inputs, app.num_inputs, info.name);
    inputs[i] = given[i]->host;
  }
  for (int o = 0; o < num_outputs; ++o) {
    lathe_tensor_info info;
    lathe_model_get_output(app.model, o, &info);
    expected[o] = findTensor(app.outputs, app.num_outputs, info.name);
    results[o] = *expected[o];
    results[o].host.data = calloc(1, expected[o]->bytes + 1);
    results[o].host.shape = expected[o]->shape;
    outputs[o] = results[o].host;
  }
  if (lathe_run(ctx, inputs, outputs)) {
    printf("FAIL %s: %s\n", app.name, lathe_context_message(ctx));
    ++app.failed;
    lathe_context_destroy(ctx);
    return;
  }
  for (int o = 0; o < num_outputs; ++o) {
    double worst;
    wrong += compare(expected[o], &outputs[o], rtol, atol, &worst);
    most = worst > most ? worst : most;
  }
  host_time = measure(ctx, inputs, outputs);
  if (cuda.context) {
    bool ok = true;
    for (int i = 0; i < num_inputs && ok; ++i) {
      ok = moveTensors(given[i], 1, true);
      inputs[i].data = (void *)(uintptr_t)given[i]->device;
      inputs[i].device.device_type = kDLCUDA;
    }
    for (int o = 0; o < num_outputs && ok; ++o) {
      memset(results[o].host.data, 0, results[o].bytes);
      ok = moveTensors(&results[o], 1, true);
      outputs[o].data = (void *)(uintptr_t)results[o].device;
      outputs[o].device.device_type = kDLCUDA;
    }
    if (!ok)
      die("memory of the device", app.name);
    device_time = measure(ctx, inputs, outputs);
    profile(ctx, inputs, outputs);
    for (int i = 0; i < num_inputs; ++i)
      ok &= moveTensors(given[i], 1, false);
    for (int o = 0; o < num_outputs; ++o) {
      double worst;
      ok &= moveTensors(&results[o], 1, false);
      wrong += compare(expected[o], &results[o].host, rtol, atol, &worst);
      most = worst > most ? worst : most;
    }
    if (!ok)
      die("memory of the device", app.name);
  }
  printf(
      "%s %s: differs by %.3g at most, %zu elements too far; create %.1f ms, "
      "run %.1f us from the host, %.1f us on the device\n",
      wrong ? "FAIL" : "PASS", app.name, most, wrong, created / 1e3, host_time,
      device_time);
  fflush(stdout);
  if (wrong)
    ++app.failed;
  else
    ++app.passed;
  for (int o = 0; o < num_outputs; ++o)
    free(results[o].host.data);
  lathe_context_destroy(ctx);
}

static void openModel(const char *line) {
  char file[512], symbol[512], path[5000];
  const lathe_model *(*entry)(void);
  if (sscanf(line, "model %255s %511s %511s", app.name, file, symbol) != 3)
    die("expected a model, got", line);
  snprintf(path, sizeof(path), "%s/%s", app.folder, file);
  app.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!app.library)
    die("cannot load", dlerror());
  find(app.library, symbol, &entry);
  if (!entry)
    die("expected a symbol", symbol);
  app.model = entry();
}

int main(int argc, char **argv) {
  static char line[65536];
  FILE *manifest;
  int arg = 1;
  char *slash;
  for (; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
    if (!strcmp(argv[arg], "-n"))
      app.runs = atoi(argv[arg + 1]);
    else if (!strcmp(argv[arg], "-k"))
      app.kernels = atoi(argv[arg + 1]);
  }
  if (arg + 1 != argc || app.runs < 1)
    die("usage", "runner [-n RUNS] [-k KERNELS] MANIFEST");
  snprintf(app.folder, sizeof(app.folder), "%s", argv[arg]);
  slash = strrchr(app.folder, '/');
  snprintf(slash ? slash : app.folder, 2, "%s", slash ? "" : ".");
  manifest = fopen(argv[arg], "r");
  if (!manifest)
    die("cannot read", argv[arg]);
  if (!openCuda())
    printf("device: none that this program can use\n");
  while (fgets(line, sizeof(line), manifest)) {
    double rtol, atol;
    if (!strncmp(line, "model ", 6)) {
      openModel(line);
    } else if (!strncmp(line, "case", 4)) {
      app.num_inputs = app.num_outputs = 0;
    } else if (!strncmp(line, "input ", 6) && app.num_inputs < MAX_TENSORS) {
      readTensor(line, &app.inputs[app.num_inputs++]);
    } else if (!strncmp(line, "output ", 7) && app.num_outputs < MAX_TENSORS) {
      readTensor(line, &app.outputs[app.num_outputs++]);
    } else if (sscanf(line, "run %lf %lf", &rtol, &atol) == 2) {
      runCase(rtol, atol);
    } else {
      die("expected a manifest, got", line);
    }
  }
  fclose(manifest);
  printf("%d passed, %d failed\n", app.passed, app.failed);
  return app.failed != 0;
}
