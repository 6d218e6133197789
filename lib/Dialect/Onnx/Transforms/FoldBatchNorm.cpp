// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConstantVector.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

namespace lathe {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

/// The steps that scale the part of a convolution's weight that makes channel
/// `i` of the result by `factors[i]`; null where there are none. In
/// `onnx.Conv` the channels are the first dimension, in `onnx.ConvTranspose`
/// the second one, within each group.
static ArrayAttr getScaling(Operation *conv, RankedTensorType weight,
                            ArrayRef<double> factors) {
  Builder builder(conv->getContext());
  SmallVector<float> floats(factors.begin(), factors.end());
  auto values = cast<ElementsAttr>(DenseElementsAttr::get(
      RankedTensorType::get((int64_t)floats.size(), builder.getF32Type()),
      ArrayRef<float>(floats)));
  auto scale = [&](int64_t axis) {
    return ScaleStepAttr::get(conv->getContext(), axis, values);
  };
  int64_t count = factors.size();
  auto transposed = dyn_cast<ConvTransposeOp>(conv);
  if (!transposed)
    return weight.getDimSize(0) == count ? builder.getArrayAttr(scale(0))
                                         : ArrayAttr();
  int64_t group = transposed.getGroup();
  if (group == 1)
    return weight.getDimSize(1) == count ? builder.getArrayAttr(scale(1))
                                         : ArrayAttr();
  // With one channel a group the first two dimensions count the result's.
  if (weight.getDimSize(0) != group || group * weight.getDimSize(1) != count)
    return {};
  SmallVector<int64_t> merged = {count};
  llvm::append_range(merged, weight.getShape().drop_front(2));
  return builder.getArrayAttr(
      {ReshapeStepAttr::get(conv->getContext(), merged), scale(0),
       ReshapeStepAttr::get(conv->getContext(), weight.getShape())});
}

/// Folds `norm` into the convolution that makes its input, if it may.
static bool fold(BatchNormalizationOp norm) {
  Operation *conv = norm.getX().getDefiningOp();
  if (!isa_and_nonnull<ConvOp, ConvTransposeOp>(conv) || !conv->hasOneUse() ||
      norm.getTrainingMode() || !norm->getResult(1).use_empty() ||
      !norm->getResult(2).use_empty())
    return false;
  auto weight = conv->getOperand(1).getDefiningOp<ConstantOp>();
  auto weightType = dyn_cast<RankedTensorType>(conv->getOperand(1).getType());
  if (!weight || !weightType || !weightType.getElementType().isF32() ||
      weight->hasAttr(recipeAttrName))
    return false;
  auto scale = getVector(norm.getScale()), shift = getVector(norm.getB()),
       mean = getVector(norm.getInputMean()),
       var = getVector(norm.getInputVar());
  if (!scale || !shift || !mean || !var)
    return false;
  size_t count = scale->size();
  if (shift->size() != count || mean->size() != count || var->size() != count)
    return false;
  SmallVector<double> bias(count, 0);
  if (!isOmitted(conv->getOperand(2))) {
    auto given = getVector(conv->getOperand(2));
    if (!given || given->size() != count)
      return false;
    bias = *given;
  }
  SmallVector<double> factors, offsets;
  double epsilon = norm.getEpsilon().convertToDouble();
  for (size_t i = 0; i < count; ++i) {
    double factor = (*scale)[i] / std::sqrt((*var)[i] + epsilon);
    factors.push_back(factor);
    offsets.push_back((*shift)[i] + factor * (bias[i] - (*mean)[i]));
  }
  ArrayAttr recipe = getScaling(conv, weightType, factors);
  if (!recipe)
    return false;

  OpBuilder builder(conv);
  auto scaled = ConstantOp::create(builder, weight.getLoc(), weight.getType(),
                                   weight.getValue());
  scaled->setAttr(recipeAttrName, recipe);
  conv->setOperand(1, scaled);
  conv->setOperand(2, makeVector(builder, norm.getLoc(), offsets));
  conv->setLoc(
      FusedLoc::get(norm.getContext(), {conv->getLoc(), norm.getLoc()}));
  norm->getResult(0).replaceAllUsesWith(conv->getResult(0));
  norm.erase();
  return true;
}

namespace {
struct FoldBatchNorm : public lathe::impl::FoldBatchNormBase<FoldBatchNorm> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<BatchNormalizationOp> norms;
    getOperation().walk([&](BatchNormalizationOp op) { norms.push_back(op); });
    for (BatchNormalizationOp norm : norms)
      numFolded += fold(norm);
  }
};
} // namespace
