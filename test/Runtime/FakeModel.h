/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The hand-written model of FakeModel.c, and what the tests share.
 */
#ifndef LATHE_TEST_RUNTIME_FAKEMODEL_H
#define LATHE_TEST_RUNTIME_FAKEMODEL_H

#include "../Inputs/expect.h"
#include "lathe-rt/lathe.h"

#include <stdlib.h>

const lathe_model *fake_lathe_model(void);
/* The same model with no variant for this processor. */
const lathe_model *fakeImpossibleModel(void);

/* A dense float tensor of up to two dimensions; `shape` must outlive it. */
static inline DLTensor floatTensor(float *data, int32_t rank, int64_t *shape) {
  DLTensor tensor = {data,  {kDLCPU, 0}, rank, {kDLFloat, 32, 1},
                     shape, NULL,        0};
  return tensor;
}

/* Inputs of the model for given sizes, and what it computes for them. */
typedef struct FakeData {
  int64_t x_shape[2], y_shape[2], w_shape[1];
  float *x, *y, *z, *w, *expected_z, *expected_w;
  DLTensor inputs[2], outputs[2];
} FakeData;

static inline FakeData *makeFakeData(int64_t batch, int64_t n, float seed) {
  FakeData *d = calloc(1, sizeof(*d));
  d->x_shape[0] = d->y_shape[0] = batch;
  d->x_shape[1] = 8;
  d->y_shape[1] = n;
  d->w_shape[0] = 2 * n;
  d->x = calloc(batch * 8 + 1, 4), d->z = calloc(batch * 8 + 1, 4);
  d->expected_z = calloc(batch * 8 + 1, 4);
  d->y = calloc(batch * n + 1, 4), d->w = calloc(2 * n + 1, 4);
  d->expected_w = calloc(2 * n + 1, 4);
  for (int64_t i = 0; i < batch * 8; ++i) {
    float doubled;
    d->x[i] = seed + (float)(i % 17) * 0.25f;
    doubled = 2 * d->x[i] + 1;
    d->expected_z[i] = doubled * doubled;
  }
  for (int64_t i = 0; i < batch * n; ++i)
    d->y[i] = seed * 0.5f + (float)(i % 13);
  for (int64_t i = 0; i < n; ++i) {
    float sum = 0;
    for (int64_t b = 0; b < batch; ++b)
      sum += d->y[b * n + i];
    d->expected_w[i] = d->expected_w[n + i] = sum;
  }
  d->inputs[0] = floatTensor(d->x, 2, d->x_shape);
  d->inputs[1] = floatTensor(d->y, 2, d->y_shape);
  d->outputs[0] = floatTensor(d->z, 2, d->x_shape);
  d->outputs[1] = floatTensor(d->w, 1, d->w_shape);
  return d;
}

static inline void freeFakeData(FakeData *d) {
  free(d->x), free(d->y), free(d->z), free(d->w);
  free(d->expected_z), free(d->expected_w), free(d);
}

#endif /* LATHE_TEST_RUNTIME_FAKEMODEL_H */
