// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTVECTOR_H
#define LATHE_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTVECTOR_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace lathe::onnx {

/// The elements of a constant vector of f32.
std::optional<llvm::SmallVector<double>> getVector(mlir::Value value);

/// A constant vector of f32.
mlir::Value makeVector(mlir::OpBuilder &builder, mlir::Location loc,
                       llvm::ArrayRef<double> numbers);

} // namespace lathe::onnx

#endif // LATHE_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTVECTOR_H
