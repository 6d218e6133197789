// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Random.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Random.cpp.inc"

void OnnxDialect::registerRandomOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Random.cpp.inc"
      >();
}

/// Sets the element type from ONNX's number, or, without one, to `otherwise`.
static LogicalResult setElement(ShapeContext &ctx,
                                std::optional<int64_t> number, Type otherwise) {
  Type type = otherwise;
  if (number)
    type = getElementTypeOf(ctx.getContext(), *number);
  if (number && !isa_and_nonnull<FloatType>(type))
    return ctx.emitError()
           << "expects the number of a float type as dtype, got " << *number;
  ctx.result(0).elementType = type;
  return success();
}

static LogicalResult setSizes(ShapeContext &ctx, ArrayRef<int64_t> shape) {
  Dims dims;
  for (int64_t size : shape) {
    if (size < 0)
      return ctx.emitError()
             << "expects sizes of at least 0 in shape, got " << size;
    dims.push_back(ctx.constant(size));
  }
  ctx.result(0).dims = dims;
  return success();
}

static LogicalResult setLike(ShapeContext &ctx, std::optional<int64_t> number) {
  ctx.result(0).dims = ctx.operand(0).dims;
  Type type = ctx.operand(0).elementType;
  if (!number && type && !isa<FloatType, UnknownType>(type))
    return ctx.emitError() << "expects dtype where the operand has no float "
                              "type, got "
                           << type;
  return setElement(ctx, number, type);
}

LogicalResult RandomUniformOp::inferShapes(ShapeContext &ctx) {
  return failed(setSizes(ctx, getShape())) ? failure()
                                           : setElement(ctx, getDtype(), {});
}

LogicalResult RandomNormalOp::inferShapes(ShapeContext &ctx) {
  return failed(setSizes(ctx, getShape())) ? failure()
                                           : setElement(ctx, getDtype(), {});
}

LogicalResult RandomUniformLikeOp::inferShapes(ShapeContext &ctx) {
  return setLike(ctx, getDtype());
}

LogicalResult RandomNormalLikeOp::inferShapes(ShapeContext &ctx) {
  return setLike(ctx, getDtype());
}

LogicalResult MultinomialOp::inferShapes(ShapeContext &ctx) {
  Type type = getElementTypeOf(ctx.getContext(), getDtype());
  if (!type || !(type.isSignlessInteger(32) || type.isSignlessInteger(64)))
    return ctx.emitError() << "expects dtype 6 (int32) or 7 (int64), got "
                           << getDtype();
  ctx.result(0).elementType = type;
  if (failed(ctx.expectRank(0, 2)))
    return failure();
  if (const auto &dims = ctx.operand(0).dims)
    ctx.result(0).dims = Dims{(*dims)[0], ctx.constant(getSampleSize())};
  return success();
}
