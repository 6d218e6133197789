// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands that are read at the quotient of the lanes' dimension, as an image
// is by filters of several groups: lanes in runs share an element. Where the
// elements of all runs lie in one or two vectors, those are read whole and
// permuted in registers; else each run's element is broadcast.

#include "NestBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe::cpu;

/// The distance between neighbouring elements along dimension `position`, if
/// those of the innermost dimension lie together.
static std::optional<int64_t> getStride(Value buffer, unsigned position) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type || failed(type.getStridesAndOffset(strides, offset)) ||
      strides.back() != 1 || ShapedType::isDynamic(strides[position]))
    return std::nullopt;
  return strides[position];
}

std::optional<SpreadAccess> lathe::cpu::matchSpread(OpOperand &operand,
                                                    unsigned dim) {
  auto op = cast<linalg::LinalgOp>(operand.getOwner());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!op.isDpsInput(&operand))
    return std::nullopt;
  std::optional<SpreadAccess> found;
  for (auto [position, expr] : llvm::enumerate(map.getResults())) {
    if (!expr.isFunctionOfDim(dim))
      continue;
    std::optional<int64_t> divisor =
        getDivisor(expr, AffineExprKind::FloorDiv, dim);
    // Runs of one lane, every other element.
    if (isa<AffineDimExpr>(expr) && op.getNumReductionLoops() &&
        getStride(operand.get(), position) == 2)
      divisor = 1;
    if (found || !divisor || *divisor < 1)
      return std::nullopt;
    found = SpreadAccess{*divisor, unsigned(position)};
  }
  return found;
}

/// Vectors that the elements of all runs lie in, or 0 where one by one they are
/// read as fast.
static int64_t getSpreadVectors(int64_t runs, int64_t stride, int64_t lanes) {
  int64_t vectors = llvm::divideCeil((runs - 1) * stride + 1, lanes);
  return vectors <= 2 && runs > 2 ? vectors : 0;
}

SpreadCost lathe::cpu::getSpreadCost(OpOperand &operand,
                                     const SpreadAccess &spread,
                                     unsigned lanes) {
  if (spread.divisor % lanes == 0)
    return {1, 0};
  int64_t runs = lanes % spread.divisor == 0
                     ? lanes / spread.divisor
                     : llvm::divideCeil(lanes - 1, spread.divisor) + 1;
  std::optional<int64_t> stride = getStride(operand.get(), spread.position);
  if (int64_t vectors = stride ? getSpreadVectors(runs, *stride, lanes) : 0)
    return {double(vectors), 1};
  return {double(runs), double(runs - 1)};
}

Value BodyEvaluator::loadFirst(Value buffer, ArrayRef<Value> indices,
                               int64_t count, Location loc) {
  auto type = cast<VectorType>(
      vectorOf(cast<MemRefType>(buffer.getType()).getElementType()));
  if (count >= int64_t(plan.lanes))
    return vector::LoadOp::create(builder, loc, type, buffer, indices);
  SmallVector<bool> live(plan.lanes, false);
  std::fill_n(live.begin(), count, true);
  Value mask = arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(cast<VectorType>(vectorOf(builder.getI1Type())),
                             live));
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return vector::MaskedLoadOp::create(builder, loc, type, buffer, indices, mask,
                                      zero);
}

Value BodyEvaluator::loadRuns(unsigned s, OpOperand &operand,
                              const Coords &coords, ArrayRef<int64_t> runs) {
  Location loc = nest.stages[s].op.getLoc();
  Value value = broadcast(loadLane(s, operand, coords, 0));
  for (unsigned lane = 1; lane < plan.lanes; ++lane) {
    if (runs[lane] == runs[lane - 1])
      continue;
    SmallVector<bool> behind(plan.lanes, false);
    std::fill(behind.begin() + lane, behind.end(), true);
    Value mask = arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(cast<VectorType>(vectorOf(builder.getI1Type())),
                               behind));
    Value next = broadcast(loadLane(s, operand, coords, lane));
    value = arith::SelectOp::create(builder, loc, mask, next, value);
  }
  return value;
}

