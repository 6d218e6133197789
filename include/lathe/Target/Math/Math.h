// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mathematical functions as arithmetic, for targets without a libm.

#ifndef LATHE_TARGET_MATH_MATH_H
#define LATHE_TARGET_MATH_MATH_H

#include "llvm/Support/LogicalResult.h"

namespace mlir {
class Operation;
} // namespace mlir

namespace lathe {

/// Replaces all ops of the `math` dialect in `root` that no processor has as an
/// instruction by arithmetic on the same vectors, within 2 ulp for f32.
llvm::LogicalResult expandMath(mlir::Operation *root);

} // namespace lathe

#endif // LATHE_TARGET_MATH_MATH_H
