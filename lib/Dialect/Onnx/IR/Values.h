// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What shape rules know of sequences, maps and optionals.

#ifndef LATHE_LIB_DIALECT_ONNX_IR_VALUES_H
#define LATHE_LIB_DIALECT_ONNX_IR_VALUES_H

#include "lathe/Dialect/Onnx/IR/SymbolicShapes.h"

namespace lathe::onnx {

/// The type of what has the type `a` or `b`; null if they have nothing in
/// common.
mlir::Type joinTypes(mlir::Type a, mlir::Type b);

/// What is true of both `a` and `b`, of which one at least is no tensor.
TensorInfo joinValues(const TensorInfo &a, const TensorInfo &b);

/// The sequence that an info tells of, or null.
inline SequenceType getSequence(const TensorInfo &info) {
  return mlir::dyn_cast_or_null<SequenceType>(info.valueType);
}

/// What is known of a value of type `type`; a size that the type does not give
/// is that in `known`, or else the fresh symbol of its slot from `slot` on.
TensorInfo getInfoOfType(ShapeContext &ctx, mlir::Type type,
                         const std::optional<Dims> &known, unsigned slot);

} // namespace lathe::onnx

#endif // LATHE_LIB_DIALECT_ONNX_IR_VALUES_H
