// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floats of 8 bits or less: their codes, one in a byte, from and to `f32`.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_NARROWFLOAT_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_NARROWFLOAT_H

#include "Lowering.h"

namespace lathe {

/// The number, as `f32`, that the `i8` value `code` stands for in `type`. Bits
/// above the width of `type` are ignored. Every number of these types is one of
/// `f32`.
mlir::Value decodeFloat(mlir::ImplicitLocOpBuilder &b, mlir::Value code,
                        mlir::FloatType type);

/// The code, as `i8`, of the number of `type` nearest to the `f32` value `x`:
/// ties go to the even code, and what is out of range goes where `rules` say.
mlir::Value encodeFloat(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                        mlir::FloatType type, CastRules rules);

/// The `f64` value `x` as `f32`, rounded to odd, so that rounding it again to
/// fewer bits gives what rounding `x` itself would.
mlir::Value roundToOdd(mlir::ImplicitLocOpBuilder &b, mlir::Value x);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_NARROWFLOAT_H
