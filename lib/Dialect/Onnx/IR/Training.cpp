// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Training.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Training.cpp.inc"

void OnnxDialect::registerTrainingOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Training.cpp.inc"
      >();
}

/// Optimizers whose operands are R, T and then `states` lists of n tensors, the
/// gradients second; the results are those without the gradients.
static LogicalResult inferStep(ShapeContext &ctx, int64_t states) {
  int64_t count = int64_t(ctx.getNumOperands()) - 2;
  int64_t results = ctx.getOp()->getNumResults();
  if (count % states != 0 || results != count / states * (states - 1))
    return ctx.emitError() << "expects " << states << " lists of tensors and "
                           << states - 1 << " lists of results, got " << count
                           << " and " << results;
  if (failed(ctx.expectRank(0, 0)) || failed(ctx.expectRank(1, 0)))
    return failure();
  int64_t n = count / states;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t state = 0; state < states; ++state) {
      const TensorInfo &x = ctx.operand(2 + i);
      const TensorInfo &other = ctx.operand(2 + state * n + i);
      if (x.elementType && other.elementType &&
          x.elementType != other.elementType)
        return ctx.emitError()
               << "expects element type " << x.elementType << " in operand #"
               << 2 + state * n + i << ", got " << other.elementType;
      if (x.dims && other.dims) {
        if (failed(ctx.expectRank(2 + state * n + i, x.getRank())))
          return failure();
        for (auto [a, b] : llvm::zip_equal(*x.dims, *other.dims))
          if (!ctx.assumeEqual(a, b))
            return ctx.emitError() << "expects size " << a << " in operand #"
                                   << 2 + state * n + i << ", got " << b;
      }
      if (state == 1)
        continue;
      TensorInfo &result = ctx.result((state ? state - 1 : 0) * n + i);
      result.elementType = x.elementType;
      result.dims = x.dims;
    }
  return success();
}

LogicalResult TrainingAdagradOp::inferShapes(ShapeContext &ctx) {
  return inferStep(ctx, 3);
}

LogicalResult TrainingAdamOp::inferShapes(ShapeContext &ctx) {
  return inferStep(ctx, 4);
}

LogicalResult TrainingMomentumOp::inferShapes(ShapeContext &ctx) {
  return inferStep(ctx, 3);
}
