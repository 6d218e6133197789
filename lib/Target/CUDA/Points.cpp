// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CostModel.h"
#include "Distribute.h"
#include "PointEmitter.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cuda;

Value cuda::emitIndex(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value cuda::emitAnd(OpBuilder &builder, Location loc, Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return arith::AndIOp::create(builder, loc, a, b);
}

void cuda::emitIf(OpBuilder &builder, Location loc, Value condition,
                  function_ref<void()> body) {
  if (!condition)
    return body();
  OpBuilder::InsertionGuard guard(builder);
  auto branch = scf::IfOp::create(builder, loc, condition);
  builder.setInsertionPointToStart(branch.thenBlock());
  body();
}

//===----------------------------------------------------------------------===//
// Numbered points
//===----------------------------------------------------------------------===//

PointSpace::PointSpace(OpBuilder &builder, Location loc,
                       ArrayRef<unsigned> dims, ArrayRef<Extent> all)
    : loc(loc), dims(dims) {
  constantCount = 1;
  count = emitIndex(builder, loc, 1);
  for (unsigned dim : dims) {
    const Extent &extent = all[dim];
    extents.push_back(extent);
    bool isBounded = !ShapedType::isDynamic(extent.bound);
    radix.push_back(isBounded ? emitIndex(builder, loc, extent.bound)
                              : extent.size);
    count = builder.createOrFold<arith::MulIOp>(loc, count, radix.back());
    if (!isBounded)
      constantCount = std::nullopt;
    else if (constantCount)
      constantCount = *constantCount * extent.bound;
  }
}

Value PointSpace::locate(OpBuilder &builder, Value number,
                         MutableArrayRef<Value> indices) const {
  Value exists;
  Value rest = number;
  for (unsigned i = dims.size(); i-- > 0;) {
    const Extent &extent = extents[i];
    Value index = rest;
    if (i) {
      index = builder.createOrFold<arith::RemUIOp>(loc, rest, radix[i]);
      rest = builder.createOrFold<arith::DivUIOp>(loc, rest, radix[i]);
    }
    if (!extent.isExact && !ShapedType::isDynamic(extent.bound))
      exists =
          emitAnd(builder, loc, exists,
                  arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                        index, extent.size));
    indices[dims[i]] = index;
  }
  return exists;
}

Value PointSpace::locateClamped(OpBuilder &builder, Value number,
                                MutableArrayRef<Value> indices) const {
  Value one = emitIndex(builder, loc, 1);
  Value exists = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                       number, count);
  Value last = arith::SubIOp::create(builder, loc, count, one);
  exists = emitAnd(builder, loc, exists,
                   locate(builder,
                          arith::MinUIOp::create(builder, loc, number, last),
                          indices));
  for (auto [dim, extent] : llvm::zip_equal(dims, extents)) {
    if (extent.isExact || ShapedType::isDynamic(extent.bound))
      continue;
    Value end = arith::SubIOp::create(builder, loc, extent.size, one);
    indices[dim] = arith::MinUIOp::create(builder, loc, indices[dim], end);
  }
  return exists;
}

SmallVector<Extent> cuda::getExtents(OpBuilder &builder, const Nest &nest) {
  linalg::LinalgOp op = nest.getMain();
  Location loc = op.getLoc();
  SmallVector<Extent> extents;
  for (Range &range : op.createLoopRanges(builder, loc)) {
    Extent extent;
    extent.size = getValueOrCreateConstantIndexOp(builder, loc, range.size);
    if (std::optional<int64_t> known = getConstantIntValue(range.size)) {
      extent.bound = *known;
      extent.isExact = true;
    } else if (FailureOr<int64_t> bound =
                   ValueBoundsConstraintSet::computeConstantBound(
                       presburger::BoundType::UB,
                       ValueBoundsConstraintSet::Variable(extent.size), nullptr,
                       /*closedUB=*/true);
               succeeded(bound) && *bound > 0) {
      extent.bound = *bound;
    }
    extents.push_back(extent);
  }
  return extents;
}

//===----------------------------------------------------------------------===//
// What happens at a point
//===----------------------------------------------------------------------===//

Value cuda::emitInitial(OpBuilder &builder, const Nest &nest, unsigned i,
                        ArrayRef<Value> indices) {
  linalg::LinalgOp op = nest.getMain();
  if (Value initial = nest.initial[i])
    return promote(builder, op.getLoc(), initial);
  return PointEmitter(builder, op, indices).load(*op.getDpsInitOperand(i));
}

void cuda::emitResults(OpBuilder &builder, const Nest &nest,
                       ArrayRef<Value> indices, ArrayRef<Value> results) {
  SmallVector<SmallVector<Value>> made;
  for (const NestStage &stage : nest.stages) {
    linalg::LinalgOp op = stage.op;
    SmallVector<Value> own = llvm::map_to_vector(
        stage.dims, [&](unsigned dim) { return indices[dim]; });
    PointEmitter emitter(builder, op, own);
    SmallVector<Value> values(results);
    if (!made.empty()) {
      for (auto [number, from] : stage.fed)
        emitter.bind(op.getBlock()->getArgument(number),
                     made[from.first][from.second]);
      values.clear();
      for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i)
        values.push_back(emitter.evaluateYield(i));
    }
    for (auto [i, value] : llvm::enumerate(values))
      if (stage.stored[i])
        emitter.store(i, value);
    made.push_back(std::move(values));
  }
}

