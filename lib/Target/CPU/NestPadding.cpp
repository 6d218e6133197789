// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Padding that adds nothing to a reduction is not copied: the nest reads the
// source itself, and does not compute where a window hangs over its edge.

#include "Nest.h"
#include "lathe/Target/CPU/Passes.h"
#include "lathe/Target/Kernel/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Points of a window that are told apart at an edge.
static constexpr int64_t maxWindow = 16;

static bool isInside(Value value, Block *body) {
  return value.getParentBlock() == body;
}

/// Whether `value`, in the body of a padding, is its index along `dim` and a
/// term that is the same at all points.
static bool isShiftedIndex(Value value, unsigned dim, Block *body) {
  if (!isInside(value, body))
    return false;
  Operation *op = value.getDefiningOp();
  if (auto index = dyn_cast_or_null<linalg::IndexOp>(op))
    return index.getDim() == dim;
  if (auto add = dyn_cast_or_null<arith::AddIOp>(op)) {
    if (!isInside(add.getRhs(), body))
      return isShiftedIndex(add.getLhs(), dim, body);
    return !isInside(add.getLhs(), body) &&
           isShiftedIndex(add.getRhs(), dim, body);
  }
  if (auto sub = dyn_cast_or_null<arith::SubIOp>(op))
    return !isInside(sub.getRhs(), body) &&
           isShiftedIndex(sub.getLhs(), dim, body);
  auto apply = dyn_cast_or_null<affine::AffineApplyOp>(op);
  if (!apply)
    return false;
  AffineMap map = apply.getAffineMap();
  std::optional<unsigned> at;
  for (auto [i, operand] : llvm::enumerate(apply.getMapOperands())) {
    if (!isInside(operand, body))
      continue;
    if (at || !isShiftedIndex(operand, dim, body))
      return false;
    at = i;
  }
  return at && growsByOne(map, *at);
}

/// What a shifted index is at point zero.
static Value emitAtZero(OpBuilder &builder, Location loc, Value value,
                        Block *body) {
  if (!isInside(value, body))
    return value;
  Operation *op = value.getDefiningOp();
  if (isa<linalg::IndexOp>(op))
    return arith::ConstantIndexOp::create(builder, loc, 0);
  SmallVector<Value> operands =
      llvm::map_to_vector(op->getOperands(), [&](Value operand) {
        return emitAtZero(builder, loc, operand, body);
      });
  if (isa<arith::AddIOp>(op))
    return builder.createOrFold<arith::AddIOp>(loc, operands[0], operands[1]);
  if (isa<arith::SubIOp>(op))
    return builder.createOrFold<arith::SubIOp>(loc, operands[0], operands[1]);
  return getValueOrCreateConstantIndexOp(
      builder, loc,
      affine::makeComposedFoldedAffineApply(
          builder, loc, cast<affine::AffineApplyOp>(op).getAffineMap(),
          getAsOpFoldResult(operands)));
}

/// A guarded index: `select(x < bound, x, 0)`, compared unsigned.
static std::optional<std::pair<Value, Value>> matchGuard(Value value,
                                                         Block *body) {
  auto select = value.getDefiningOp<arith::SelectOp>();
  if (!select)
    return std::nullopt;
  auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::ult ||
      compare.getLhs() != select.getTrueValue() ||
      !isZeroInteger(OpFoldResult(select.getFalseValue())))
    return std::nullopt;
  Value bound = compare.getRhs();
  if (isInside(bound, body) && !getConstantIntValue(OpFoldResult(bound)))
    return std::nullopt;
  return std::make_pair(select.getTrueValue(), bound);
}

/// The index that each dimension of the padding's source is read at.
static Value getShifted(Value index, Block *body) {
  if (auto guard = matchGuard(index, body))
    return guard->first;
  return index;
}

static memref::LoadOp getLoad(linalg::LinalgOp pad) {
  Value yielded = pad.getBlock()->getTerminator()->getOperand(0);
  if (auto select = yielded.getDefiningOp<arith::SelectOp>())
    return select.getTrueValue().getDefiningOp<memref::LoadOp>();
  return {};
}

