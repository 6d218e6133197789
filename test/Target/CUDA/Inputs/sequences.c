/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs a compiled perceptron (28 by 28 pixels to 10 numbers) on a CUDA driver:
 * on memory of the host twice, then on memory of the device.
 */
#include "lathe-rt/lathe.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

const lathe_model *mlp_lathe_model(void);

static DLTensor describe(void *data, int32_t rank, int64_t *shape,
                         int32_t device) {
  DLTensor tensor = {
      .data = data, .ndim = rank, .dtype = {kDLFloat, 32, 1}, .shape = shape};
  tensor.device.device_type = device;
  return tensor;
}

static int report(const char *what, lathe_status status, const char *message) {
  printf("%s: %d %s\n", what, status, status ? message : "");
  return status != 0;
}

int main(void) {
  static float x[784], y[10];
  int64_t x_shape[] = {1, 1, 28, 28}, y_shape[] = {1, 10};
  DLTensor input = describe(x, 4, x_shape, kDLCPU);
  DLTensor output = describe(y, 2, y_shape, kDLCPU);
  lathe_options options = LATHE_OPTIONS_INIT;
  char message[512];
  lathe_context *ctx;
  void *library;
  int32_t (*push)(void *), (*pop)(void **), (*retain)(void **, int32_t);
  int32_t (*allocate)(uint64_t *, size_t), (*release)(uint64_t);
  uint64_t x_device = 0, y_device = 0;
  void *context;
  lathe_status status;
  options.message = message;
  options.message_bytes = sizeof(message);
  if (report("create", lathe_context_create(mlp_lathe_model(), &options, &ctx),
             message))
    return 1;
  for (int run = 1; run <= 2; ++run) {
    char name[] = "run 0";
    name[4] += (char)run;
    status = lathe_run(ctx, &input, &output);
    if (report(name, status, lathe_context_message(ctx))) {
      lathe_context_destroy(ctx);
      return 1;
    }
  }
  library = dlopen("libcuda.so.1", RTLD_NOW);
  *(void **)&push = dlsym(library, "cuCtxPushCurrent_v2");
  *(void **)&pop = dlsym(library, "cuCtxPopCurrent_v2");
  *(void **)&retain = dlsym(library, "cuDevicePrimaryCtxRetain");
  *(void **)&allocate = dlsym(library, "cuMemAlloc_v2");
  *(void **)&release = dlsym(library, "cuMemFree_v2");
  retain(&context, 100);
  push(context);
  allocate(&x_device, sizeof(x));
  allocate(&y_device, sizeof(y));
  pop(&context);
  printf("on the device\n");
  input = describe((void *)(uintptr_t)x_device, 4, x_shape, kDLCUDA);
  output = describe((void *)(uintptr_t)y_device, 2, y_shape, kDLCUDA);
  report("run 3", lathe_run(ctx, &input, &output), lathe_context_message(ctx));
  input.device.device_id = 1;
  report("run 4", lathe_run(ctx, &input, &output), lathe_context_message(ctx));
  input = describe(x, 4, x_shape, kDLVulkan);
  report("run 5", lathe_run(ctx, &input, &output), lathe_context_message(ctx));
  push(context);
  release(x_device);
  release(y_device);
  pop(&context);
  lathe_context_destroy(ctx);
  dlclose(library);
  return 0;
}
