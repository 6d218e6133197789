// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/MlModel.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/MlModel.cpp.inc"

void OnnxDialect::registerMlModelOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/MlModel.cpp.inc"
      >();
}

/// The rows of X: its first dimension, or one if X is a vector.
static FailureOr<AffineExpr> getRows(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  if (!x.dims)
    return AffineExpr();
  if (x.getRank() != 1 && x.getRank() != 2) {
    ctx.emitError() << "expects operand #0 of rank 1 or 2, got rank "
                    << x.getRank();
    return failure();
  }
  return x.getRank() == 1 ? ctx.constant(1) : x.dims->front();
}

/// Sets the results of a classifier: labels, and scores per class.
static LogicalResult setClasses(ShapeContext &ctx,
                                std::optional<ArrayRef<int64_t>> ints,
                                std::optional<ArrayAttr> strings) {
  auto rows = getRows(ctx);
  if (failed(rows))
    return failure();
  bool hasInts = ints && !ints->empty(), hasText = strings && !strings->empty();
  if (hasInts == hasText)
    return ctx.emitError() << "expects class labels that are either integers "
                              "or strings, got "
                           << (hasInts ? "both" : "neither");
  Type label = IntegerType::get(ctx.getContext(), 64);
  if (hasText)
    label = StringType::get(ctx.getContext());
  ctx.result(0).elementType = label;
  ctx.result(0).dims = Dims{*rows};
  // A binary decision has two scores even if one label is given.
  int64_t classes = hasInts ? ints->size() : strings->size();
  ctx.result(1).elementType = Float32Type::get(ctx.getContext());
  ctx.result(1).dims = Dims{*rows, ctx.constant(std::max<int64_t>(classes, 2))};
  return success();
}

/// The number of targets, which has to be given.
static LogicalResult setTargets(ShapeContext &ctx,
                                std::optional<int64_t> targets, Type type) {
  auto rows = getRows(ctx);
  if (failed(rows))
    return failure();
  if (!targets || *targets < 1 || *targets > INT32_MAX)
    return ctx.emitError() << "expects n_targets in [1, 2^31), got "
                           << (targets ? std::to_string(*targets) : "none");
  ctx.result(0).elementType = type;
  ctx.result(0).dims = Dims{*rows, ctx.constant(*targets)};
  return success();
}

LogicalResult MlTreeEnsembleOp::inferShapes(ShapeContext &ctx) {
  return setTargets(ctx, getNTargets(), ctx.operand(0).elementType);
}

LogicalResult MlTreeEnsembleRegressorOp::inferShapes(ShapeContext &ctx) {
  return setTargets(ctx, getNTargets(), Float32Type::get(ctx.getContext()));
}

LogicalResult MlTreeEnsembleClassifierOp::inferShapes(ShapeContext &ctx) {
  return setClasses(ctx, getClasslabelsInt64s(), getClasslabelsStrings());
}

LogicalResult MlSVMRegressorOp::inferShapes(ShapeContext &ctx) {
  return setTargets(ctx, 1, Float32Type::get(ctx.getContext()));
}

LogicalResult MlSVMClassifierOp::inferShapes(ShapeContext &ctx) {
  if (failed(setClasses(ctx, getClasslabelsInts(), getClasslabelsStrings())))
    return failure();
  // Without probabilities the scores are the decisions, one per pair.
  auto labels = getClasslabelsInts();
  int64_t classes = labels && !labels->empty()
                        ? int64_t(labels->size())
                        : int64_t(getClasslabelsStrings()->size());
  bool probabilities = getProbA() && !getProbA()->empty();
  if (!probabilities && classes > 2 && getVectorsPerClass() &&
      !getVectorsPerClass()->empty())
    (*ctx.result(1).dims)[1] = ctx.constant(classes * (classes - 1) / 2);
  return success();
}
