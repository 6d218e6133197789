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

/// Checks that operand `i`, where it is there, has one element, or one for each
/// of `columns`.
static LogicalResult expectPerColumn(ShapeContext &ctx, unsigned i,
                                     AffineExpr columns) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims)
    return success();
  const Dims &dims = *ctx.operand(i).dims;
  if (llvm::all_of(dims, [](AffineExpr d) { return getConstant(d) == 1; }))
    return success();
  if (failed(ctx.expectRank(i, 1)))
    return failure();
  if (!ctx.assumeEqual(dims[0], columns))
    return ctx.emitError() << "expects one element or " << columns
                           << " in operand #" << i << ", got " << dims[0];
  return success();
}

LogicalResult MsQGemmOp::inferShapes(ShapeContext &ctx) {
  if (failed(ctx.getCommonElementType({0, 2})) ||
      failed(ctx.getCommonElementType({3, 5})) ||
      failed(ctx.expectRank(0, 2)) || failed(ctx.expectRank(3, 2)))
    return failure();
  for (unsigned i : {1u, 2u, 7u, 8u})
    if (failed(rule::expectOneElement(ctx, i)))
      return failure();
  if (ctx.isPresent(7) != ctx.isPresent(8))
    return ctx.emitError() << "expects operands #7 and #8 or neither, got one";
  TensorInfo &result = ctx.result(0);
  result.elementType = ctx.isPresent(8) ? ctx.operand(8).elementType
                                        : Float32Type::get(ctx.getContext());
  const auto &a = ctx.operand(0).dims, &b = ctx.operand(3).dims;
  if (!a || !b)
    return success();
  AffineExpr inner = (*a)[!getTransA()], other = (*b)[getTransB()];
  if (!ctx.assumeEqual(inner, other))
    return ctx.emitError() << "expects equal inner sizes, got " << inner
                           << " and " << other;
  result.dims = Dims{(*a)[getTransA()], (*b)[!getTransB()]};
  for (unsigned i : {4u, 5u})
    if (failed(expectPerColumn(ctx, i, result.dims->back())))
      return failure();
  if (!ctx.isPresent(6) || !ctx.operand(6).dims)
    return success();
  if (ctx.operand(6).getRank() > 2)
    return ctx.emitError() << "expects operand #6 of rank at most 2, got rank "
                           << ctx.operand(6).getRank();
  Dims product = *result.dims;
  auto both = ctx.broadcast(product, *ctx.operand(6).dims);
  if (failed(both))
    return failure();
  for (auto [dim, size] : llvm::zip_equal(product, *both))
    if (!ctx.assumeEqual(dim, size))
      return ctx.emitError() << "expects operand #6 to broadcast to the "
                                "product, got size "
                             << size << " over " << dim;
  return success();
}
