// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements that are read only where a condition holds, the same that keeps
// their place inside of the source: padding along the lanes.

#include "NestBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Whether `part` holds wherever `condition` does.
static bool implies(Value condition, Value part) {
  if (condition == part)
    return true;
  auto both = condition.getDefiningOp<arith::AndIOp>();
  return both && (implies(both.getLhs(), part) || implies(both.getRhs(), part));
}

/// What `index` is wherever `condition` holds.
static Value getGuarded(Value index, Value condition) {
  auto select = index.getDefiningOp<arith::SelectOp>();
  return select && implies(condition, select.getCondition())
             ? select.getTrueValue()
             : index;
}

Value BodyEvaluator::evaluateGuarded(unsigned s, arith::SelectOp op,
                                     const Coords &coords) {
  auto loadOp = op.getTrueValue().getDefiningOp<memref::LoadOp>();
  if (!loadOp || loadOp->getBlock() != op->getBlock() ||
      !dependsOnLanes(getDims(s, loadOp)))
    return {};
  Value condition = evaluate(s, op.getCondition(), coords);
  auto indices = llvm::map_to_vector(loadOp.getIndices(), [&](Value index) {
    return getGuarded(index, op.getCondition());
  });
  Value value = evaluateGather(s, loadOp, indices, coords, condition);
  if (!value || matchPattern(op.getFalseValue(), m_PosZeroFloat()))
    return value;
  Value otherwise = broadcast(evaluate(s, op.getFalseValue(), coords));
  return arith::SelectOp::create(builder, op.getLoc(), condition, value,
                                 otherwise);
}
