// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which versions of a nest are generated. Sizes that are known at run time only
// choose between them: tiles are whole but the last, so one version may know
// the extents of whole tiles; and of two dimensions of rows either may be too
// short for blocks.

#include "CostModel.h"
#include "NestGenerator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Whether blocks of `plan` fill what is `cut`, where that is as large as its
/// bounds, just as those of `whole` do.
static bool isFilled(const NestPlan &plan, const NestPlan &whole,
                     ArrayRef<unsigned> cut, ArrayRef<int64_t> bounds) {
  return plan.vectorDim == whole.vectorDim && plan.lanes == whole.lanes &&
         plan.vectors == whole.vectors && plan.blocks == whole.blocks &&
         llvm::all_of(cut, [&](unsigned dim) {
           auto block = llvm::find_if(
               plan.blocks, [&](auto block) { return block.first == dim; });
           return block != plan.blocks.end() &&
                  bounds[dim] % block->second == 0;
         });
}

/// The two innermost dimensions of rows, if nothing says which of them is long
/// enough for blocks, and tiles have about as much of either.
static std::optional<std::pair<unsigned, unsigned>>
findRivals(linalg::LinalgOp op, const NestPlan &plan, ArrayRef<int64_t> extents,
           ArrayRef<int64_t> bounds) {
  if (plan.matrix || plan.blocks.size() != 1 ||
      plan.getShared(plan.blocks.front().first) || !op.getNumReductionLoops())
    return std::nullopt;
  SmallVector<unsigned> rows;
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::parallel && int(dim) != plan.vectorDim)
      rows.push_back(dim);
  if (rows.size() < 2)
    return std::nullopt;
  unsigned outer = rows[rows.size() - 2], inner = rows.back();
  if (!ShapedType::isDynamic(extents[inner]) ||
      ShapedType::isDynamic(bounds[inner]) ||
      ShapedType::isDynamic(bounds[outer]) ||
      bounds[outer] < int64_t(maxExactBlock) ||
      bounds[inner] > 2 * bounds[outer])
    return std::nullopt;
  // Blocks along either share vectors.
  if (llvm::none_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
        AffineMap map = op.getMatchingIndexingMap(operand);
        return plan.getAccess(*operand) == LaneAccess::Contiguous &&
               !map.isFunctionOfDim(outer) && !map.isFunctionOfDim(inner);
      }))
    return std::nullopt;
  return std::make_pair(outer, inner);
}

void NestGenerator::emitRivals(ArrayRef<int64_t> bounds) {
  auto rivals = findRivals(nest.getMain(), plan, staticExtents, bounds);
  if (!rivals || nest.padded)
    return emitNest();
  auto [outer, inner] = *rivals;
  // As if the other one had no more than a point.
  auto planAlong = [&](unsigned dim, unsigned other) {
    SmallVector<int64_t> within(bounds);
    within[other] = 1;
    plan = planNest(nest, staticExtents, within, target, decided);
    return plan.isBlocked(dim);
  };
  NestPlan both = plan;
  if (!planAlong(outer, inner) || !planAlong(inner, outer)) {
    plan = both;
    return emitNest();
  }
  Value limit = arith::MinUIOp::create(
      builder, loc, toValue(extents[outer]),
      arith::ConstantIndexOp::create(builder, loc, maxExactBlock));
  Value isShort = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                        toValue(extents[inner]), limit);
  auto choice = scf::IfOp::create(builder, loc, isShort, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(choice.elseBlock());
  emitNest();
  builder.setInsertionPointToStart(choice.thenBlock());
  planAlong(outer, inner);
  emitNest();
}

/// What sums up products, and why they are not those of matrices.
static std::string describeDot(const NestPlan &plan, linalg::LinalgOp op) {
  if (!plan.dot)
    return "";
  bool floats = isa<FloatType>(
      getElementTypeOrSelf(op->getOperand(plan.dot->product.right)));
  StringRef type = floats ? "bf16" : "int8";
  if (plan.matrix)
    return ("matrices of " + type).str();
  std::string text = ("vectors of " + type).str();
  if (!plan.notMatrix.empty())
    text += (", not matrices: " + plan.notMatrix).str();
  return text;
}

std::string NestGenerator::run() {
  linalg::LinalgOp op = nest.getMain();
  SmallVector<Range> ranges = op.createLoopRanges(builder, loc);
  for (Range range : ranges) {
    extents.push_back(range.size);
    staticExtents.push_back(
        getConstantIntValue(range.size).value_or(ShapedType::kDynamic));
  }
  SmallVector<int64_t> bounds(staticExtents);
  for (auto [extent, bound] : llvm::zip_equal(extents, bounds))
    if (ShapedType::isDynamic(bound))
      if (FailureOr<int64_t> most =
              ValueBoundsConstraintSet::computeConstantBound(
                  presburger::BoundType::UB, {cast<Value>(extent)}, nullptr,
                  /*closedUB=*/true);
          succeeded(most))
        bound = *most;
  plan.dot = matchDotProduct(op, staticExtents, target);
  if (plan.dot)
    chooseMatrix(op, staticExtents, bounds, target, plan);
  std::string sums = describeDot(plan, op);
  // Rows of matrices are read where padding is copied to.
  if (plan.matrix)
    nest.padded.reset();
  if (nest.padded)
    emitPaddingStarts(builder, *nest.padded);
  plan = planNest(nest, staticExtents, bounds, target, decided);
  bool skips = nest.padded && canSkipPadding(*nest.padded, plan, staticExtents);
  // Tiles are whole but the last: code for those that knows their sizes.
  NestPlan whole = planNest(nest, bounds, bounds, target, decided);
  if (others)
    *others = proposeNests(nest, bounds, bounds, target);
  SmallVector<unsigned> cut;
  for (auto [dim, bound] : llvm::enumerate(bounds))
    if (bound != staticExtents[dim] &&
        (int(dim) == whole.vectorDim || whole.isBlocked(dim)))
      cut.push_back(dim);
  bool splits = op.getNumReductionLoops() && whole.vectorDim >= 0 &&
                !whole.horizontal && !cut.empty() &&
                !(isFilled(plan, whole, cut, bounds) && !readsBatchOfPanels());
  if (!skips && nest.padded) {
    skips = splits = false;
    if (!keepSteps(*nest.padded, op, plan))
      nest.padded.reset();
  }
  if (!splits) {
    emitRivals(bounds);
    return sums;
  }
  Value isWhole;
  for (unsigned dim : cut) {
    Value equal = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, toValue(extents[dim]),
        arith::ConstantIndexOp::create(builder, loc, bounds[dim]));
    isWhole =
        isWhole ? arith::AndIOp::create(builder, loc, isWhole, equal) : equal;
  }
  auto choice = scf::IfOp::create(builder, loc, isWhole, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(choice.elseBlock());
  emitRivals(bounds);
  builder.setInsertionPointToStart(choice.thenBlock());
  for (unsigned dim : cut) {
    extents[dim] = builder.getIndexAttr(bounds[dim]);
    staticExtents[dim] = bounds[dim];
  }
  plan = planNest(nest, staticExtents, bounds, target, decided);
  emitNest();
  return sums;
}
