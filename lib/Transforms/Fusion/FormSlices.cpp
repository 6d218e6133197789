// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_FORMSLICES
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// Whether the elements of `slice`, of a tensor of `sizes`, lie one after the
/// other: all of some inner dimensions, a range of the next one, and one index
/// of the others.
static bool isContiguous(tensor::ExtractSliceOp slice,
                         ArrayRef<OpFoldResult> sizes) {
  bool isWhole = true;
  for (int64_t d = sizes.size() - 1; d >= 0; --d) {
    OpFoldResult size = slice.getMixedSizes()[d];
    if (isConstantIntValue(size, 1))
      isWhole &= isConstantIntValue(sizes[d], 1);
    else if (!isWhole || !isConstantIntValue(slice.getMixedStrides()[d], 1))
      return false;
    else
      isWhole = isEqualConstantIntOrValue(size, sizes[d]);
  }
  return true;
}

/// Whether what `value` shows is changed in place, or may be by the caller.
static bool isChanged(Value value) {
  value = getSlicedValue(value);
  if (isa_and_present<InsertOp>(value.getDefiningOp()))
    return true;
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    auto func = dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp());
    if (!func || func.getArgAttr(arg.getArgNumber(), stateAttrName))
      return true;
  }
  SmallVector<Value> aliases = {value};
  while (!aliases.empty())
    for (Operation *user : aliases.pop_back_val().getUsers()) {
      // A loop writes over what it starts from.
      if (isa<InsertOp, LoopLikeOpInterface>(user))
        return true;
      if (isa<ViewOp, SliceOp>(user))
        aliases.push_back(user->getResult(0));
    }
  return false;
}

/// Makes `slice` a view, if it can be one.
static LogicalResult rewriteSlice(IRRewriter &rewriter,
                                  tensor::ExtractSliceOp slice) {
  Location loc = slice.getLoc();
  rewriter.setInsertionPoint(slice);
  FailureOr<SmallVector<Value>> dynamic =
      getDynamicDims(rewriter, slice.getSource());
  if (failed(dynamic))
    return failure();
  SmallVector<OpFoldResult> sizes =
      getMixedValues(slice.getSourceType().getShape(), *dynamic, rewriter);
  if (!isContiguous(slice, sizes) || isChanged(slice.getSource()))
    return failure();
  // Horner's rule over the offsets and the source's sizes.
  AffineExpr index = rewriter.getAffineConstantExpr(0);
  SmallVector<OpFoldResult> symbols;
  auto addSymbol = [&](OpFoldResult value) {
    symbols.push_back(value);
    return rewriter.getAffineSymbolExpr(symbols.size() - 1);
  };
  for (auto [size, offset] : llvm::zip_equal(sizes, slice.getMixedOffsets()))
    index = index * addSymbol(size) + addSymbol(offset);
  Value linear = getValueOrCreateConstantIndexOp(
      rewriter, loc,
      affine::makeComposedFoldedAffineApply(rewriter, loc, index, symbols));
  FailureOr<SmallVector<Value>> dims =
      getDynamicDims(rewriter, slice.getResult());
  if (failed(dims))
    return failure();
  rewriter.replaceOpWithNewOp<SliceOp>(slice, slice.getType(),
                                       slice.getSource(), linear, *dims);
  return success();
}

namespace {
struct FormSlices : public lathe::impl::FormSlicesBase<FormSlices> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<tensor::ExtractSliceOp> slices;
    getOperation().walk([&](tensor::ExtractSliceOp slice) {
      if (!isInsideComputeOp(slice))
        slices.push_back(slice);
    });
    IRRewriter rewriter(&getContext());
    for (tensor::ExtractSliceOp slice : slices)
      if (succeeded(rewriteSlice(rewriter, slice)))
        ++numFormed;
  }
};
} // namespace