bool cuda::readsAlong(linalg::LinalgOp op, Value inBody,
                      ArrayRef<unsigned> dims) {
  uint64_t wanted = 0;
  for (unsigned dim : dims)
    wanted |= uint64_t(1) << dim;
  // The largest of what is read decides.
  int most = -1;
  bool along = false;
  auto consider = [&](uint64_t all, uint64_t last) {
    int number = llvm::popcount(all);
    if (number > most) {
      most = number;
      along = last & wanted;
    }
  };
  SmallVector<Value> worklist{inBody};
  SmallPtrSet<Operation *, 16> seen;
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (auto arg = dyn_cast<BlockArgument>(value)) {
      if (arg.getOwner() != op.getBlock() ||
          arg.getArgNumber() >= op.getNumDpsInputs())
        continue;
      AffineMap map =
          op.getMatchingIndexingMap(&op->getOpOperand(arg.getArgNumber()));
      if (!map.getNumResults())
        continue;
      uint64_t last = 0;
      for (unsigned d = 0; d < op.getNumLoops(); ++d)
        if (map.getResults().back().isFunctionOfDim(d))
          last |= uint64_t(1) << d;
      consider(getDims(op, value), last);
      continue;
    }
    Operation *def = value.getDefiningOp();
    if (!def || !op->isProperAncestor(def) || !seen.insert(def).second)
      continue;
    if (auto load = dyn_cast<memref::LoadOp>(def))
      if (!load.getIndices().empty())
        consider(getDims(op, value), getDims(op, load.getIndices().back()));
    llvm::append_range(worklist, def->getOperands());
  }
  return along;
}

//===----------------------------------------------------------------------===//
// A thread for each point
//===----------------------------------------------------------------------===//

/// Loops over the reduction dimensions; returns the outputs' last values.
static SmallVector<Value> emitReductionLoops(OpBuilder &builder,
                                             const Nest &nest,
                                             ArrayRef<Extent> extents,
                                             MutableArrayRef<Value> indices,
                                             ArrayRef<Value> initial) {
  linalg::LinalgOp op = nest.getMain();
  Location loc = op.getLoc();
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Value> running(initial);
  SmallVector<scf::ForOp> loops;
  Value zero = emitIndex(builder, loc, 0), one = emitIndex(builder, loc, 1);
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (iterator != utils::IteratorType::reduction)
      continue;
    auto loop =
        scf::ForOp::create(builder, loc, zero, extents[dim].size, one, running);
    loops.push_back(loop);
    indices[dim] = loop.getInductionVar();
    running.assign(loop.getRegionIterArgs().begin(),
                   loop.getRegionIterArgs().end());
    builder.setInsertionPointToEnd(loop.getBody());
  }
  PointEmitter emitter(builder, op, indices);
  for (auto [i, value] : llvm::enumerate(running))
    emitter.bind(op.getBlock()->getArgument(op.getNumDpsInputs() + i), value);
  SmallVector<Value> next;
  for (unsigned i = 0; i < running.size(); ++i)
    next.push_back(emitter.evaluateYield(i));
  for (scf::ForOp loop : llvm::reverse(loops)) {
    builder.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(builder, loc, next);
    next.assign(loop.getResults().begin(), loop.getResults().end());
  }
  return next;
}

void cuda::emitPointwise(OpBuilder &builder, const BlockOfThreads &block,
                         const Nest &nest) {
  linalg::LinalgOp op = nest.getMain();
  Location loc = op.getLoc();
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Extent> extents = getExtents(builder, nest);
  // Neighbouring threads write side by side.
  const NestStage &last = nest.stages.back();
  linalg::LinalgOp lastOp = last.op;
  AffineMap out = lastOp.getMatchingIndexingMap(lastOp.getDpsInitOperand(0));
  SmallVector<unsigned> dims =
      llvm::map_to_vector(out.getResults(), [&](AffineExpr expr) {
        return last.dims[cast<AffineDimExpr>(expr).getPosition()];
      });
  PointSpace space(builder, loc, dims, extents);
  auto loop = scf::ForOp::create(builder, loc, block.thread, space.getCount(),
                                 emitIndex(builder, loc, blockThreads));
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> indices(op.getNumLoops());
  Value exists = space.locate(builder, loop.getInductionVar(), indices);
  emitIf(builder, loc, exists, [&] {
    SmallVector<Value> results;
    if (op.getNumReductionLoops()) {
      SmallVector<Value> initial;
      for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i)
        initial.push_back(emitInitial(builder, nest, i, indices));
      results = emitReductionLoops(builder, nest, extents, indices, initial);
    } else {
      PointEmitter emitter(builder, op, indices);
      for (auto [i, initial] : llvm::enumerate(nest.initial))
        if (initial)
          emitter.bind(op.getBlock()->getArgument(op.getNumDpsInputs() + i),
                       promote(builder, loc, initial));
      for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i)
        results.push_back(emitter.evaluateYield(i));
    }
    emitResults(builder, nest, indices, results);
  });
}
