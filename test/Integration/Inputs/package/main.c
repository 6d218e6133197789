/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Scales three rows by one model and shifts them by another.
 */
#include <scale.h>
#include <shift.h>

#include <stdio.h>

static int run(const lathe_model *model, float *from, float *to) {
  int64_t shape[] = {3, 2};
  DLTensor in = {from, {kDLCPU, 0}, 2, {kDLFloat, 32, 1}, shape, NULL, 0};
  DLTensor out = {to, {kDLCPU, 0}, 2, {kDLFloat, 32, 1}, shape, NULL, 0};
  lathe_options options = LATHE_OPTIONS_INIT;
  char message[200] = "";
  lathe_context *context;
  lathe_status status;
  options.message = message;
  options.message_bytes = sizeof(message);
  status = lathe_context_create(model, &options, &context);
  if (!status)
    status = lathe_run(context, &in, &out);
  if (status)
    fprintf(stderr, "%s\n", context ? lathe_context_message(context) : message);
  lathe_context_destroy(context);
  return status;
}

int main(void) {
  float x[] = {1, 2, 3, 4, 5, 6}, y[6], z[6];
  if (run(scale_lathe_model(), x, y) || run(moved_lathe_model(), y, z))
    return 1;
  for (int i = 0; i < 6; ++i)
    printf("%g ", z[i]);
  printf("\n");
  return 0;
}
