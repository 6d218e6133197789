/* Part of the Lathe project, under the Apache License v2.0 with LLVM
 * Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Linked into the programs of a sanitized build that use LLVM: its allocators
 * poison what they hand out in headers but not in libLLVM, which is not
 * instrumented, and what is reachable from its globals is not given back.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "detect_leaks=0:allow_user_poisoning=0:"
         "allocator_may_return_null=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) { return "print_stacktrace=1"; }
