// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_OWNRESULTS
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// Whether `value` is `carried`, changed in place or not at all.
static bool isInPlace(Value value, Value carried) {
  value = getViewedValue(value);
  while (auto insert = value.getDefiningOp<InsertOp>())
    value = getViewedValue(insert.getDest());
  return value == carried;
}

/// Whether `value` is memory that the caller gave away.
static bool isState(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  auto func =
      arg ? dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp()) : nullptr;
  return func && func.getArgAttr(arg.getArgNumber(), stateAttrName);
}

/// Makes `operand` a copy of itself, before the op that it belongs to.
static LogicalResult copyOperand(OpOperand &operand) {
  OpBuilder builder(operand.getOwner());
  auto type = cast<RankedTensorType>(operand.get().getType());
  Operation *def = operand.get().getDefiningOp();
  Location loc = def ? def->getLoc() : operand.getOwner()->getLoc();
  FailureOr<SmallVector<Value>> dims = getDynamicDims(builder, operand.get());
  if (failed(dims))
    return emitError(loc, "failed to find the sizes of a result");
  Value empty = tensor::EmptyOp::create(builder, loc, type, *dims);
  if (isa_and_present<tensor::EmptyOp>(def)) {
    // Nothing to copy: a loop that fills it starts from zeros.
    Value zero = arith::ConstantOp::create(
        builder, loc, builder.getZeroAttr(type.getElementType()));
    operand.set(linalg::FillOp::create(builder, loc, zero, empty).getResult(0));
    return success();
  }
  auto copy = linalg::CopyOp::create(builder, loc, operand.get(), empty);
  operand.set(copy->getResult(0));
  return success();
}

/// Whether `value`, a view of `root`, has sizes that depend on data, or shows
/// something that has: they may be known, or found to differ, only after `root`
/// was made.
static bool isSizedLater(Value value, Value root) {
  if (value == root)
    return false;
  OpBuilder builder(value.getContext());
  for (Value sized : {value, root}) {
    builder.setInsertionPointAfterValue(sized);
    FailureOr<SmallVector<Value>> dims = getDynamicDims(builder, sized);
    if (failed(dims) || !llvm::all_of(*dims, isKnownAtEntry))
      return true;
  }
  return false;
}

/// Copies what `operands` (of a terminator) do not own. `carried` are the
/// values of a loop that they replace, or empty.
static LogicalResult ownOperands(MutableArrayRef<OpOperand> operands,
                                 ValueRange carried,
                                 function_ref<bool(unsigned)> skip = nullptr) {
  DenseSet<Value> taken;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!isa<RankedTensorType>(operand.get().getType()) || (skip && skip(i)))
      continue;
    Value root = getViewedValue(operand.get());
    if (i < carried.size() && isInPlace(root, carried[i]))
      continue;
    Operation *def = root.getDefiningOp();
    // A library function writes a result of the program where it belongs.
    bool isMade =
        def && (isComputeOp(def) ||
                (isa<CallOp>(def) && isa<func::ReturnOp>(operand.getOwner())));
    if (isMade && def->getBlock() == operand.getOwner()->getBlock() &&
        !isSizedLater(operand.get(), root) && taken.insert(root).second)
      continue;
    if (failed(copyOperand(operand)))
      return failure();
  }
  return success();
}

/// Copies initial values of a loop that something else may need.
static LogicalResult ownInits(MutableArrayRef<OpOperand> inits) {
  for (OpOperand &init : inits) {
    if (!isa<RankedTensorType>(init.get().getType()))
      continue;
    Operation *def = init.get().getDefiningOp();
    if (def && isComputeOp(def) && init.get().hasOneUse() &&
        def->getBlock() == init.getOwner()->getBlock())
      continue;
    if (failed(copyOperand(init)))
      return failure();
  }
  return success();
}

namespace {
struct OwnResults : public lathe::impl::OwnResultsBase<OwnResults> {
  using Base::Base;

  void runOnOperation() override {
    restoreBranches();
    hoistSizes();
    WalkResult result = getOperation().walk([&](Operation *op) {
      // What computes owns what its body makes.
      return isInsideComputeOp(op) ? WalkResult::advance()
                                   : WalkResult(own(op));
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  /// Makes branches of what the canonicalizer made of branches that only choose
  /// between two tensors: no kernel selects whole tensors.
  void restoreBranches() {
    getOperation().walk([&](arith::SelectOp op) {
      if (!isa<RankedTensorType>(op.getType()) ||
          !op.getCondition().getType().isInteger(1) || isInsideComputeOp(op))
        return;
      OpBuilder builder(op);
      auto yield = [](Value value) {
        return [value](OpBuilder &b, Location loc) {
          scf::YieldOp::create(b, loc, value);
        };
      };
      auto branch = scf::IfOp::create(builder, op.getLoc(), op.getCondition(),
                                      yield(op.getTrueValue()),
                                      yield(op.getFalseValue()));
      op.replaceAllUsesWith(branch.getResult(0));
      op.erase();
    });
  }

  /// Moves sizes out of branches and loops, so that they are known before.
  void hoistSizes() {
    getOperation().walk([&](Operation *op) {
      bool isSize =
          isa<SymbolOp>(op) || isa<affine::AffineDialect>(op->getDialect()) ||
          (isa<arith::ArithDialect>(op->getDialect()) &&
           op->getNumResults() == 1 && op->getResult(0).getType().isIndex());
      Operation *parent = op->getParentOp();
      if (!isSize || op->getNumRegions())
        return;
      while (isa<scf::SCFDialect>(parent->getDialect()) &&
             llvm::all_of(op->getOperands(), [&](Value operand) {
               return !parent->isProperAncestor(
                          operand.getParentBlock()->getParentOp()) &&
                      operand.getParentBlock()->getParentOp() != parent;
             })) {
        op->moveBefore(parent);
        parent = op->getParentOp();
      }
    });
  }

  LogicalResult own(Operation *op) {
    if (auto insert = dyn_cast<InsertOp>(op)) {
      // What a loop carries is the loop's; a loop of one step is none any more.
      Value dest = getViewedValue(insert.getDest());
      if (isState(dest))
        return success();
      Operation *def = dest.getDefiningOp();
      if ((!def && isa<scf::SCFDialect>(
                       dest.getParentBlock()->getParentOp()->getDialect())) ||
          isa_and_present<InsertOp>(def) ||
          (def && isComputeOp(def) && dest.hasOneUse()))
        return success();
      return copyOperand(insert.getDestMutable());
    }
    if (isa<func::ReturnOp>(op)) {
      // A state stays where it is.
      auto func = cast<func::FuncOp>(op->getParentOp());
      return ownOperands(op->getOpOperands(), {}, [&](unsigned i) {
        return func.getResultAttr(i, stateAttrName) != nullptr;
      });
    }
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
        if (!region->empty() &&
            failed(ownOperands(region->front().getTerminator()->getOpOperands(),
                               {})))
          return failure();
      return success();
    }
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      if (failed(ownInits(loop.getInitArgsMutable())))
        return failure();
      return ownOperands(loop.getBody()->getTerminator()->getOpOperands(),
                         loop.getRegionIterArgs());
    }
    if (auto loop = dyn_cast<scf::WhileOp>(op)) {
      if (failed(ownInits(loop->getOpOperands())))
        return failure();
      return ownOperands(loop.getYieldOp()->getOpOperands(),
                         loop.getAfterArguments());
    }
    return success();
  }
};
} // namespace
