/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Threads: the same bits for any number of them, many contexts at once, the
 * caller's pool, and one call at a time per context.
 *
 * RUN: %unit/lathe-runtime-threads
 */
#include "FakeModel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static lathe_context *makeContext(int threads) {
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  options.num_threads = threads;
  EXPECT(lathe_context_create(fake_lathe_model(), &options, &ctx) == LATHE_OK);
  EXPECT(lathe_context_num_threads(ctx) == threads);
  return ctx;
}

static void testSameBits(void) {
  int counts[] = {1, 2, 7, 16};
  FakeData *d = makeFakeData(1000, 333, 0.1f);
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); ++i) {
    lathe_context *ctx = makeContext(counts[i]);
    for (int run = 0; run < 50; ++run) {
      memset(d->z, 0, 32000);
      memset(d->w, 0, 333 * 8);
      EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
      EXPECT(!memcmp(d->z, d->expected_z, 32000));
      EXPECT(!memcmp(d->w, d->expected_w, 333 * 8));
    }
    lathe_context_destroy(ctx);
  }
  freeFakeData(d);
}

static void *runMany(void *seed_) {
  int seed = *(int *)seed_;
  lathe_context *ctx = makeContext(1 + seed % 3);
  for (int run = 0; run < 200; ++run) {
    int64_t batch = 1 + (seed * 7 + run) % 40, n = 1 + run % 12;
    FakeData *d = makeFakeData(batch, n, (float)seed);
    EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
    EXPECT(!memcmp(d->z, d->expected_z, (size_t)batch * 32));
    EXPECT(!memcmp(d->w, d->expected_w, (size_t)n * 8));
    freeFakeData(d);
  }
  lathe_context_destroy(ctx);
  return NULL;
}

static void testManyContexts(void) {
  pthread_t threads[8];
  int seeds[8];
  for (int i = 0; i < 8; ++i) {
    seeds[i] = i;
    EXPECT(!pthread_create(&threads[i], NULL, runMany, &seeds[i]));
  }
  for (int i = 0; i < 8; ++i)
    pthread_join(threads[i], NULL);
}

static void *createMany(void *unused) {
  (void)unused;
  for (int i = 0; i < 100; ++i)
    lathe_context_destroy(makeContext(4));
  return NULL;
}

static void testStartAndStop(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i)
    EXPECT(!pthread_create(&threads[i], NULL, createMany, NULL));
  for (int i = 0; i < 3; ++i)
    pthread_join(threads[i], NULL);
}

/* Calls the tasks backwards, one after the other. */
static void backwards(void *user, int32_t tasks,
                      void (*task)(void *arg, int32_t index), void *arg) {
  ++*(int *)user;
  for (int32_t i = tasks - 1; i >= 0; --i)
    task(arg, i);
}

static void testCallersPool(void) {
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  FakeData *d = makeFakeData(100, 20, 2);
  int calls = 0;
  options.num_threads = 5;
  options.flags = LATHE_FLUSH_DENORMALS;
  options.thread_pool.user = &calls;
  options.thread_pool.parallel_for = backwards;
  EXPECT(lathe_context_create(fake_lathe_model(), &options, &ctx) == LATHE_OK);
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
  EXPECT(calls == 6);
  EXPECT(!memcmp(d->z, d->expected_z, 3200));
  EXPECT(!memcmp(d->w, d->expected_w, 160));
  freeFakeData(d);
  lathe_context_destroy(ctx);
}

/* A pool that tries to use the context again from inside a run. */
static void reenter(void *ctx, int32_t tasks,
                    void (*task)(void *arg, int32_t index), void *arg) {
  const int64_t x[2] = {1, 8}, y[2] = {1, 1};
  const int64_t *shapes[2] = {x, y};
  size_t bytes;
  EXPECT(lathe_workspace_bytes(*(lathe_context **)ctx, shapes, &bytes) ==
         LATHE_BUSY);
  for (int32_t i = 0; i < tasks; ++i)
    task(arg, i);
}

static void testBusy(void) {
  lathe_options options = LATHE_OPTIONS_INIT;
  lathe_context *ctx;
  FakeData *d = makeFakeData(10, 20, 2);
  options.num_threads = 2;
  options.thread_pool.user = &ctx;
  options.thread_pool.parallel_for = reenter;
  EXPECT(lathe_context_create(fake_lathe_model(), &options, &ctx) == LATHE_OK);
  EXPECT(lathe_run(ctx, d->inputs, d->outputs) == LATHE_OK);
  freeFakeData(d);
  lathe_context_destroy(ctx);
}

static void testDefaultCount(void) {
  lathe_context *ctx;
  setenv("LATHE_NUM_THREADS", "3", 1);
  EXPECT(!lathe_context_create(fake_lathe_model(), NULL, &ctx));
  EXPECT(lathe_context_num_threads(ctx) == 3);
  lathe_context_destroy(ctx);
  unsetenv("LATHE_NUM_THREADS");
  EXPECT(!lathe_context_create(fake_lathe_model(), NULL, &ctx));
  EXPECT(lathe_context_num_threads(ctx) >= 1);
  lathe_context_destroy(ctx);
}

int main(void) {
  testSameBits();
  testManyContexts();
  testStartAndStop();
  testCallersPool();
  testBusy();
  testDefaultCount();
  return 0;
}
