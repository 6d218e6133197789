/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Two compiled models in one program, an object and an archive, and eight
 * contexts in eight threads at once: each gets the bits that one alone gets.
 *
 * RUN: rm -rf %t && mkdir %t
 * RUN: lathe compile %S/../Models/mnist_mlp/model.onnx --name mlp -o %t/mlp.o
 * RUN: lathe compile %S/../Models/cifar_cnn/model.onnx --name cnn -o %t/cnn.a
 * RUN: %clang -std=c11 -Wall -Wextra -Werror -pedantic -O1 -I%include -I%t \
 * RUN:   -c %s -o %t/main.o
 * RUN: %clang %t/main.o %t/mlp.o %t/cnn.a %bin/../lib/liblathe_rt.a \
 * RUN:   -pthread -o %t/program
 * RUN: %t/program
 */
#include "../Inputs/expect.h"
#include "cnn.h"
#include "mlp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, RUNS = 20, OUTPUTS = 10 };

typedef struct Job {
  const lathe_model *model;
  int seed;
  int32_t threads;
  float result[RUNS][OUTPUTS];
} Job;

static void runJob(Job *job) {
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *context;
  lathe_tensor_info info;
  int64_t shape[8], count = 1, out_shape[2] = {1, OUTPUTS};
  float *data;
  options.num_threads = job->threads;
  EXPECT(lathe_context_create(job->model, &options, &context) == LATHE_OK);
  EXPECT(lathe_model_get_input(job->model, 0, &info) == LATHE_OK);
  EXPECT(info.rank == 4);
  for (int32_t d = 0; d < info.rank; ++d) {
    const char *name;
    EXPECT(lathe_model_get_dim(job->model, 0, d, &shape[d], &name) == LATHE_OK);
    if (shape[d] < 0)
      shape[d] = 1;
    count *= shape[d];
  }
  data = malloc((size_t)count * sizeof(float));
  EXPECT(data);
  for (int run = 0; run < RUNS; ++run) {
    DLTensor input = {data,  {kDLCPU, 0}, info.rank, {kDLFloat, 32, 1},
                      shape, NULL,        0};
    DLTensor output = {job->result[run], {kDLCPU, 0}, 2, {kDLFloat, 32, 1},
                       out_shape,        NULL,        0};
    for (int64_t i = 0; i < count; ++i)
      data[i] = (float)((i * 31 + run * 7 + job->seed * 13) % 61) / 61.0f;
    if (lathe_run(context, &input, &output)) {
      fprintf(stderr, "%s\n", lathe_context_message(context));
      exit(1);
    }
  }
  free(data);
  lathe_context_destroy(context);
}

static void *runThread(void *job) {
  runJob(job);
  return NULL;
}

int main(void) {
  static Job alone[THREADS], together[THREADS];
  pthread_t threads[THREADS];
  const lathe_model *models[] = {mlp_lathe_model(), cnn_lathe_model()};
  EXPECT(!strcmp(lathe_model_name(models[0]), "mlp"));
  EXPECT(!strcmp(lathe_model_name(models[1]), "cnn"));
  for (int t = 0; t < THREADS; ++t) {
    alone[t].model = together[t].model = models[t % 2];
    alone[t].seed = together[t].seed = t / 2;
    alone[t].threads = 1;
    together[t].threads = 1 + t % 3;
    runJob(&alone[t]);
  }
  for (int t = 0; t < THREADS; ++t)
    EXPECT(!pthread_create(&threads[t], NULL, runThread, &together[t]));
  for (int t = 0; t < THREADS; ++t)
    EXPECT(!pthread_join(threads[t], NULL));
  for (int t = 0; t < THREADS; ++t)
    EXPECT(
        !memcmp(alone[t].result, together[t].result, sizeof(alone[t].result)));
  EXPECT(memcmp(alone[0].result, alone[2].result, sizeof(alone[0].result)));
  return 0;
}
