// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CostModel.h"
#include "NestGenerator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// The dimension of a batch of matrices that lie in panels, each of which is
/// read for the rows of one matrix only; none for other operands.
static std::optional<unsigned> findBatchOfPanels(linalg::LinalgOp op,
                                                 OpOperand &operand,
                                                 const NestPlan &plan) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  std::optional<unsigned> batch;
  if (map.isProjectedPermutation() ||
      map.getResults().back().getKind() != AffineExprKind::Mod ||
      plan.getAccess(operand) != LaneAccess::Contiguous)
    return std::nullopt;
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind != utils::IteratorType::parallel || int(dim) == plan.vectorDim ||
        !map.isFunctionOfDim(dim))
      continue;
    if (batch || plan.isBlocked(dim))
      return std::nullopt;
    batch = dim;
  }
  return batch;
}

/// Whether each matrix of a batch has panels of its own.
static bool readsBatchOfPanels(linalg::LinalgOp op, const NestPlan &plan) {
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
    return findBatchOfPanels(op, *operand, plan).has_value();
  });
}

bool NestGenerator::readsBatchOfPanels() {
  return ::readsBatchOfPanels(nest.getMain(), plan);
}

bool lathe::cpu::canPrefetch(Nest &nest, const NestPlan &plan) {
  if (plan.horizontal || plan.vectorDim < 0)
    return false;
  return nest.stages.size() > 1 || ::readsBatchOfPanels(nest.getMain(), plan);
}

/// Asks for the panels of the next matrix of a batch while the blocks of rows
/// go through those of this one, each block for its part, so that memory is
/// read all the time.
void NestGenerator::emitPanelPrefetches() {
  linalg::LinalgOp op = nest.getMain();
  if (!plan.prefetches || plan.dot || plan.horizontal ||
      reductions.size() != 1 || plan.blocks.size() != 1)
    return;
  unsigned depth = reductions.front(), row = plan.blocks.front().first;
  int64_t steps = staticExtents[depth], rows = staticExtents[row];
  if (ShapedType::isDynamic(steps) || ShapedType::isDynamic(rows))
    return;
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    std::optional<unsigned> batch = findBatchOfPanels(op, *operand, plan);
    if (!batch || map.isFunctionOfDim(row))
      continue;
    int64_t width =
        cast<MemRefType>(operand->get().getType()).getShape().back();
    BlockState next = block;
    next.base[*batch] = builder.createOrFold<arith::AddIOp>(
        loc, block.base[*batch], constant(1));
    next.base[depth] = constant(0);
    Value first = builder.createOrFold<arith::DivUIOp>(
        loc,
        builder.createOrFold<arith::MulIOp>(loc, block.base[row],
                                            constant(steps * width)),
        constant(rows));
    int64_t perStep =
        llvm::divideCeil(int64_t(block.factors[row]) * width, rows);
    Value offset = builder.createOrFold<arith::AddIOp>(
        loc, first,
        builder.createOrFold<arith::MulIOp>(loc, block.base[depth],
                                            constant(perStep)));
    BodyEvaluator body(builder, nest, plan, next);
    forEachCoords(uint64_t(1) << plan.vectorDim, [&](const Coords &coords) {
      if (coords[plan.vectorDim] * plan.lanes % width == 0)
        body.prefetch(0, *operand, coords, offset);
    });
  }
}

/// Fetches what later stages read once per point, a residual, while the
/// reduction runs.
void NestGenerator::emitPrefetches(uint64_t parallel) {
  if (!plan.prefetches || plan.vectorDim < 0 || plan.horizontal)
    return;
  int64_t steps = 1;
  for (unsigned dim : reductions)
    steps *= ShapedType::isDynamic(staticExtents[dim]) ? minPrefetchSteps
                                                       : staticExtents[dim];
  if (steps < minPrefetchSteps)
    return;
  BodyEvaluator body(builder, nest, plan, block);
  for (unsigned s = 1; s < nest.stages.size(); ++s)
    for (OpOperand *operand : nest.stages[s].op.getDpsInputOperands())
      if (!nest.stages[s].fed.contains(operand->getOperandNumber()) &&
          body.getOperandDims(s, *operand) == body.getOutputDims(s, 0))
        forEachCoords(
            body.getOperandDims(s, *operand) & parallel,
            [&](const Coords &coords) { body.prefetch(s, *operand, coords); });
}
