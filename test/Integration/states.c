/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Decoding with a cache that stays in place: token by token, each run adds one
 * step to the keys and values in the caller's memory. The logits are those of
 * the same model without states, which is given the whole past each time.
 *
 * RUN: rm -rf %t && mkdir %t
 * RUN: lathe compile %S/../Models/gpt2_cache/model.onnx --name plain \
 * RUN:   -o %t/plain.o
 * RUN: lathe compile %S/../Models/gpt2_cache/model.onnx --name cached \
 * RUN:   -o %t/cached.o --state=past.key.0=present.key.0:max=16 \
 * RUN:   --state=past.value.0=present.value.0:max=16 \
 * RUN:   --state=past.key.1=present.key.1:max=16 \
 * RUN:   --state=past.value.1=present.value.1:max=16
 * RUN: %clang -std=c11 -Wall -Wextra -Werror -pedantic -O1 -I%include -I%t \
 * RUN:   -c %s -o %t/main.o
 * RUN: %clang %t/main.o %t/plain.o %t/cached.o %bin/../lib/liblathe_rt.a \
 * RUN:   -pthread -o %t/program
 * RUN: %t/program
 */
#include "../Inputs/expect.h"
#include "cached.h"
#include "plain.h"

#include <math.h>
#include <string.h>

enum { STEPS = 16, HEADS = 4, WIDTH = 8, STATES = 4, WORDS = 200 };

static DLTensor describe(void *data, uint8_t code, uint8_t bits, int32_t rank,
                         int64_t *shape, int64_t *strides) {
  DLTensor tensor;
  memset(&tensor, 0, sizeof(tensor));
  tensor.data = data;
  tensor.device.device_type = kDLCPU;
  tensor.dtype.code = code;
  tensor.dtype.bits = bits;
  tensor.dtype.lanes = 1;
  tensor.ndim = rank;
  tensor.shape = shape;
  tensor.strides = strides;
  return tensor;
}

int main(void) {
  const lathe_model *plain = plain_lathe_model();
  const lathe_model *cached = cached_lathe_model();
  lathe_context *plain_context, *cached_context;
  static float memory[STATES][STEPS * HEADS * WIDTH];
  static float dense[STATES][HEADS * STEPS * WIDTH];
  int64_t ids = 7, mask[STEPS + 1],
          strides[] = {HEADS * WIDTH, WIDTH, HEADS * WIDTH, 1};
  lathe_state_info info;
  int32_t count = 0;

  EXPECT(lathe_context_create(plain, NULL, &plain_context) == LATHE_OK);
  EXPECT(lathe_context_create(cached, NULL, &cached_context) == LATHE_OK);
  EXPECT(lathe_model_get_state(plain, 0, &info) == LATHE_INVALID_ARGUMENT);
  while (lathe_model_get_state(cached, count, &info) == LATHE_OK) {
    EXPECT(info.axis == 2 && info.max == STEPS);
    EXPECT(info.input == count + 2 && info.output == count + 1);
    ++count;
  }
  EXPECT(count == STATES);

  for (int64_t past = 0; past <= STEPS; ++past) {
    int64_t one[] = {1, 1}, total[] = {1, past + 1};
    int64_t shape[] = {1, HEADS, past, WIDTH};
    DLTensor inputs[2 + STATES], outputs[1 + STATES], kept[1 + STATES];
    lathe_status status;
    memset(outputs, 0, sizeof(outputs));
    memset(kept, 0, sizeof(kept));
    mask[past] = 1;
    inputs[0] = describe(&ids, kDLInt, 64, 2, one, NULL);
    inputs[1] = describe(mask, kDLInt, 64, 2, total, NULL);
    for (int s = 0; s < STATES; ++s)
      inputs[2 + s] = describe(memory[s], kDLFloat, 32, 4, shape, strides);
    status = lathe_run(cached_context, inputs, kept);
    if (past == STEPS) { /* full */
      EXPECT(status == LATHE_INVALID_ARGUMENT);
      EXPECT(strstr(lathe_context_message(cached_context),
                    "expected at most 16 steps, got 17"));
      break;
    }
    EXPECT(status == LATHE_OK);
    for (int s = 0; s < STATES; ++s)
      inputs[2 + s] = describe(dense[s], kDLFloat, 32, 4, shape, NULL);
    EXPECT(lathe_run(plain_context, inputs, outputs) == LATHE_OK);

    for (int w = 0; w < WORDS; ++w)
      EXPECT(fabsf(((float *)kept[0].data)[w] - ((float *)outputs[0].data)[w]) <
             1e-5f);
    for (int s = 0; s < STATES; ++s) {
      DLTensor *present = &outputs[1 + s];
      EXPECT(kept[1 + s].data == (void *)memory[s]);
      EXPECT(kept[1 + s].shape[2] == past + 1);
      memcpy(dense[s], present->data,
             sizeof(float) * HEADS * WIDTH * (size_t)(past + 1));
      for (int h = 0; h < HEADS; ++h)
        for (int64_t t = 0; t <= past; ++t)
          for (int d = 0; d < WIDTH; ++d)
            EXPECT(fabsf(memory[s][(t * HEADS + h) * WIDTH + d] -
                         dense[s][(h * (past + 1) + t) * WIDTH + d]) < 1e-5f);
    }
    ids = (ids * 31 + past) % WORDS;
    for (int o = 0; o <= STATES; ++o) {
      lathe_release_output(plain_context, &outputs[o]);
      lathe_release_output(cached_context, &kept[o]);
    }
  }

  { /* Memory that is not a state's is refused, as is other memory outside. */
    int64_t one[] = {1, 1}, total[] = {1, 3}, shape[] = {1, HEADS, 2, WIDTH};
    int64_t next[] = {1, HEADS, 3, WIDTH};
    DLTensor inputs[2 + STATES], kept[1 + STATES];
    memset(kept, 0, sizeof(kept));
    inputs[0] = describe(&ids, kDLInt, 64, 2, one, NULL);
    inputs[1] = describe(mask, kDLInt, 64, 2, total, NULL);
    for (int s = 0; s < STATES; ++s)
      inputs[2 + s] = describe(memory[s], kDLFloat, 32, 4, shape, NULL);
    EXPECT(lathe_run(cached_context, inputs, kept) == LATHE_INVALID_ARGUMENT);
    EXPECT(strstr(lathe_context_message(cached_context),
                  "input 'past.key.0': expected memory of a state"));
    for (int s = 0; s < STATES; ++s)
      inputs[2 + s].strides = strides;
    kept[1] = describe(dense[0], kDLFloat, 32, 4, next, strides);
    EXPECT(lathe_run(cached_context, inputs, kept) == LATHE_INVALID_ARGUMENT);
    EXPECT(strstr(lathe_context_message(cached_context),
                  "output 'present.key.0': expected the memory of input "
                  "'past.key.0', got another"));
  }
  lathe_context_destroy(plain_context);
  lathe_context_destroy(cached_context);
  return 0;
}
