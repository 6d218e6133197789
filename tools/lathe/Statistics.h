// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Summaries of measured times.

#ifndef LATHE_TOOLS_LATHE_STATISTICS_H
#define LATHE_TOOLS_LATHE_STATISTICS_H

#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace lathe::driver {

struct Statistics {
  double min = 0, median = 0, p90 = 0, p99 = 0;
  double spread = 0; ///< Interquartile range over the median.
};

/// Values between samples are interpolated. `samples` is not empty.
Statistics getStatistics(std::vector<double> samples);

/// The median of a[i] / b[i].
double getPairedRatio(llvm::ArrayRef<double> a, llvm::ArrayRef<double> b);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_STATISTICS_H
