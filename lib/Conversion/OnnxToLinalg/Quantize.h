// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_QUANTIZE_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_QUANTIZE_H

#include "Lowering.h"

namespace lathe {

/// Rounds the `f32` or `f64` value `x`, adds `zeroPoint` (a computed value of
/// type `element`, or null) and saturates. Integers round to even; NaN gives
/// the least one.
mlir::Value quantizeScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                           mlir::Value zeroPoint, mlir::Type element,
                           bool saturate = true);

/// The one number that all elements of an integer constant are; nothing where
/// `operand` is no such constant.
std::optional<int64_t> getConstantInteger(const Operand &operand);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_QUANTIZE_H
