// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

/// A size inside of a kernel as an expression over the kernel's sizes.
static std::optional<AffineExpr> getExpr(KernelOp kernel, Value size) {
  MLIRContext *context = kernel.getContext();
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return getAffineConstantExpr(*known, context);
  if (auto arg = dyn_cast<BlockArgument>(size);
      arg && arg.getOwner() == &kernel.getBlock())
    return getAffineSymbolExpr(
        arg.getArgNumber() - kernel.getSizes().front().getArgNumber(), context);
  auto apply = size.getDefiningOp<affine::AffineApplyOp>();
  if (!apply)
    return std::nullopt;
  SmallVector<AffineExpr> dims, symbols;
  for (auto [i, operand] : llvm::enumerate(apply.getMapOperands())) {
    std::optional<AffineExpr> expr = getExpr(kernel, operand);
    if (!expr)
      return std::nullopt;
    (i < apply.getAffineMap().getNumDims() ? dims : symbols).push_back(*expr);
  }
  return apply.getAffineMap().getResult(0).replaceDimsAndSymbols(dims, symbols);
}

/// The sizes of a ranked tensor inside of a kernel, as expressions.
static std::optional<SmallVector<AffineExpr>> getShape(KernelOp kernel,
                                                       Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return std::nullopt;
  OpBuilder builder(kernel.getContext());
  builder.setInsertionPoint(kernel.getBlock().getTerminator());
  FailureOr<SmallVector<Value>> dynamic = getDynamicDims(builder, value);
  if (failed(dynamic))
    return std::nullopt;
  SmallVector<AffineExpr> shape;
  unsigned next = 0;
  for (int64_t dim : type.getShape()) {
    if (!ShapedType::isDynamic(dim)) {
      shape.push_back(builder.getAffineConstantExpr(dim));
      continue;
    }
    std::optional<AffineExpr> expr = getExpr(kernel, (*dynamic)[next++]);
    if (!expr)
      return std::nullopt;
    shape.push_back(*expr);
  }
  return shape;
}

/// The extents of the loops of `op`, null where they are not known.
static SmallVector<AffineExpr> getExtents(KernelOp kernel,
                                          linalg::LinalgOp op) {
  SmallVector<AffineExpr> extents(op.getNumLoops());
  for (OpOperand &operand : op->getOpOperands()) {
    std::optional<SmallVector<AffineExpr>> shape =
        getShape(kernel, operand.get());
    if (!shape)
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [expr, extent] : llvm::zip_equal(map.getResults(), *shape))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        extents[dim.getPosition()] = extent;
  }
  return extents;
}

/// How many times the body of `op` runs.
static std::optional<AffineExpr> getIterations(KernelOp kernel,
                                               linalg::LinalgOp op) {
  AffineExpr count = getAffineConstantExpr(1, kernel.getContext());
  for (AffineExpr extent : getExtents(kernel, op)) {
    if (!extent)
      return std::nullopt;
    count = count * extent;
  }
  return count;
}

/// Narrows `count`, the different points per loop of `op` at which `value` in
/// its body is computed anew, to what `value` depends on.
static void addPoints(linalg::LinalgOp op, Value value,
                      ArrayRef<AffineExpr> extents,
                      SmallVectorImpl<AffineExpr> &count,
                      DenseSet<Value> &seen) {
  if (value.getParentBlock() != op.getBlock() || !seen.insert(value).second)
    return;
  // The finest division of a loop wins.
  auto depend = [&](unsigned dim, AffineExpr points) {
    if (count[dim] != extents[dim])
      count[dim] = points;
  };
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    AffineMap map =
        op.getMatchingIndexingMap(&op->getOpOperand(arg.getArgNumber()));
    for (AffineExpr expr : map.getResults())
      for (unsigned dim = 0; dim < extents.size(); ++dim) {
        if (!expr.isFunctionOfDim(dim))
          continue;
        auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
        bool divides = binary && binary.getKind() == AffineExprKind::FloorDiv &&
                       isa<AffineDimExpr>(binary.getLHS()) &&
                       isa<AffineConstantExpr>(binary.getRHS());
        depend(dim,
               divides ? extents[dim].ceilDiv(binary.getRHS()) : extents[dim]);
      }
    return;
  }
  if (auto index = value.getDefiningOp<linalg::IndexOp>())
    return depend(index.getDim(), extents[index.getDim()]);
  for (Value operand : value.getDefiningOp()->getOperands())
    addPoints(op, operand, extents, count, seen);
}

