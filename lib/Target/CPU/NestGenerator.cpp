// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the loops of a nest.
//
// The parallel dimensions become loops in the plan's order. Each dimension is
// cut into *segments*: a run of full blocks, then blocks for what is left, so
// that inside a segment the number of points per block is a constant. The
// vector dimension ends in one masked segment; nothing is computed by scalar
// remainder loops. Inside all of them one block is computed:
//
//   accumulators = initial values, or what the buffer holds
//   for each reduction dimension: accumulators are iter_args
//     bodies of all points, with shared loads
//   later stages on the accumulators, stores
//
// Register blocking of the inner kernel after Goto and van de Geijn, "Anatomy
// of High-Performance Matrix Multiplication" (ACM TOMS 34(3), 2008); the direct
// convolution blocks a row of the output the same way, as in Georganas et al.,
// "Anatomy of High-Performance Deep Learning Convolutions on SIMD
// Architectures" (SC 2018).

#include "NestGenerator.h"

#include "CostModel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void NestGenerator::emitLoop(
    const Segment &segment, unsigned step, SmallVector<Value> &accumulators,
    function_ref<void(Value, SmallVector<Value> &)> body) {
  std::optional<int64_t> begin = getConstantIntValue(segment.begin);
  std::optional<int64_t> end = getConstantIntValue(segment.end);
  if (begin && end && *end - *begin <= int64_t(step)) {
    if (*end > *begin)
      body(toValue(segment.begin), accumulators);
    return;
  }
  auto loop = scf::ForOp::create(
      builder, loc, toValue(segment.begin), toValue(segment.end),
      arith::ConstantIndexOp::create(builder, loc, step), accumulators);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> inner(loop.getRegionIterArgs());
  body(loop.getInductionVar(), inner);
  builder.setInsertionPointToEnd(loop.getBody());
  if (accumulators.empty()) {
    // The builder made the terminator of a loop without results.
    return;
  }
  scf::YieldOp::create(builder, loc, inner);
  accumulators.assign(loop.getResults().begin(), loop.getResults().end());
}

void NestGenerator::emitParallel(ArrayRef<unsigned> order) {
  if (order.empty())
    return emitBlock();
  unsigned dim = order.front();
  bool isVector = int(dim) == plan.vectorDim;
  auto enter = [&](const Segment &segment, Value index) {
    block.base[dim] = index;
    block.factors[dim] = segment.factor;
    if (isVector) {
      block.masked = segment.masked;
      block.vectorEnd = toValue(segment.end);
      if (plan.matrix && plan.dot->product.flips)
        emitMatrixOffsets();
    }
    if (plan.matrix && dim == plan.matrix->rows)
      block.partial = segment.partial;
    emitParallel(order.drop_front());
  };
  SmallVector<Segment> segments;
  auto blocked = llvm::find_if(plan.blocks,
                               [&](auto block) { return block.first == dim; });
  if (isVector) {
    segments = getVectorSegments();
  } else if (blocked == plan.blocks.end()) {
    segments = {{builder.getIndexAttr(0), extents[dim], 1}};
  } else if (plan.matrix) {
    segments = getMatrixSegments(dim);
  } else {
    if (!plan.getShared(dim) && ShapedType::isDynamic(staticExtents[dim]))
      return emitUnknownBlocks(dim, blocked->second, enter);
    segments = splitAtEdges(dim, getBlockSegments(dim, blocked->second));
  }
  for (const Segment &segment : segments) {
    SmallVector<Value> none;
    unsigned lanes = plan.lanes;
    if (segment.narrow)
      plan.lanes /= 2;
    unsigned step = segment.factor * (isVector ? plan.lanes : 1);
    emitLoop(segment, step, none,
             [&](Value index, SmallVector<Value> &) { enter(segment, index); });
    plan.lanes = lanes;
  }
}

