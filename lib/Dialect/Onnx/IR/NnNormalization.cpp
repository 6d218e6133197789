// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules of normalizations.

#include "Rules.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"

using namespace mlir;
using namespace lathe::onnx;

//===----------------------------------------------------------------------===//
// By channels
//===----------------------------------------------------------------------===//

/// Reports unless operand 0 has a dimension of channels, the second.
static LogicalResult expectChannels(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  if (x.dims && x.getRank() < 2)
    return ctx.emitError() << "expects operand #0 of rank at least 2, got rank "
                           << x.getRank();
  return success();
}

/// Reports unless `operands` have one element for each channel of operand 0.
static LogicalResult expectPerChannel(ShapeContext &ctx,
                                      ArrayRef<unsigned> operands) {
  if (failed(expectChannels(ctx)))
    return failure();
  const TensorInfo &x = ctx.operand(0);
  for (unsigned i : operands) {
    if (failed(ctx.expectRank(i, 1)))
      return failure();
    if (!x.dims || !ctx.operand(i).dims)
      continue;
    AffineExpr size = ctx.operand(i).dims->front();
    if (!ctx.assumeEqual((*x.dims)[1], size))
      return ctx.emitError()
             << "expects " << (*x.dims)[1] << " channels in operand #" << i
             << ", got " << size;
  }
  return success();
}

LogicalResult BatchNormalizationOp::inferShapes(ShapeContext &ctx) {
  if (failed(rule::sameShape(ctx)) ||
      failed(expectPerChannel(ctx, {1, 2, 3, 4})))
    return failure();
  for (unsigned i : {1u, 2u}) {
    ctx.result(i).elementType = ctx.operand(3).elementType;
    ctx.result(i).dims = ctx.operand(i + 2).dims;
  }
  return success();
}

LogicalResult GroupNormalizationOp::inferShapes(ShapeContext &ctx) {
  if (failed(rule::sameShape(ctx)) || failed(expectPerChannel(ctx, {1, 2})))
    return failure();
  if (!ctx.operand(0).dims)
    return success();
  AffineExpr channels = (*ctx.operand(0).dims)[1];
  int64_t groups = getNumGroups();
  if (!ctx.assumeEqual(channels.floorDiv(groups) * groups, channels))
    return ctx.emitError() << "expects channels in " << groups
                           << " groups of one size, got " << channels;
  return success();
}

LogicalResult InstanceNormalizationOp::inferShapes(ShapeContext &ctx) {
  if (failed(rule::sameShape(ctx)))
    return failure();
  return expectPerChannel(ctx, {1, 2});
}

LogicalResult LRNOp::inferShapes(ShapeContext &ctx) {
  if (failed(expectChannels(ctx)))
    return failure();
  return rule::sameShape(ctx);
}

//===----------------------------------------------------------------------===//
// By axes
//===----------------------------------------------------------------------===//

FailureOr<Dims> rule::keepBefore(ShapeContext &ctx, int64_t axis) {
  const TensorInfo &x = ctx.operand(0);
  auto first = ctx.normalizeAxis(axis, x.getRank());
  if (failed(first))
    return failure();
  Dims dims = *x.dims;
  std::fill(dims.begin() + *first, dims.end(), ctx.constant(1));
  return dims;
}

LogicalResult LayerNormalizationOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  auto type = ctx.getCommonElementType({0, 1, 2});
  if (failed(type) || failed(rule::sameShape(ctx)))
    return failure();
  Type stash = getElementTypeOf(ctx.getContext(), getStashType());
  if (!stash || !isa<FloatType>(stash))
    return ctx.emitError() << "expects stash_type to be the number of a float "
                              "type, got "
                           << getStashType();
  ctx.result(1).elementType = ctx.result(2).elementType = stash;
  if (!x.dims)
    return success();
  FailureOr<Dims> dims = rule::keepBefore(ctx, getAxis());
  if (failed(dims))
    return failure();
  ctx.result(1).dims = ctx.result(2).dims = *dims;
  for (unsigned i : {1u, 2u})
    if (failed(rule::expectBroadcast(ctx, i)))
      return failure();
  return success();
}

LogicalResult RMSNormalizationOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  if (x.dims && failed(ctx.normalizeAxis(getAxis(), x.getRank())))
    return failure();
  if (failed(rule::expectBroadcast(ctx, 1)))
    return failure();
  return rule::sameShape(ctx, nullptr, /*element=*/1);
}

LogicalResult MeanVarianceNormalizationOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  if (x.dims && failed(ctx.normalizeAxes(getAxes(), x.getRank())))
    return failure();
  return rule::sameShape(ctx);
}
