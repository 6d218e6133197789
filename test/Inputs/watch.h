/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Counts every allocation of the program, whoever makes it. To be included by
 * one file.
 */
#ifndef LATHE_TEST_WATCH_H
#define LATHE_TEST_WATCH_H

#include <stdatomic.h>
#include <stddef.h>

static atomic_long allocations;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <sanitizer/allocator_interface.h>

/* The sanitizer allocates when a thread starts, whenever that is. */
static _Thread_local int is_main;

static void countAllocation(const volatile void *memory, size_t bytes) {
  (void)memory, (void)bytes;
  atomic_fetch_add(&allocations, is_main);
}

static void ignoreRelease(const volatile void *memory) { (void)memory; }

__attribute__((constructor)) static void watchAllocations(void) {
  is_main = 1;
  __sanitizer_install_malloc_and_free_hooks(countAllocation, ignoreRelease);
}
#else
/* glibc's own functions under their other names. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **result, size_t alignment, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  *result = __libc_memalign(alignment, bytes);
  return *result ? 0 : 12; /* ENOMEM */
}
#endif

#endif /* LATHE_TEST_WATCH_H */
