// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

using namespace mlir;
using namespace lathe;

bool lathe::isComputeOp(Operation *op) {
  if (isa<GridOp>(op))
    return true;
  if (isa<tensor::EmptyOp>(op) || isa<LatheDialect>(op->getDialect()))
    return false;
  return isa<linalg::LinalgOp>(op) ||
         (isa<tensor::TensorDialect>(op->getDialect()) &&
          llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>));
}

bool lathe::isInsideComputeOp(Operation *op) {
  for (Operation *parent = op->getParentOp(); parent;
       parent = parent->getParentOp())
    if (isComputeOp(parent))
      return true;
  return false;
}

/// Which block argument a scalar is, behind conversions.
static BlockArgument getSource(Value value) {
  while (Operation *def = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp, arith::SIToFPOp,
             arith::UIToFPOp, arith::TruncFOp, arith::SubIOp, arith::XOrIOp>(
            def))
      return {};
    value = def->getOperand(0);
  }
  return cast<BlockArgument>(value);
}

bool lathe::isContraction(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() < 2 || op.getNumReductionLoops() == 0)
    return false;
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (!isa<arith::MulFOp, arith::MulIOp>(inner))
      continue;
    BlockArgument lhs = getSource(inner.getOperand(0)),
                  rhs = getSource(inner.getOperand(1));
    if (!lhs || !rhs || lhs.getOwner() != op.getBlock() ||
        rhs.getOwner() != op.getBlock())
      continue;
    if (lhs != rhs && (int64_t)lhs.getArgNumber() < op.getNumDpsInputs() &&
        (int64_t)rhs.getArgNumber() < op.getNumDpsInputs())
      return true;
  }
  return false;
}

bool lathe::readsAtQuotient(linalg::LinalgOp op) {
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    return llvm::any_of(op.getMatchingIndexingMap(input).getResults(),
                        [](AffineExpr expr) {
                          return expr.getKind() == AffineExprKind::FloorDiv;
                        });
  });
}

void lathe::collectNodeNames(Location loc, SetVector<StringAttr> &nodes) {
  if (auto name = dyn_cast<NameLoc>(loc))
    nodes.insert(name.getName());
  else if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location inner : fused.getLocations())
      collectNodeNames(inner, nodes);
}

bool lathe::isFreeOp(Operation *op) {
  return isa<tensor::EmptyOp>(op) || op->hasTrait<OpTrait::ConstantLike>();
}

/// The dimension names of a program argument, as `lathe.symbol` ops.
static FailureOr<SmallVector<Value>> getArgumentDims(OpBuilder &builder,
                                                     BlockArgument arg) {
  auto func = dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp());
  if (!func)
    return failure();
  auto names =
      func.getArgAttrOfType<ArrayAttr>(arg.getArgNumber(), dimsAttrName);
  auto type = cast<RankedTensorType>(arg.getType());
  if (!names || (int64_t)names.size() != type.getRank())
    return failure();
  // Equal sizes are one value: symbols stand once, at the start.
  OpBuilder::InsertionGuard guard(builder);
  Block *entry = arg.getOwner();
  auto getSymbol = [&](StringAttr name) -> Value {
    for (auto symbol : entry->getOps<SymbolOp>())
      if (symbol.getNameAttr() == name) {
        symbol->moveBefore(entry, entry->begin());
        return symbol;
      }
    builder.setInsertionPointToStart(entry);
    return SymbolOp::create(builder, arg.getLoc(), builder.getIndexType(),
                            name);
  };
  SmallVector<Value> dims;
  for (auto [i, name] : llvm::enumerate(names.getAsRange<StringAttr>()))
    if (type.isDynamicDim(i))
      dims.push_back(getSymbol(name));
  return dims;
}