/// The lanes of `value` at `places`, of 32 bits each.
static Value permute(OpBuilder &builder, Location loc, Value value,
                     Value places) {
  auto type = cast<VectorType>(value.getType());
  StringRef name = type.getNumElements() == 16
                       ? "llvm.x86.avx512.permvar.sf.512"
                       : "llvm.x86.avx2.permps";
  Type floats = type.clone(builder.getF32Type());
  if (floats != type)
    value = arith::BitcastOp::create(builder, loc, floats, value);
  Value moved = LLVM::CallIntrinsicOp::create(builder, loc, floats,
                                              builder.getStringAttr(name),
                                              ValueRange{value, places})
                    .getResults();
  if (floats != type)
    moved = arith::BitcastOp::create(builder, loc, type, moved);
  return moved;
}

Value BodyEvaluator::loadWholeRuns(unsigned s, OpOperand &operand,
                                   const SpreadAccess &spread,
                                   ArrayRef<Value> indices,
                                   ArrayRef<int64_t> runs) {
  Location loc = nest.stages[s].op.getLoc();
  auto type = cast<MemRefType>(operand.get().getType());
  SmallVector<Value> begin(indices);
  begin.back() = arith::ConstantIndexOp::create(builder, loc, 0);
  Value buffer = skipPadding(s, operand, begin);
  std::optional<int64_t> stride = getStride(buffer, spread.position);
  int64_t width = type.getShape().back(), count = (runs.back() + 1) * width;
  if (!plan.permutes || (plan.lanes != 16 && plan.lanes != 8) ||
      type.getElementTypeBitWidth() != 32 ||
      spread.position + 2 != indices.size() || stride != width ||
      count > int64_t(plan.lanes))
    return {};
  Value value = loadFirst(toMemoryBuffer(buffer), begin, count, loc);
  SmallVector<int32_t> firsts;
  for (int64_t run : runs)
    firsts.push_back(run * width);
  auto places = cast<VectorType>(vectorOf(builder.getI32Type()));
  Value inner = arith::IndexCastOp::create(builder, loc, builder.getI32Type(),
                                           indices.back());
  Value at = arith::AddIOp::create(
      builder, loc,
      arith::ConstantOp::create(
          builder, loc, DenseElementsAttr::get(places, ArrayRef(firsts))),
      broadcast(inner));
  return permute(builder, loc, value, at);
}

Value BodyEvaluator::loadSpread(unsigned s, OpOperand &operand,
                                const SpreadAccess &spread,
                                const Coords &coords) {
  Location loc = nest.stages[s].op.getLoc();
  int64_t lanes = plan.lanes, divisor = spread.divisor;
  // Lanes that are read for; masked ones have no elements.
  std::optional<int64_t> live = lanes;
  if (block.masked) {
    Value left = builder.createOrFold<arith::SubIOp>(
        loc, block.vectorEnd, getIndex(plan.vectorDim, coords));
    live = getConstantIntValue(OpFoldResult(left));
  }
  int64_t phase =
      divisor % lanes == 0 ? 0 : coords[plan.vectorDim] * lanes % divisor;
  SmallVector<int64_t> runs;
  for (int64_t lane = 0; lane < lanes; ++lane)
    runs.push_back(live && lane >= *live ? runs.back()
                                         : (phase + lane) / divisor);
  int64_t numRuns = runs.back() + 1;
  if (!live || numRuns == 1)
    return loadRuns(s, operand, coords, runs);

  AffineMap map = nest.stages[s].op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = getIndices(s, map, coords);
  if (Value value = loadWholeRuns(s, operand, spread, indices, runs))
    return value;
  Value buffer = skipPadding(s, operand, indices);
  std::optional<int64_t> stride = getStride(buffer, spread.position);
  if (!stride || getSpreadVectors(numRuns, *stride, lanes) == 0)
    return loadRuns(s, operand, coords, runs);
  int64_t count = (numRuns - 1) * *stride + 1;
  buffer = toMemoryBuffer(buffer);
  SmallVector<Value> loaded;
  for (int64_t at = 0; at < count; at += lanes) {
    loaded.push_back(loadFirst(buffer, indices, count - at, loc));
    indices.back() = builder.createOrFold<arith::AddIOp>(
        loc, indices.back(),
        arith::ConstantIndexOp::create(builder, loc, lanes));
  }
  SmallVector<int64_t> elements;
  for (int64_t run : runs)
    elements.push_back(run * *stride);
  return vector::ShuffleOp::create(builder, loc, loaded.front(), loaded.back(),
                                   elements);
}
