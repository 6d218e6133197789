// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides which dot products are computed in registers of matrices, and in
// which blocks. Weights are packed for them already: a row of a matrix of the
// right operand holds the group of each of 16 columns, the next one the groups
// that follow along the reduction.

#include "CostModel.h"
#include "Nest.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

static constexpr int64_t maxRows = 16, rowBytes = 64;

/// Whether points along `dim` are rows of the left operand, all at the same
/// distance, that share the right one.
static bool areRows(linalg::LinalgOp op, const DotProduct &dot, unsigned dim) {
  AffineMap left = op.getIndexingMapsArray()[dot.product.left];
  AffineMap right = op.getIndexingMapsArray()[dot.product.right];
  AffineExpr variable = getAffineDimExpr(dim, op.getContext());
  return op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel &&
         dim != dot.columns && !right.isFunctionOfDim(dim) &&
         left.isFunctionOfDim(dim) &&
         llvm::all_of(left.getResults(), [&](AffineExpr expr) {
           return !expr.isFunctionOfDim(dim) ||
                  getCoefficient(expr, variable, left.getNumDims());
         });
}

/// Points of a block along rows of that extent; blocks are about equal.
static unsigned getBlockRows(int64_t extent) {
  int64_t most = 2 * maxRows;
  if (ShapedType::isDynamic(extent))
    return most;
  return llvm::divideCeil(extent, llvm::divideCeil(extent, most));
}

/// Chooses the dimensions of rows: the innermost ones, whose rows are near each
/// other, where blocks have enough of them, else those that give most.
static bool chooseRows(linalg::LinalgOp op, const DotProduct &dot,
                       ArrayRef<int64_t> extents, ArrayRef<int64_t> bounds,
                       MatrixPlan &matrix) {
  SmallVector<unsigned> candidates;
  for (unsigned dim = op.getNumLoops(); dim-- > 0;)
    if (areRows(op, dot, dim) && bounds[dim] != 1)
      candidates.push_back(dim);
  unsigned best = 0;
  for (unsigned dim : candidates) {
    MatrixPlan choice;
    choice.rows = dim;
    choice.blockRows = getBlockRows(extents[dim]);
    unsigned points = choice.blockRows;
    if (choice.blockRows <= maxRows)
      for (unsigned other : candidates)
        if (other != dim && !choice.neighbours) {
          choice.neighbours = other;
          points *= 2;
        }
    choice.matrixRows = choice.blockRows <= maxRows
                            ? choice.blockRows
                            : llvm::divideCeil(choice.blockRows, 2);
    if (points > best) {
      best = points;
      matrix = choice;
    }
    if (best >= enoughMatrixRows)
      break;
  }
  return best > 0;
}

/// Chooses the columns of a matrix. Panels are full; other operands end where
/// their columns do, so matrices there either fill them or overlap.
static bool chooseColumns(const DotProduct &dot, int64_t extent,
                          MatrixPlan &matrix) {
  int64_t lanes = dot.lanes;
  matrix.columns = lanes;
  if (dot.panelled)
    return true;
  if (ShapedType::isDynamic(extent))
    return false;
  if (extent % lanes == 0)
    return true;
  if (extent > 2 * lanes)
    return false;
  matrix.columns = extent <= lanes ? extent : llvm::divideCeil(extent, 2);
  return true;
}

void lathe::cpu::chooseMatrix(linalg::LinalgOp op, ArrayRef<int64_t> extents,
                              ArrayRef<int64_t> bounds,
                              const lathe::cpu::Target &target,
                              NestPlan &plan) {
  const DotProduct &dot = *plan.dot;
  Type element = getElementTypeOrSelf(op->getOperand(dot.product.right));
  if (!target.multipliesMatrices(isa<FloatType>(element)) ||
      dot.kind != DotProduct::Groups)
    return;
  MatrixPlan matrix;
  if (!chooseRows(op, dot, extents, bounds, matrix)) {
    plan.notMatrix = "one row";
    return;
  }
  if (!chooseColumns(dot, extents[dot.columns], matrix)) {
    plan.notMatrix = "columns that are no multiple of 16";
    return;
  }
  int64_t bytes = extents[dot.product.reduction] *
                  llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  matrix.stepBytes = std::min(bytes, rowBytes);
  matrix.restBytes = bytes ? bytes % matrix.stepBytes : 0;
  double steps = bytes ? llvm::divideCeil(bytes, matrix.stepBytes) : 0;
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction && dim != dot.product.reduction)
      steps *= ShapedType::isDynamic(extents[dim]) ? 1 : extents[dim];
  int64_t columns = extents[dot.columns];
  unsigned vectors =
      ShapedType::isDynamic(columns)
          ? 2
          : std::min<int64_t>(2, llvm::divideCeil(columns, dot.lanes));
  unsigned rows = matrix.blockRows * (matrix.neighbours ? 2 : 1);
  if (!prefersMatrices(rows, vectors, matrix.stepBytes, steps,
                       dot.product.flips)) {
    plan.notMatrix = "few products for each result";
    return;
  }
  plan.matrix = matrix;
  plan.vectors = vectors;
  if (matrix.neighbours)
    plan.blocks.push_back({*matrix.neighbours, 2});
  plan.blocks.push_back({matrix.rows, matrix.blockRows});
}
