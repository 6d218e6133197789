// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions that several threads share. A *team* of threads takes the steps of
// one point in turn. Teams whose threads are neighbours fold by shuffles within
// a warp and through shared memory between warps; teams whose threads are as
// far apart as there are teams, so that neighbours read neighbouring points,
// fold through shared memory alone. The order of additions depends on shapes
// only.

#include "CostModel.h"
#include "Distribute.h"
#include "PointEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cuda;

/// Both values folded as the reduction does it.
static Value fold(OpBuilder &builder, Operation *combiner, Value a, Value b) {
  OperationState state(combiner->getLoc(), combiner->getName());
  state.addOperands({a, b});
  state.addTypes(a.getType());
  state.addAttributes(combiner->getAttrs());
  return builder.create(state)->getResult(0);
}

static Value emitNeutral(OpBuilder &builder, Operation *combiner) {
  TypedAttr neutral = *arith::getNeutralElement(combiner);
  Type type = getComputeType(neutral.getType());
  if (auto number = dyn_cast<FloatAttr>(neutral)) {
    APFloat value = number.getValue();
    bool lost;
    value.convert(cast<FloatType>(type).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &lost);
    neutral = builder.getFloatAttr(type, value);
  }
  return arith::ConstantOp::create(builder, combiner->getLoc(), neutral);
}

namespace {
class TeamReduction {
public:
  TeamReduction(OpBuilder &builder, const BlockOfThreads &block,
                const Nest &nest, int64_t points, bool alongReduction)
      : b(builder), block(block), nest(nest), op(nest.getMain()),
        loc(op.getLoc()), along(alongReduction) {
    teamSize = blockThreads /
               std::min<int64_t>(llvm::PowerOf2Ceil(points), blockThreads);
    if (along)
      teamSize = std::max(teamSize, warpThreads);
    numTeams = blockThreads / teamSize;
    for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i)
      combiners.push_back(getCombiner(op, i));
  }
  void run();

private:
  SmallVector<Value> reducePart(Value exists, const PointSpace &steps);
  void foldByShuffles(SmallVectorImpl<Value> &parts);
  void foldBySharedMemory(SmallVectorImpl<Value> &parts);
  Value shared(unsigned i, Type type);

  OpBuilder &b;
  const BlockOfThreads &block;
  const Nest &nest;
  linalg::LinalgOp op;
  Location loc;
  bool along;
  int64_t teamSize, numTeams;
  SmallVector<Operation *> combiners;
  SmallVector<Extent> extents;
  SmallVector<Value> indices;
  Value team, member; ///< This thread's team, and its place in it.
};
} // namespace

/// This thread's share of the steps at the point in `indices`.
SmallVector<Value> TeamReduction::reducePart(Value exists,
                                             const PointSpace &steps) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Value> neutral;
  for (Operation *combiner : combiners)
    neutral.push_back(emitNeutral(b, combiner));
  Value end = steps.getCount();
  if (exists)
    end = arith::SelectOp::create(b, loc, exists, end, emitIndex(b, loc, 0));
  auto loop = scf::ForOp::create(b, loc, member, end,
                                 emitIndex(b, loc, teamSize), neutral);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> at(indices);
  Value live = steps.locate(b, loop.getInductionVar(), at);
  auto step = [&] {
    PointEmitter emitter(b, op, at);
    SmallVector<Value> next;
    for (auto [i, running] : llvm::enumerate(loop.getRegionIterArgs()))
      emitter.bind(op.getBlock()->getArgument(op.getNumDpsInputs() + i),
                   running);
    for (unsigned i = 0; i < combiners.size(); ++i)
      next.push_back(emitter.evaluateYield(i));
    return next;
  };
  SmallVector<Value> next;
  if (!live) {
    next = step();
  } else {
    auto branch = scf::IfOp::create(b, loc, TypeRange(ValueRange(neutral)),
                                    live, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToEnd(branch.thenBlock());
    scf::YieldOp::create(b, loc, step());
    b.setInsertionPointToEnd(branch.elseBlock());
    scf::YieldOp::create(b, loc, loop.getRegionIterArgs());
    next.assign(branch.getResults().begin(), branch.getResults().end());
  }
  b.setInsertionPointToEnd(loop.getBody());
  scf::YieldOp::create(b, loc, next);
  return SmallVector<Value>(loop.getResults());
}

Value TeamReduction::shared(unsigned i, Type type) {
  return block.allocateShared(MemRefType::get({blockThreads}, type));
}

