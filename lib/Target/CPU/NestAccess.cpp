// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads and writes memory for the bodies of a nest: by vectors, lane by lane,
// in squares that are turned, and at computed places.

#include "NestBody.h"

#include "CostModel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

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

/// What is loaded and stored as integers: booleans as bytes, where a vector of
/// `i1` would be packed bits, and bf16 as words, which LLVM masks on processors
/// without bf16, too.
static Type getMemoryType(Type element) {
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), 8);
  if (element.isBF16())
    return IntegerType::get(element.getContext(), 16);
  return element;
}

Value BodyEvaluator::toMemoryBuffer(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  Type element = getMemoryType(type.getElementType());
  if (element == type.getElementType())
    return buffer;
  Value &integers = memoryBuffers[buffer];
  if (!integers)
    integers =
        UnrealizedConversionCastOp::create(
            builder, buffer.getLoc(),
            TypeRange(MemRefType::get(type.getShape(), element,
                                      type.getLayout(), type.getMemorySpace())),
            buffer)
            .getResult(0);
  return integers;
}

/// What was loaded as `element`.
static Value fromMemory(OpBuilder &builder, Value value, Type element) {
  Type loaded = getElementTypeOrSelf(value.getType());
  if (loaded == element)
    return value;
  if (element.isInteger(1)) {
    Value zero = arith::ConstantOp::create(
        builder, value.getLoc(), builder.getZeroAttr(value.getType()));
    return arith::CmpIOp::create(builder, value.getLoc(),
                                 arith::CmpIPredicate::ne, value, zero);
  }
  Type type = element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(element);
  return arith::BitcastOp::create(builder, value.getLoc(), type, value);
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

Value BodyEvaluator::skipPadding(unsigned s, OpOperand &operand,
                                 SmallVectorImpl<Value> &indices) {
  if (s != 0 || !nest.padded || nest.padded->copied ||
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
  Type element = getElementTypeOrSelf(buffer.getType());
  SmallVector<Value> indices = getIndices(s, map, coords, lane, /*clamp=*/true);
  buffer = skipPadding(s, operand, indices);
  Value value =
      memref::LoadOp::create(builder, loc, toMemoryBuffer(buffer), indices);
  return fromMemory(builder, value, element);
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
    Value buffer = toMemoryBuffer(operand.get());
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
  Type element = getElementTypeOrSelf(buffer.getType());
  if (!isa<MemRefType>(buffer.getType()))
    return promote(buffer);
  uint64_t dims = getOperandDims(s, operand);
  if (!dependsOnLanes(dims))
    return promote(loadLane(s, operand, coords, 0));
  unsigned dim =
      std::distance(stage.dims.begin(), llvm::find(stage.dims, plan.vectorDim));
  LaneAccess access = classifyAccess(operand, dim, plan.lanes, plan.unit);
  if (access == LaneAccess::Spread)
    return promote(fromMemory(
        builder, loadSpread(s, operand, *matchSpread(operand, dim), coords),
        element));
  if (access == LaneAccess::Strided) {
    std::optional<unsigned> row = findRowDim(operand, dim);
    if (row && plan.lanes <= maxTurnedLanes &&
        block.factors[stage.dims[*row]] > 1 &&
        block.factors[stage.dims[*row]] <= plan.lanes &&
        !(s == 0 && nest.padded && !nest.padded->copied)) {
      return promote(
          fromMemory(builder, loadTurned(s, operand, *row, coords), element));
    }
    SmallVector<Value> lanes;
    for (unsigned lane = 0; lane < plan.lanes; ++lane)
      lanes.push_back(loadLane(s, operand, coords, lane));
    return promote(vector::FromElementsOp::create(
        builder, loc, cast<VectorType>(vectorOf(lanes[0].getType())), lanes));
  }
  AffineMap map = stage.op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = getIndices(s, map, coords);
  buffer = toMemoryBuffer(skipPadding(s, operand, indices));
  auto type =
      cast<VectorType>(vectorOf(getElementTypeOrSelf(buffer.getType())));
  Value value;
  if (Value mask = getMask(coords))
    value =
        vector::MaskedLoadOp::create(builder, loc, type, buffer, indices, mask,
                                     createPassThrough(builder, loc, type));
  else
    value = vector::LoadOp::create(builder, loc, type, buffer, indices);
  return promote(fromMemory(builder, value, element));
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
      classifyAccess(operand, dim, plan.lanes, plan.unit) !=
          LaneAccess::Contiguous)
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
  buffer = toMemoryBuffer(buffer);
  Type element = getElementTypeOrSelf(buffer.getType());
  bool lanes = dependsOnLanes(getOperandDims(s, operand));
  if (lanes)
    value = broadcast(value);
  Type stored = lanes ? vectorOf(element) : element;
  if (getElementTypeOrSelf(value.getType()).isInteger(1))
    value = arith::ExtUIOp::create(builder, loc, stored, value);
  else if (value.getType() != stored)
    value = arith::BitcastOp::create(builder, loc, stored, value);
  AffineMap map = stage.op.getMatchingIndexingMap(&operand);
  if (!lanes) {
    memref::StoreOp::create(builder, loc, value, buffer,
                            getIndices(s, map, coords));
    return;
  }
  unsigned dim =
      std::distance(stage.dims.begin(), llvm::find(stage.dims, plan.vectorDim));
  if (classifyAccess(operand, dim, plan.lanes, plan.unit) ==
      LaneAccess::Contiguous) {
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
// Computed places
//===----------------------------------------------------------------------===//

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
    return growsByOne(map, *lane);
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

Value BodyEvaluator::evaluateGather(unsigned s, memref::LoadOp loadOp,
                                    ValueRange indices, const Coords &coords,
                                    Value live) {
  Location loc = loadOp.getLoc();
  Value buffer = loadOp.getMemRef();
  Type held = getElementTypeOrSelf(buffer.getType());
  buffer = toMemoryBuffer(buffer);
  Type element = getElementTypeOrSelf(buffer.getType());
  auto finish = [&](Value value) {
    return promote(fromMemory(builder, value, held));
  };
  auto indicesAt = [&](unsigned lane) {
    return llvm::map_to_vector(indices, [&](Value index) {
      return evaluateLane(s, index, coords, lane);
    });
  };
  if (!dependsOnLanes(getDims(s, loadOp.getResult())))
    return finish(memref::LoadOp::create(builder, loc, buffer, indicesAt(0)));
  // Neighbouring lanes read neighbouring elements.
  SmallVector<int64_t> strides;
  int64_t offset;
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
      Value all = broadcast(live);
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
