// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses for each nest how the threads of a block share it. Nests follow each
// other with a barrier between; everything else at the level of the block is
// computed by every thread alike, so all take the same branches.

#include "Distribute.h"
#include "CostModel.h"
#include "PointEmitter.h"
#include "lathe/Target/CUDA/Passes.h"
#include "lathe/Target/Kernel/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace lathe {
#define GEN_PASS_DEF_CUDADISTRIBUTE
#include "lathe/Target/CUDA/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::cuda;

Value BlockOfThreads::allocateShared(MemRefType type) const {
  KernelOp owner = kernel;
  OpBuilder builder(owner.getContext());
  builder.setInsertionPointToStart(&owner.getBlock());
  return memref::AllocaOp::create(builder, owner.getLoc(), type,
                                  builder.getI64IntegerAttr(16));
}

static std::optional<int64_t> countPoints(ArrayRef<Extent> extents,
                                          ArrayRef<unsigned> dims) {
  int64_t points = 1;
  for (unsigned dim : dims) {
    if (ShapedType::isDynamic(extents[dim].bound))
      return std::nullopt;
    points *= extents[dim].bound;
  }
  return points;
}

static void distribute(OpBuilder &builder, const BlockOfThreads &block,
                       const Nest &nest) {
  linalg::LinalgOp op = nest.getMain();
  if (!op.getNumReductionLoops())
    return emitPointwise(builder, block, nest);
  SmallVector<Extent> extents = getExtents(builder, nest);
  SmallVector<unsigned> parallel, reduction;
  op.getParallelDims(parallel);
  op.getReductionDims(reduction);
  std::optional<int64_t> points = countPoints(extents, parallel);
  std::optional<int64_t> length = countPoints(extents, reduction);
  if (std::optional<Contraction> product = matchContraction(op))
    if (countPoints(extents, product->rows).value_or(minRows) >= minRows)
      return emitContraction(builder, block, nest, *product);
  bool canShare = points && *points > 0 && *points <= blockThreads &&
                  length.value_or(minSharedReduction) >= minSharedReduction;
  bool is32Bit = true;
  Operation *combiner = nullptr;
  for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i) {
    combiner = getCombiner(op, i);
    canShare &= combiner != nullptr;
    if (combiner)
      is32Bit &= getComputeType(combiner->getResult(0).getType())
                     .getIntOrFloatBitWidth() == 32;
  }
  if (!canShare)
    return emitPointwise(builder, block, nest);
  bool along = llvm::any_of(
      op.getBlock()->getTerminator()->getOperands(),
      [&](Value value) { return readsAlong(op, value, reduction); });
  // Without shuffles, a team takes one point only.
  if (!is32Bit && *points > blockWarps)
    along = false;
  emitSharedReduction(builder, block, nest, *points, along);
}

/// Whether an op, apart from structured ones, changes memory by itself.
static bool writesAlone(Operation *op) {
  return !isa<linalg::LinalgOp>(op) && !op->getNumRegions() &&
         !isMemoryEffectFree(op) &&
         !isa<memref::AllocOp, memref::AllocaOp, memref::LoadOp>(op);
}

/// Whether all that a block of code does can be shared by the threads.
static bool isDistributable(Block &code) {
  WalkResult found = code.walk<WalkOrder::PreOrder>([](Operation *op) {
    if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      return cuda::isDistributable(structured) ? WalkResult::skip()
                                               : WalkResult::interrupt();
    return writesAlone(op) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return !found.wasInterrupted();
}

/// Has the first thread compute everything from `first` to the end of its block
/// of code.
static LogicalResult computeByFirstThread(const BlockOfThreads &block,
                                          Operation *first) {
  Block *code = first->getBlock();
  OpBuilder builder(first);
  Location loc = first->getLoc();
  Value isFirst =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                            block.thread, emitIndex(builder, loc, 0));
  auto branch = scf::IfOp::create(builder, loc, isFirst);
  branch.thenBlock()->getOperations().splice(
      branch.thenBlock()->begin(), code->getOperations(),
      Block::iterator(first), std::prev(code->end()));
  IRRewriter rewriter(branch.getContext());
  SmallVector<linalg::LinalgOp> ops;
  branch.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
  for (linalg::LinalgOp op : ops) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::linalgOpToLoops(rewriter, op)))
      return op->emitOpError("expected a structured op that loops can compute");
    rewriter.eraseOp(op);
  }
  builder.setInsertionPointAfter(branch);
  gpu::BarrierOp::create(builder, loc);
  return success();
}

