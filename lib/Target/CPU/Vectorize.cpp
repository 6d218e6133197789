// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the nests of a kernel and has each generated. A nest takes in the fill
// that its result starts from, and the elementwise ops that read its result at
// the same point, which are then computed on registers before anything is
// stored.

#include "Decisions.h"
#include "Nest.h"
#include "lathe/Target/CPU/Passes.h"
#include "lathe/Target/Kernel/Passes.h"
#include "lathe/Target/Kernel/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"

namespace lathe {
#define GEN_PASS_DEF_CPUVECTORIZE
#include "lathe/Target/CPU/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static bool isParallel(linalg::LinalgOp op) {
  return op.getNumParallelLoops() == op.getNumLoops();
}

/// Tries to add `op` to the nest: an elementwise op over the points of the
/// outputs of an earlier stage, which it reads.
static bool addStage(cpu::Nest &nest, linalg::LinalgOp op) {
  if (!isParallel(op) || isa<linalg::FillOp>(op) ||
      !op.hasPureBufferSemantics())
    return false;
  // Memory that the nest writes may be read from inside a body, too.
  NestStage stage;
  stage.op = op;
  if (!mapStage(nest.stages, stage) || hasConflict(nest.stages, stage) ||
      readsMemory(op))
    return false;
  nest.stages.push_back(std::move(stage));
  return true;
}

/// Generates the nest that begins with `op`, by what is decided, if anything;
/// erases its ops. `others`, if it is wanted, gets what else could have been.
/// Returns what sums up products in it, if it is a dot product.
static std::string vectorize(linalg::LinalgOp op, const cpu::Target &target,
                             const cpu::NestDecision *decided,
                             SmallVectorImpl<cpu::NestDecision> *others,
                             SmallPtrSetImpl<Operation *> &done) {
  cpu::Nest nest;
  nest.stages.push_back(getFirstStage(op));
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
  findStored(nest.stages, inside);
  if (op.getNumReductionLoops())
    for (unsigned i = 0, e = op.getNumDpsInputs(); i < e && !nest.padded; ++i)
      nest.padded = cpu::matchPadding(op, i);
  OpBuilder builder(last);
  std::string sums = cpu::generateNest(builder, nest, target, decided, others);
  for (NestStage &stage : llvm::reverse(nest.stages)) {
    done.insert(stage.op);
    stage.op->erase();
  }
  for (linalg::FillOp fill : fills) {
    done.insert(fill);
    fill->erase();
  }
  if (nest.padded && !nest.padded->copied) {
    done.insert(nest.padded->pad);
    nest.padded->pad->erase();
  }
  return sums;
}

/// Adds other plans for nest `number` to what may be decided.
static void propose(KernelOp kernel, const cpu::Decisions &decisions,
                    unsigned number, ArrayRef<cpu::NestDecision> others) {
  cpu::addCandidates(
      kernel, llvm::map_to_vector(others, [&](const cpu::NestDecision &other) {
        cpu::Decisions changed = decisions;
        if (changed.nests.size() <= number)
          changed.nests.resize(number + 1);
        changed.nests[number] = other;
        return changed;
      }));
}

namespace {
struct CpuVectorize : lathe::impl::CpuVectorizeBase<CpuVectorize> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    return cpu::parseTarget(context, cpu, target);
  }

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    FailureOr<cpu::Decisions> decisions = cpu::Decisions::read(kernel);
    if (failed(decisions))
      return signalPassFailure();
    bool proposes = cpu::wantsCandidates(kernel);
    unsigned number = 0;
    SmallVector<linalg::LinalgOp> ops;
    kernel.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    SmallPtrSet<Operation *, 16> done;
    // Fills and paddings are left alone until it is known that no reduction
    // takes them in.
    auto waits = [](linalg::LinalgOp op) {
      return isa<linalg::FillOp>(op) || op->hasAttr(paddingAttrName);
    };
    llvm::SetVector<Attribute> sums;
    Builder builder(&getContext());
    for (bool last : {false, true})
      for (linalg::LinalgOp op : ops) {
        if (done.contains(op) || waits(op) != last)
          continue;
        SmallVector<cpu::NestDecision> others;
        std::string text = vectorize(op, target, decisions->getNest(number),
                                     proposes ? &others : nullptr, done);
        if (!text.empty())
          sums.insert(builder.getStringAttr(text));
        propose(kernel, *decisions, number++, others);
      }
    if (!sums.empty())
      kernel->setAttr(sumsAttrName, builder.getArrayAttr(sums.getArrayRef()));
    assignScratch(kernel);
  }

  cpu::Target target;
};
} // namespace
