// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the lanes of a vector see an operand, by its indexing map and strides.

#include "CostModel.h"
#include "Nest.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lathe::cpu;

std::optional<int64_t> lathe::cpu::getCoefficient(AffineExpr expr,
                                                  AffineExpr variable,
                                                  unsigned numDims,
                                                  unsigned numSymbols) {
  auto step = dyn_cast<AffineConstantExpr>(simplifyAffineExpr(
      expr.replace(variable, variable + 1) - expr, numDims, numSymbols));
  if (!step)
    return std::nullopt;
  return step.getValue();
}

bool lathe::cpu::growsByOne(AffineMap map, unsigned number) {
  MLIRContext *context = map.getContext();
  AffineExpr variable =
      number < map.getNumDims()
          ? getAffineDimExpr(number, context)
          : getAffineSymbolExpr(number - map.getNumDims(), context);
  return getCoefficient(map.getResult(0), variable, map.getNumDims(),
                        map.getNumSymbols()) == 1;
}

std::optional<int64_t>
lathe::cpu::getDivisor(AffineExpr expr, AffineExprKind kind, unsigned dim) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || binary.getKind() != kind ||
      binary.getLHS() != getAffineDimExpr(dim, expr.getContext()))
    return std::nullopt;
  auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (!divisor)
    return std::nullopt;
  return divisor.getValue();
}

LaneAccess lathe::cpu::classifyAccess(OpOperand &operand, unsigned dim,
                                      unsigned lanes, unsigned unit) {
  auto op = cast<linalg::LinalgOp>(operand.getOwner());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type || !map.isFunctionOfDim(dim))
    return LaneAccess::Invariant;
  if (auto spread = matchSpread(operand, dim))
    return spread->isKnown(lanes, unit) ? LaneAccess::Spread
                                        : LaneAccess::Strided;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || strides.back() != 1)
    return LaneAccess::Strided;
  AffineExpr last = map.getResults().back();
  SmallVector<AffineExpr> outer;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(dim))
      outer.push_back(expr);
  AffineExpr variable = getAffineDimExpr(dim, map.getContext());
  if (outer.empty() && getCoefficient(last, variable, map.getNumDims()) == 1)
    return LaneAccess::Contiguous;
  // A panel: (..., d floordiv w, ..., d mod w).
  std::optional<int64_t> width = getDivisor(last, AffineExprKind::Mod, dim);
  if (width && *width % lanes == 0 && outer.size() == 1 &&
      getDivisor(outer[0], AffineExprKind::FloorDiv, dim) == width)
    return LaneAccess::Contiguous;
  return LaneAccess::Strided;
}

std::optional<unsigned> lathe::cpu::findRowDim(OpOperand &operand,
                                               unsigned dim) {
  auto op = cast<linalg::LinalgOp>(operand.getOwner());
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type || !op.isDpsInput(&operand) ||
      failed(type.getStridesAndOffset(strides, offset)) || strides.empty() ||
      strides.back() != 1)
    return std::nullopt;
  return findRowDim(op.getMatchingIndexingMap(&operand), dim);
}
