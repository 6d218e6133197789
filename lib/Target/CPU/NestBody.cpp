// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NestBody.h"

#include "CostModel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

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
// Storage types
//===----------------------------------------------------------------------===//

Value BodyEvaluator::promote(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  Type compute = getComputeType(element);
  if (compute == element)
    return value;
  Type type = isa<VectorType>(value.getType()) ? vectorOf(compute) : compute;
  return arith::ExtFOp::create(builder, value.getLoc(), type, value);
}

Value BodyEvaluator::demote(Value value, Type storage) {
  if (getElementTypeOrSelf(value.getType()) == storage)
    return value;
  Type type = isa<VectorType>(value.getType()) ? vectorOf(storage) : storage;
  return arith::TruncFOp::create(builder, value.getLoc(), type, value);
}

/// Booleans are bytes in memory, where a vector of `i1` would be packed bits.
Value BodyEvaluator::toByteBuffer(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.getElementType().isInteger(1))
    return buffer;
  Value &bytes = byteBuffers[buffer];
  if (!bytes)
    bytes =
        UnrealizedConversionCastOp::create(
            builder, buffer.getLoc(),
            TypeRange(MemRefType::get(type.getShape(), builder.getI8Type(),
                                      type.getLayout(), type.getMemorySpace())),
            buffer)
            .getResult(0);
  return bytes;
}

/// Bytes as booleans.
static Value toBool(OpBuilder &builder, Value value) {
  Value zero = arith::ConstantOp::create(builder, value.getLoc(),
                                         builder.getZeroAttr(value.getType()));
  return arith::CmpIOp::create(builder, value.getLoc(),
                               arith::CmpIPredicate::ne, value, zero);
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

Value BodyEvaluator::skipPadding(unsigned s, OpOperand &operand,
                                 SmallVectorImpl<Value> &indices) {
  if (s != 0 || !nest.padded ||
      nest.padded->number != operand.getOperandNumber())
    return operand.get();
  for (auto [index, start] : llvm::zip_equal(indices, nest.padded->starts))
    index = builder.createOrFold<arith::AddIOp>(nest.stages[s].op.getLoc(),
                                                index, start);
  return nest.padded->source;
}

Value BodyEvaluator::loadLane(unsigned s, OpOperand &operand,
                              const Coords &coords, unsigned lane) {
  Value buffer = operand.get();
  if (!isa<MemRefType>(buffer.getType()))
    return buffer;
  AffineMap map = nest.stages[s].op.getMatchingIndexingMap(&operand);
  Location loc = nest.stages[s].op.getLoc();
  bool isBool = getElementTypeOrSelf(buffer.getType()).isInteger(1);
  SmallVector<Value> indices = getIndices(s, map, coords, lane, /*clamp=*/true);
  buffer = skipPadding(s, operand, indices);
  Value value =
      memref::LoadOp::create(builder, loc, toByteBuffer(buffer), indices);
  return isBool ? toBool(builder, value) : value;
}

/// What masked-off lanes hold. One, for integers: they may be divided by.
static Value createPassThrough(OpBuilder &builder, Location loc,
                               VectorType type) {
  Attribute scalar =
      isa<FloatType>(type.getElementType())
          ? Attribute(builder.getFloatAttr(type.getElementType(), 0))
          : builder.getIntegerAttr(type.getElementType(), 1);
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, scalar));
}

/// The transpose of a square, by interleaving halves of its rows as often as
/// the logarithm of their number says.
static void turn(OpBuilder &builder, Location loc,
                 SmallVectorImpl<Value> &rows) {
  size_t n = rows.size();
  SmallVector<int64_t> low, high;
  for (size_t i = 0; i < n / 2; ++i) {
    llvm::append_values(low, i, n + i);
    llvm::append_values(high, n / 2 + i, n + n / 2 + i);
  }
  for (size_t done = 1; done < n; done *= 2) {
    SmallVector<Value> next;
    for (size_t i = 0; i < n / 2; ++i)
      for (ArrayRef<int64_t> half : {low, high})
        next.push_back(vector::ShuffleOp::create(builder, loc, rows[i],
                                                 rows[i + n / 2], half));
    rows.assign(next);
  }
}

