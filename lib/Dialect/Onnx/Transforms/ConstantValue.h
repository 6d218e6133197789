// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTVALUE_H
#define LATHE_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTVALUE_H

#include "lathe/Dialect/Onnx/IR/SymbolicShapes.h"

namespace lathe::onnx {

/// The value of a tensor all of whose elements are known; null otherwise.
mlir::DenseElementsAttr getConstantValue(mlir::Type type,
                                         const TensorInfo &info);

} // namespace lathe::onnx

#endif // LATHE_LIB_DIALECT_ONNX_TRANSFORMS_CONSTANTVALUE_H
