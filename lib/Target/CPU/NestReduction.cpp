// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CostModel.h"
#include "NestGenerator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

SmallVector<Value> NestGenerator::emitStep(ArrayRef<Value> accumulators) {
  emitPanelPrefetches();
  BodyEvaluator body(builder, nest, plan, block);
  for (auto [key, value] : llvm::zip_equal(accumulatorKeys, accumulators))
    body.setRunning(key.first, key.second, value);
  SmallVector<Value> updated;
  Operation *yield = nest.getMain().getBlock()->getTerminator();
  for (auto [key, value] : llvm::zip_equal(accumulatorKeys, accumulators)) {
    // Partial sums beyond the block's vectors (in the tail of a reduction along
    // lanes) stay as they are.
    if (plan.horizontal &&
        key.second[plan.vectorDim] >= block.factors[plan.vectorDim]) {
      updated.push_back(value);
      continue;
    }
    if (!isLive(key.second)) {
      updated.push_back(value);
      continue;
    }
    Value next =
        plan.dot ? body.evaluateDot(*plan.dot, key.second)
                 : body.evaluate(0, yield->getOperand(key.first), key.second);
    if (isa<VectorType>(value.getType()))
      next = body.broadcast(next);
    if (plan.horizontal)
      if (Value mask = body.getMask(key.second))
        next = arith::SelectOp::create(builder, loc, mask, next, value);
    updated.push_back(next);
  }
  return updated;
}

void NestGenerator::emitReduction(unsigned depth,
                                  SmallVector<Value> &accumulators) {
  if (depth == reductions.size()) {
    accumulators = emitStep(accumulators);
    return;
  }
  unsigned dim = reductions[depth];
  if (int(dim) != plan.vectorDim) {
    Segment all{builder.getIndexAttr(0), extents[dim], 1};
    bool unroll = plan.unrolled >> dim & 1;
    if (nest.padded)
      for (const PaddedDim &padded : nest.padded->dims) {
        if (padded.reduction != dim)
          continue;
        if (plan.isBlocked(padded.parallel) && !nest.padded->copied) {
          unroll |= isEdge(padded);
          continue;
        }
        all = getInside(padded);
        unroll = false;
      }
    if (unroll)
      return emitUnrolled(depth, accumulators);
    bool isGrouped = plan.dot && plan.dot->product.reduction == dim;
    emitLoop(all, isGrouped ? plan.dot->product.group : 1, accumulators,
             [&](Value index, SmallVector<Value> &inner) {
               block.base[dim] = index;
               emitReduction(depth + 1, inner);
             });
    return;
  }
  for (const Segment &segment : getVectorSegments())
    emitLoop(segment, segment.factor * plan.lanes, accumulators,
             [&](Value index, SmallVector<Value> &inner) {
               block.base[dim] = index;
               block.factors[dim] = segment.factor;
               block.masked = segment.masked;
               block.vectorEnd = toValue(segment.end);
               emitReduction(depth + 1, inner);
             });
}

/// All steps of one reduction, one after the other.
void NestGenerator::emitUnrolled(unsigned depth,
                                 SmallVector<Value> &accumulators) {
  unsigned dim = reductions[depth];
  unrolledNow |= uint64_t(1) << dim;
  for (int64_t step = 0; step < staticExtents[dim]; ++step) {
    block.base[dim] = arith::ConstantIndexOp::create(builder, loc, step);
    // No code for a step that only padding takes part in.
    if (llvm::any_of(accumulatorKeys,
                     [&](auto &key) { return isLive(key.second); }))
      emitReduction(depth + 1, accumulators);
  }
  unrolledNow &= ~(uint64_t(1) << dim);
}

Value NestGenerator::combine(unsigned output, Value lhs, Value rhs) {
  Operation *combiner = getCombiner(nest.getMain(), output);
  OperationState state(loc, combiner->getName());
  state.addOperands({lhs, rhs});
  state.addTypes(lhs.getType());
  state.propertiesAttr = combiner->getPropertiesAsAttribute();
  return builder.create(state)->getResult(0);
}

Value NestGenerator::foldLanes(unsigned output, Value value) {
  for (int64_t width = plan.lanes / 2; width >= 1; width /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < width; ++i) {
      low.push_back(i);
      high.push_back(width + i);
    }
    Value a = vector::ShuffleOp::create(builder, loc, value, value, low);
    Value b = vector::ShuffleOp::create(builder, loc, value, value, high);
    value = combine(output, a, b);
  }
  return vector::ExtractOp::create(builder, loc, value, int64_t(0));
}
