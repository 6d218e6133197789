// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/Passes.h"
#include "lathe/Target/Kernel/TileKernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lathe {
#define GEN_PASS_DEF_SIMPLIFYKERNEL
#include "lathe/Target/Kernel/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

void lathe::replaceDims(KernelOp kernel) {
  for (BlockArgument input : kernel.getInputs()) {
    auto type = dyn_cast<RankedTensorType>(input.getType());
    if (!type)
      continue;
    SmallVector<Value> dynamic = kernel.getDynamicDims(input);
    for (Operation *user : llvm::make_early_inc_range(input.getUsers())) {
      auto dim = dyn_cast<tensor::DimOp>(user);
      std::optional<int64_t> index =
          dim ? dim.getConstantIndex() : std::nullopt;
      if (!index || !type.isDynamicDim(*index))
        continue;
      dim.replaceAllUsesWith(dynamic[type.getDynamicDimIndex(*index)]);
      dim.erase();
    }
  }
}

/// `tensor.pad` with one padding value becomes a generic op that reads the
/// source where the point is inside, so that it tiles and fuses as any other.
static LogicalResult rewritePad(RewriterBase &rewriter, tensor::PadOp pad) {
  Value padding = pad.getConstantPaddingValue();
  if (!padding)
    return rewriter.notifyMatchFailure(pad, "expected one padding value");
  Location loc = pad.getLoc();
  auto type = pad.getResultType();
  rewriter.setInsertionPoint(pad);
  SmallVector<OpFoldResult> low = pad.getMixedLowPad();
  SmallVector<OpFoldResult> high = pad.getMixedHighPad();
  SmallVector<OpFoldResult> sourceSizes =
      tensor::getMixedSizes(rewriter, loc, pad.getSource());
  SmallVector<OpFoldResult> sizes;
  AffineExpr a, b, c;
  bindSymbols(rewriter.getContext(), a, b, c);
  for (auto [size, before, after] : llvm::zip_equal(sourceSizes, low, high))
    sizes.push_back(affine::makeComposedFoldedAffineApply(
        rewriter, loc, a + b + c, {size, before, after}));
  for (auto [i, size] : llvm::enumerate(sizes))
    if (!type.isDynamicDim(i))
      size = rewriter.getIndexAttr(type.getDimSize(i));
  // The source's size in each dimension, for the bounds.
  SmallVector<Value> bounds, offsets;
  for (auto [i, size] : llvm::enumerate(sourceSizes)) {
    bool padded = !isZeroInteger(low[i]) || !isZeroInteger(high[i]);
    bounds.push_back(padded
                         ? getValueOrCreateConstantIndexOp(rewriter, loc, size)
                         : Value());
    offsets.push_back(
        padded ? getValueOrCreateConstantIndexOp(rewriter, loc, low[i])
               : Value());
  }
  Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
  Value empty =
      tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      rewriter, loc, empty.getType(), ValueRange(), empty,
      rewriter.getMultiDimIdentityMap(type.getRank()), iterators,
      [&](OpBuilder &b, Location loc, ValueRange) {
        SmallVector<Value> indices;
        Value inside;
        for (int64_t i = 0; i < type.getRank(); ++i) {
          Value index = linalg::IndexOp::create(b, loc, i);
          if (bounds[i]) {
            index = arith::SubIOp::create(b, loc, index, offsets[i]);
            // Unsigned: a negative index is past the end, too.
            Value live = arith::CmpIOp::create(
                b, loc, arith::CmpIPredicate::ult, index, bounds[i]);
            index = arith::SelectOp::create(b, loc, live, index, zero);
            inside =
                inside ? arith::AndIOp::create(b, loc, inside, live) : live;
          }
          indices.push_back(index);
        }
        Value value =
            tensor::ExtractOp::create(b, loc, pad.getSource(), indices);
        if (inside)
          value = arith::SelectOp::create(b, loc, inside, value, padding);
        linalg::YieldOp::create(b, loc, value);
      });
  generic->setAttr(paddingAttrName, rewriter.getUnitAttr());
  Value result = generic.getResult(0);
  if (result.getType() != type)
    result = tensor::CastOp::create(rewriter, loc, type, result);
  rewriter.replaceOp(pad, result);
  return success();
}