/// Distributes all structured ops in `code`, nests in loops and branches
/// included.
static void distributeNests(const BlockOfThreads &block, Block &code) {
  SmallVector<linalg::LinalgOp> ops;
  code.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
  SmallPtrSet<Operation *, 16> done;
  // A fill is left alone until it is known that no nest takes it in.
  for (bool fills : {false, true})
    for (linalg::LinalgOp op : ops) {
      if (done.contains(op) || isa<linalg::FillOp>(op) != fills)
        continue;
      Nest nest = collectNest(op);
      OpBuilder builder(nest.stages.back().op);
      distribute(builder, block, nest);
      gpu::BarrierOp::create(builder, op.getLoc());
      for (Operation *old : llvm::reverse(nest.ops)) {
        done.insert(old);
        old->erase();
      }
    }
}

/// Puts the buffers of a block into shared memory as far as that goes, in the
/// order of the code, and the rest into scratch memory.
static void placeBuffers(KernelOp kernel) {
  int64_t left = maxSharedBytes;
  SmallVector<Operation *> buffers;
  for (Operation &op : kernel.getBlock())
    if (isa<memref::AllocOp, memref::AllocaOp>(op))
      buffers.push_back(&op);
  OpBuilder builder(kernel.getContext());
  auto alignment = builder.getI64IntegerAttr(scratchAlignment);
  for (Operation *buffer : buffers) {
    auto type = cast<MemRefType>(buffer->getResult(0).getType());
    if (!type.hasStaticShape())
      continue;
    int64_t bytes = type.getNumElements() *
                    llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    int64_t aligned = llvm::alignTo(bytes, scratchAlignment);
    bool fits = aligned <= left;
    if (fits)
      left -= aligned;
    if (fits == isa<memref::AllocaOp>(buffer))
      continue;
    builder.setInsertionPoint(buffer);
    Operation *made;
    if (fits) {
      made =
          memref::AllocaOp::create(builder, buffer->getLoc(), type, alignment);
    } else {
      made =
          memref::AllocOp::create(builder, buffer->getLoc(), type, alignment);
      made->setAttr("lathe.bytes", AffineMapAttr::get(AffineMap::get(
                                       0, kernel.getSizes().size(),
                                       builder.getAffineConstantExpr(bytes))));
    }
    buffer->replaceAllUsesWith(made);
    buffer->erase();
  }
  assignScratch(kernel);
}

namespace {
struct CudaDistribute : lathe::impl::CudaDistributeBase<CudaDistribute> {
  using Base::Base;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    OpBuilder builder(&getContext());
    builder.setInsertionPointToStart(&kernel.getBlock());
    BlockOfThreads block{kernel,
                         gpu::ThreadIdOp::create(builder, kernel.getLoc(),
                                                 builder.getIndexType(),
                                                 gpu::Dimension::x)};
    Block *code = &kernel.getBlock();
    for (auto grid : kernel.getBlock().getOps<scf::ForallOp>())
      code = grid.getBody();
    if (code != &kernel.getBlock())
      for (Operation &op : kernel.getBlock().without_terminator())
        if (writesAlone(&op)) {
          op.emitOpError("expected to write in the loop over tiles only");
          return signalPassFailure();
        }
    if (!isDistributable(*code)) {
      // Allocations stay where they are.
      Operation *first = &code->front();
      for (Operation &op : *code)
        if (isa<memref::AllocOp, memref::AllocaOp, gpu::ThreadIdOp>(op))
          first = op.getNextNode();
      if (failed(computeByFirstThread(block, first)))
        return signalPassFailure();
    }
    distributeNests(block, kernel.getBlock());
    placeBuffers(kernel);
  }
};
} // namespace
