// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules of quantization and of products of quantized matrices; those of
// convolutions stand with the other windows.

#include "lathe/Dialect/Onnx/IR/Quant.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Quant.cpp.inc"

void OnnxDialect::registerQuantOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Quant.cpp.inc"
      >();
}

static bool isOne(const Dims &dims) {
  return llvm::all_of(dims, [](AffineExpr d) { return getConstant(d) == 1; });
}

/// Checks that operand `i` has the shape of operand 1, the scale; one number
/// may have any rank.
static LogicalResult expectShapeOfScale(ShapeContext &ctx, unsigned i) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims || !ctx.operand(1).dims)
    return success();
  const Dims &scale = *ctx.operand(1).dims, &zero = *ctx.operand(i).dims;
  if (isOne(scale) && isOne(zero))
    return success();
  if (failed(ctx.expectRank(i, scale.size())))
    return failure();
  for (auto [size, other] : llvm::zip_equal(scale, zero))
    if (!ctx.assumeEqual(size, other))
      return ctx.emitError() << "expects operand #" << i
                             << " of the sizes of operand #1, got size "
                             << other << " for " << size;
  return success();
}

/// Checks that the scale, operand 1, fits operand 0: one number, one per index
/// of `axis`, or one per block.
static LogicalResult checkScale(ShapeContext &ctx, int64_t axis,
                                int64_t blockSize) {
  if (failed(expectShapeOfScale(ctx, 2)))
    return failure();
  if (blockSize < 0)
    return ctx.emitError() << "expects block_size of at least 0, got "
                           << blockSize;
  if (!ctx.operand(0).dims || !ctx.operand(1).dims)
    return success();
  const Dims &x = *ctx.operand(0).dims, &scale = *ctx.operand(1).dims;
  if (scale.empty())
    return success();
  if (!blockSize) {
    if (failed(ctx.expectRank(1, 1)))
      return failure();
    if (getConstant(scale[0]) == 1)
      return success();
    auto at = ctx.normalizeAxis(axis, x.size());
    if (failed(at))
      return failure();
    if (!ctx.assumeEqual(scale[0], x[*at]))
      return ctx.emitError() << "expects one scale, or " << x[*at]
                             << " along axis " << *at << ", got " << scale[0];
    return success();
  }
  auto at = ctx.normalizeAxis(axis, x.size());
  if (failed(at) || failed(ctx.expectRank(1, x.size())))
    return failure();
  for (auto [d, size] : llvm::enumerate(x)) {
    AffineExpr expected =
        int64_t(d) == *at ? simplify(size.ceilDiv(blockSize)) : size;
    if (!ctx.assumeEqual(scale[d], expected))
      return ctx.emitError()
             << "expects " << expected << " scales in dimension " << d
             << ", got " << scale[d];
  }
  return success();
}

/// The type numbered `number`; null, without an error, for 0.
static FailureOr<Type> getGivenType(ShapeContext &ctx, int64_t number,
                                    StringRef attribute) {
  if (number == 0)
    return Type();
  Type type = getElementTypeOf(ctx.getContext(), number);
  if (!type) {
    ctx.emitError() << "expects " << attribute
                    << " to be the number of an element type, got " << number;
    return failure();
  }
  return type;
}

LogicalResult QuantizeLinearOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0).dims = ctx.operand(0).dims;
  auto given = getGivenType(ctx, getOutputDtype(), "output_dtype");
  if (failed(given) || failed(checkScale(ctx, getAxis(), getBlockSize())))
    return failure();
  Type type = *given;
  if (ctx.isPresent(2)) {
    Type zero = ctx.operand(2).elementType;
    if (type && zero && type != zero)
      return ctx.emitError()
             << "expects output_dtype to be the type of operand "
                "#2, "
             << zero << ", got " << type;
    type = zero;
  } else if (!type) {
    type = IntegerType::get(ctx.getContext(), 8, IntegerType::Unsigned);
  }
  ctx.result(0).elementType = type;
  auto precision = getGivenType(ctx, getPrecision(), "precision");
  if (failed(precision))
    return failure();
  if (*precision &&
      !isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(*precision))
    return ctx.emitError() << "expects precision to be the number of a float "
                              "type, got "
                           << *precision;
  return success();
}

LogicalResult DequantizeLinearOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0).dims = ctx.operand(0).dims;
  auto given = getGivenType(ctx, getOutputDtype(), "output_dtype");
  if (failed(given) || failed(ctx.getCommonElementType({0, 2})) ||
      failed(checkScale(ctx, getAxis(), getBlockSize())))
    return failure();
  Type scale = ctx.operand(1).elementType;
  ctx.result(0).elementType = *given ? *given : scale;
  if (!*given && scale && scale.getIntOrFloatBitWidth() < 16)
    return ctx.emitError() << "expects output_dtype where the scale is "
                           << scale << ", got none";
  return success();
}

/// Checks a zero point or scale of matrix operand `matrix`: one number, one for
/// each index of the dimension that the product keeps, or a tensor that
/// broadcasts with the sum's dimension of size 1.
static LogicalResult checkPerRow(ShapeContext &ctx, unsigned i, unsigned matrix,
                                 bool isRight) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims || !ctx.operand(matrix).dims)
    return success();
  const Dims &dims = *ctx.operand(i).dims, &shape = *ctx.operand(matrix).dims;
  if (isOne(dims))
    return success();
  size_t rank = shape.size();
  if (rank >= 2 && dims.size() == 1) {
    AffineExpr kept = shape[rank - (isRight ? 1 : 2)];
    if (ctx.assumeEqual(dims[0], kept))
      return success();
    return ctx.emitError() << "expects one element or " << kept
                           << " in operand #" << i << ", got " << dims[0];
  }
  if (rank < 2 || dims.size() != rank)
    return ctx.emitError() << "expects operand #" << i
                           << " of rank 0, 1 or that of operand #" << matrix
                           << ", got rank " << dims.size();
  for (size_t d = 0; d < rank; ++d) {
    bool isSummed = d == rank - (isRight ? 2 : 1);
    if (getConstant(dims[d]) == 1)
      continue;
    if (isSummed || !ctx.assumeEqual(dims[d], shape[d]))
      return ctx.emitError()
             << "expects size " << (isSummed ? ctx.constant(1) : shape[d])
             << " in dimension " << int64_t(d) << " of operand #" << i
             << ", got " << dims[d];
  }
  return success();
}

LogicalResult MatMulIntegerOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0).elementType = IntegerType::get(ctx.getContext(), 32);
  if (failed(ctx.getCommonElementType({0, 2})) ||
      failed(ctx.getCommonElementType({1, 3})) ||
      failed(checkPerRow(ctx, 2, 0, false)) ||
      failed(checkPerRow(ctx, 3, 1, true)))
    return failure();
  return rule::matMul(ctx, 0, 1);
}

LogicalResult QLinearMatMulOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0).elementType = ctx.operand(7).elementType;
  if (failed(ctx.getCommonElementType({0, 2})) ||
      failed(ctx.getCommonElementType({3, 5})))
    return failure();
  for (unsigned i : {1u, 2u, 4u, 5u})
    if (failed(checkPerRow(ctx, i, i < 3 ? 0 : 3, i > 3)))
      return failure();
  for (unsigned i : {6u, 7u})
    if (failed(rule::expectOneElement(ctx, i)))
      return failure();
  return rule::matMul(ctx, 0, 3);
}