Value BodyEvaluator::loadTurned(unsigned s, OpOperand &operand, unsigned row,
                                const Coords &coords) {
  unsigned nestRow = nest.stages[s].dims[row];
  Coords first = project(coords, getOperandDims(s, operand));
  unsigned column = first[nestRow];
  first[nestRow] = 0;
  SmallVector<Value> &columns = squares[{&operand, first}];
  if (columns.empty()) {
    Location loc = nest.stages[s].op.getLoc();
    AffineMap map = nest.stages[s].op.getMatchingIndexingMap(&operand);
    Value buffer = toByteBuffer(operand.get());
    auto type =
        cast<VectorType>(vectorOf(getElementTypeOrSelf(buffer.getType())));
    Value mask;
    if (block.factors[nestRow] < plan.lanes) {
      SmallVector<bool> live(plan.lanes, false);
      std::fill_n(live.begin(), block.factors[nestRow], true);
      mask = arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(
              cast<VectorType>(vectorOf(builder.getI1Type())), live));
    }
    for (unsigned lane = 0; lane < plan.lanes; ++lane) {
      SmallVector<Value> indices =
          getIndices(s, map, first, lane, /*clamp=*/true);
      if (mask)
        columns.push_back(vector::MaskedLoadOp::create(
            builder, loc, type, buffer, indices, mask,
            createPassThrough(builder, loc, type)));
      else
        columns.push_back(
            vector::LoadOp::create(builder, loc, type, buffer, indices));
    }
    turn(builder, loc, columns);
  }
  return columns[column];
}

Value BodyEvaluator::load(unsigned s, OpOperand &operand,
                          const Coords &coords) {
  NestStage &stage = nest.stages[s];
  Value buffer = operand.get();
  Location loc = stage.op.getLoc();
  if (!isa<MemRefType>(buffer.getType()))
    return promote(buffer);
  uint64_t dims = getOperandDims(s, operand);
  if (!dependsOnLanes(dims))
    return promote(loadLane(s, operand, coords, 0));
  unsigned dim =
      std::distance(stage.dims.begin(), llvm::find(stage.dims, plan.vectorDim));
  if (classifyAccess(operand, dim, plan.lanes) == LaneAccess::Strided) {
    std::optional<unsigned> row = findRowDim(operand, dim);
    if (row && plan.lanes <= maxTurnedLanes &&
        block.factors[stage.dims[*row]] > 1 &&
        block.factors[stage.dims[*row]] <= plan.lanes &&
        !(s == 0 && nest.padded)) {
      Value value = loadTurned(s, operand, *row, coords);
      return getElementTypeOrSelf(buffer.getType()).isInteger(1)
                 ? toBool(builder, value)
                 : promote(value);
    }
    SmallVector<Value> lanes;
    for (unsigned lane = 0; lane < plan.lanes; ++lane)
      lanes.push_back(loadLane(s, operand, coords, lane));
    return promote(vector::FromElementsOp::create(
        builder, loc, cast<VectorType>(vectorOf(lanes[0].getType())), lanes));
  }
  bool isBool = getElementTypeOrSelf(buffer.getType()).isInteger(1);
  AffineMap map = stage.op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = getIndices(s, map, coords);
  buffer = toByteBuffer(skipPadding(s, operand, indices));
  auto type =
      cast<VectorType>(vectorOf(getElementTypeOrSelf(buffer.getType())));
  Value value;
  if (Value mask = getMask(coords))
    value =
        vector::MaskedLoadOp::create(builder, loc, type, buffer, indices, mask,
                                     createPassThrough(builder, loc, type));
  else
    value = vector::LoadOp::create(builder, loc, type, buffer, indices);
  return isBool ? toBool(builder, value) : promote(value);
}

Value BodyEvaluator::loadOutput(unsigned s, unsigned i, const Coords &coords) {
  return load(s, *nest.stages[s].op.getDpsInitOperand(i), coords);
}

