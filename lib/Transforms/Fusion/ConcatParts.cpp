// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/ConcatParts.h"

#include "KernelGroup.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

/// The sizes of `value`; creates ops at `builder` where needed.
static FailureOr<SmallVector<OpFoldResult>> getSizes(OpBuilder &builder,
                                                     Value value) {
  FailureOr<SmallVector<Value>> dynamic = getDynamicDims(builder, value);
  if (failed(dynamic))
    return failure();
  return getMixedValues(cast<RankedTensorType>(value.getType()).getShape(),
                        *dynamic, builder);
}

/// The outermost of the concatenations that have the strides of `concat`.
static ConcatOp getStrideOwner(ConcatOp concat) {
  OpOperand *outer = findConcatUse(concat.getResult());
  return outer && isStrided(*outer)
             ? getStrideOwner(cast<ConcatOp>(outer->getOwner()))
             : concat;
}

FailureOr<Value> lathe::getPartOffset(OpBuilder &builder, OpOperand &part) {
  auto concat = cast<ConcatOp>(part.getOwner());
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(concat);
  FailureOr<SmallVector<OpFoldResult>> whole =
      getSizes(builder, getStrideOwner(concat).getResult());
  if (failed(whole))
    return failure();
  SmallVector<OpFoldResult> symbols;
  auto addSymbol = [&](OpFoldResult size) {
    symbols.push_back(size);
    return builder.getAffineSymbolExpr(symbols.size() - 1);
  };
  AffineExpr offset = builder.getAffineConstantExpr(0);
  for (Value before : concat.getParts().take_front(part.getOperandNumber())) {
    FailureOr<SmallVector<OpFoldResult>> sizes = getSizes(builder, before);
    if (failed(sizes))
      return failure();
    offset = offset + addSymbol((*sizes)[concat.getAxis()]);
  }
  for (OpFoldResult size : ArrayRef(*whole).drop_front(concat.getAxis() + 1))
    offset = offset * addSymbol(size);
  return getValueOrCreateConstantIndexOp(
      builder, concat.getLoc(),
      affine::makeComposedFoldedAffineApply(builder, concat.getLoc(), offset,
                                            symbols));
}

FailureOr<SmallVector<AffineExpr>>
lathe::findWithin(OpBuilder &builder, Value value, SetVector<Value> &sizes) {
  SmallVector<AffineExpr> dims;
  OpOperand *use = findConcatUse(value);
  if (!use || !isStrided(*use))
    return dims;
  ConcatOp owner = getStrideOwner(cast<ConcatOp>(use->getOwner()));
  FailureOr<SmallVector<OpFoldResult>> whole =
      getSizes(builder, owner.getResult());
  if (failed(whole))
    return failure();
  for (OpFoldResult size : *whole) {
    if (std::optional<int64_t> known = getConstantIntValue(size)) {
      dims.push_back(builder.getAffineConstantExpr(*known));
      continue;
    }
    auto dim = cast<Value>(size);
    sizes.insert(dim);
    dims.push_back(
        builder.getAffineSymbolExpr(llvm::find(sizes, dim) - sizes.begin()));
  }
  return dims;
}

unsigned lathe::countSavedCopies(Value value) {
  unsigned count = 0;
  while (OpOperand *use = findConcatUse(value)) {
    Operation *def = value.getDefiningOp();
    count += !getNode(def) || getNode(def) != getNode(use->getOwner());
    value = use->getOwner()->getResult(0);
  }
  return count;
}
