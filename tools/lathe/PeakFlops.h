// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the processor can do at best, measured: the roof that results are held
// against.

#ifndef LATHE_TOOLS_LATHE_PEAKFLOPS_H
#define LATHE_TOOLS_LATHE_PEAKFLOPS_H

namespace lathe::driver {

/// Float32 operations per nanosecond that `threads` threads reach together with
/// nothing but fused multiply-adds on registers; the widest vectors are used.
double measurePeakFlops(unsigned threads);

/// Bytes per nanosecond, read and written, that `threads` threads move together
/// when each copies more than its caches hold.
double measurePeakBandwidth(unsigned threads);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_PEAKFLOPS_H
