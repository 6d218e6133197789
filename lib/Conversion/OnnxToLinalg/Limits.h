// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_LIMITS_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_LIMITS_H

#include "mlir/IR/Builders.h"

namespace lathe {

/// What no element of `element`, a type in ONNX, is below; in storage type.
mlir::TypedAttr getLeast(mlir::Builder &b, mlir::Type element);
/// What no element of it is above.
mlir::TypedAttr getGreatest(mlir::Builder &b, mlir::Type element);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_LIMITS_H
