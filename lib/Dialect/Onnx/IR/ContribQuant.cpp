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
  return rule::expectBroadcast(ctx, 6, *result.dims, "the product");
}

/// Checks that operand `i`, where it is there, has `count` elements.
static LogicalResult expectCount(ShapeContext &ctx, unsigned i, int64_t count) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims)
    return success();
  AffineExpr got = getProduct(*ctx.operand(i).dims, ctx.getContext());
  if (!ctx.assumeEqual(got, ctx.constant(count)))
    return ctx.emitError() << "expects " << count << " elements in operand #"
                           << i << ", got " << got;
  return success();
}

LogicalResult MsMatMulNBitsOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 2, 5});
  if (failed(type))
    return failure();
  int64_t k = getK(), n = getN(), bits = getBits(), block = getBlockSize();
  if (!llvm::isPowerOf2_64(bits) || bits == 1)
    return ctx.emitError() << "expects bits of 2, 4 or 8, got " << bits;
  if (block % (8 / bits) != 0)
    return ctx.emitError() << "expects blocks of whole bytes, got block_size "
                           << block;
  // Larger ones have no tensor, and their products overflow.
  if (k > INT32_MAX || n > INT32_MAX || block > INT32_MAX)
    return ctx.emitError() << "expects K, N and block_size below 2^31, got "
                           << std::max({k, n, block});
  int64_t blocks = llvm::divideCeil(k, block);
  int64_t perRow = llvm::divideCeil(blocks * bits, 8);
  bool isPacked = ctx.isPresent(3) && ctx.operand(3).elementType &&
                  ctx.operand(3).elementType.isUnsignedInteger(8);
  if (failed(expectCount(ctx, 1, n * blocks * (block * bits / 8))) ||
      failed(expectCount(ctx, 2, n * blocks)) ||
      failed(expectCount(ctx, 3, isPacked ? n * perRow : n * blocks)) ||
      failed(expectCount(ctx, 5, n)))
    return failure();
  ctx.result(0).elementType = *type;
  if (!ctx.operand(0).dims)
    return success();
  Dims dims = *ctx.operand(0).dims;
  if (dims.empty() || !ctx.assumeEqual(dims.back(), ctx.constant(k)))
    return ctx.emitError() << "expects size " << k
                           << " in the last dimension of operand #0, got "
                           << (dims.empty() ? ctx.constant(0) : dims.back());
  dims.back() = ctx.constant(n);
  ctx.result(0).dims = dims;
  return success();
}

/// A product of operands 0 and 1 as floats, with what operands `perColumn` give
/// for all columns or each, and `bias` for each.
static LogicalResult inferToFloat(ShapeContext &ctx,
                                  ArrayRef<unsigned> perColumn, unsigned bias) {
  ctx.result(0).elementType = Float32Type::get(ctx.getContext());
  if (failed(rule::matMul(ctx, 0, 1)))
    return failure();
  const auto &dims = ctx.result(0).dims;
  if (!dims)
    return success();
  for (unsigned i : {0u, 1u})
    if (ctx.operand(i).getRank() < 2)
      return ctx.emitError()
             << "expects operand #" << i << " of rank at least 2, got rank "
             << ctx.operand(i).getRank();
  for (unsigned i : perColumn)
    if (failed(expectPerColumn(ctx, i, dims->back())))
      return failure();
  if (!ctx.isPresent(bias) || !ctx.operand(bias).dims)
    return success();
  if (failed(ctx.expectRank(bias, 1)))
    return failure();
  AffineExpr got = ctx.operand(bias).dims->front();
  if (!ctx.assumeEqual(dims->back(), got))
    return ctx.emitError() << "expects " << dims->back()
                           << " elements in operand #" << bias << ", got "
                           << got;
  return success();
}

LogicalResult MsMatMulIntegerToFloatOp::inferShapes(ShapeContext &ctx) {
  if (failed(ctx.getCommonElementType({0, 4})) ||
      failed(ctx.getCommonElementType({1, 5})))
    return failure();
  for (unsigned i : {2u, 4u})
    if (failed(rule::expectOneElement(ctx, i)))
      return failure();
  return inferToFloat(ctx, {3, 5}, 6);
}

LogicalResult MsDynamicQuantizeMatMulOp::inferShapes(ShapeContext &ctx) {
  if (failed(ctx.getCommonElementType({1, 3})))
    return failure();
  return inferToFloat(ctx, {2, 3}, 4);
}

LogicalResult MsQLinearMulOp::inferShapes(ShapeContext &ctx) {
  return inferBinary(ctx);
}

LogicalResult MsQLinearGlobalAveragePoolOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 2, 4});
  if (failed(type))
    return failure();
  for (unsigned i : {1u, 2u, 3u, 4u})
    if (failed(rule::expectOneElement(ctx, i)))
      return failure();
  ctx.result(0).elementType = *type;
  if (!ctx.operand(0).dims)
    return success();
  Dims dims = *ctx.operand(0).dims;
  if (dims.size() < 3)
    return ctx.emitError() << "expects operand #0 of rank at least 3, got rank "
                           << int64_t(dims.size());
  bool isLast = getChannelsLast();
  std::fill(dims.begin() + (isLast ? 1 : 2), dims.end() - isLast,
            ctx.constant(1));
  ctx.result(0).dims = dims;
  return success();
}
