// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SubGraph.h"

#include "Values.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

static AffineMap getSizes(Operation *op, StringRef list, unsigned i,
                          Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return {};
  if (tensor.hasStaticShape()) {
    Builder b(op->getContext());
    SmallVector<AffineExpr> exprs;
    for (int64_t size : tensor.getShape())
      exprs.push_back(b.getAffineConstantExpr(size));
    return AffineMap::get(0, 0, exprs, op->getContext());
  }
  return getShapesMap(op, list, i);
}

AffineMap lathe::getOperandSizes(Operation *op, unsigned i) {
  return getSizes(op, "operands", i, op->getOperand(i).getType());
}

AffineMap lathe::getResultSizes(Operation *op, unsigned i) {
  return getSizes(op, "results", i, op->getResult(i).getType());
}

Value lathe::castTo(Lowering &l, Value value, Type type) {
  if (value.getType() == type)
    return value;
  // What the conversion of arguments has put between.
  auto cast = value.getDefiningOp<UnrealizedConversionCastOp>();
  if (cast && cast.getInputs().size() == 1 &&
      cast.getInputs().front().getType() == type)
    return cast.getInputs().front();
  if (tensor::CastOp::areCastCompatible(value.getType(), type))
    return tensor::CastOp::create(l.b, type, value);
  // The type of an op that stays in `onnx`, which fails the pass.
  return UnrealizedConversionCastOp::create(l.b, type, value).getResult(0);
}

Value lathe::makeValue(Lowering &l, Value value, Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  if (!tensor || isa<ValueType>(value.getType()))
    return value;
  return convertValue(l, value, type,
                      UnrankedTensorType::get(tensor.getElementType()));
}

Value lathe::resize(Lowering &l, Value value, DimsRef dims) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(dims, dynamic, shape);
  auto type = cast<RankedTensorType>(value.getType());
  return SliceOp::create(l.b, type.clone(shape), value, l.toValue(l.index(0)),
                         dynamic);
}

AffineMap SubGraph::getArgumentSizes(unsigned i) {
  return getSizes(region.getParentOp(), "arguments", i,
                  region.getArgument(i).getType());
}

bool SubGraph::yieldsTrue(unsigned i) {
  auto known = DimBuilder(l.b, yield).getConstantContents(i);
  return known && known->size() == 1 && known->front() != 0;
}

void SubGraph::bindSize(unsigned i, unsigned dim) {
  auto symbol = cast<AffineSymbolExpr>(getArgumentSizes(i).getResult(dim));
  if (!llvm::is_contained(resized, i))
    resized.push_back(i);
  OpBuilder::InsertionGuard guard(l.b);
  Block &block = region.front();
  Value index = block.addArgument(l.b.getIndexType(), l.b.getLoc());
  if (binds.empty())
    l.b.setInsertionPointToStart(&block);
  else
    l.b.setInsertionPointAfter(binds.back());
  StringAttr name = DimBuilder(l.b, yield).getSymbolName(symbol.getPosition());
  binds.push_back(
      BindOp::create(l.b, l.b.getIndexType(), name, index, Value()));
}

/// Gives the arguments the types of what is passed. The driver would do so,
/// too, but its casts do not outlive a pattern that does not match inside.
void SubGraph::convertArguments() {
  Block &block = region.front();
  OpBuilder builder = OpBuilder::atBlockBegin(&block);
  for (unsigned i = 0; i != block.getNumArguments(); ++i) {
    BlockArgument argument = block.getArgument(i);
    Type type = l.types.convertType(argument.getType());
    if (!type || type == argument.getType())
      continue;
    BlockArgument fresh = block.insertArgument(i + 1, type, argument.getLoc());
    auto cast = UnrealizedConversionCastOp::create(
        builder, argument.getLoc(), argument.getType(), Value(fresh));
    argument.replaceAllUsesWith(cast.getResult(0));
    block.eraseArgument(i);
  }
}

SmallVector<Value> SubGraph::moveHere(ValueRange arguments, TypeRange types,
                                      ArrayRef<AffineExpr> sizes) {
  SmallVector<AffineMap> argumentSizes;
  for (unsigned i : resized)
    argumentSizes.push_back(getArgumentSizes(i));
  // Which arguments are yielded as they are: afterwards conversions hide them.
  SmallVector<int64_t> passed;
  for (Value operand : yield->getOperands()) {
    auto argument = dyn_cast<BlockArgument>(operand);
    bool own = argument && argument.getOwner() == &region.front();
    passed.push_back(own ? int64_t(argument.getArgNumber()) : -1);
  }
  convertArguments();
  // An op that stays is no failure of this one.
  LogicalResult lowered = l.rewriter.legalize(&region);
  if (failed(lowered))
    yield->emitWarning("failed to lower a sub-graph");
  SmallVector<Value> yieldedSizes;
  if (!sizes.empty()) {
    OpBuilder::InsertionGuard guard(l.b);
    l.b.setInsertionPoint(yield);
    unsigned numSymbols = 0;
    for (AffineExpr size : sizes)
      size.walk([&](AffineExpr expr) {
        if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
          numSymbols = std::max(numSymbols, symbol.getPosition() + 1);
      });
    AffineMap map = AffineMap::get(0, numSymbols, sizes, l.b.getContext());
    for (OpFoldResult size : DimBuilder(l.b, yield).evaluate(map))
      yieldedSizes.push_back(l.toValue(size));
  }
  SmallVector<Value> given;
  for (auto [argument, value] :
       llvm::zip_equal(region.getArguments(), arguments))
    given.push_back(castTo(l, value, argument.getType()));
  l.rewriter.inlineBlockBefore(&region.front(), l.b.getInsertionBlock(),
                               l.b.getInsertionPoint(), given);
  if (!resized.empty()) {
    OpBuilder::InsertionGuard guard(l.b);
    l.b.setInsertionPointAfter(binds.back());
    for (auto [i, map] : llvm::zip_equal(resized, argumentSizes)) {
      Value whole =
          resize(l, given[i], DimBuilder(l.b, binds.back()).evaluate(map));
      given[i].replaceAllUsesExcept(whole, whole.getDefiningOp());
      given[i] = whole;
    }
  }
  SmallVector<Value> yielded;
  for (auto [operand, type, argument] :
       llvm::zip_equal(yield->getOperands(), types, passed)) {
    if (argument >= 0 && !isa<ValueType>(type)) {
      bool wasResized = llvm::is_contained(resized, argument);
      yielded.push_back(
          castTo(l, wasResized ? given[argument] : arguments[argument], type));
      continue;
    }
    Value value = l.rewriter.getRemappedValue(operand);
    value = value ? value : operand;
    if (isa<ValueType>(type))
      value = makeValue(l, value, operand.getType());
    yielded.push_back(castTo(l, value, type));
  }
  llvm::append_range(yielded, yieldedSizes);
  l.rewriter.eraseOp(yield);
  return yielded;
}