void BodyEvaluator::prefetch(unsigned s, OpOperand &operand,
                             const Coords &coords, Value offset) {
  NestStage &stage = nest.stages[s];
  Value buffer = operand.get();
  unsigned dim =
      std::distance(stage.dims.begin(), llvm::find(stage.dims, plan.vectorDim));
  if (!isa<MemRefType>(buffer.getType()) ||
      classifyAccess(operand, dim, plan.lanes) != LaneAccess::Contiguous)
    return;
  Location loc = stage.op.getLoc();
  SmallVector<Value> indices =
      getIndices(s, stage.op.getMatchingIndexingMap(&operand), coords);
  if (offset)
    indices.back() =
        builder.createOrFold<arith::AddIOp>(loc, indices.back(), offset);
  // What is needed much later would push what is needed now out of the first
  // level.
  memref::PrefetchOp::create(builder, loc, buffer, indices, /*isWrite=*/false,
                             /*localityHint=*/offset ? 2 : 3,
                             /*isDataCache=*/true);
}

void BodyEvaluator::store(unsigned s, unsigned i, const Coords &coords,
                          Value value) {
  NestStage &stage = nest.stages[s];
  OpOperand &operand = *stage.op.getDpsInitOperand(i);
  Location loc = stage.op.getLoc();
  Value buffer = operand.get();
  value = demote(value, getElementTypeOrSelf(buffer.getType()));
  buffer = toByteBuffer(buffer);
  Type element = getElementTypeOrSelf(buffer.getType());
  bool lanes = dependsOnLanes(getOperandDims(s, operand));
  if (lanes)
    value = broadcast(value);
  if (getElementTypeOrSelf(value.getType()) != element)
    value = arith::ExtUIOp::create(builder, loc,
                                   lanes ? vectorOf(element) : element, value);
  AffineMap map = stage.op.getMatchingIndexingMap(&operand);
  if (!lanes) {
    memref::StoreOp::create(builder, loc, value, buffer,
                            getIndices(s, map, coords));
    return;
  }
  unsigned dim =
      std::distance(stage.dims.begin(), llvm::find(stage.dims, plan.vectorDim));
  if (classifyAccess(operand, dim, plan.lanes) == LaneAccess::Contiguous) {
    SmallVector<Value> indices = getIndices(s, map, coords);
    if (Value mask = getMask(coords))
      vector::MaskedStoreOp::create(builder, loc, buffer, indices, mask, value);
    else
      vector::StoreOp::create(builder, loc, value, buffer, indices);
    return;
  }
  for (unsigned lane = 0; lane < plan.lanes; ++lane) {
    OpBuilder::InsertionGuard guard(builder);
    if (block.masked) {
      Value live = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::ult,
          getIndex(plan.vectorDim, coords, lane), block.vectorEnd);
      auto ifOp = scf::IfOp::create(builder, loc, live, /*withElse=*/false);
      builder.setInsertionPointToStart(ifOp.thenBlock());
    }
    Value scalar =
        vector::ExtractOp::create(builder, loc, value, int64_t(lane));
    memref::StoreOp::create(builder, loc, scalar, buffer,
                            getIndices(s, map, coords, lane));
  }
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
  if (isa<memref::LoadOp>(op))
    return evaluateGather(s, op, coords);
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

bool BodyEvaluator::growsWithLanes(unsigned s, Value value) {
  if (!dependsOnLanes(getDims(s, value)))
    return false;
  if (auto index = value.getDefiningOp<linalg::IndexOp>())
    return true;
  Operation *op = value.getDefiningOp();
  if (auto add = dyn_cast_or_null<arith::AddIOp>(op))
    return dependsOnLanes(getDims(s, add.getLhs())) !=
               dependsOnLanes(getDims(s, add.getRhs())) &&
           (growsWithLanes(s, add.getLhs()) || growsWithLanes(s, add.getRhs()));
  if (auto sub = dyn_cast_or_null<arith::SubIOp>(op))
    return !dependsOnLanes(getDims(s, sub.getRhs())) &&
           growsWithLanes(s, sub.getLhs());
  if (auto apply = dyn_cast_or_null<affine::AffineApplyOp>(op)) {
    // One operand grows with the lanes, and the result with it.
    AffineMap map = apply.getAffineMap();
    std::optional<unsigned> lane;
    for (auto [i, operand] : llvm::enumerate(apply.getMapOperands())) {
      if (!dependsOnLanes(getDims(s, operand)))
        continue;
      if (lane || !growsWithLanes(s, operand))
        return false;
      lane = i;
    }
    MLIRContext *context = map.getContext();
    AffineExpr dim =
        *lane < map.getNumDims()
            ? getAffineDimExpr(*lane, context)
            : getAffineSymbolExpr(*lane - map.getNumDims(), context);
    AffineExpr expr = map.getResult(0);
    return simplifyAffineExpr(expr.replace(dim, dim + 1) - expr,
                              map.getNumDims(), map.getNumSymbols()) ==
           getAffineConstantExpr(1, context);
  }
  return false;
}

