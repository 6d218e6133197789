/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The threads of a context.
 *
 * A launch cuts its tiles into one contiguous part per thread; a thread takes
 * its own part in small steps and then helps with the others'. Tiles are
 * independent, so the results do not depend on who computes which.
 *
 * One atomic word tells the workers about the current job: its number, whether
 * it may still be joined, and how many workers are inside. The launching
 * thread never waits for a worker that has not joined (it may be asleep or
 * descheduled): it finishes the tiles itself, closes the job, and waits only
 * for those inside. Idle workers spin for a moment while a run is going on and
 * sleep on a futex otherwise.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Runtime.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  STATE_INSIDE = 0xffff,   /* mask: workers that joined */
  STATE_OPEN = 0x10000,    /* the job may be joined */
  STATE_NUMBER_SHIFT = 17, /* above: number of the job */
  SPINS = 10000,   /* polls before sleeping: some 0.1 to 0.4 ms */
  JOIN_SPINS = 200,  /* polls for workers to leave before yielding to them */
  STEPS_PER_PART = 8 /* how finely a part can be shared out */
};

typedef struct lathe_rt_part {
  _Alignas(LATHE_RT_ALIGNMENT) atomic_llong next;
  int64_t end;
} lathe_rt_part;

typedef struct lathe_rt_worker {
  pthread_t thread;
  lathe_rt_pool *pool;
  int32_t index;
} lathe_rt_worker;

struct lathe_rt_pool {
  int32_t threads;
  int32_t started; /* workers, for the clean-up */
  bool flush;
  lathe_thread_pool user;
  /* The job; written while no worker is inside. */
  lathe_rt_job job;
  int64_t step;
  int32_t num_parts;
  lathe_rt_part *parts;
  lathe_rt_worker *workers;
  atomic_int result;
  _Alignas(LATHE_RT_ALIGNMENT) atomic_ullong state;
  _Alignas(LATHE_RT_ALIGNMENT) _Atomic uint32_t wake;
  atomic_int sleeping;
  atomic_bool running, stop;
};

