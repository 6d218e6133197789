// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConstantVector.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

namespace lathe {
#define GEN_PASS_DEF_RAISEGROUPNORM
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

/// Whether the first dimension stays what it is, and all that follows the
/// second one becomes one dimension, whatever the sizes: where the reshape asks
/// for a size that it supposes, that supposition has to be checked.
static bool keepsBatch(ReshapeOp reshape) {
  auto from = cast<RankedTensorType>(reshape.getData().getType());
  auto to = cast<RankedTensorType>(reshape.getType());
  if (from.hasStaticShape() && to.hasStaticShape())
    return from.getDimSize(0) == to.getDimSize(0);
  DenseElementsAttr shape;
  if (!matchPattern(reshape.getShape(), m_Constant(&shape)))
    return false;
  auto sizes = llvm::to_vector(shape.getValues<int64_t>());
  bool restKnown =
      !llvm::is_contained(from.getShape().drop_front(), ShapedType::kDynamic);
  return sizes.front() == 0 && !reshape.getAllowzero() &&
         (sizes.back() == -1 || restKnown);
}

/// Whether the result has the shape of `value`.
static bool hasShapeOf(ReshapeOp reshape, Value value) {
  auto type = dyn_cast<RankedTensorType>(reshape.getType());
  if (!type || type != value.getType())
    return false;
  auto shape = reshape.getShape().getDefiningOp<ShapeOp>();
  return type.hasStaticShape() ||
         (shape && shape.getData() == value &&
          shape.getType() ==
              RankedTensorType::get(type.getRank(),
                                    IntegerType::get(value.getContext(), 64)));
}

/// Each of `numbers` as often as a group has channels.
static SmallVector<double> repeat(ArrayRef<double> numbers, int64_t times) {
  SmallVector<double> all;
  for (double number : numbers)
    all.append(times, number);
  return all;
}

static void raise(ReshapeOp last) {
  auto norm = last.getData().getDefiningOp<InstanceNormalizationOp>();
  auto first = norm ? norm.getInput().getDefiningOp<ReshapeOp>() : nullptr;
  if (!first || !norm->hasOneUse())
    return;
  Value image = first.getData();
  auto type = dyn_cast<RankedTensorType>(image.getType());
  auto grouped = dyn_cast<RankedTensorType>(first.getType());
  if (!type || !grouped || type.getRank() < 3 || grouped.getRank() != 3 ||
      type.isDynamicDim(1) || grouped.isDynamicDim(1) ||
      !hasShapeOf(last, image) || !keepsBatch(first))
    return;
  int64_t groups = grouped.getDimSize(1), channels = type.getDimSize(1);
  auto scale = getVector(norm.getScale()), bias = getVector(norm.getB());
  if (groups < 1 || channels % groups || !scale || !bias)
    return;
  OpBuilder builder(last);
  Location loc = norm.getLoc();
  OperationState state(
      loc, GroupNormalizationOp::getOperationName(),
      {image, makeVector(builder, loc, repeat(*scale, channels / groups)),
       makeVector(builder, loc, repeat(*bias, channels / groups))},
      type,
      {builder.getNamedAttr("epsilon", norm.getEpsilonAttr()),
       builder.getNamedAttr("num_groups", builder.getI64IntegerAttr(groups))});
  if (Attribute node = norm->getAttr(nodeAttrName))
    state.addAttribute(nodeAttrName, node);
  last.replaceAllUsesWith(builder.create(state)->getResult(0));
  last.erase();
  norm.erase();
  if (first->use_empty())
    first.erase();
}

namespace {
struct RaiseGroupNorm : public lathe::impl::RaiseGroupNormBase<RaiseGroupNorm> {
  void runOnOperation() override {
    SmallVector<ReshapeOp> reshapes;
    getOperation().walk([&](ReshapeOp op) { reshapes.push_back(op); });
    for (ReshapeOp op : reshapes)
      raise(op);
  }
};
} // namespace
