// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Layout/GroupedProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

/// Whether `value` is input `number`, of type `type`, in the body of `op`.
static bool isInput(linalg::LinalgOp op, Value value, unsigned number,
                    Type type) {
  return value == op.getBlock()->getArgument(number) && value.getType() == type;
}

/// Matches a product of bytes, extended to `i32`.
static bool matchBytes(linalg::LinalgOp op, arith::MulIOp product,
                       GroupedProduct &match) {
  Value lhs = product.getLhs(), rhs = product.getRhs();
  if (!product.getType().isInteger(32))
    return false;
  if (lhs.getDefiningOp<arith::ExtSIOp>())
    std::swap(lhs, rhs);
  auto left = lhs.getDefiningOp<arith::ExtUIOp>();
  auto right = rhs.getDefiningOp<arith::ExtSIOp>();
  if (!left || !right)
    return false;
  Value leftBytes = left.getIn();
  if (auto flip = leftBytes.getDefiningOp<arith::XOrIOp>()) {
    if (getConstantIntValue(OpFoldResult(flip.getRhs())) != -128)
      return false;
    match.flips = true;
    leftBytes = flip.getLhs();
  }
  Type byte = IntegerType::get(op.getContext(), 8);
  match.group = 4;
  return isInput(op, leftBytes, match.left, byte) &&
         isInput(op, right.getIn(), match.right, byte);
}

/// Matches a product of `bf16`, extended to `f32`.
static bool matchFloats(linalg::LinalgOp op, arith::MulFOp product,
                        GroupedProduct &match) {
  auto lhs = product.getLhs().getDefiningOp<arith::ExtFOp>();
  auto rhs = product.getRhs().getDefiningOp<arith::ExtFOp>();
  if (!product.getType().isF32() || !lhs || !rhs)
    return false;
  if (lhs.getIn() == op.getBlock()->getArgument(match.right))
    std::swap(lhs, rhs);
  Type type = BFloat16Type::get(op.getContext());
  match.group = 2;
  return isInput(op, lhs.getIn(), match.left, type) &&
         isInput(op, rhs.getIn(), match.right, type);
}

std::optional<unsigned> lathe::findLastReduction(linalg::LinalgOp op,
                                                 OpOperand &input) {
  AffineMap map = op.getMatchingIndexingMap(&input);
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  if (!last || op.getIteratorTypesArray()[last.getPosition()] !=
                   utils::IteratorType::reduction)
    return std::nullopt;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(last.getPosition()))
      return std::nullopt;
  return last.getPosition();
}

std::optional<GroupedProduct> lathe::matchGroupedProduct(linalg::LinalgOp op,
                                                         unsigned right) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1)
    return std::nullopt;
  Block *body = op.getBlock();
  Operation *sum = body->getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<arith::AddIOp, arith::AddFOp>(sum))
    return std::nullopt;
  Value running = sum->getOperand(0), term = sum->getOperand(1);
  if (running != body->getArgument(2))
    std::swap(running, term);
  if (running != body->getArgument(2))
    return std::nullopt;
  GroupedProduct match;
  match.left = 1 - right;
  match.right = right;
  auto ofInts = term.getDefiningOp<arith::MulIOp>();
  auto ofFloats = term.getDefiningOp<arith::MulFOp>();
  if (!(ofInts && matchBytes(op, ofInts, match)) &&
      !(ofFloats && matchFloats(op, ofFloats, match)))
    return std::nullopt;
  std::optional<unsigned> reduction =
      findLastReduction(op, *op.getDpsInputOperand(match.left));
  if (!reduction)
    return std::nullopt;
  match.reduction = *reduction;
  return match;
}
