// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the nests of a kernel and has each generated. A nest takes in the fill
// that its result starts from, and the elementwise ops that read its result at
// the same point, which are then computed on registers before anything is
// stored.

#include "Nest.h"
#include "lathe/Target/CPU/Passes.h"
#include "lathe/Target/Kernel/Passes.h"
#include "lathe/Target/Kernel/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace lathe {
#define GEN_PASS_DEF_CPUVECTORIZE
#include "lathe/Target/CPU/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// The allocation or argument that a buffer is a part of.
static Value getRoot(Value buffer) {
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

static bool isParallel(linalg::LinalgOp op) {
  return op.getNumParallelLoops() == op.getNumLoops();
}

/// The fill that writes all of output `i` before `op`, with nothing between
/// that touches memory.
static linalg::FillOp findFill(linalg::LinalgOp op, unsigned i) {
  Value buffer = op.getDpsInitOperand(i)->get();
  for (Operation *prev = op->getPrevNode(); prev; prev = prev->getPrevNode()) {
    auto fill = dyn_cast<linalg::FillOp>(prev);
    if (fill && fill.getOutputs()[0] == buffer)
      return fill;
    if (isMemoryEffectFree(prev) || fill ||
        isa<memref::AllocOp, memref::AllocaOp>(prev))
      continue;
    // What works on other memory does not matter.
    auto other = dyn_cast<linalg::LinalgOp>(prev);
    if (!other || llvm::any_of(other->getOperands(), [&](Value operand) {
          return isa<MemRefType>(operand.getType()) &&
                 getRoot(operand) == getRoot(buffer);
        }))
      return {};
  }
  return {};
}

/// The next structured op, if only address computations lie between.
static linalg::LinalgOp findNext(linalg::LinalgOp op) {
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(next))
      return linalgOp;
    if (!isMemoryEffectFree(next) &&
        !isa<memref::AllocOp, memref::AllocaOp>(next))
      return {};
  }
  return {};
}

/// Tries to add `op` to the nest: an elementwise op over the points of the
/// outputs of an earlier stage, which it reads.
static bool addStage(cpu::Nest &nest, linalg::LinalgOp op) {
  if (!isParallel(op) || isa<linalg::FillOp>(op) ||
      !op.hasPureBufferSemantics())
    return false;
  cpu::NestStage stage;
  stage.op = op;
  stage.dims.assign(op.getNumLoops(), ~0u);
  bool mapped = false;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    for (auto [s, earlier] : llvm::enumerate(nest.stages)) {
      for (auto [i, init] : llvm::enumerate(earlier.op.getDpsInitsMutable())) {
        if (init.get() != operand->get())
          continue;
        AffineMap map = op.getMatchingIndexingMap(operand);
        AffineMap from = earlier.op.getMatchingIndexingMap(&init);
        if (!map.isPermutation() || !from.isProjectedPermutation())
          return false;
        for (auto [a, b] :
             llvm::zip_equal(map.getResults(), from.getResults())) {
          unsigned dim = earlier.dims[cast<AffineDimExpr>(b).getPosition()];
          unsigned &slot = stage.dims[cast<AffineDimExpr>(a).getPosition()];
          if (slot != ~0u && slot != dim)
            return false;
          slot = dim;
        }
        stage.fed[operand->getOperandNumber()] = {s, i};
        mapped = true;
      }
    }
  }
  if (!mapped)
    return false;
  // Other operands must not be in memory that the nest writes at other points.
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()) ||
        stage.fed.contains(operand.getOperandNumber()))
      continue;
    Value root = getRoot(operand.get());
    bool isOutput = op.isDpsInit(&operand);
    for (cpu::NestStage &earlier : nest.stages)
      for (OpOperand &other : earlier.op->getOpOperands()) {
        if (!isa<MemRefType>(other.get().getType()) ||
            getRoot(other.get()) != root)
          continue;
        bool otherIsOutput = earlier.op.isDpsInit(&other);
        if (!isOutput && !otherIsOutput)
          continue;
        // The same element, written at the same point.
        if (isOutput && other.get() == operand.get() &&
            (otherIsOutput || earlier.fed.contains(other.getOperandNumber())))
          continue;
        return false;
      }
  }
  // The memory may be read from inside a body, too.
  bool reads = false;
  op.getBlock()->walk([&](memref::LoadOp) { reads = true; });
  if (reads)
    return false;
  stage.stored.assign(op.getNumDpsInits(), true);
  nest.stages.push_back(std::move(stage));
  return true;
}