/// A result that no structured op makes is copied, so that the copy can be
/// tiled.
static void copyPlainResults(RewriterBase &rewriter, KernelOp kernel) {
  auto yield = cast<YieldOp>(kernel.getBlock().getTerminator());
  for (auto [i, operand] : llvm::enumerate(yield->getOpOperands())) {
    Value value = operand.get();
    bool twice = llvm::count(yield.getResults(), value) > 1;
    if (!twice && (value.getDefiningOp<linalg::LinalgOp>() ||
                   value.getDefiningOp<scf::ForallOp>()))
      continue;
    rewriter.setInsertionPoint(yield);
    auto type = kernel.getResultType(i);
    SmallVector<Value> dynamic;
    for (int64_t position :
         cast<DenseI64ArrayAttr>(kernel.getResultDims()[i]).asArrayRef())
      dynamic.push_back(kernel.getSizes()[position]);
    Location loc = yield.getLoc();
    Value empty = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                          type.getElementType(), dynamic);
    AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> iterators(type.getRank(),
                                               utils::IteratorType::parallel);
    auto copy = linalg::GenericOp::create(
        rewriter, loc, type, value, empty, ArrayRef<AffineMap>{map, map},
        iterators, [](OpBuilder &b, Location loc, ValueRange args) {
          linalg::YieldOp::create(b, loc, args[0]);
        });
    operand.set(copy.getResult(0));
  }
}

/// Fuses a producer where that computes nothing twice: it has one use, and that
/// use reads each point of it once.
static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
  auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  if (!producer || !consumer)
    return false;
  bool reads = false;
  producer.getBlock()->walk([&](tensor::ExtractOp) { reads = true; });
  bool trivial = producer.getNumDpsInputs() == 0 && !reads;
  for (OpOperand *input : producer.getDpsInputOperands())
    trivial &= input->get().getType().isIntOrIndexOrFloat();
  if (trivial)
    return true;
  return operand->get().hasOneUse() &&
         consumer.getMatchingIndexingMap(operand).isPermutation();
}

namespace {
struct SimplifyKernel : lathe::impl::SimplifyKernelBase<SimplifyKernel> {
  using Base::Base;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> named;
    SmallVector<tensor::PadOp> pads;
    kernel.walk([&](Operation *op) {
      if (auto pad = dyn_cast<tensor::PadOp>(op))
        pads.push_back(pad);
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (linalgOp && !isa<linalg::GenericOp, linalg::FillOp>(op))
        named.push_back(linalgOp);
    });
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      if (failed(linalg::generalizeNamedOp(rewriter, op))) {
        op->emitOpError("expected a structured op that can be made generic");
        return signalPassFailure();
      }
    }
    // A padding that is no constant stays a pad, for bufferization to lower.
    for (tensor::PadOp pad : pads)
      if (failed(rewritePad(rewriter, pad)))
        continue;
    copyPlainResults(rewriter, kernel);

    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    for (StringRef dialect : {"linalg", "tensor", "affine", "arith"})
      if (Dialect *loaded = getContext().getLoadedDialect(dialect))
        loaded->getCanonicalizationPatterns(patterns);
    for (RegisteredOperationName name : getContext().getRegisteredOperations())
      if (llvm::is_contained({"linalg", "tensor", "affine", "arith"},
                             name.getDialectNamespace()))
        name.getCanonicalizationPatterns(patterns, &getContext());
    replaceDims(kernel);
    if (failed(applyPatternsGreedily(kernel, std::move(patterns)))) {
      kernel.emitOpError("expected the simplification to converge");
      return signalPassFailure();
    }
    replaceDims(kernel);
    DominanceInfo dominance(kernel);
    eliminateCommonSubExpressions(rewriter, dominance, kernel);
  }
};
} // namespace