void NestGenerator::forEachCoords(uint64_t dims,
                                  function_ref<void(const Coords &)> visit) {
  Coords coords(block.factors.size(), 0);
  while (true) {
    visit(coords);
    int d = coords.size() - 1;
    for (; d >= 0; --d) {
      if (!(dims >> d & 1))
        continue;
      if (++coords[d] < block.factors[d])
        break;
      coords[d] = 0;
    }
    if (d < 0)
      return;
  }
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void NestGenerator::emitBlock() {
  if (plan.matrix)
    return emitMatrixBlock();
  linalg::LinalgOp op = nest.getMain();
  unsigned numOutputs = op.getNumDpsInits();
  // Bits of dimensions whose points are blocked; along a reduction's lanes, the
  // partial results.
  uint64_t parallel = 0;
  for (unsigned dim : plan.order)
    parallel |= uint64_t(1) << dim;

  if (!reductions.empty()) {
    uint64_t partial =
        plan.horizontal ? uint64_t(1) << plan.vectorDim : uint64_t(0);
    if (plan.horizontal) {
      block.factors[plan.vectorDim] = plan.vectors;
      block.masked = false;
    }
    accumulatorKeys.clear();
    SmallVector<Value> accumulators;
    BodyEvaluator before(builder, nest, plan, block);
    for (unsigned i = 0; i < numOutputs; ++i) {
      uint64_t dims = before.getOutputDims(0, i) & parallel;
      bool lanes = plan.vectorDim >= 0 && !plan.horizontal &&
                   (dims >> plan.vectorDim & 1);
      forEachCoords(dims | partial, [&](const Coords &coords) {
        Value value;
        if (plan.horizontal) {
          TypedAttr neutral = *arith::getNeutralElement(getCombiner(op, i));
          Type type = BodyEvaluator::getComputeType(neutral.getType());
          if (type != neutral.getType())
            neutral = builder.getFloatAttr(
                type, cast<FloatAttr>(neutral).getValueAsDouble());
          value = before.broadcast(
              arith::ConstantOp::create(builder, loc, neutral));
        } else if (nest.initial[i]) {
          value = before.evaluate(
              0, op.getBlock()->getArgument(op.getNumDpsInputs() + i), coords);
        } else {
          value = before.loadOutput(0, i, coords);
        }
        accumulators.push_back(lanes ? before.broadcast(value) : value);
        accumulatorKeys.emplace_back(i, coords);
      });
    }
    emitPrefetches(parallel);
    emitReduction(0, accumulators);
    BodyEvaluator after(builder, nest, plan, block);
    if (plan.horizontal) {
      // Partial results of one output element, folded into what it starts from.
      std::map<std::pair<unsigned, Coords>, Value> folded;
      for (auto [key, value] : llvm::zip_equal(accumulatorKeys, accumulators)) {
        Coords coords = key.second;
        coords[plan.vectorDim] = 0;
        Value &slot = folded[{key.first, coords}];
        slot = slot ? combine(key.first, slot, value) : value;
      }
      for (auto &[key, value] : folded) {
        auto [i, coords] = key;
        Value start;
        if (nest.initial[i])
          start = after.evaluate(
              0, op.getBlock()->getArgument(op.getNumDpsInputs() + i), coords);
        else
          start = after.loadOutput(0, i, coords);
        after.setResult(0, i, coords, combine(i, start, foldLanes(i, value)));
      }
      block.factors[plan.vectorDim] = 1;
      block.masked = false;
    } else {
      for (auto [key, value] : llvm::zip_equal(accumulatorKeys, accumulators))
        after.setResult(0, key.first, key.second, value);
    }
    for (unsigned s = 0; s < nest.stages.size(); ++s)
      for (unsigned i = 0, e = nest.stages[s].stored.size(); i < e; ++i)
        if (nest.stages[s].stored[i])
          forEachCoords(
              after.getOutputDims(s, i) & parallel, [&](const Coords &coords) {
                after.store(s, i, coords, after.evaluateResult(s, i, coords));
              });
    return;
  }

  // Values first, then stores: results may replace what other points read.
  BodyEvaluator body(builder, nest, plan, block);
  SmallVector<std::tuple<unsigned, unsigned, Coords, Value>> stores;
  for (unsigned s = 0; s < nest.stages.size(); ++s)
    for (unsigned i = 0, e = nest.stages[s].stored.size(); i < e; ++i)
      if (nest.stages[s].stored[i])
        forEachCoords(body.getOutputDims(s, i) & parallel,
                      [&](const Coords &coords) {
                        stores.emplace_back(s, i, coords,
                                            body.evaluateResult(s, i, coords));
                      });
  for (auto &[s, i, coords, value] : stores)
    body.store(s, i, coords, value);
}

void NestGenerator::emitNest() {
  linalg::LinalgOp op = nest.getMain();
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  block = BlockState();
  block.base.assign(extents.size(), zero);
  block.factors.assign(extents.size(), 1);
  reductions.clear();
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::reduction &&
        int(dim) != plan.vectorDim)
      reductions.push_back(dim);
  if (plan.horizontal)
    reductions.push_back(plan.vectorDim);
  if (plan.matrix)
    beginMatrices();
  emitParallel(plan.order);
  if (plan.matrix)
    endMatrices();
}

std::string lathe::cpu::generateNest(OpBuilder &builder, Nest &nest,
                                     const Target &target,
                                     const NestDecision *decided,
                                     SmallVectorImpl<NestDecision> *others) {
  return NestGenerator(builder, nest, target, decided, others).run();
}
