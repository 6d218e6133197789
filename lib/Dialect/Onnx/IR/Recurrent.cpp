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

/// Reports unless operand `i`, where it is there, has the sizes `dims`; a null
/// one is any.
static LogicalResult expectShape(ShapeContext &ctx, unsigned i,
                                 ArrayRef<AffineExpr> dims) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims)
    return success();
  if (failed(ctx.expectRank(i, dims.size())))
    return failure();
  for (auto [d, want, have] : llvm::enumerate(dims, *ctx.operand(i).dims))
    if (want && !ctx.assumeEqual(have, want))
      return ctx.emitError() << "expects size " << want << " in dimension " << d
                             << " of operand #" << i << ", got " << have;
  return success();
}

LogicalResult rule::recurrent(ShapeContext &ctx, StringRef direction,
                              bool batchFirst,
                              std::optional<int64_t> hiddenSize) {
  auto type = ctx.getCommonElementType({0, 1, 2, 3, 5, 6, 7});
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
  AffineExpr sequence = (*x)[batchFirst ? 1 : 0];
  AffineExpr batch = (*x)[batchFirst ? 0 : 1];
  ctx.result(0).dims = batchFirst ? Dims{batch, sequence, directions, hidden}
                                  : Dims{sequence, directions, batch, hidden};
  Dims state = batchFirst ? Dims{batch, directions, hidden}
                          : Dims{directions, batch, hidden};
  for (unsigned i = 1; i < numResults; ++i)
    ctx.result(i).dims = state;
  // W, B, sequence_lens, initial_h, initial_c and P.
  AffineExpr rows = r ? (*r)[1] : AffineExpr();
  const Dims shapes[] = {{directions, rows, (*x)[2]},
                         {directions, rows ? rows * 2 : rows},
                         {batch},
                         state,
                         state,
                         {directions, hidden * 3}};
  const unsigned operands[] = {1, 3, 4, 5, 6, 7};
  for (auto [i, dims] : llvm::zip_equal(operands, shapes))
    if (failed(expectShape(ctx, i, dims)))
      return failure();
  return success();
}
