// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Layout/ByteProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

/// The number of the input, of bytes, that `value` is in the body of `op`.
static std::optional<unsigned> getByteInput(linalg::LinalgOp op, Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  if (!arg || arg.getOwner() != op.getBlock() || !arg.getType().isInteger(8) ||
      int64_t(arg.getArgNumber()) >= op.getNumDpsInputs())
    return std::nullopt;
  return arg.getArgNumber();
}

std::optional<ByteProduct> lathe::matchByteProduct(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1)
    return std::nullopt;
  Block *body = op.getBlock();
  Value running = body->getArgument(2);
  auto sum =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddIOp>();
  if (!sum || !sum.getType().isInteger(32))
    return std::nullopt;
  if (sum.getLhs() != running && sum.getRhs() != running)
    return std::nullopt;
  auto product = (sum.getLhs() == running ? sum.getRhs() : sum.getLhs())
                     .getDefiningOp<arith::MulIOp>();
  if (!product)
    return std::nullopt;
  Value lhs = product.getLhs(), rhs = product.getRhs();
  if (lhs.getDefiningOp<arith::ExtSIOp>())
    std::swap(lhs, rhs);
  auto left = lhs.getDefiningOp<arith::ExtUIOp>();
  auto right = rhs.getDefiningOp<arith::ExtSIOp>();
  if (!left || !right)
    return std::nullopt;
  ByteProduct match;
  match.flips = false;
  Value leftBytes = left.getIn();
  if (auto flip = leftBytes.getDefiningOp<arith::XOrIOp>()) {
    if (getConstantIntValue(OpFoldResult(flip.getRhs())) != -128)
      return std::nullopt;
    match.flips = true;
    leftBytes = flip.getLhs();
  }
  auto leftInput = getByteInput(op, leftBytes);
  auto rightInput = getByteInput(op, right.getIn());
  if (!leftInput || !rightInput || leftInput == rightInput)
    return std::nullopt;
  match.left = *leftInput;
  match.right = *rightInput;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInputOperand(match.left));
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  if (!last || op.getIteratorTypesArray()[last.getPosition()] !=
                   utils::IteratorType::reduction)
    return std::nullopt;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(last.getPosition()))
      return std::nullopt;
  match.reduction = last.getPosition();
  return match;
}
