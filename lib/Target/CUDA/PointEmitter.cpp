// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PointEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace lathe;

Type cuda::getComputeType(Type type) {
  auto number = dyn_cast<FloatType>(type);
  return number && number.getWidth() < 32 ? Float32Type::get(type.getContext())
                                          : type;
}

Value cuda::promote(OpBuilder &builder, Location loc, Value value) {
  Type type = getComputeType(value.getType());
  if (type == value.getType())
    return value;
  return arith::ExtFOp::create(builder, loc, type, value);
}

Value cuda::demote(OpBuilder &builder, Location loc, Value value,
                   Type storage) {
  if (value.getType() == storage)
    return value;
  return arith::TruncFOp::create(builder, loc, storage, value);
}

Value cuda::PointEmitter::load(OpOperand &operand) {
  Location loc = op.getLoc();
  Value value = operand.get();
  if (isa<MemRefType>(value.getType()))
    value = memref::LoadOp::create(
        builder, loc, value,
        emitIndices(builder, loc, op.getMatchingIndexingMap(&operand),
                    indices));
  return promote(builder, loc, value);
}

void cuda::PointEmitter::store(unsigned i, Value value) {
  Location loc = op.getLoc();
  OpOperand &init = *op.getDpsInitOperand(i);
  value = demote(builder, loc, value,
                 cast<MemRefType>(init.get().getType()).getElementType());
  memref::StoreOp::create(
      builder, loc, value, init.get(),
      emitIndices(builder, loc, op.getMatchingIndexingMap(&init), indices));
}

Value cuda::PointEmitter::evaluateYield(unsigned i) {
  return evaluate(op.getBlock()->getTerminator()->getOperand(i));
}

Value cuda::PointEmitter::evaluate(Value inBody) {
  if (Value known = mapping.lookupOrNull(inBody))
    return known;
  Value result;
  if (auto arg = dyn_cast<BlockArgument>(inBody);
      arg && arg.getOwner() == op.getBlock()) {
    result = load(op->getOpOperand(arg.getArgNumber()));
  } else if (Operation *def = inBody.getDefiningOp();
             def && op->isProperAncestor(def)) {
    result = evaluateOp(def, cast<OpResult>(inBody).getResultNumber());
  } else {
    result = promote(builder, op.getLoc(), inBody);
  }
  mapping.map(inBody, result);
  return result;
}

/// An op with regions: cloned as it is, with what it takes from outside in its
/// storage type.
Value cuda::PointEmitter::evaluateRegions(Operation *inner, unsigned result) {
  Location loc = inner->getLoc();
  IRMapping inside;
  auto give = [&](Value value) {
    if (!inside.contains(value))
      inside.map(value, demote(builder, loc, evaluate(value), value.getType()));
  };
  for (Value operand : inner->getOperands())
    give(operand);
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(inner->getRegions(), captured);
  for (Value value : captured)
    if (op->isAncestor(value.getParentRegion()->getParentOp()))
      give(value);
  // Indices inside are the point's.
  Operation *clone = builder.clone(*inner, inside);
  SmallVector<linalg::IndexOp> positions;
  clone->walk([&](linalg::IndexOp index) { positions.push_back(index); });
  for (linalg::IndexOp index : positions) {
    index.getResult().replaceAllUsesWith(indices[index.getDim()]);
    index.erase();
  }
  for (auto [from, to] :
       llvm::zip_equal(inner->getResults(), clone->getResults()))
    mapping.map(from, promote(builder, loc, to));
  return mapping.lookup(inner->getResult(result));
}

Value cuda::PointEmitter::evaluateOp(Operation *inner, unsigned result) {
  Location loc = inner->getLoc();
  if (auto index = dyn_cast<linalg::IndexOp>(inner))
    return indices[index.getDim()];
  if (inner->getNumRegions())
    return evaluateRegions(inner, result);
  if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
    auto number = dyn_cast<FloatAttr>(constant.getValue());
    Type type = getComputeType(constant.getType());
    if (!number || type == constant.getType())
      return builder.clone(*inner)->getResult(0);
    return arith::ConstantOp::create(
        builder, loc, builder.getFloatAttr(type, number.getValueAsDouble()));
  }
  SmallVector<Value> operands;
  for (Value operand : inner->getOperands())
    operands.push_back(evaluate(operand));
  // Between 16 and 32 bits nothing is left to convert; only a conversion that
  // the model asks for rounds.
  if (isa<arith::ExtFOp>(inner) &&
      getComputeType(inner->getResult(0).getType()) == operands[0].getType())
    return operands[0];
  if (isa<arith::TruncFOp>(inner)) {
    Type storage = inner->getResult(0).getType();
    Value narrow = operands[0].getType() == storage
                       ? operands[0]
                       : Value(arith::TruncFOp::create(builder, loc, storage,
                                                       operands[0]));
    return promote(builder, loc, narrow);
  }
  bool isCast = isa<arith::BitcastOp>(inner);
  bool isLoad = isa<memref::LoadOp>(inner);
  if (isCast)
    operands[0] =
        demote(builder, loc, operands[0], inner->getOperand(0).getType());
  IRMapping operandsOnly;
  for (auto [from, to] : llvm::zip_equal(inner->getOperands(), operands))
    operandsOnly.map(from, to);
  Operation *clone = builder.clone(*inner, operandsOnly);
  for (OpResult made : clone->getResults())
    if (!isCast && !isLoad)
      made.setType(getComputeType(made.getType()));
  for (auto [from, to] :
       llvm::zip_equal(inner->getResults(), clone->getResults()))
    mapping.map(from, promote(builder, loc, to));
  return mapping.lookup(inner->getResult(result));
}
