// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass from the `onnx` dialect to tensor loops, and its families of
// lowerings.

#ifndef LATHE_CONVERSION_ONNXTOLINALG_ONNXTOLINALG_H
#define LATHE_CONVERSION_ONNXTOLINALG_ONNXTOLINALG_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
class TypeConverter;
} // namespace mlir

namespace lathe {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lathe/Conversion/OnnxToLinalg/Passes.h.inc"

/// Makes `types` map the types of the `onnx` level to those of storage: bool is
/// `i8`, integers are signless.
void populateStorageTypes(mlir::TypeConverter &types);

} // namespace lathe

#endif // LATHE_CONVERSION_ONNXTOLINALG_ONNXTOLINALG_H
