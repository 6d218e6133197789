// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/ContribQuant.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/ContribQuant.cpp.inc"

void OnnxDialect::registerContribQuantOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/ContribQuant.cpp.inc"
      >();
}

/// Two quantized operands, 0 and 3, that broadcast, with their scales and zero
/// points and those of the result.
static LogicalResult inferBinary(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 2, 3, 5, 7});
  if (failed(type))
    return failure();
  for (unsigned i : {1u, 2u, 4u, 5u, 6u, 7u})
    if (failed(rule::expectOneElement(ctx, i)))
      return failure();
  ctx.result(0).elementType = *type;
  if (!ctx.operand(0).dims || !ctx.operand(3).dims)
    return success();
  auto dims = ctx.broadcast(*ctx.operand(0).dims, *ctx.operand(3).dims);
  if (failed(dims))
    return failure();
  ctx.result(0).dims = *dims;
  return success();
}

LogicalResult MsQLinearAddOp::inferShapes(ShapeContext &ctx) {
  return inferBinary(ctx);
}
