// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/ContribAttention.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/ContribAttention.cpp.inc"

void OnnxDialect::registerContribAttentionOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/ContribAttention.cpp.inc"
      >();
}

/// Checks that operands `a` and `b` have one shape.
static LogicalResult expectSameShape(ShapeContext &ctx, unsigned a,
                                     unsigned b) {
  const auto &left = ctx.operand(a).dims, &right = ctx.operand(b).dims;
  if (!left || !right)
    return success();
  if (failed(ctx.expectRank(b, left->size())))
    return failure();
  for (auto [size, other] : llvm::zip_equal(*left, *right))
    if (!ctx.assumeEqual(size, other))
      return ctx.emitError()
             << "expects operand #" << b << " of the sizes of operand #" << a
             << ", got size " << other << " for " << size;
  return success();
}

/// Checks that operand `i` has the size `size` in dimension `d`.
static LogicalResult expectSize(ShapeContext &ctx, unsigned i, unsigned d,
                                AffineExpr size) {
  AffineExpr got = (*ctx.operand(i).dims)[d];
  if (ctx.assumeEqual(size, got))
    return success();
  return ctx.emitError() << "expects size " << size << " in dimension " << d
                         << " of operand #" << i << ", got " << got;
}

LogicalResult MsRotaryEmbeddingOp::inferShapes(ShapeContext &ctx) {
  if (failed(ctx.getCommonElementType({0, 2, 3})) ||
      failed(rule::sameShape(ctx)) || failed(ctx.expectRank(2, 2)) ||
      failed(expectSameShape(ctx, 2, 3)))
    return failure();
  const auto &x = ctx.operand(0).dims, &positions = ctx.operand(1).dims;
  if (x && x->size() != 3 && x->size() != 4)
    return ctx.emitError() << "expects operand #0 of rank 3 or 4, got rank "
                           << x->size();
  if (!x || !positions || positions->size() == 1)
    return success();
  if (failed(ctx.expectRank(1, 2)) || failed(expectSize(ctx, 1, 0, (*x)[0])))
    return failure();
  return expectSize(ctx, 1, 1, (*x)[x->size() - 2]);
}
