// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Sequence.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

/// The value of a constant of the code, which has one for all elements.
static DenseElementsAttr getSplat(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue())
                        : DenseElementsAttr();
  return dense && dense.isSplat() ? dense : DenseElementsAttr();
}

Value lathe::makeTensor(Lowering &l, Value value) {
  DenseElementsAttr splat = getSplat(value);
  if (!splat)
    return value;
  return l.fill(
      getAsIndexOpFoldResult(l.b.getContext(), splat.getType().getShape()),
      cast<TypedAttr>(splat.getSplatValue<Attribute>()));
}

Value lathe::takePart(Lowering &l, Value source, OpFoldResult offset,
                      DimsRef dims) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(dims, dynamic, shape);
  RankedTensorType result = type.clone(shape);
  DenseElementsAttr splat = getSplat(source);
  if (splat && result.hasStaticShape())
    return arith::ConstantOp::create(l.b, splat.resizeSplat(result));
  std::optional<int64_t> at = getConstantIntValue(offset);
  auto weight = source.getDefiningOp<WeightOp>();
  if (weight && at && result.hasStaticShape()) {
    SmallVector<Attribute> recipe(weight.getRecipe().begin(),
                                  weight.getRecipe().end());
    recipe.push_back(SliceStepAttr::get(l.b.getContext(), *at, shape));
    return WeightOp::create(l.b, result, weight.getValue(),
                            l.b.getArrayAttr(recipe));
  }
  if (at == 0 && result.hasStaticShape() && type.hasStaticShape() &&
      result.getNumElements() == type.getNumElements())
    return l.view(source, dims);
  return SliceOp::create(l.b, result, makeTensor(l, source), l.toValue(offset),
                         dynamic);
}

/// The linear position of step `index`.
static Value getOffset(Lowering &l, Value index, DimsRef dims) {
  return arith::MulIOp::create(l.b, index, l.toValue(l.product(dims)));
}

Value lathe::takeStep(Lowering &l, Value sequence, Value index, DimsRef dims) {
  return takePart(l, sequence, getOffset(l, index, dims), dims);
}

Value lathe::putStep(Lowering &l, Value step, Value sequence, Value index,
                     DimsRef dims) {
  return InsertOp::create(l.b, sequence.getType(), step, sequence,
                          getOffset(l, index, dims), /*grows=*/false);
}

Value lathe::appendStep(Lowering &l, Value step, Value sequence, Value index,
                        DimsRef dims) {
  return InsertOp::create(l.b, sequence.getType(), step, sequence,
                          getOffset(l, index, dims), /*grows=*/true);
}

Value lathe::getStepIndex(Lowering &l, Value index, OpFoldResult length,
                          bool backwards) {
  if (!backwards)
    return index;
  AffineExpr last = l.b.getAffineSymbolExpr(0) - 1;
  return arith::SubIOp::create(l.b, l.toValue(l.apply(last, length)), index);
}

SmallVector<Value>
lathe::makeLoop(Lowering &l, OpFoldResult length, ValueRange carried,
                function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value zero = l.toValue(l.index(0)), one = l.toValue(l.index(1));
  auto loop = scf::ForOp::create(l.b, zero, l.toValue(length), one, carried);
  OpBuilder::InsertionGuard guard(l.b);
  Block *block = loop.getBody();
  if (carried.empty())
    l.b.setInsertionPoint(block->getTerminator());
  else
    l.b.setInsertionPointToStart(block);
  SmallVector<Value> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!carried.empty())
    scf::YieldOp::create(l.b, next);
  return SmallVector<Value>(loop.getResults());
}
