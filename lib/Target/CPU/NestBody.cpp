// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NestBody.h"

#include "CostModel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// The arithmetic of an affine expression whose operands are vectors of `type`.
static Value expandOnLanes(OpBuilder &b, Location loc, AffineExpr expr,
                           ArrayRef<Value> dims, ArrayRef<Value> symbols,
                           VectorType type) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(type, b.getIndexAttr(constant.getValue())));
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value lhs = expandOnLanes(b, loc, binary.getLHS(), dims, symbols, type);
  Value rhs = expandOnLanes(b, loc, binary.getRHS(), dims, symbols, type);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(b, loc, lhs, rhs);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(b, loc, lhs, rhs);
  default: {
    Value quotient = arith::FloorDivSIOp::create(b, loc, lhs, rhs);
    return arith::SubIOp::create(b, loc, lhs,
                                 arith::MulIOp::create(b, loc, quotient, rhs));
  }
  }
}

Type BodyEvaluator::getComputeType(Type type) {
  return type.isF16() || type.isBF16() ? Float32Type::get(type.getContext())
                                       : type;
}

Coords BodyEvaluator::project(const Coords &coords, uint64_t dims) {
  Coords projected(coords);
  for (auto [dim, coord] : llvm::enumerate(projected))
    if (!(dims >> dim & 1))
      coord = 0;
  return projected;
}

Type BodyEvaluator::vectorOf(Type type) {
  return VectorType::get({int64_t(plan.lanes)}, type);
}

Value BodyEvaluator::broadcast(Value value) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(builder, value.getLoc(),
                                     vectorOf(value.getType()), value);
}

//===----------------------------------------------------------------------===//
// Dependence on dimensions
//===----------------------------------------------------------------------===//

uint64_t BodyEvaluator::getOperandDims(unsigned s, OpOperand &operand) {
  NestStage &stage = nest.stages[s];
  AffineMap map = stage.op.getMatchingIndexingMap(&operand);
  uint64_t dims = 0;
  // Points of a block with one quotient read the same.
  auto isQuotient = [&](AffineExpr expr, unsigned dim) {
    return plan.getShared(stage.dims[dim]) &&
           expr == getAffineDimExpr(dim, expr.getContext())
                       .floorDiv(plan.getShared(stage.dims[dim]));
  };
  for (auto [d, nestDim] : llvm::enumerate(stage.dims))
    if (llvm::any_of(map.getResults(), [&, d = d](AffineExpr expr) {
          return expr.isFunctionOfDim(d) && !isQuotient(expr, d);
        }))
      dims |= uint64_t(1) << nestDim;
  return dims;
}

uint64_t BodyEvaluator::getOutputDims(unsigned s, unsigned i) {
  return getOperandDims(s, *nest.stages[s].op.getDpsInitOperand(i));
}

uint64_t BodyEvaluator::getDims(unsigned s, Value value) {
  NestStage &stage = nest.stages[s];
  Block *body = stage.op.getBlock();
  if (value.getParentBlock() != body)
    return 0;
  if (auto it = dimsOf.find(value); it != dimsOf.end())
    return it->second;
  uint64_t dims = 0;
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    dims = getOperandDims(s, stage.op->getOpOperand(arg.getArgNumber()));
    // Partial results differ from lane to lane.
    if (s == 0 && plan.horizontal &&
        arg.getArgNumber() >= stage.op.getNumDpsInputs())
      dims |= uint64_t(1) << plan.vectorDim;
  } else if (auto index = value.getDefiningOp<linalg::IndexOp>()) {
    dims = uint64_t(1) << stage.dims[index.getDim()];
  } else {
    for (Value operand : value.getDefiningOp()->getOperands())
      dims |= getDims(s, operand);
  }
  dimsOf[value] = dims;
  return dims;
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value BodyEvaluator::getIndex(unsigned dim, const Coords &coords, unsigned lane,
                              bool clamp) {
  Value base = block.base[dim];
  Location loc = base.getLoc();
  bool isVector = int(dim) == plan.vectorDim;
  int64_t offset = isVector ? int64_t(coords[dim]) * plan.lanes + lane
                            : int64_t(coords[dim]);
  Value index = base;
  if (offset)
    index = builder.createOrFold<arith::AddIOp>(
        loc, base, arith::ConstantIndexOp::create(builder, loc, offset));
  if (clamp && isVector && block.masked) {
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value last = arith::SubIOp::create(builder, loc, block.vectorEnd, one);
    index = arith::MinUIOp::create(builder, loc, index, last);
  }
  return index;
}

SmallVector<Value> BodyEvaluator::getIndices(unsigned s, AffineMap map,
                                             const Coords &coords,
                                             unsigned lane, bool clamp) {
  NestStage &stage = nest.stages[s];
  SmallVector<Value> dims;
  for (auto [d, nestDim] : llvm::enumerate(stage.dims))
    dims.push_back(map.isFunctionOfDim(d)
                       ? getIndex(nestDim, coords, lane, clamp)
                       : Value());
  return emitIndices(builder, stage.op.getLoc(), map, dims);
}