FailureOr<SmallVector<Value>> lathe::getDynamicDims(OpBuilder &builder,
                                                    Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return failure();
  if (type.hasStaticShape())
    return SmallVector<Value>();
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    if (auto loop = dyn_cast<scf::ForOp>(arg.getOwner()->getParentOp()))
      if (OpOperand *init = loop.getTiedLoopInit(arg))
        return getDynamicDims(builder, init->get());
    if (auto loop = dyn_cast<scf::WhileOp>(arg.getOwner()->getParentOp()))
      return getDynamicDims(builder, loop.getInits()[arg.getArgNumber()]);
    if (auto kernel = dyn_cast<KernelOp>(arg.getOwner()->getParentOp()))
      return kernel.getDynamicDims(arg);
    return getArgumentDims(builder, arg);
  }
  auto result = cast<OpResult>(value);
  Operation *op = result.getOwner();
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return SmallVector<Value>(empty.getDynamicSizes());
  if (auto dps = dyn_cast<DestinationStyleOpInterface>(op))
    return getDynamicDims(builder, dps.getTiedOpOperand(result)->get());
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return getDynamicDims(builder,
                          loop.getInitArgs()[result.getResultNumber()]);
  if (auto slice = dyn_cast<SliceOp>(op))
    return SmallVector<Value>(slice.getDims());
  if (auto insert = dyn_cast<InsertOp>(op))
    return getDynamicDims(builder, insert.getDest());
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return getDynamicDims(builder, loop.getInits()[result.getResultNumber()]);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return getDynamicDims(
        builder, branch.thenYield().getOperand(result.getResultNumber()));
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    auto source = dyn_cast<RankedTensorType>(cast.getSource().getType());
    FailureOr<SmallVector<Value>> known =
        getDynamicDims(builder, cast.getSource());
    if (!source || failed(known))
      return failure();
    // Sizes that only the source's type says are constants.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(op);
    SmallVector<Value> dims;
    for (int64_t d = 0, next = 0; d != type.getRank(); ++d) {
      Value size = source.isDynamicDim(d)
                       ? (*known)[next++]
                       : arith::ConstantIndexOp::create(builder, op->getLoc(),
                                                        source.getDimSize(d));
      if (type.isDynamicDim(d))
        dims.push_back(size);
    }
    return dims;
  }
  // Sizes follow from operands: they are available before the op already.
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    SmallVector<Value> dims;
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped.test(i))
        if (auto dynamic = dyn_cast<Value>(size))
          dims.push_back(dynamic);
    return dims;
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    FailureOr<SmallVector<Value>> source =
        getDynamicDims(builder, pad.getSource());
    if (failed(source))
      return failure();
    SmallVector<OpFoldResult> sizes =
        getMixedValues(pad.getSourceType().getShape(), *source, builder);
    AffineExpr sum = builder.getAffineSymbolExpr(0) +
                     builder.getAffineSymbolExpr(1) +
                     builder.getAffineSymbolExpr(2);
    SmallVector<Value> dims;
    for (auto [i, size] : llvm::enumerate(sizes))
      if (type.isDynamicDim(i))
        dims.push_back(getValueOrCreateConstantIndexOp(
            builder, op->getLoc(),
            affine::makeComposedFoldedAffineApply(
                builder, op->getLoc(), sum,
                {pad.getMixedLowPad()[i], size, pad.getMixedHighPad()[i]})));
    return dims;
  }
  auto reify = dyn_cast<ReifyRankedShapedTypeOpInterface>(op);
  ReifiedRankedShapedTypeDims shapes;
  if (!reify || failed(reify.reifyResultShapes(builder, shapes)))
    return failure();
  SmallVector<Value> dims;
  for (auto [i, dim] : llvm::enumerate(shapes[result.getResultNumber()]))
    if (type.isDynamicDim(i))
      dims.push_back(
          getValueOrCreateConstantIndexOp(builder, op->getLoc(), dim));
  return dims;
}

static bool isSizeArithmetic(Operation *op) {
  return isa<affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>(
             op) ||
         (isa<arith::ArithDialect>(op->getDialect()) &&
          llvm::all_of(op->getResultTypes(),
                       [](Type type) { return type.isIntOrIndex(); }));
}

bool lathe::isKnownAtEntry(Value size) {
  Operation *op = size.getDefiningOp();
  if (!op)
    return false;
  if (isa<SymbolOp>(op))
    return true;
  return isSizeArithmetic(op) &&
         llvm::all_of(op->getOperands(), isKnownAtEntry);
}

/// Whether `expr` grows, or stays, where any of its operands grow; none of them
/// is negative.
static bool isMonotone(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return true;
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return isMonotone(binary.getLHS()) && isMonotone(binary.getRHS());
  case AffineExprKind::Mul:
    return isMonotone(binary.getLHS()) && isMonotone(binary.getRHS()) &&
           (!constant || constant.getValue() >= 0);
  case AffineExprKind::FloorDiv:
  case AffineExprKind::CeilDiv:
    return isMonotone(binary.getLHS()) && constant && constant.getValue() > 0;
  default:
    return false;
  }
}

/// An upper bound of `size` that is known at entry, or null.
static Value getBound(OpBuilder &builder, Value size) {
  if (isKnownAtEntry(size))
    return size;
  if (auto bind = size.getDefiningOp<BindOp>())
    return bind.getMax() ? getBound(builder, bind.getMax()) : Value();
  auto apply = size.getDefiningOp<affine::AffineApplyOp>();
  if (!apply || !isMonotone(apply.getAffineMap().getResult(0)))
    return {};
  SmallVector<OpFoldResult> bounds;
  for (Value operand : apply.getMapOperands()) {
    Value bound = getBound(builder, operand);
    if (!bound)
      return {};
    bounds.push_back(bound);
  }
  return getValueOrCreateConstantIndexOp(
      builder, size.getLoc(),
      affine::makeComposedFoldedAffineApply(builder, size.getLoc(),
                                            apply.getAffineMap(), bounds));
}

FailureOr<SmallVector<Value>> lathe::getBoundedDims(OpBuilder &builder,
                                                    Value value) {
  FailureOr<SmallVector<Value>> dims = getDynamicDims(builder, value);
  if (failed(dims))
    return failure();
  for (Value &dim : *dims)
    if (!(dim = getBound(builder, dim)))
      return failure();
  return dims;
}