Value BodyEvaluator::evaluateLane(unsigned s, Value value, const Coords &coords,
                                  unsigned lane) {
  if (!dependsOnLanes(getDims(s, value)))
    return evaluate(s, value, coords);
  NestStage &stage = nest.stages[s];
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    if (!stage.fed.contains(arg.getArgNumber()))
      return loadLane(s, stage.op->getOpOperand(arg.getArgNumber()), coords,
                      lane);
    return vector::ExtractOp::create(builder, stage.op.getLoc(),
                                     evaluate(s, value, coords), int64_t(lane));
  }
  Operation *op = value.getDefiningOp();
  if (auto index = dyn_cast<linalg::IndexOp>(op))
    return getIndex(stage.dims[index.getDim()], coords, lane, /*clamp=*/true);
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, evaluateLane(s, operand, coords, lane));
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<Value> operands = llvm::map_to_vector(
        apply.getMapOperands(), [&](Value v) { return mapping.lookup(v); });
    unsigned numDims = apply.getAffineMap().getNumDims();
    return affine::expandAffineExpr(builder, op->getLoc(),
                                    apply.getAffineMap().getResult(0),
                                    ArrayRef(operands).take_front(numDims),
                                    ArrayRef(operands).drop_front(numDims));
  }
  return builder.clone(*op, mapping)
      ->getResult(cast<OpResult>(value).getResultNumber());
}

Value BodyEvaluator::evaluateGather(unsigned s, Operation *op,
                                    const Coords &coords, Value live) {
  auto loadOp = cast<memref::LoadOp>(op);
  Location loc = op->getLoc();
  Value buffer = loadOp.getMemRef();
  bool isBool = getElementTypeOrSelf(buffer.getType()).isInteger(1);
  buffer = toByteBuffer(buffer);
  Type element = getElementTypeOrSelf(buffer.getType());
  auto finish = [&](Value value) {
    return isBool ? toBool(builder, value) : promote(value);
  };
  auto indicesAt = [&](unsigned lane) {
    return llvm::map_to_vector(loadOp.getIndices(), [&](Value index) {
      return evaluateLane(s, index, coords, lane);
    });
  };
  if (!dependsOnLanes(getDims(s, op->getResult(0))))
    return finish(memref::LoadOp::create(builder, loc, buffer, indicesAt(0)));
  // Neighbouring lanes read neighbouring elements.
  SmallVector<int64_t> strides;
  int64_t offset;
  auto indices = loadOp.getIndices();
  bool contiguous = succeeded(cast<MemRefType>(buffer.getType())
                                  .getStridesAndOffset(strides, offset)) &&
                    !strides.empty() && strides.back() == 1 &&
                    growsWithLanes(s, indices.back()) &&
                    llvm::none_of(indices.drop_back(), [&](Value index) {
                      return dependsOnLanes(getDims(s, index));
                    });
  if (contiguous) {
    auto type = cast<VectorType>(vectorOf(element));
    SmallVector<Value> first = indicesAt(0);
    Value mask = getMask(coords);
    if (live) {
      Value all = vector::BroadcastOp::create(
          builder, loc, vectorOf(builder.getI1Type()), live);
      mask = mask ? arith::AndIOp::create(builder, loc, mask, all) : all;
    }
    if (mask)
      return finish(
          vector::MaskedLoadOp::create(builder, loc, type, buffer, first, mask,
                                       createPassThrough(builder, loc, type)));
    return finish(vector::LoadOp::create(builder, loc, type, buffer, first));
  }
  if (live)
    return {};
  SmallVector<Value> lanes;
  for (unsigned lane = 0; lane < plan.lanes; ++lane)
    lanes.push_back(
        memref::LoadOp::create(builder, loc, buffer, indicesAt(lane)));
  return finish(vector::FromElementsOp::create(
      builder, loc, cast<VectorType>(vectorOf(element)), lanes));
}
