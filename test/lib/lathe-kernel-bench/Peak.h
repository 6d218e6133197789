// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TEST_LIB_LATHE_KERNEL_BENCH_PEAK_H
#define LATHE_TEST_LIB_LATHE_KERNEL_BENCH_PEAK_H

/// Floating-point operations per second of one core's FMA units on f32; 0 where
/// it is not known how to measure them.
double measurePeak();

#endif // LATHE_TEST_LIB_LATHE_KERNEL_BENCH_PEAK_H
