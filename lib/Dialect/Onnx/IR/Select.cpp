// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Select.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Select.cpp.inc"

void OnnxDialect::registerSelectOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Select.cpp.inc"
      >();
}

LogicalResult ReverseSequenceOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  ctx.result(0).elementType = x.elementType;
  ctx.result(0).dims = x.dims;
  int64_t batch = getBatchAxis(), time = getTimeAxis();
  if (batch < 0 || batch > 1 || time != 1 - batch)
    return ctx.emitError() << "expects batch_axis and time_axis to be 0 and 1, "
                              "got "
                           << batch << " and " << time;
  if (failed(ctx.expectRank(1, 1)))
    return failure();
  if (x.dims && x.getRank() < 2)
    return ctx.emitError() << "expects operand #0 of rank at least 2, got rank "
                           << x.getRank();
  const auto &lens = ctx.operand(1).dims;
  if (x.dims && lens && !ctx.assumeEqual((*x.dims)[batch], (*lens)[0]))
    return ctx.emitError() << "expects " << (*x.dims)[batch]
                           << " elements in operand #1, got " << (*lens)[0];
  return success();
}

LogicalResult TensorScatterOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1});
  if (failed(type))
    return failure();
  const TensorInfo &x = ctx.operand(0);
  ctx.result(0).elementType = *type;
  ctx.result(0).dims = x.dims;
  if (!x.dims)
    return success();
  auto axis = ctx.normalizeAxis(getAxis(), x.getRank());
  if (failed(axis))
    return failure();
  if (*axis == 0)
    return ctx.emitError() << "expects an axis after the first, got "
                           << getAxis();
  if (failed(ctx.expectRank(1, x.getRank())) || failed(ctx.expectRank(2, 1)))
    return failure();
  if (const auto &update = ctx.operand(1).dims)
    for (int64_t i = 0; i < x.getRank(); ++i) {
      AffineExpr have = (*update)[i], want = (*x.dims)[i];
      if (i == *axis ? !ctx.assumeAtLeast(want, have)
                     : !ctx.assumeEqual(want, have))
        return ctx.emitError() << "expects size " << want << " in dimension "
                               << i << " of operand #1, got " << have;
    }
  if (const auto &at = ctx.operand(2).dims;
      ctx.isPresent(2) && at && !ctx.assumeEqual((*x.dims)[0], (*at)[0]))
    return ctx.emitError() << "expects " << (*x.dims)[0]
                           << " elements in operand #2, got " << (*at)[0];
  return success();
}

LogicalResult CompressOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  ctx.result(0).elementType = x.elementType;
  if (failed(ctx.expectRank(1, 1)))
    return failure();
  if (!getAxis()) {
    ctx.result(0).dims = Dims{ctx.fresh(0)};
    return success();
  }
  if (!x.dims)
    return success();
  auto axis = ctx.normalizeAxis(*getAxis(), x.getRank());
  if (failed(axis))
    return failure();
  ctx.result(0).dims = x.dims;
  (*ctx.result(0).dims)[*axis] = ctx.fresh(0);
  return success();
}

LogicalResult UniqueOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  ctx.result(0).elementType = x.elementType;
  for (unsigned i : {1u, 2u, 3u})
    ctx.result(i).elementType = IntegerType::get(ctx.getContext(), 64);
  AffineExpr count = ctx.fresh(0);
  ctx.result(1).dims = ctx.result(3).dims = Dims{count};
  if (!x.dims)
    return success();
  if (!getAxis()) {
    ctx.result(0).dims = Dims{count};
    ctx.result(2).dims = Dims{getProduct(*x.dims, ctx.getContext())};
    return success();
  }
  auto axis = ctx.normalizeAxis(*getAxis(), x.getRank());
  if (failed(axis))
    return failure();
  ctx.result(0).dims = x.dims;
  (*ctx.result(0).dims)[*axis] = count;
  ctx.result(2).dims = Dims{(*x.dims)[*axis]};
  return success();
}

LogicalResult NonMaxSuppressionOp::inferShapes(ShapeContext &ctx) {
  const auto &boxes = ctx.operand(0).dims, &scores = ctx.operand(1).dims;
  ctx.result(0).elementType = IntegerType::get(ctx.getContext(), 64);
  ctx.result(0).dims = Dims{ctx.fresh(0), ctx.constant(3)};
  if (failed(ctx.expectRank(0, 3)) || failed(ctx.expectRank(1, 3)) ||
      failed(rule::expectScalars(ctx, {2, 3, 4})))
    return failure();
  if (boxes && !ctx.assumeEqual((*boxes)[2], ctx.constant(4)))
    return ctx.emitError() << "expects boxes of 4 numbers, got " << (*boxes)[2];
  if (!boxes || !scores)
    return success();
  if (!ctx.assumeEqual((*boxes)[0], (*scores)[0]) ||
      !ctx.assumeEqual((*boxes)[1], (*scores)[2]))
    return ctx.emitError() << "expects scores of " << (*boxes)[0]
                           << " batches of " << (*boxes)[1] << " boxes, got "
                           << (*scores)[0] << " of " << (*scores)[2];
  return success();
}
