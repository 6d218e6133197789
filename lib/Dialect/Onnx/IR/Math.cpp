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

mlir::LogicalResult DetOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  ctx.result(0).elementType = x.elementType;
  if (!x.dims)
    return mlir::success();
  if (x.getRank() < 2)
    return ctx.emitError() << "expects operand #0 of rank at least 2, got rank "
                           << x.getRank();
  llvm::ArrayRef<mlir::AffineExpr> dims(*x.dims);
  if (!ctx.assumeEqual(dims.back(), dims[dims.size() - 2]))
    return ctx.emitError() << "expects square matrices, got "
                           << dims[dims.size() - 2] << " by " << dims.back();
  ctx.result(0).dims = Dims(dims.drop_back(2));
  return mlir::success();
}
