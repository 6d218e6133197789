// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Signal.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Signal.cpp.inc"

void OnnxDialect::registerSignalOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Signal.cpp.inc"
      >();
}

/// The number that operand `i` holds, if it is there and known.
static AffineExpr getNumber(ShapeContext &ctx, unsigned i) {
  if (!ctx.isPresent(i))
    return {};
  const auto &contents = ctx.operand(i).contents;
  return contents && contents->size() == 1 ? contents->front().expr
                                           : AffineExpr();
}

LogicalResult DFTOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (failed(rule::expectScalars(ctx, {1, 2})))
    return failure();
  if (!x.dims)
    return success();
  int64_t rank = x.getRank();
  if (rank < 2)
    return ctx.emitError() << "expects operand #0 of rank at least 2, got rank "
                           << rank;
  auto parts = getConstant(x.dims->back());
  if (parts && *parts != 1 && *parts != 2)
    return ctx.emitError() << "expects real or complex numbers in the last "
                              "dimension of operand #0, got size "
                           << *parts;
  Dims dims = *x.dims;
  bool toReal = getInverse() && getOnesided();
  dims.back() = ctx.constant(toReal ? 1 : 2);
  std::optional<int64_t> axis = rank - 2;
  if (ctx.isPresent(2)) {
    AffineExpr given = getNumber(ctx, 2);
    axis = given ? getConstant(given) : std::nullopt;
  }
  if (!axis) {
    for (int64_t i = 0; i + 1 < rank; ++i)
      dims[i] = AffineExpr();
    result.dims = dims;
    return success();
  }
  auto at = ctx.normalizeAxis(*axis, rank);
  if (failed(at))
    return failure();
  if (*at == rank - 1)
    return ctx.emitError() << "expects an axis before the last, got " << *axis;
  AffineExpr length = dims[*at];
  if (ctx.isPresent(1))
    length = getNumber(ctx, 1);
  else if (toReal)
    length = simplify((length - 1) * 2);
  if (auto known = length ? getConstant(length) : std::nullopt;
      known && *known < 1)
    return ctx.emitError() << "expects a positive dft_length, got " << *known;
  if (length && getOnesided() && !getInverse())
    length = simplify(length.floorDiv(2) + 1);
  dims[*at] = length;
  result.dims = dims;
  return success();
}

LogicalResult STFTOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 2});
  if (failed(type) || failed(rule::expectScalars(ctx, {1, 3})))
    return failure();
  TensorInfo &result = ctx.result(0);
  result.elementType = *type;
  const TensorInfo &x = ctx.operand(0);
  if (!x.dims)
    return success();
  if (x.getRank() != 2 && x.getRank() != 3)
    return ctx.emitError() << "expects operand #0 of rank 2 or 3, got rank "
                           << x.getRank();
  if (failed(ctx.expectRank(2, 1)))
    return failure();
  if (x.getRank() == 3) {
    auto parts = getConstant((*x.dims)[2]);
    if (parts && *parts != 1 && *parts != 2)
      return ctx.emitError() << "expects real or complex numbers in the last "
                                "dimension of operand #0, got size "
                             << *parts;
  }
  AffineExpr length = getNumber(ctx, 3), step = getNumber(ctx, 1);
  if (ctx.isPresent(2) && ctx.operand(2).dims) {
    AffineExpr window = ctx.operand(2).dims->front();
    if (length && !ctx.assumeEqual(window, length))
      return ctx.emitError()
             << "expects a window of size " << length << ", got " << window;
    if (!ctx.isPresent(3))
      length = window;
  } else if (!ctx.isPresent(2) && !ctx.isPresent(3)) {
    return ctx.emitError() << "expects a window or a frame_length, got neither";
  }
  Dims dims{(*x.dims)[0], {}, {}, ctx.constant(2)};
  if (auto known = step ? getConstant(step) : std::nullopt; known && *known < 1)
    return ctx.emitError() << "expects a positive frame_step, got " << *known;
  if (length && step)
    dims[1] = simplify(((*x.dims)[1] - length).floorDiv(step) + 1);
  if (length)
    dims[2] = getOnesided() ? simplify(length.floorDiv(2) + 1) : length;
  result.dims = dims;
  return success();
}

LogicalResult MelWeightMatrixOp::inferShapes(ShapeContext &ctx) {
  Type type = getElementTypeOf(ctx.getContext(), getOutputDatatype());
  if (!type || !type.isIntOrFloat() || type.isInteger(1))
    return ctx.emitError() << "expects the number of a type of numbers as "
                              "output_datatype, got "
                           << getOutputDatatype();
  ctx.result(0).elementType = type;
  if (failed(rule::expectScalars(ctx, {0, 1, 2, 3, 4})))
    return failure();
  AffineExpr bins = getNumber(ctx, 0), length = getNumber(ctx, 1);
  ctx.result(0).dims =
      Dims{length ? simplify(length.floorDiv(2) + 1) : AffineExpr(), bins};
  return success();
}
