// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows a block of products of matrices: its sums are read by rows, as
// vectors, and go through the later stages, a few rows at a time.

#include "NestGenerator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Rows of results that later stages go through together.
static constexpr int64_t rowsAtOnce = 4;

void NestGenerator::emitMatrixResults(unsigned neighbour, OpFoldResult number) {
  linalg::LinalgOp op = nest.getMain();
  unsigned rows = plan.matrix->rows, columns = plan.vectorDim;
  uint64_t parallel = 0;
  for (unsigned dim : plan.order)
    parallel |= uint64_t(1) << dim;
  BlockState whole = block;
  if (plan.matrix->neighbours) {
    unsigned dim = *plan.matrix->neighbours;
    block.factors[dim] = 1;
    if (neighbour)
      block.base[dim] = builder.createOrFold<arith::AddIOp>(
          loc, block.base[dim],
          arith::ConstantIndexOp::create(builder, loc, neighbour));
  }
  Type element = getElementTypeOrSelf(op.getDpsInitOperand(0)->get());
  auto type = VectorType::get({int64_t(plan.lanes)}, element);
  auto emitRows = [&](Value row, unsigned count) {
    block.base[rows] =
        builder.createOrFold<arith::AddIOp>(loc, whole.base[rows], row);
    block.factors[rows] = count;
    BodyEvaluator body(builder, nest, plan, block);
    uint64_t both = uint64_t(1) << rows | uint64_t(1) << columns;
    forEachCoords(both, [&](const Coords &coords) {
      Value at = builder.createOrFold<arith::AddIOp>(
          loc, row,
          arith::ConstantIndexOp::create(builder, loc,
                                         int64_t(neighbour) * plan.lanes +
                                             int64_t(coords[rows])));
      Value column = arith::ConstantIndexOp::create(
          builder, loc, int64_t(coords[columns]) * plan.lanes);
      Value sum = vector::LoadOp::create(builder, loc, type, matrices.results,
                                         ValueRange{at, column});
      auto add = [&](Value other) {
        sum = isa<FloatType>(element)
                  ? arith::AddFOp::create(builder, loc, sum, other).getResult()
                  : arith::AddIOp::create(builder, loc, sum, other).getResult();
      };
      if (!matrices.offsets.empty())
        add(matrices.offsets[coords[columns]]);
      Value initial = nest.initial[0];
      if (!initial)
        add(body.loadOutput(0, 0, coords));
      else if (!matchPattern(initial, m_AnyZeroFloat()) &&
               !matchPattern(initial, m_Zero()))
        add(body.broadcast(body.evaluate(
            0, op.getBlock()->getArgument(op.getNumDpsInputs()), coords)));
      body.setResult(0, 0, coords, sum);
    });
    for (unsigned s = 0; s < nest.stages.size(); ++s)
      for (unsigned i = 0, e = nest.stages[s].stored.size(); i < e; ++i)
        if (nest.stages[s].stored[i])
          forEachCoords(
              body.getOutputDims(s, i) & parallel, [&](const Coords &coords) {
                body.store(s, i, coords, body.evaluateResult(s, i, coords));
              });
  };
  auto emitSegment = [&](OpFoldResult begin, OpFoldResult end, unsigned count) {
    SmallVector<Value> none;
    emitLoop({begin, end, count}, count, none,
             [&](Value row, SmallVector<Value> &) { emitRows(row, count); });
  };
  OpFoldResult zero = builder.getIndexAttr(0);
  if (std::optional<int64_t> known = getConstantIntValue(number)) {
    int64_t rest = *known % rowsAtOnce;
    emitSegment(zero, builder.getIndexAttr(*known - rest), rowsAtOnce);
    if (rest)
      emitSegment(builder.getIndexAttr(*known - rest), number, rest);
  } else {
    Value rest = arith::RemUIOp::create(
        builder, loc, toValue(number),
        arith::ConstantIndexOp::create(builder, loc, rowsAtOnce));
    Value full = arith::SubIOp::create(builder, loc, toValue(number), rest);
    emitSegment(zero, full, rowsAtOnce);
    emitSegment(full, number, 1);
  }
  block = whole;
}
