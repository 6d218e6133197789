// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NonMaxSuppression: a point per batch and class takes boxes from a heap, the
// best score first, and keeps those that overlap little with what it kept. Then
// one point puts the rows of all after each other, and counts them.

#include "Families.h"
#include "Heap.h"
#include "RunTimeSizes.h"
#include "Sampling.h"
#include "lathe/Dialect/Onnx/IR/Select.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

namespace {
/// The edges of a box.
struct Edges {
  Value low[2], high[2];
};
} // namespace

static Value minimum(const FloatMath &f, Value x, Value y) {
  return f.select(f.less(y, x), y, x);
}
static Value maximum(const FloatMath &f, Value x, Value y) {
  return f.select(f.less(x, y), y, x);
}

/// Box `i` of batch `batch`, by its centre and size or by two corners.
static Edges getEdges(const Code &c, const FloatMath &f, Value boxes,
                      Value batch, Value i, bool byCenter) {
  Value x[4];
  for (int64_t k = 0; k != 4; ++k)
    x[k] = c.readRaw(boxes, {batch, i, c.constant(k)});
  Edges edges;
  for (int d = 0; d != 2; ++d) {
    if (byCenter) {
      Value half = f.mul(x[d + 2], f.constant(0.5));
      edges.low[d] = f.sub(x[d], half);
      edges.high[d] = f.add(x[d], half);
    } else {
      edges.low[d] = minimum(f, x[d], x[d + 2]);
      edges.high[d] = maximum(f, x[d], x[d + 2]);
    }
  }
  return edges;
}

/// Whether the intersection of two boxes is more than `limit` of their union.
static Value overlaps(const FloatMath &f, const Edges &a, const Edges &b,
                      Value limit) {
  Value zero = f.constant(0), inner, sizes[2];
  Value positive;
  for (int d = 0; d != 2; ++d) {
    Value length =
        f.sub(minimum(f, a.high[d], b.high[d]), maximum(f, a.low[d], b.low[d]));
    Value ok = f.less(zero, length);
    positive = positive ? Value(arith::AndIOp::create(f.b, positive, ok)) : ok;
    inner = inner ? f.mul(inner, length) : length;
  }
  for (auto [area, box] : {std::pair(&sizes[0], &a), std::pair(&sizes[1], &b)})
    *area = f.mul(f.sub(box->high[0], box->low[0]),
                  f.sub(box->high[1], box->low[1]));
  Value outer = f.sub(f.add(sizes[0], sizes[1]), inner);
  Value ok = arith::AndIOp::create(f.b, positive, f.less(zero, outer));
  Value share = f.div(inner, f.select(ok, outer, f.constant(1)));
  return arith::AndIOp::create(f.b, ok, f.less(limit, share));
}

/// The element of an operand of one.
static Value readScalar(Lowering &l, const Code &c, unsigned i) {
  SmallVector<Value> at(l.rank(i), c.constant(0));
  return c.readRaw(l.value(i), at);
}

