// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_REMAINDER_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_REMAINDER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// The exact remainder of `x / y`, with the sign of `x`, as C's fmod, without a
/// call. `element` is the type of the numbers in ONNX; `x` and `y` are in its
/// compute type.
mlir::Value emitRemainder(mlir::ImplicitLocOpBuilder &b, mlir::Type element,
                          mlir::Value x, mlir::Value y);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_REMAINDER_H