/// Whether a point of `op` that reads `padding` through input `number` leaves
/// the result as it is.
static bool addsNothing(linalg::LinalgOp op, unsigned number,
                        TypedAttr padding) {
  Operation *combiner = getCombiner(op, 0);
  if (!combiner || op.getNumDpsInits() != 1)
    return false;
  Block *body = op.getBlock();
  BlockArgument input = body->getArgument(number);
  BlockArgument running = body->getArgument(op.getNumDpsInputs());
  Value term = combiner->getOperand(combiner->getOperand(0) == running ? 1 : 0);
  // The input itself, perhaps in a wider type.
  auto isInput = [&](Value value) {
    while (Operation *def = value.getDefiningOp()) {
      if (!isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(def))
        return false;
      value = def->getOperand(0);
    }
    return value == input;
  };
  auto isZero = [](Attribute attr) {
    return matchPattern(attr, m_AnyZeroFloat()) || matchPattern(attr, m_Zero());
  };
  if (isa<arith::AddFOp, arith::AddIOp>(combiner)) {
    if (!isZero(padding))
      return false;
    if (isInput(term))
      return true;
    Operation *product = term.getDefiningOp();
    return isa_and_nonnull<arith::MulFOp, arith::MulIOp>(product) &&
           (isInput(product->getOperand(0)) || isInput(product->getOperand(1)));
  }
  std::optional<TypedAttr> neutral = arith::getNeutralElement(combiner);
  return term == input && neutral && *neutral == padding;
}

/// The dimensions of the window that moves along dimension `position` of the
/// operand.
static std::optional<PaddedDim> matchWindow(linalg::LinalgOp op, AffineMap map,
                                            unsigned position) {
  AffineExpr expr = map.getResult(position);
  std::optional<unsigned> parallel, reduction;
  for (auto [d, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (!expr.isFunctionOfDim(d))
      continue;
    std::optional<unsigned> &slot =
        kind == utils::IteratorType::reduction ? reduction : parallel;
    if (slot)
      return std::nullopt;
    slot = d;
  }
  if (!parallel || !reduction)
    return std::nullopt;
  std::optional<int64_t> stride = getCoefficient(
      expr, getAffineDimExpr(*parallel, expr.getContext()), map.getNumDims());
  std::optional<int64_t> dilation = getCoefficient(
      expr, getAffineDimExpr(*reduction, expr.getContext()), map.getNumDims());
  SmallVector<AffineExpr> zeros(map.getNumDims(),
                                getAffineConstantExpr(0, op.getContext()));
  AffineExpr first = simplifyAffineExpr(expr.replaceDims(zeros), 0, 0);
  // Neither dimension may give the other more than one row.
  if (!stride || !dilation || *stride <= 0 || *dilation <= 0 ||
      first != getAffineConstantExpr(0, op.getContext()))
    return std::nullopt;
  return PaddedDim{*parallel, *reduction, *stride, *dilation, position, {}};
}

/// Whether only `op` and `pad` use the memory that `pad` writes.
static bool isPrivate(Value buffer, Operation *pad, Operation *op) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  if (!buffer.getDefiningOp<memref::AllocOp>() &&
      !buffer.getDefiningOp<memref::AllocaOp>())
    return false;
  SmallVector<Value> worklist{buffer};
  while (!worklist.empty())
    for (Operation *user : worklist.pop_back_val().getUsers()) {
      if (isa<ViewLikeOpInterface>(user))
        llvm::append_range(worklist, user->getResults());
      else if (user != pad && user != op && !isa<memref::DimOp>(user))
        return false;
    }
  return true;
}

std::optional<PaddedOperand> lathe::cpu::matchPadding(linalg::LinalgOp op,
                                                      unsigned number) {
  OpOperand *operand = op.getDpsInputOperand(number);
  linalg::LinalgOp pad;
  for (Operation *prev = op->getPrevNode(); prev && !pad;
       prev = prev->getPrevNode()) {
    auto other = dyn_cast<linalg::LinalgOp>(prev);
    if (other && other->hasAttr(paddingAttrName) &&
        other.getNumDpsInputs() == 0 &&
        other.getDpsInitOperand(0)->get() == operand->get())
      pad = other;
  }
  if (!pad || pad.getNumDpsInits() != 1 ||
      !pad.getMatchingIndexingMap(pad.getDpsInitOperand(0)).isIdentity() ||
      !isPrivate(operand->get(), pad, op))
    return std::nullopt;
  memref::LoadOp load = getLoad(pad);
  AffineMap map = op.getMatchingIndexingMap(operand);
  if (!load || load.getIndices().size() != map.getNumResults() ||
      isInside(load.getMemRef(), pad.getBlock()))
    return std::nullopt;
  auto select = pad.getBlock()
                    ->getTerminator()
                    ->getOperand(0)
                    .getDefiningOp<arith::SelectOp>();
  TypedAttr padding;
  if (!matchPattern(select.getFalseValue(), m_Constant(&padding)) ||
      !addsNothing(op, number, padding))
    return std::nullopt;
  PaddedOperand padded;
  padded.number = number;
  padded.pad = pad;
  padded.source = load.getMemRef();
  for (auto [i, index] : llvm::enumerate(load.getIndices())) {
    if (isInside(index, pad.getBlock()) &&
        !isShiftedIndex(getShifted(index, pad.getBlock()), i, pad.getBlock()))
      return std::nullopt;
    // A dimension of one point has no index left.
    if (!isInside(index, pad.getBlock()) &&
        !isa<AffineConstantExpr>(map.getResult(i)) &&
        cast<MemRefType>(operand->get().getType()).getDimSize(i) != 1)
      return std::nullopt;
    auto guard = matchGuard(index, pad.getBlock());
    if (!guard)
      continue;
    std::optional<PaddedDim> dim = matchWindow(op, map, i);
    if (!dim)
      return std::nullopt;
    dim->bound = getAsOpFoldResult(guard->second);
    padded.dims.push_back(*dim);
  }
  return padded;
}