/// Whether the body reads the running value of output `i`.
static bool readsOutput(linalg::LinalgOp op, unsigned i) {
  return !op.getBlock()->getArgument(op.getNumDpsInputs() + i).use_empty();
}

/// Generates the nest that begins with `op`; erases its ops.
static void vectorize(linalg::LinalgOp op, const cpu::Target &target,
                      SmallPtrSetImpl<Operation *> &done) {
  cpu::Nest nest;
  cpu::NestStage main;
  main.op = op;
  main.dims = llvm::to_vector(llvm::seq<unsigned>(0, op.getNumLoops()));
  main.stored.assign(op.getNumDpsInits(), true);
  nest.stages.push_back(std::move(main));
  SmallPtrSet<Operation *, 4> inside{op};
  SmallVector<linalg::FillOp> fills;
  for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i) {
    linalg::FillOp fill;
    if (readsOutput(op, i))
      fill = findFill(op, i);
    nest.initial.push_back(fill ? fill.getInputs()[0] : Value());
    if (fill)
      fills.push_back(fill);
  }
  linalg::LinalgOp last = op;
  while (linalg::LinalgOp next = findNext(last)) {
    if (!addStage(nest, next))
      break;
    inside.insert(next);
    last = next;
  }
  for (linalg::FillOp fill : fills)
    inside.insert(fill);
  for (cpu::NestStage &stage : nest.stages)
    for (auto [i, init] : llvm::enumerate(stage.op.getDpsInits())) {
      // A later stage that writes the same buffer overwrites it.
      bool overwritten = false, read = false;
      for (cpu::NestStage &later : nest.stages) {
        if (&later <= &stage)
          continue;
        overwritten |= llvm::is_contained(later.op.getDpsInits(), init);
        for (OpOperand *input : later.op.getDpsInputOperands())
          read |= input->get() == init;
      }
      stage.stored[i] = !overwritten && (!read || isUsedOutside(init, inside));
    }
  if (op.getNumReductionLoops())
    for (unsigned i = 0, e = op.getNumDpsInputs(); i < e && !nest.padded; ++i)
      nest.padded = cpu::matchPadding(op, i);
  OpBuilder builder(last);
  cpu::generateNest(builder, nest, target);
  for (cpu::NestStage &stage : llvm::reverse(nest.stages)) {
    done.insert(stage.op);
    stage.op->erase();
  }
  for (linalg::FillOp fill : fills) {
    done.insert(fill);
    fill->erase();
  }
  if (nest.padded) {
    done.insert(nest.padded->pad);
    nest.padded->pad->erase();
  }
}

namespace {
struct CpuVectorize : lathe::impl::CpuVectorizeBase<CpuVectorize> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    std::string error;
    FailureOr<cpu::Target> parsed = cpu::parseTarget(cpu, error);
    if (failed(parsed))
      return emitError(UnknownLoc::get(context), error);
    target = *parsed;
    return success();
  }

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    SmallPtrSet<Operation *, 16> done;
    // Fills and paddings are left alone until it is known that no reduction
    // takes them in.
    auto waits = [](linalg::LinalgOp op) {
      return isa<linalg::FillOp>(op) || op->hasAttr(paddingAttrName);
    };
    for (bool last : {false, true})
      for (linalg::LinalgOp op : ops)
        if (!done.contains(op) && waits(op) == last)
          vectorize(op, target, done);
    assignScratch(getOperation());
  }

  cpu::Target target;
};
} // namespace
