// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Neighbouring points that share what they compute: the points of a tile that
// is transformed as a whole. A block holds all of them, begins where a tile
// does, and so knows which of them each point is.

#include "CostModel.h"
#include "Nest.h"
#include "NestBody.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace lathe::cpu;

/// The divisor by which all operands that depend on `dim` read it, or 0.
static unsigned findQuotient(linalg::LinalgOp op, unsigned dim) {
  int64_t found = 0;
  for (OpOperand *operand : op.getDpsInputOperands())
    for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults()) {
      // A panel of packed columns is read at `d mod w`, too.
      if (!expr.isFunctionOfDim(dim) || isa<AffineDimExpr>(expr))
        continue;
      auto quotient = dyn_cast<AffineBinaryOpExpr>(expr);
      if (!quotient || quotient.getKind() != AffineExprKind::FloorDiv ||
          quotient.getLHS() != getAffineDimExpr(dim, expr.getContext()))
        return 0;
      auto divisor = dyn_cast<AffineConstantExpr>(quotient.getRHS());
      if (!divisor || (found && found != divisor.getValue()))
        return 0;
      found = divisor.getValue();
    }
  return found <= maxBlock ? found : 0;
}

/// Whether the body of `op` compares its index along `dim` with constants only,
/// and no operand has that dimension.
static bool isSelected(linalg::LinalgOp op, unsigned dim) {
  if (llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
        return op.getMatchingIndexingMap(operand).isFunctionOfDim(dim);
      }))
    return false;
  bool found = false, others = false;
  for (auto index : op.getBlock()->getOps<linalg::IndexOp>())
    if (index.getDim() == dim)
      for (Operation *user : index->getUsers()) {
        auto compare = dyn_cast<arith::CmpIOp>(user);
        (compare && getConstantIntValue(OpFoldResult(compare.getRhs()))
             ? found
             : others) = true;
      }
  return found && !others;
}

SmallVector<unsigned> lathe::cpu::findShared(linalg::LinalgOp op) {
  SmallVector<unsigned> shared(op.getNumLoops(), 0);
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  if (op.getNumReductionLoops())
    return shared;
  for (auto [dim, points] : llvm::enumerate(shared)) {
    points = findQuotient(op, dim);
    if (!points && !ShapedType::isDynamic(ranges[dim]) &&
        ranges[dim] <= maxBlock && isSelected(op, dim))
      points = ranges[dim];
  }
  return shared;
}

/// Whether `value`, outside of a nest, is known to be a multiple of `divisor`.
static bool isMultipleOf(Value value, int64_t divisor) {
  if (std::optional<int64_t> known = getConstantIntValue(OpFoldResult(value)))
    return *known % divisor == 0;
  auto arg = dyn_cast<BlockArgument>(value);
  auto loop = arg ? dyn_cast<LoopLikeOpInterface>(arg.getOwner()->getParentOp())
                  : LoopLikeOpInterface();
  if (!loop)
    return false;
  auto variables = loop.getLoopInductionVars();
  auto begins = loop.getLoopLowerBounds(), steps = loop.getLoopSteps();
  if (!variables || !begins || !steps)
    return false;
  for (auto [variable, begin, step] :
       llvm::zip_equal(*variables, *begins, *steps)) {
    std::optional<int64_t> first = getConstantIntValue(begin),
                           distance = getConstantIntValue(step);
    if (variable == value)
      return first && distance && *first % divisor == 0 &&
             *distance % divisor == 0;
  }
  return false;
}

std::optional<int64_t> BodyEvaluator::getRemainder(unsigned s, Operation *op,
                                                   const Coords &coords) {
  auto apply = dyn_cast<affine::AffineApplyOp>(op);
  if (!apply)
    return std::nullopt;
  auto binary = dyn_cast<AffineBinaryOpExpr>(apply.getAffineMap().getResult(0));
  if (!binary || binary.getKind() != AffineExprKind::Mod)
    return std::nullopt;
  auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (!divisor || divisor.getValue() <= 0)
    return std::nullopt;
  // The index of a dimension whose blocks begin at multiples, and multiples.
  std::optional<unsigned> dim;
  AffineMap map = apply.getAffineMap();
  MLIRContext *context = map.getContext();
  AffineExpr rest = binary.getLHS();
  for (auto [i, operand] : llvm::enumerate(apply.getMapOperands())) {
    AffineExpr at = i < map.getNumDims()
                        ? getAffineDimExpr(i, context)
                        : getAffineSymbolExpr(i - map.getNumDims(), context);
    if (isMultipleOf(operand, divisor.getValue())) {
      rest = rest.replace(at, at * divisor);
      continue;
    }
    auto index = operand.getDefiningOp<linalg::IndexOp>();
    if (!index || index->getBlock() != nest.stages[s].op.getBlock() || dim)
      return std::nullopt;
    dim = nest.stages[s].dims[index.getDim()];
    unsigned shared = plan.getShared(*dim);
    if (!shared || shared % divisor.getValue())
      return std::nullopt;
    // The block's first point adds a multiple.
    rest = rest.replace(at, at * divisor + int64_t(coords[*dim]));
  }
  if (!dim)
    return std::nullopt;
  auto known = dyn_cast<AffineConstantExpr>(simplifyAffineExpr(
      rest % divisor, map.getNumDims(), map.getNumSymbols()));
  if (!known)
    return std::nullopt;
  return known.getValue();
}

Value BodyEvaluator::evaluateSelect(unsigned s, arith::SelectOp op,
                                    const Coords &coords) {
  uint64_t dims = getDims(s, op.getCondition());
  if (dependsOnLanes(dims))
    return evaluateGuarded(s, op, coords);
  Value condition = evaluate(s, op.getCondition(), coords);
  if (std::optional<int64_t> known =
          getConstantIntValue(OpFoldResult(condition)))
    return evaluate(s, *known ? op.getTrueValue() : op.getFalseValue(), coords);
  // Zeros where nothing is read are what a mask leaves.
  auto loadOp = op.getTrueValue().getDefiningOp<memref::LoadOp>();
  if (!loadOp || !matchPattern(op.getFalseValue(), m_PosZeroFloat()) ||
      !dependsOnLanes(getDims(s, loadOp)))
    return {};
  return evaluateGather(s, loadOp, loadOp.getIndices(), coords, condition);
}