static void cpuRelax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void futexWait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futexWakeAll(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* --- Working on a job --------------------------------------------------- */

static void work(lathe_rt_pool *pool, int32_t thread) {
  const lathe_rt_job *job = &pool->job;
  void *scratch =
      job->scratch ? job->scratch + thread * job->scratch_bytes : NULL;
  for (int32_t p = 0; p < pool->num_parts; ++p) {
    lathe_rt_part *part = &pool->parts[(thread + p) % pool->num_parts];
    for (;;) {
      int64_t begin, end;
      int32_t result;
      if (atomic_load_explicit(&part->next, memory_order_relaxed) >= part->end)
        break;
      begin = atomic_fetch_add_explicit(&part->next, pool->step,
                                        memory_order_relaxed);
      if (begin >= part->end)
        break;
      if (atomic_load_explicit(&pool->result, memory_order_relaxed))
        return;
      end = part->end - begin < pool->step ? part->end : begin + pool->step;
      result = job->kernel(job->args, begin, end, scratch);
      if (result)
        atomic_store_explicit(&pool->result, result, memory_order_relaxed);
    }
  }
}

static void workTask(void *pool_, int32_t index) {
  lathe_rt_pool *pool = pool_;
  uint64_t state = pool->flush ? lathe_rt_flush_denormals() : 0;
  work(pool, index);
  if (pool->flush)
    lathe_rt_restore_float(state);
}

static void runOwnThreads(lathe_rt_pool *pool) {
  unsigned long long state =
      atomic_load_explicit(&pool->state, memory_order_relaxed);
  state = ((state >> STATE_NUMBER_SHIFT) + 1) << STATE_NUMBER_SHIFT;
  atomic_store(&pool->state, state | STATE_OPEN);
  /* A worker counts itself as sleeping before it looks at the state for the
     last time, so either it sees this job or we see it. */
  if (atomic_load(&pool->sleeping)) {
    atomic_fetch_add(&pool->wake, 1);
    futexWakeAll(&pool->wake);
  }
  work(pool, 0);
  atomic_fetch_and(&pool->state, ~(unsigned long long)STATE_OPEN);
  for (int32_t spins = 0;
       atomic_load_explicit(&pool->state, memory_order_acquire) & STATE_INSIDE;
       ++spins) {
    if (spins < JOIN_SPINS)
      cpuRelax();
    else
      sched_yield();
  }
}

bool lathe_rt_pool_is_asleep(lathe_rt_pool *pool) {
  return atomic_load_explicit(&pool->sleeping, memory_order_relaxed) > 0;
}

int32_t lathe_rt_pool_run(lathe_rt_pool *pool, const lathe_rt_job *job) {
  int64_t parts = job->tiles < pool->threads ? job->tiles : pool->threads;
  pool->job = *job;
  pool->num_parts = (int32_t)parts;
  pool->step = job->tiles / (parts * STEPS_PER_PART);
  if (pool->step < 1)
    pool->step = 1;
  for (int64_t p = 0, begin = 0; p < parts; ++p) {
    int64_t count = job->tiles / parts + (p < job->tiles % parts);
    atomic_store_explicit(&pool->parts[p].next, begin, memory_order_relaxed);
    begin += count;
    pool->parts[p].end = begin;
  }
  atomic_store_explicit(&pool->result, 0, memory_order_relaxed);
  if (pool->user.parallel_for)
    pool->user.parallel_for(pool->user.user, (int32_t)parts, workTask, pool);
  else
    runOwnThreads(pool);
  return atomic_load_explicit(&pool->result, memory_order_relaxed);
}

/* --- Workers ------------------------------------------------------------ */

/* Whether a job other than number `seen` can be joined. */
static bool hasNewJob(unsigned long long state, unsigned long long seen) {
  return (state & STATE_OPEN) && (state >> STATE_NUMBER_SHIFT) != seen;
}

/* Returns false when the pool ends. */
static bool waitForJob(lathe_rt_pool *pool, unsigned long long seen) {
  for (int32_t spins = 0;
       spins < SPINS &&
       atomic_load_explicit(&pool->running, memory_order_relaxed);
       ++spins) {
    if (hasNewJob(atomic_load_explicit(&pool->state, memory_order_acquire),
                  seen))
      return true;
    cpuRelax();
  }
  for (;;) {
    uint32_t ticket = atomic_load(&pool->wake);
    bool found;
    atomic_fetch_add(&pool->sleeping, 1);
    found =
        hasNewJob(atomic_load(&pool->state), seen) || atomic_load(&pool->stop);
    if (!found)
      futexWait(&pool->wake, ticket);
    atomic_fetch_sub(&pool->sleeping, 1);
    if (atomic_load(&pool->stop))
      return false;
    if (hasNewJob(atomic_load(&pool->state), seen))
      return true;
  }
}

static void *workerMain(void *worker_) {
  lathe_rt_worker *worker = worker_;
  lathe_rt_pool *pool = worker->pool;
  unsigned long long seen = 0;
  if (pool->flush)
    lathe_rt_flush_denormals();
  while (waitForJob(pool, seen)) {
    unsigned long long state = atomic_load(&pool->state);
    while (hasNewJob(state, seen)) {
      if (!atomic_compare_exchange_weak(&pool->state, &state, state + 1))
        continue;
      seen = state >> STATE_NUMBER_SHIFT;
      work(pool, worker->index);
      atomic_fetch_sub_explicit(&pool->state, 1, memory_order_release);
      break;
    }
  }
  return NULL;
}

void lathe_rt_pool_enter(lathe_rt_pool *pool) {
  atomic_store_explicit(&pool->running, true, memory_order_relaxed);
}

void lathe_rt_pool_leave(lathe_rt_pool *pool) {
  atomic_store_explicit(&pool->running, false, memory_order_relaxed);
}

lathe_status lathe_rt_pool_create(int32_t threads,
                                  const lathe_thread_pool *user, bool flush,
                                  const lathe_allocator *allocator,
                                  lathe_rt_pool **result) {
  size_t parts = sizeof(lathe_rt_pool), workers;
  size_t bytes;
  lathe_rt_pool *pool;
  sigset_t all, old;
  workers = parts + (size_t)threads * sizeof(lathe_rt_part);
  bytes = workers + (size_t)threads * sizeof(lathe_rt_worker);
  pool = allocator->allocate(allocator->user, bytes, LATHE_RT_ALIGNMENT);
  if (!pool)
    return LATHE_OUT_OF_MEMORY;
  memset(pool, 0, bytes);
  pool->threads = threads;
  pool->flush = flush;
  pool->user = *user;
  pool->parts = (lathe_rt_part *)((char *)pool + parts);
  pool->workers = (lathe_rt_worker *)((char *)pool + workers);
  *result = pool;
  if (user->parallel_for)
    return LATHE_OK;
  /* The process's signals are for its own threads. */
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  for (int32_t i = 1; i < threads; ++i) {
    lathe_rt_worker *worker = &pool->workers[i];
    worker->pool = pool;
    worker->index = i;
    if (pthread_create(&worker->thread, NULL, workerMain, worker))
      break;
    ++pool->started;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (pool->started == threads - 1)
    return LATHE_OK;
  lathe_rt_pool_destroy(pool, allocator);
  *result = NULL;
  return LATHE_SYSTEM;
}

void lathe_rt_pool_destroy(lathe_rt_pool *pool,
                           const lathe_allocator *allocator) {
  atomic_store(&pool->stop, true);
  atomic_fetch_add(&pool->wake, 1);
  futexWakeAll(&pool->wake);
  for (int32_t i = 1; i <= pool->started; ++i)
    pthread_join(pool->workers[i].thread, NULL);
  allocator->release(allocator->user, pool);
}

/* --- Floating-point mode ------------------------------------------------ */

uint64_t lathe_rt_flush_denormals(void) {
#if defined(__x86_64__)
  enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x40 };
  uint32_t state = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(state | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
  return state;
#elif defined(__aarch64__)
  uint64_t state;
  __asm__ volatile("mrs %0, fpcr" : "=r"(state));
  __asm__ volatile("msr fpcr, %0" : : "r"(state | (uint64_t)1 << 24));
  return state;
#else
  return 0;
#endif
}

void lathe_rt_restore_float(uint64_t state) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((uint32_t)state);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(state));
#else
  (void)state;
#endif
}
