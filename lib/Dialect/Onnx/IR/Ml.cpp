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

LogicalResult MlArrayFeatureExtractorOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0), &y = ctx.operand(1);
  ctx.result(0).elementType = x.elementType;
  if (!x.dims)
    return success();
  if (x.dims->empty())
    return ctx.emitError() << "expects operand #0 of rank at least 1, got rank "
                              "0";
  Dims dims(x.dims->begin(), x.dims->end() - 1);
  if (dims.empty())
    dims.push_back(ctx.constant(1));
  dims.push_back(y.dims ? getProduct(*y.dims, ctx.getContext()) : AffineExpr());
  ctx.result(0).dims = dims;
  return success();
}

LogicalResult MlFeatureVectorizerOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0).elementType = Float32Type::get(ctx.getContext());
  std::optional<ArrayRef<int64_t>> taken = getInputdimensions();
  if (ctx.getNumOperands() == 0)
    return ctx.emitError() << "expects at least one operand, got none";
  if (taken && taken->size() != ctx.getNumOperands())
    return ctx.emitError() << "expects " << ctx.getNumOperands()
                           << " numbers in inputdimensions, got "
                           << taken->size();
  AffineExpr rows, columns = ctx.constant(0);
  for (unsigned i = 0, e = ctx.getNumOperands(); i != e; ++i) {
    const auto &dims = ctx.operand(i).dims;
    if (!dims)
      return success();
    if (dims->size() != 1 && dims->size() != 2)
      return ctx.emitError() << "expects operand #" << i
                             << " of rank 1 or 2, got rank " << dims->size();
    AffineExpr mine = dims->size() == 1 ? ctx.constant(1) : dims->front();
    if (rows && !ctx.assumeEqual(rows, mine))
      return ctx.emitError() << "expects " << rows << " rows in operand #" << i
                             << ", got " << mine;
    rows = mine;
    AffineExpr width = dims->back();
    if (taken) {
      AffineExpr want = ctx.constant((*taken)[i]);
      if ((*taken)[i] < 0 || !ctx.assumeAtLeast(width, want))
        return ctx.emitError() << "expects inputdimensions in [0, " << width
                               << "] for operand #" << i << ", got " << want;
      width = want;
    }
    columns = columns + width;
  }
  ctx.result(0).dims = Dims{rows, simplify(columns)};
  return success();
}

LogicalResult MlOneHotEncoderOp::inferShapes(ShapeContext &ctx) {
  auto ints = getCatsInt64s();
  auto strings = getCatsStrings();
  bool hasInts = ints && !ints->empty(), hasText = strings && !strings->empty();
  if (hasInts == hasText)
    return ctx.emitError() << "expects either cats_int64s or cats_strings, got "
                           << (hasInts ? "both" : "neither");
  ctx.result(0).elementType = Float32Type::get(ctx.getContext());
  if (const auto &dims = ctx.operand(0).dims) {
    Dims out = *dims;
    out.push_back(ctx.constant(hasInts ? ints->size() : strings->size()));
    ctx.result(0).dims = out;
  }
  return success();
}
