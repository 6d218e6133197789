// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Memory and what uses it
//===----------------------------------------------------------------------===//

Value lathe::getRoot(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

/// Whether anything but the ops in `inside` uses the memory of `buffer`.
static bool isUsedOutside(Value buffer,
                          const SmallPtrSetImpl<Operation *> &inside) {
  Value root = getRoot(buffer);
  if (!root.getDefiningOp<memref::AllocOp>() &&
      !root.getDefiningOp<memref::AllocaOp>())
    return true;
  SmallVector<Value> worklist{root};
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    for (Operation *user : value.getUsers()) {
      if (isa<ViewLikeOpInterface>(user))
        llvm::append_range(worklist, user->getResults());
      else if (!inside.contains(user) && !isa<memref::DimOp>(user))
        return true;
    }
  }
  return false;
}

bool lathe::isTransparent(Operation *op) {
  return isMemoryEffectFree(op) || isa<memref::AllocOp, memref::AllocaOp>(op);
}

linalg::LinalgOp lathe::findNext(linalg::LinalgOp op) {
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    if (auto found = dyn_cast<linalg::LinalgOp>(next))
      return found;
    if (!isTransparent(next))
      return {};
  }
  return {};
}

linalg::FillOp lathe::findFill(linalg::LinalgOp op, unsigned i) {
  Value buffer = op.getDpsInitOperand(i)->get();
  for (Operation *prev = op->getPrevNode(); prev; prev = prev->getPrevNode()) {
    auto fill = dyn_cast<linalg::FillOp>(prev);
    if (fill && fill.getOutputs()[0] == buffer)
      return fill;
    if (isTransparent(prev))
      continue;
    auto other = dyn_cast<linalg::LinalgOp>(prev);
    if (!other || llvm::any_of(other->getOperands(), [&](Value operand) {
          return isa<MemRefType>(operand.getType()) &&
                 getRoot(operand) == getRoot(buffer);
        }))
      return {};
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

bool lathe::readsOutput(linalg::LinalgOp op, unsigned i) {
  return !op.getBlock()->getArgument(op.getNumDpsInputs() + i).use_empty();
}

bool lathe::readsMemory(linalg::LinalgOp op) {
  bool reads = false;
  op.getBlock()->walk([&](memref::LoadOp) { reads = true; });
  return reads;
}

Operation *lathe::getCombiner(linalg::LinalgOp op, unsigned i) {
  Block *body = op.getBlock();
  BlockArgument running = body->getArgument(op.getNumDpsInputs() + i);
  Operation *combiner = body->getTerminator()->getOperand(i).getDefiningOp();
  if (!combiner || combiner->getBlock() != body || !running.hasOneUse() ||
      *running.user_begin() != combiner || combiner->getNumOperands() != 2 ||
      combiner->getNumResults() != 1 || !combiner->hasOneUse())
    return nullptr;
  // The running value of a difference is not combined in any order.
  if (!arith::getNeutralElement(combiner))
    return nullptr;
  return combiner;
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

NestStage lathe::getFirstStage(linalg::LinalgOp op) {
  NestStage stage;
  stage.op = op;
  stage.dims = llvm::to_vector(llvm::seq<unsigned>(0, op.getNumLoops()));
  return stage;
}

bool lathe::mapStage(ArrayRef<NestStage> earlier, NestStage &stage) {
  linalg::LinalgOp op = stage.op;
  stage.dims.assign(op.getNumLoops(), ~0u);
  for (OpOperand *operand : op.getDpsInputOperands())
    for (auto [s, maker] : llvm::enumerate(earlier)) {
      linalg::LinalgOp from = maker.op;
      for (auto [i, init] : llvm::enumerate(from.getDpsInitsMutable())) {
        if (init.get() != operand->get())
          continue;
        AffineMap read = op.getMatchingIndexingMap(operand);
        AffineMap made = from.getMatchingIndexingMap(&init);
        if (!read.isPermutation() || !made.isProjectedPermutation())
          return false;
        for (auto [a, b] :
             llvm::zip_equal(read.getResults(), made.getResults())) {
          unsigned dim = maker.dims[cast<AffineDimExpr>(b).getPosition()];
          unsigned &slot = stage.dims[cast<AffineDimExpr>(a).getPosition()];
          if (slot != ~0u && slot != dim)
            return false;
          slot = dim;
        }
        stage.fed[operand->getOperandNumber()] = {s, i};
      }
    }
  return !stage.fed.empty();
}

/// Whether `op` overwrites what the body of an earlier stage reads, maybe at
/// another point.
static bool overwritesRead(ArrayRef<NestStage> earlier, linalg::LinalgOp op) {
  bool overwrites = false;
  for (const NestStage &before : earlier) {
    linalg::LinalgOp reader = before.op;
    reader.getBlock()->walk([&](memref::LoadOp load) {
      for (Value init : op.getDpsInits())
        overwrites |= getRoot(init) == getRoot(load.getMemRef());
    });
  }
  return overwrites;
}

bool lathe::hasConflict(ArrayRef<NestStage> earlier, NestStage &stage) {
  if (overwritesRead(earlier, stage.op))
    return true;
  for (OpOperand &operand : stage.op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()) ||
        stage.fed.contains(operand.getOperandNumber()))
      continue;
    Value root = getRoot(operand.get());
    bool isOutput = stage.op.isDpsInit(&operand);
    for (const NestStage &before : earlier) {
      linalg::LinalgOp op = before.op;
      for (OpOperand &other : op->getOpOperands()) {
        if (!isa<MemRefType>(other.get().getType()) ||
            getRoot(other.get()) != root)
          continue;
        bool otherIsOutput = op.isDpsInit(&other);
        if (!isOutput && !otherIsOutput)
          continue;
        // The same element, written at the same point.
        if (isOutput && other.get() == operand.get() &&
            (otherIsOutput || before.fed.contains(other.getOperandNumber())))
          continue;
        return true;
      }
    }
  }
  return false;
}

void lathe::findStored(MutableArrayRef<NestStage> stages,
                       const SmallPtrSetImpl<Operation *> &inside) {
  for (auto [s, stage] : llvm::enumerate(stages))
    for (Value init : stage.op.getDpsInits()) {
      bool overwritten = false, read = false;
      for (NestStage &later : stages.drop_front(s + 1)) {
        overwritten |= llvm::is_contained(later.op.getDpsInits(), init);
        read |= llvm::is_contained(later.op.getDpsInputs(), init);
      }
      stage.stored.push_back(!overwritten &&
                             (!read || isUsedOutside(init, inside)));
    }
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

static Value emitIndex(OpBuilder &builder, Location loc, AffineExpr expr,
                       ValueRange dims) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIndexOp::create(builder, loc, constant.getValue());
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value lhs = emitIndex(builder, loc, binary.getLHS(), dims);
  Value rhs = emitIndex(builder, loc, binary.getRHS(), dims);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return builder.createOrFold<arith::AddIOp>(loc, lhs, rhs);
  case AffineExprKind::Mul:
    return builder.createOrFold<arith::MulIOp>(loc, lhs, rhs);
  case AffineExprKind::FloorDiv:
    return builder.createOrFold<arith::DivUIOp>(loc, lhs, rhs);
  case AffineExprKind::CeilDiv:
    return builder.createOrFold<arith::CeilDivUIOp>(loc, lhs, rhs);
  default:
    return builder.createOrFold<arith::RemUIOp>(loc, lhs, rhs);
  }
}

SmallVector<Value> lathe::emitIndices(OpBuilder &builder, Location loc,
                                      AffineMap map, ValueRange dims) {
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
    return emitIndex(builder, loc, expr, dims);
  });
}