void lathe::cpu::emitPaddingStarts(OpBuilder &builder, PaddedOperand &padded) {
  Block *body = padded.pad.getBlock();
  for (Value index : getLoad(padded.pad).getIndices())
    padded.starts.push_back(emitAtZero(builder, padded.pad.getLoc(),
                                       getShifted(index, body), body));
}

bool lathe::cpu::canSkipPadding(const PaddedOperand &padded,
                                const NestPlan &plan,
                                ArrayRef<int64_t> extents) {
  return llvm::all_of(padded.dims, [&](const PaddedDim &dim) {
    if (int(dim.parallel) == plan.vectorDim ||
        int(dim.reduction) == plan.vectorDim)
      return false;
    if (!plan.isBlocked(dim.parallel))
      return true;
    return !ShapedType::isDynamic(extents[dim.parallel]) &&
           !ShapedType::isDynamic(extents[dim.reduction]) &&
           extents[dim.reduction] <= maxWindow &&
           getConstantIntValue(dim.bound) &&
           getConstantIntValue(OpFoldResult(padded.starts[dim.position]))
               .has_value();
  });
}

/// Makes `pad` write only what lies inside of the source along `dims`.
static void narrow(linalg::LinalgOp pad, ArrayRef<PaddedDim> dims) {
  OpBuilder builder(pad);
  Location loc = pad.getLoc();
  Block *body = pad.getBlock();
  Value buffer = pad.getDpsInitOperand(0)->get();
  auto load = getLoad(pad);
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(builder, loc, buffer);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  for (const PaddedDim &dim : dims) {
    Value index = load.getIndices()[dim.position];
    Value start = emitAtZero(builder, loc, getShifted(index, body), body);
    Value first = builder.createOrFold<arith::MaxSIOp>(
        loc, builder.createOrFold<arith::SubIOp>(loc, zero, start), zero);
    Value bound = getValueOrCreateConstantIndexOp(builder, loc, dim.bound);
    Value end = builder.createOrFold<arith::MinSIOp>(
        loc, builder.createOrFold<arith::SubIOp>(loc, bound, start),
        getValueOrCreateConstantIndexOp(builder, loc, sizes[dim.position]));
    offsets[dim.position] = getAsOpFoldResult(first);
    sizes[dim.position] =
        getAsOpFoldResult(builder.createOrFold<arith::MaxSIOp>(
            loc, builder.createOrFold<arith::SubIOp>(loc, end, first), zero));
    for (auto op : llvm::to_vector(body->getOps<linalg::IndexOp>())) {
      if (op.getDim() != dim.position)
        continue;
      OpBuilder inside(op->getContext());
      inside.setInsertionPointAfter(op);
      auto shifted = arith::AddIOp::create(inside, loc, op, first);
      op.getResult().replaceAllUsesExcept(shifted, shifted);
    }
  }
  pad.getDpsInitOperand(0)->set(
      memref::SubViewOp::create(builder, loc, buffer, offsets, sizes, strides));
}

bool lathe::cpu::keepSteps(PaddedOperand &padded, linalg::LinalgOp op,
                           const NestPlan &plan) {
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  // Blocks go together through the steps that any of their points needs. Where
  // steps follow each other without more inside, leaving out some takes longer.
  auto isShort = [&](unsigned reduction) {
    return (plan.unrolled >> reduction & 1) || reduction == reductions.back();
  };
  llvm::erase_if(padded.dims, [&](const PaddedDim &dim) {
    return int(dim.parallel) == plan.vectorDim ||
           int(dim.reduction) == plan.vectorDim ||
           (plan.isBlocked(dim.parallel) && isShort(dim.reduction));
  });
  if (padded.dims.empty())
    return false;
  padded.copied = true;
  SmallVector<PaddedDim> rows = llvm::to_vector(
      llvm::make_filter_range(padded.dims, [&](const PaddedDim &dim) {
        return !plan.isBlocked(dim.parallel);
      }));
  if (!rows.empty())
    narrow(padded.pad, rows);
  return true;
}