/// Whether points of `op` share what its body computes, so that it is not
/// computed at each: it reads at a quotient, or selects by an index.
static bool sharesPoints(linalg::LinalgOp op) {
  if (op.getNumReductionLoops())
    return false;
  if (readsAtQuotient(op))
    return true;
  return llvm::any_of(
      op.getBlock()->getOps<linalg::IndexOp>(), [](linalg::IndexOp index) {
        return llvm::all_of(index->getUsers(), llvm::IsaPred<arith::CmpIOp>);
      });
}

/// How many times `inner`, in the body of an op whose points share what they
/// compute, has to be computed.
static std::optional<AffineExpr>
getSharedIterations(KernelOp kernel, linalg::LinalgOp op, Operation &inner) {
  SmallVector<AffineExpr> extents = getExtents(kernel, op);
  if (llvm::is_contained(extents, AffineExpr()))
    return std::nullopt;
  AffineExpr one = getAffineConstantExpr(1, kernel.getContext()), total = one;
  SmallVector<AffineExpr> count(extents.size(), one);
  DenseSet<Value> seen;
  addPoints(op, inner.getResult(0), extents, count, seen);
  for (AffineExpr points : count)
    total = total * points;
  return total;
}

std::optional<AffineExpr> lathe::getKernelBytes(KernelOp kernel, Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  std::optional<SmallVector<AffineExpr>> shape = getShape(kernel, value);
  if (!type || !shape)
    return std::nullopt;
  AffineExpr size = getAffineConstantExpr(
      llvm::divideCeil(type.getElementTypeBitWidth(), 8), kernel.getContext());
  for (AffineExpr dim : *shape)
    size = size * dim;
  return size;
}

AffineMap lathe::getKernelCost(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  AffineExpr flops = getAffineConstantExpr(0, context), bytes = flops;
  kernel.getBlock().walk<WalkOrder::PreOrder>([&](linalg::LinalgOp op) {
    int64_t perPoint = 0;
    bool shares = sharesPoints(op);
    for (Operation &inner : op.getBlock()->without_terminator()) {
      // Sums of products of integers are worth as much as those of floats.
      bool isSum = op.getNumReductionLoops() &&
                   isa<arith::AddIOp, arith::MulIOp>(inner) &&
                   !inner.getResult(0).getType().isIndex();
      if (isSum ||
          (llvm::any_of(inner.getResultTypes(), llvm::IsaPred<FloatType>) &&
           isa<arith::ArithDialect, math::MathDialect>(inner.getDialect()) &&
           !isa<arith::ConstantOp, arith::SelectOp, arith::ExtFOp,
                arith::TruncFOp>(inner))) {
        if (!shares)
          ++perPoint;
        else if (std::optional<AffineExpr> count =
                     getSharedIterations(kernel, op, inner))
          flops = flops + *count;
      }
    }
    if (perPoint)
      if (std::optional<AffineExpr> count = getIterations(kernel, op))
        flops = flops + *count * perPoint;
    return WalkResult::skip();
  });
  auto add = [&](Value value) {
    if (std::optional<AffineExpr> size = getKernelBytes(kernel, value))
      bytes = bytes + *size;
  };
  for (BlockArgument input : kernel.getInputs())
    add(input);
  for (Value result : kernel.getBlock().getTerminator()->getOperands())
    add(result);
  return AffineMap::get(0, kernel.getSizes().size(), {flops, bytes}, context);
}