static LogicalResult lowerNonMaxSuppression(onnx::NonMaxSuppressionOp op,
                                            Lowering &l) {
  Dims dims = l.dims(1);
  OpFoldResult batches = dims[0], classes = dims[1], boxes = dims[2];
  Type i64 = l.b.getI64Type(), f32 = l.b.getF32Type();
  Value numBoxes = l.toValue(boxes), numClasses = l.toValue(classes);
  Value numBatches = l.toValue(batches);
  Value places = l.value(0), scores = l.value(1);
  bool byCenter = op.getCenterPointBox() != 0;
  // What each batch and class keeps, in order, and how many.
  SmallVector<Value> kept = makeGrid(
      l, {batches, classes},
      {{dims, i64, {0, 1, -1}}, {{batches, classes}, i64, {0, 1}}},
      [&](const Code &c, ValueRange at, ValueRange parts) -> Code::Values {
        FloatMath f{c.b, f32};
        Value zero = c.constant(0);
        Value most = zero;
        if (l.has(2))
          most = c.max(c.fromInt(readScalar(l, c, 2)), zero);
        Value limit = l.has(3) ? readScalar(l, c, 3) : f.constant(0);
        Value least = l.has(4) ? readScalar(l, c, 4) : Value();
        Code::Values candidates = c.loop(
            zero, numBoxes, {c.scratch(boxes, i64), zero},
            [&](const Code &c, Value i, ValueRange s) -> Code::Values {
              Value score = c.readRaw(scores, {at[0], at[1], i});
              Value counts = least ? FloatMath{c.b, f32}.less(least, score)
                                   : makeConstant(c.b, c.b.getI1Type(), 1);
              // Written before it is known whether it counts: no branch.
              return {writeNumber(c, i, s[0], s[1]),
                      c.select(counts, c.add(s[1], c.constant(1)), s[1])};
            });
        auto isBetter = [&](const Code &c, Value a, Value b) -> Value {
          FloatMath f{c.b, f32};
          Value x = c.readRaw(scores, {at[0], at[1], a});
          Value y = c.readRaw(scores, {at[0], at[1], b});
          Value same =
              arith::CmpFOp::create(c.b, arith::CmpFPredicate::OEQ, x, y);
          return arith::OrIOp::create(c.b, f.less(y, x),
                                      c.both(same, c.less(a, b)));
        };
        Value heap = makeHeap(c, candidates[0], candidates[1], isBetter);
        // The heap, its size, what is kept and how many.
        Code::Values done = c.repeat(
            {heap, candidates[1], parts[0], zero},
            [&](const Code &c, ValueRange s) {
              return c.both(c.less(zero, s[1]), c.less(s[3], most));
            },
            [&](const Code &c, ValueRange s) -> Code::Values {
              Value zero = c.constant(0), one = c.constant(1);
              FloatMath f{c.b, f32};
              Value best = readNumber(c, s[0], zero);
              Value size = c.sub(s[1], one);
              Value last = readNumber(c, s[0], size);
              Value heap =
                  siftDown(c, s[0], zero, c.max(size, one), last, isBetter);
              Edges box = getEdges(c, f, places, at[0], best, byCenter);
              Value no = makeConstant(c.b, c.b.getI1Type(), 0);
              Value isOver = c.repeat(
                  {zero, no},
                  [&](const Code &c, ValueRange t) {
                    Value isFree = arith::XOrIOp::create(
                        c.b, t[1], makeConstant(c.b, c.b.getI1Type(), 1));
                    return c.both(isFree, c.less(t[0], s[3]));
                  },
                  [&](const Code &c, ValueRange t) -> Code::Values {
                    FloatMath f{c.b, f32};
                    Value zero = c.constant(0);
                    Value other =
                        c.fromInt(c.readRaw(s[2], {zero, zero, t[0]}));
                    Edges edges =
                        getEdges(c, f, places, at[0], other, byCenter);
                    return {c.add(t[0], c.constant(1)),
                            overlaps(f, box, edges, limit)};
                  })[1];
              Value number = arith::IndexCastOp::create(c.b, i64, best);
              return {heap, size, c.write(number, s[2], {zero, zero, s[3]}),
                      c.select(isOver, s[3], c.add(s[3], one))};
            });
        Value count = arith::IndexCastOp::create(c.b, i64, done[3]);
        return {done[2], c.write(count, parts[1], {zero, zero})};
      });
  OpFoldResult all = l.product(dims);
  SmallVector<Value> rows = makeGrid(
      l, l.index(1),
      {{{all, l.index(3)}, i64, {-1, -1}}, {{l.index(1)}, i64, {-1}}},
      [&](const Code &c, ValueRange, ValueRange parts) -> Code::Values {
        Value zero = c.constant(0);
        Code::Values done = c.loop(
            zero, numBatches, {parts[0], zero},
            [&](const Code &c, Value batch, ValueRange s) {
              return c.loop(
                  zero, numClasses, s,
                  [&](const Code &c, Value cls, ValueRange s) {
                    Value count = c.fromInt(c.readRaw(kept[1], {batch, cls}));
                    return c.loop(
                        zero, count, s,
                        [&](const Code &c, Value i,
                            ValueRange s) -> Code::Values {
                          Value box =
                              c.fromInt(c.readRaw(kept[0], {batch, cls, i}));
                          Value out = s[0];
                          Value row[] = {batch, cls, box};
                          for (auto [k, number] : llvm::enumerate(row))
                            out = c.write(
                                arith::IndexCastOp::create(c.b, i64, number),
                                out, {s[1], c.constant(k)});
                          return {out, c.add(s[1], c.constant(1))};
                        });
                  });
            });
        Value count = arith::IndexCastOp::create(c.b, i64, done[1]);
        return {done[0], c.write(count, parts[1], zero)};
      });
  l.bindDim(0, 0, l.readIndex(rows[1], 0), all);
  return l.replace(l.elementwise(
      {}, l.resultDims(), i64, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        return m.read(rows[0], {m.loop(0), m.loop(1)}, i64);
      }));
}

void lathe::populateNonMaxSuppressionPatterns(RewritePatternSet &patterns,
                                              const TypeConverter &types) {
  addLowering(patterns, types, lowerNonMaxSuppression);
}
