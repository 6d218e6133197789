// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlainConvolution.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

int64_t PlainConvolution::getInput(unsigned side) const {
  return getShape(image)[1 + side];
}

int64_t PlainConvolution::getChannels() const { return getShape(image)[3]; }

int64_t PlainConvolution::getImages() const { return getShape(image)[0]; }

/// Whether the op adds the products of its two inputs to zero.
static bool sumsProducts(linalg::GenericOp op) {
  Block *body = op.getBody();
  auto sum =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum || !sum.getType().isF32())
    return false;
  BlockArgument running = body->getArgument(2);
  Value term = sum.getLhs() == running ? sum.getRhs() : sum.getLhs();
  auto product = term.getDefiningOp<arith::MulFOp>();
  if ((sum.getLhs() != running && sum.getRhs() != running) || !product)
    return false;
  auto reads = [&](Value a, Value b) {
    return a == body->getArgument(0) && b == body->getArgument(1);
  };
  if (!reads(product.getLhs(), product.getRhs()) &&
      !reads(product.getRhs(), product.getLhs()))
    return false;
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.getInputs()[0], m_AnyZeroFloat());
}

/// Takes the padding off `conv.image`; false where it is not one of zeros
/// around the two sides.
static bool takePadding(PlainConvolution &conv) {
  conv.low[0] = conv.low[1] = 0;
  auto pad = conv.image.getDefiningOp<tensor::PadOp>();
  if (!pad)
    return true;
  Value padding = pad.getConstantPaddingValue();
  if (!padding || !matchPattern(padding, m_AnyZeroFloat()))
    return false;
  SmallVector<OpFoldResult> low = pad.getMixedLowPad(),
                            high = pad.getMixedHighPad();
  for (unsigned dim : {0, 3})
    if (!isZeroInteger(low[dim]) || !isZeroInteger(high[dim]))
      return false;
  for (unsigned side : {0, 1}) {
    std::optional<int64_t> known = getConstantIntValue(low[1 + side]);
    if (!known || !getConstantIntValue(high[1 + side]))
      return false;
    conv.low[side] = *known;
  }
  conv.image = pad.getSource();
  return true;
}

std::optional<PlainConvolution>
lathe::matchPlainConvolution(linalg::GenericOp op, StringRef &reason) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op->getNumResults() != 1 || op.getNumReductionLoops() != 3 ||
      op.getNumParallelLoops() != 4)
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!maps[2].isProjectedPermutation() || maps[2].getNumResults() != 4 ||
      maps[0].getNumResults() != 4 || maps[1].getNumResults() != 4)
    return std::nullopt;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  auto refuse = [&](StringRef why) {
    reason = why;
    return std::nullopt;
  };

  // The image is read at (n, h + r, w + s, c).
  AffineExpr taps[2];
  for (unsigned side : {0, 1}) {
    AffineExpr expr = maps[0].getResult(1 + side);
    if (isa<AffineDimExpr>(expr))
      return refuse("expects channels last");
    auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!sum || sum.getKind() != AffineExprKind::Add)
      return std::nullopt;
    auto at = dyn_cast<AffineDimExpr>(sum.getLHS()),
         tap = dyn_cast<AffineDimExpr>(sum.getRHS());
    if (!at || !tap)
      return refuse("expects strides and dilations of one");
    if (kinds[at.getPosition()] == utils::IteratorType::reduction)
      std::swap(at, tap);
    if (at != maps[2].getResult(1 + side) ||
        kinds[tap.getPosition()] != utils::IteratorType::reduction)
      return std::nullopt;
    taps[side] = tap;
  }
  AffineExpr channel = maps[0].getResult(3);
  if (maps[0].getResult(0) != maps[2].getResult(0) ||
      !isa<AffineDimExpr>(channel))
    return std::nullopt;

  PlainConvolution conv;
  for (AffineExpr expr : {maps[2].getResult(3), channel, taps[0], taps[1]}) {
    std::optional<unsigned> at = maps[1].getResultPosition(expr);
    if (!at)
      return std::nullopt;
    conv.filterPerm.push_back(*at);
  }
  if (!sumsProducts(op))
    return refuse("expects sums of products of f32 that start from zero");
  conv.image = op.getDpsInputs()[0];
  conv.filter = op.getDpsInputs()[1].getDefiningOp<WeightOp>();
  if (!conv.filter)
    return refuse("expects a constant filter");
  ArrayRef<int64_t> filter = getShape(conv.filter);
  conv.taps = filter[conv.filterPerm[2]];
  if (conv.taps != filter[conv.filterPerm[3]])
    return refuse("expects a square filter");
  if (!takePadding(conv))
    return refuse("expects padding of zeros");
  if (llvm::any_of(getShape(conv.image).drop_front(), ShapedType::isDynamic) ||
      llvm::any_of(getShape(op->getResult(0)).drop_front(),
                   ShapedType::isDynamic))
    return refuse("expects an image whose size is known");
  return conv;
}
