// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Minimal filtering algorithms F(m, r): m outputs of a filter of r taps by
// m + r - 1 products (Winograd, "Arithmetic Complexity of Computations", 1980;
// for convolutions Lavin and Gray, arXiv 1509.09308).

#ifndef LATHE_DIALECT_LATHE_IR_MINIMALFILTER_H
#define LATHE_DIALECT_LATHE_IR_MINIMALFILTER_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>

namespace lathe {

/// The outputs `y[i] = sum d[i + k] * g[k]` are
/// `output * ((filter * g) . (input * d))`, with `.` point by point.
struct MinimalFilter {
  using Matrix = llvm::SmallVector<llvm::SmallVector<double>>;
  Matrix input;  ///< Square, as many rows as products. Exact in f32.
  Matrix filter; ///< A row per product, a column per tap. Rounded to double.
  Matrix output; ///< A row per output, a column per product. Exact in f32.
};

/// The algorithm for `outputs` outputs of a filter of `taps` taps, both
/// positive; none where its products are neither 4, 6 nor 8.
std::optional<MinimalFilter> getMinimalFilter(int64_t outputs, int64_t taps);

} // namespace lathe

#endif // LATHE_DIALECT_LATHE_IR_MINIMALFILTER_H
