// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Recurrent.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Recurrent.cpp.inc"

void OnnxDialect::registerRecurrentOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Recurrent.cpp.inc"
      >();
}

LogicalResult rule::recurrent(ShapeContext &ctx, StringRef direction,
                              bool batchFirst,
                              std::optional<int64_t> hiddenSize) {
  auto type = ctx.getCommonElementType({0, 1, 2});
  if (failed(type))
    return failure();
  unsigned numResults = ctx.getOp()->getNumResults();
  for (unsigned i = 0; i < numResults; ++i)
    ctx.result(i).elementType = *type;
  for (unsigned i : {0u, 1u, 2u})
    if (failed(ctx.expectRank(i, 3)))
      return failure();
  const auto &x = ctx.operand(0).dims, &r = ctx.operand(2).dims;
  if (!x || !(hiddenSize || r))
    return success();
  AffineExpr hidden = hiddenSize ? ctx.constant(*hiddenSize) : (*r)[2];
  if (r && !ctx.assumeEqual((*r)[2], hidden))
    return ctx.emitError() << "expects hidden_size " << (*r)[2]
                           << " as in operand #2, got " << hidden;
  AffineExpr directions = ctx.constant(direction == "bidirectional" ? 2 : 1);
  if (r && !ctx.assumeEqual((*r)[0], directions))
    return ctx.emitError() << "expects " << directions
                           << " directions in operand #2, got " << (*r)[0];
  const auto &w = ctx.operand(1).dims;
  if (w && !ctx.assumeEqual((*w)[2], (*x)[2]))
    return ctx.emitError() << "expects " << (*w)[2]
                           << " features in operand #0, got " << (*x)[2];
  AffineExpr sequence = (*x)[batchFirst ? 1 : 0];
  AffineExpr batch = (*x)[batchFirst ? 0 : 1];
  ctx.result(0).dims = batchFirst ? Dims{batch, sequence, directions, hidden}
                                  : Dims{sequence, directions, batch, hidden};
  for (unsigned i = 1; i < numResults; ++i)
    ctx.result(i).dims = batchFirst ? Dims{batch, directions, hidden}
                                    : Dims{directions, batch, hidden};
  return success();
}
