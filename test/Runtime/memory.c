/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Memory: no allocation once a shape was seen, the caller's allocator and
 * arena. malloc itself is watched, so nothing can allocate behind our back.
 *
 * RUN: %unit/lathe-runtime-memory
 */
#define _GNU_SOURCE
#include "../Inputs/watch.h"
#include "FakeModel.h"

#include <string.h>

static void testNoAllocation(void) {
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  FakeData *small = makeFakeData(3, 5, 1), *large = makeFakeData(50, 9, 2);
  long before;
  options.num_threads = 3;
  EXPECT(!lathe_context_create(fake_lathe_model(), &options, &ctx));
  EXPECT(!lathe_run(ctx, small->inputs, small->outputs));
  EXPECT(!lathe_run(ctx, large->inputs, large->outputs));
  before = atomic_load(&allocations);
  for (int i = 0; i < 20; ++i) {
    EXPECT(!lathe_run(ctx, small->inputs, small->outputs));
    EXPECT(!lathe_run(ctx, large->inputs, large->outputs));
  }
  EXPECT(atomic_load(&allocations) == before);
  EXPECT(!memcmp(small->z, small->expected_z, 96));
  EXPECT(!memcmp(large->z, large->expected_z, 1600));
  lathe_context_destroy(ctx);
  freeFakeData(small);
  freeFakeData(large);
}

typedef struct Budget {
  int allocations, held, left;
} Budget;

static void *budgetAllocate(void *user, size_t bytes, size_t alignment) {
  Budget *budget = user;
  void *memory = NULL;
  if (!budget->left--)
    return budget->left = 0, NULL;
  ++budget->allocations, ++budget->held;
  EXPECT(alignment == 64);
  return posix_memalign(&memory, alignment, bytes) ? NULL : memory;
}

static void budgetRelease(void *user, void *memory) {
  --((Budget *)user)->held;
  free(memory);
}

/* Whichever allocation fails, the error is reported and nothing leaks. */
static void testFailingAllocator(void) {
  for (int left = 0; left < 8; ++left) {
    Budget budget = {0, 0, left};
    lathe_options options = LATHE_OPTIONS_INIT;
    lathe_context *ctx;
    DLTensor outputs[2];
    FakeData *d = makeFakeData(3, 5, 1);
    lathe_status status;
    memset(outputs, 0, sizeof(outputs));
    options.num_threads = 2;
    options.allocator.user = &budget;
    options.allocator.allocate = budgetAllocate;
    options.allocator.release = budgetRelease;
    status = lathe_context_create(fake_lathe_model(), &options, &ctx);
    EXPECT(status == (left < 2 ? LATHE_OUT_OF_MEMORY : LATHE_OK));
    if (!status) {
      status = lathe_run(ctx, d->inputs, outputs);
      EXPECT(status == (left < 5 ? LATHE_OUT_OF_MEMORY : LATHE_OK));
      lathe_release_output(ctx, &outputs[0]);
      lathe_release_output(ctx, &outputs[1]);
    }
    lathe_context_destroy(ctx);
    EXPECT(budget.held == 0);
    freeFakeData(d);
  }
}

static void testCallersArena(void) {
  static _Alignas(64) char arena[4096];
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  FakeData *d = makeFakeData(3, 5, 1), *large = makeFakeData(500, 5, 1);
  const int64_t *shapes[2] = {d->x_shape, d->y_shape};
  size_t bytes;
  options.num_threads = 2;
  options.arena = arena;
  options.arena_bytes = sizeof(arena);
  EXPECT(!lathe_context_create(fake_lathe_model(), &options, &ctx));
  EXPECT(!lathe_workspace_bytes(ctx, shapes, &bytes));
  EXPECT(bytes == 256 + 2 * 64);
  EXPECT(!lathe_run(ctx, d->inputs, d->outputs));
  EXPECT(!memcmp(d->z, d->expected_z, 96));
  EXPECT(lathe_run(ctx, large->inputs, large->outputs) == LATHE_OUT_OF_MEMORY);
  EXPECT(!strcmp(lathe_context_message(ctx),
                 "arena: expected at least 32128 bytes, got 4096"));
  lathe_context_destroy(ctx);
  options.arena = arena + 8;
  EXPECT(lathe_context_create(fake_lathe_model(), &options, &ctx) ==
         LATHE_INVALID_ARGUMENT);
  freeFakeData(d);
  freeFakeData(large);
}

/* More shapes than the context remembers: replanned, still right. */
static void testManyShapes(void) {
  lathe_context *ctx;
  EXPECT(!lathe_context_create(fake_lathe_model(), NULL, &ctx));
  for (int run = 0; run < 100; ++run) {
    int64_t batch = 1 + run % 20;
    FakeData *d = makeFakeData(batch, 3, (float)run);
    EXPECT(!lathe_run(ctx, d->inputs, d->outputs));
    EXPECT(!memcmp(d->z, d->expected_z, (size_t)batch * 32));
    freeFakeData(d);
  }
  lathe_context_destroy(ctx);
}

int main(void) {
  testNoAllocation();
  testFailingAllocator();
  testCallersArena();
  testManyShapes();
  return 0;
}