/// Afterwards every thread of a warp has the fold of all; warps of a team then
/// exchange theirs.
void TeamReduction::foldByShuffles(SmallVectorImpl<Value> &parts) {
  Value width = arith::ConstantIntOp::create(b, loc, warpThreads, 32);
  for (auto [i, part] : llvm::enumerate(parts))
    for (int64_t distance = warpThreads / 2; distance; distance /= 2) {
      Value offset = arith::ConstantIntOp::create(b, loc, distance, 32);
      auto other = gpu::ShuffleOp::create(b, loc, part, offset, width,
                                          gpu::ShuffleMode::XOR);
      part = fold(b, combiners[i], part, other.getShuffleResult());
    }
  int64_t warps = teamSize / warpThreads;
  if (warps == 1)
    return;
  SmallVector<Value> memory;
  Value warpSize = emitIndex(b, loc, warpThreads);
  Value lane = arith::RemUIOp::create(b, loc, block.thread, warpSize);
  Value warp = arith::DivUIOp::create(b, loc, block.thread, warpSize);
  for (auto [i, part] : llvm::enumerate(parts))
    memory.push_back(shared(i, part.getType()));
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lane,
                                        emitIndex(b, loc, 0));
  emitIf(b, loc, isFirst, [&] {
    for (auto [part, buffer] : llvm::zip_equal(parts, memory))
      memref::StoreOp::create(b, loc, part, buffer, warp);
  });
  gpu::BarrierOp::create(b, loc);
  Value first = arith::MulIOp::create(b, loc, team, emitIndex(b, loc, warps));
  for (int64_t w = 0; w < warps; ++w) {
    Value at = arith::AddIOp::create(b, loc, first, emitIndex(b, loc, w));
    for (auto [i, part] : llvm::enumerate(parts)) {
      Value other = memref::LoadOp::create(b, loc, memory[i], at);
      part = w ? fold(b, combiners[i], part, other) : other;
    }
  }
}

/// Afterwards the first thread of a team has the fold of all.
void TeamReduction::foldBySharedMemory(SmallVectorImpl<Value> &parts) {
  if (teamSize == 1)
    return;
  SmallVector<Value> memory;
  for (auto [i, part] : llvm::enumerate(parts)) {
    memory.push_back(shared(i, part.getType()));
    memref::StoreOp::create(b, loc, part, memory.back(), block.thread);
  }
  // Halves, so that the depth is the logarithm of the team's size.
  Value distance = emitIndex(b, loc, along ? 1 : numTeams);
  for (int64_t half = teamSize / 2; half; half /= 2) {
    gpu::BarrierOp::create(b, loc);
    Value isLow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        member, emitIndex(b, loc, half));
    Value away =
        arith::MulIOp::create(b, loc, distance, emitIndex(b, loc, half));
    Value from = arith::AddIOp::create(b, loc, block.thread, away);
    emitIf(b, loc, isLow, [&] {
      for (auto [i, buffer] : llvm::enumerate(memory)) {
        Value mine = memref::LoadOp::create(b, loc, buffer, block.thread);
        Value other = memref::LoadOp::create(b, loc, buffer, from);
        memref::StoreOp::create(b, loc, fold(b, combiners[i], mine, other),
                                buffer, block.thread);
      }
    });
  }
  // The first thread wrote its own.
  for (auto [part, buffer] : llvm::zip_equal(parts, memory))
    part = memref::LoadOp::create(b, loc, buffer, block.thread);
}

void TeamReduction::run() {
  OpBuilder::InsertionGuard guard(b);
  extents = getExtents(b, nest);
  SmallVector<unsigned> parallel, reduction;
  op.getParallelDims(parallel);
  op.getReductionDims(reduction);
  PointSpace points(b, loc, parallel, extents);
  PointSpace steps(b, loc, reduction, extents);
  Value size = emitIndex(b, loc, along ? teamSize : numTeams);
  Value low = arith::RemUIOp::create(b, loc, block.thread, size);
  Value high = arith::DivUIOp::create(b, loc, block.thread, size);
  team = along ? high : low;
  member = along ? low : high;
  bool canShuffle = along;
  for (Operation *combiner : combiners)
    canShuffle &= getComputeType(combiner->getResult(0).getType())
                      .getIntOrFloatBitWidth() == 32;

  // Only teams that need no barrier may take one point after the other.
  Value number = team;
  indices.assign(op.getNumLoops(), Value());
  bool loops = canShuffle && teamSize == warpThreads;
  if (loops) {
    auto loop = scf::ForOp::create(b, loc, team, points.getCount(),
                                   emitIndex(b, loc, numTeams));
    b.setInsertionPointToStart(loop.getBody());
    number = loop.getInductionVar();
  }
  Value exists = points.locateClamped(b, number, indices);
  SmallVector<Value> parts = reducePart(exists, steps);
  if (canShuffle)
    foldByShuffles(parts);
  else
    foldBySharedMemory(parts);
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                        member, emitIndex(b, loc, 0));
  emitIf(b, loc, emitAnd(b, loc, exists, isFirst), [&] {
    for (auto [i, part] : llvm::enumerate(parts))
      part = fold(b, combiners[i], emitInitial(b, nest, i, indices), part);
    emitResults(b, nest, indices, parts);
  });
}

void cuda::emitSharedReduction(OpBuilder &builder, const BlockOfThreads &block,
                               const Nest &nest, int64_t points,
                               bool alongReduction) {
  TeamReduction(builder, block, nest, points, alongReduction).run();
}
