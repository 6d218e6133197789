// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Ml.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Ml.cpp.inc"

void OnnxDialect::registerMlOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Ml.cpp.inc"
      >();
}

/// The rows of X: its first dimension, or one if X is a vector.
static FailureOr<AffineExpr> getRows(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  if (!x.dims)
    return ctx.fresh(0);
  if (x.getRank() != 1 && x.getRank() != 2) {
    ctx.emitError() << "expects operand #0 of rank 1 or 2, got rank "
                    << x.getRank();
    return failure();
  }
  return x.getRank() == 1 ? ctx.constant(1) : x.dims->front();
}

LogicalResult MlLinearRegressorOp::inferShapes(ShapeContext &ctx) {
  auto rows = getRows(ctx);
  if (failed(rows))
    return failure();
  ctx.result(0).elementType = Float32Type::get(ctx.getContext());
  ctx.result(0).dims = Dims{*rows, ctx.constant(getTargets())};
  return success();
}

LogicalResult MlLinearClassifierOp::inferShapes(ShapeContext &ctx) {
  auto rows = getRows(ctx);
  if (failed(rows))
    return failure();
  auto ints = getClasslabelsInts();
  auto strings = getClasslabelsStrings();
  if ((ints && !ints->empty()) == (strings && !strings->empty()))
    return ctx.emitError() << "expects either classlabels_ints or "
                              "classlabels_strings, got "
                           << (ints && strings ? "both" : "neither");
  int64_t labels =
      strings && !strings->empty() ? strings->size() : ints->size();
  ctx.result(0).elementType = strings && !strings->empty()
                                  ? Type(StringType::get(ctx.getContext()))
                                  : IntegerType::get(ctx.getContext(), 64);
  ctx.result(0).dims = Dims{*rows};
  ctx.result(1).elementType = Float32Type::get(ctx.getContext());
  ctx.result(1).dims = Dims{*rows, ctx.constant(labels)};
  return success();
}
