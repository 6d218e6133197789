// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ReverseSequence and TensorScatter: each element of the result knows where it
// comes from.

#include "lathe/Dialect/Onnx/IR/Select.h"
#include "Checks.h"
#include "Families.h"
#include "Indexing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

static LogicalResult lowerReverseSequence(onnx::ReverseSequenceOp op,
                                          Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size(), time = op.getTimeAxis();
  Value steps = l.toValue(dims[time]), data = l.value(0);
  checkElements(
      l, l.operand(1), l.dims(1),
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        IndexMath m{b};
        Value length = m.fromInt(x[0]);
        return arith::OrIOp::create(b, m.less(length, m.constant(0)),
                                    m.less(steps, length));
      },
      "expects sequence_lens from 0 to the size of dimension " + Twine(time));
  Operand lengths = l.operand(1);
  lengths.map = AffineMap::get(rank, 0, l.b.getAffineDimExpr(op.getBatchAxis()),
                               l.b.getContext());
  return l.replace(l.elementwise(
      lengths, dims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        IndexMath m{b};
        SmallVector<Value> at;
        for (int64_t i = 0; i != rank; ++i)
          at.push_back(m.loop(i));
        Value length = m.fromInt(x[0]), step = at[time];
        Value turned = m.sub(m.sub(length, m.constant(1)), step);
        at[time] = m.clamp(m.select(m.less(step, length), turned, step), steps);
        return m.read(data, at, l.element(0));
      }));
}

static LogicalResult lowerTensorScatter(onnx::TensorScatterOp op, Lowering &l) {
  Dims dims = l.dims(0), newDims = l.dims(1);
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  bool circular = op.getMode() == "circular";
  Value size = l.toValue(dims[axis]), steps = l.toValue(newDims[axis]);
  Value update = l.value(1);
  SmallVector<Operand> operands{l.operand(0)};
  if (l.has(2)) {
    checkElements(
        l, l.operand(2), l.dims(2),
        [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
          IndexMath m{b};
          Value first = m.fromInt(x[0]);
          Value end = circular ? first : m.add(first, steps);
          Value room = circular ? m.sub(size, m.constant(1)) : size;
          // Checked apart from the sum, which may wrap.
          Value far = arith::OrIOp::create(b, m.less(first, m.constant(0)),
                                           m.less(size, first));
          return arith::OrIOp::create(b, far, m.less(room, end));
        },
        "expects write_indices whose steps lie in dimension " + Twine(axis) +
            " of the cache");
    Operand first = l.operand(2);
    first.map =
        AffineMap::get(rank, 0, l.b.getAffineDimExpr(0), l.b.getContext());
    operands.push_back(first);
  }
  // Nothing is written, and there is no element to read.
  if (l.type(1).getDimSize(axis) == 0)
    return l.replace(l.value(0));
  return l.replace(l.elementwise(
      operands, dims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        IndexMath m{b};
        SmallVector<Value> at;
        for (int64_t i = 0; i != rank; ++i)
          at.push_back(m.loop(i));
        Value step = at[axis];
        if (x.size() > 1)
          step = m.sub(step, m.fromInt(x[1]));
        if (circular)
          step = m.select(m.less(step, m.constant(0)), m.add(step, size), step);
        Value isNew = m.both(m.less(m.constant(-1), step), m.less(step, steps));
        at[axis] = m.clamp(step, steps);
        return m.select(isNew, m.read(update, at, l.element(1)), x[0]);
      }));
}

void lathe::populateSelectPatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerReverseSequence);
  addLowering(patterns, types, lowerTensorScatter);
}
