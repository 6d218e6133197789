// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Summaries of measured times.

#include "Statistics.h"
#include "llvm/ADT/STLExtras.h"

using namespace lathe::driver;
using namespace llvm;

static double getQuantile(ArrayRef<double> sorted, double quantile) {
  double position = quantile * static_cast<double>(sorted.size() - 1);
  size_t below = static_cast<size_t>(position);
  size_t above = std::min(below + 1, sorted.size() - 1);
  double part = position - static_cast<double>(below);
  return sorted[below] * (1 - part) + sorted[above] * part;
}

Statistics lathe::driver::getStatistics(std::vector<double> samples) {
  llvm::sort(samples);
  Statistics result;
  result.min = samples.front();
  result.median = getQuantile(samples, 0.5);
  result.p90 = getQuantile(samples, 0.9);
  result.p99 = getQuantile(samples, 0.99);
  if (result.median > 0)
    result.spread = (getQuantile(samples, 0.75) - getQuantile(samples, 0.25)) /
                    result.median;
  return result;
}

double lathe::driver::getPairedRatio(ArrayRef<double> a, ArrayRef<double> b) {
  std::vector<double> ratios;
  for (auto [x, y] : zip(a, b))
    ratios.push_back(x / y);
  return getStatistics(std::move(ratios)).median;
}
