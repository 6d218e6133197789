// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Math.h"
#include "Rules.h"

using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Math.cpp.inc"

void OnnxDialect::registerMathOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Math.cpp.inc"
      >();
}

/// Not where the types say more of one than of the other.
mlir::OpFoldResult IdentityOp::fold(FoldAdaptor) {
  return getX().getType() == getY().getType() ? getX() : mlir::Value();
}