Value BodyEvaluator::getMask(const Coords &coords) {
  if (!block.masked || plan.vectorDim < 0)
    return {};
  Value &mask = masks[coords[plan.vectorDim]];
  if (!mask) {
    Location loc = block.vectorEnd.getLoc();
    Value start = getIndex(plan.vectorDim, coords);
    Value left =
        builder.createOrFold<arith::SubIOp>(loc, block.vectorEnd, start);
    // All lanes of the vectors before the last are live.
    if (std::optional<int64_t> live = getConstantIntValue(left);
        live && *live >= int64_t(plan.lanes))
      return {};
    mask = vector::CreateMaskOp::create(builder, loc,
                                        vectorOf(builder.getI1Type()), left);
  }
  return mask;
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

void BodyEvaluator::setRunning(unsigned i, const Coords &coords, Value value) {
  running[{i, coords}] = value;
}

void BodyEvaluator::setResult(unsigned s, unsigned i, const Coords &coords,
                              Value value) {
  results[{{s, i}, project(coords, getOutputDims(s, i))}] = value;
}

Value BodyEvaluator::evaluateResult(unsigned s, unsigned i,
                                    const Coords &coords) {
  auto key = std::make_pair(std::make_pair(s, i),
                            project(coords, getOutputDims(s, i)));
  if (auto it = results.find(key); it != results.end())
    return it->second;
  Operation *yield = nest.stages[s].op.getBlock()->getTerminator();
  Value value = evaluate(s, yield->getOperand(i), coords);
  results[key] = value;
  return value;
}

Value BodyEvaluator::evaluate(unsigned s, Value value, const Coords &coords) {
  NestStage &stage = nest.stages[s];
  if (value.getParentBlock() != stage.op.getBlock())
    return promote(value);
  Key key{value.getAsOpaquePointer(), project(coords, getDims(s, value))};
  if (auto it = values.find(key); it != values.end())
    return it->second;
  Value result;
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    unsigned number = arg.getArgNumber();
    unsigned numInputs = stage.op.getNumDpsInputs();
    if (auto fed = stage.fed.find(number); fed != stage.fed.end())
      result = evaluateResult(fed->second.first, fed->second.second, coords);
    else if (auto it = running.find({number - numInputs, key.second});
             s == 0 && number >= numInputs && it != running.end())
      result = it->second;
    else if (s == 0 && number >= numInputs && nest.initial[number - numInputs])
      result = promote(nest.initial[number - numInputs]);
    else
      result = load(s, stage.op->getOpOperand(number), coords);
  } else {
    result = evaluateOp(s, value.getDefiningOp(), coords);
  }
  values[key] = result;
  return result;
}

Value BodyEvaluator::evaluateOp(unsigned s, Operation *op,
                                const Coords &coords) {
  Location loc = op->getLoc();
  NestStage &stage = nest.stages[s];
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    unsigned dim = stage.dims[index.getDim()];
    Value base = getIndex(dim, coords);
    if (int(dim) != plan.vectorDim)
      return base;
    Value step = vector::StepOp::create(
        builder, loc, cast<VectorType>(vectorOf(builder.getIndexType())));
    return arith::AddIOp::create(builder, loc, broadcast(base), step);
  }
  if (auto loadOp = dyn_cast<memref::LoadOp>(op))
    return evaluateGather(s, loadOp, loadOp.getIndices(), coords);
  if (std::optional<int64_t> rest = getRemainder(s, op, coords))
    return arith::ConstantIndexOp::create(builder, loc, *rest);
  if (auto select = dyn_cast<arith::SelectOp>(op))
    if (Value chosen = evaluateSelect(s, select, coords))
      return chosen;
  SmallVector<Value> operands;
  bool anyVector = false;
  for (Value operand : op->getOperands()) {
    operands.push_back(evaluate(s, operand, coords));
    anyVector |= isa<VectorType>(operands.back().getType());
  }
  if (anyVector)
    for (auto [i, operand] : llvm::enumerate(operands))
      // A condition that is the same for all lanes stays a scalar.
      if (!(i == 0 && isa<arith::SelectOp>(op)))
        operand = broadcast(operand);
  if (auto compare = dyn_cast<arith::CmpIOp>(op); compare && !anyVector)
    return builder.createOrFold<arith::CmpIOp>(loc, compare.getPredicate(),
                                               operands[0], operands[1]);
  Type type = op->getResult(0).getType();
  auto shaped = [&](Type element) {
    return anyVector ? vectorOf(element) : element;
  };
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    AffineExpr expr = apply.getAffineMap().getResult(0);
    unsigned numDims = apply.getAffineMap().getNumDims();
    ArrayRef<Value> all = operands;
    if (!anyVector)
      return affine::expandAffineExpr(
          builder, loc, expr, all.take_front(numDims), all.drop_front(numDims));
    return expandOnLanes(builder, loc, expr, all.take_front(numDims),
                         all.drop_front(numDims),
                         cast<VectorType>(operands.front().getType()));
  }
  // Values of 16-bit floats are held in f32, rounded where the model rounds.
  if (isa<arith::ExtFOp>(op) &&
      getElementTypeOrSelf(operands[0].getType()) == type)
    return operands[0];
  if (isa<arith::TruncFOp>(op) && getComputeType(type) != type) {
    Value rounded =
        arith::TruncFOp::create(builder, loc, shaped(type), operands[0]);
    return promote(rounded);
  }
  if (isa<arith::BitcastOp>(op)) {
    Value bits = demote(operands[0], op->getOperand(0).getType());
    return promote(arith::BitcastOp::create(builder, loc, shaped(type), bits));
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (getComputeType(type) == type)
      return builder.clone(*op)->getResult(0);
    APFloat number = cast<FloatAttr>(constant.getValue()).getValue();
    bool lost;
    number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
    return arith::ConstantOp::create(
        builder, loc, builder.getFloatAttr(builder.getF32Type(), number));
  }
  OperationState state(loc, op->getName());
  state.addOperands(operands);
  for (Type result : op->getResultTypes())
    state.addTypes(shaped(getComputeType(result)));
  state.addAttributes(op->getAttrs());
  state.propertiesAttr = op->getPropertiesAsAttribute();
  Operation *clone = builder.create(state);
  for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
    values[{from.getAsOpaquePointer(), project(coords, getDims(s, from))}] = to;
  return clone->getResult(0);
}
