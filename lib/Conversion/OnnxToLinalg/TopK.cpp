// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TopK by heaps: the part of the result is a heap of the best K elements so
// far, the worst of them first. Each other element that is better takes the
// place of that; sorting the heap at the end puts the best first. n log K steps
// per row.

#include "Elementwise.h"
#include "Families.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

namespace {
/// An element and its position.
struct Entry {
  Value value, position;
};

/// The heap of one row, in two tensors of which only dimension `axis` is not 1.
struct Heap {
  int64_t rank, axis;
  Type element;
  bool largest;

  SmallVector<Value> at(const Code &c, Value i) const {
    SmallVector<Value> index(rank, c.constant(0));
    index[axis] = i;
    return index;
  }
  Entry read(const Code &c, ValueRange heap, Value i) const {
    return {c.readRaw(heap[0], at(c, i)), c.readRaw(heap[1], at(c, i))};
  }
  Code::Values write(const Code &c, ValueRange heap, Value i, Entry x) const {
    return {c.write(x.value, heap[0], at(c, i)),
            c.write(x.position, heap[1], at(c, i))};
  }
  /// Whether `a` comes before `b` in the result: of equal elements the first.
  Value isBefore(const Code &c, Entry a, Entry b) const {
    SmallVector<Type> types = {element};
    Element e{c.b, {}, types, element};
    Value x = loadScalar(c.b, a.value, element);
    Value y = loadScalar(c.b, b.value, element);
    Value better = largest ? e.less(y, x) : e.less(x, y);
    Value earlier = arith::CmpIOp::create(c.b, arith::CmpIPredicate::slt,
                                          a.position, b.position);
    return arith::OrIOp::create(c.b, better, c.both(e.equal(x, y), earlier));
  }
  Code::Values siftDown(const Code &c, ValueRange heap, Value start, Value size,
                        Entry x) const;
};
} // namespace

/// Moves `x` from the free place `start` down a heap of `size` to where it
/// belongs.
Code::Values Heap::siftDown(const Code &c, ValueRange heap, Value start,
                            Value size, Entry x) const {
  // The child of `place` that comes last in the result, within the heap.
  auto getChild = [&](const Code &c, ValueRange state) {
    Value left = c.add(c.mul(state[2], c.constant(2)), c.constant(1));
    Value last = c.sub(size, c.constant(1));
    Value right = c.min(c.add(left, c.constant(1)), last);
    Value first = c.min(left, last);
    Value turns = isBefore(c, read(c, state, first), read(c, state, right));
    return c.select(turns, right, first);
  };
  Code::Values done = c.repeat(
      {heap[0], heap[1], start},
      [&](const Code &c, ValueRange state) {
        Value left = c.add(c.mul(state[2], c.constant(2)), c.constant(1));
        Value sinks = isBefore(c, x, read(c, state, getChild(c, state)));
        return c.both(c.less(left, size), sinks);
      },
      [&](const Code &c, ValueRange state) -> Code::Values {
        Value child = getChild(c, state);
        Code::Values moved = write(c, state, state[2], read(c, state, child));
        return {moved[0], moved[1], child};
      });
  return write(c, {done[0], done[1]}, done[2], x);
}

static LogicalResult lowerTopK(onnx::TopKOp op, Lowering &l) {
  int64_t rank = l.rank(0), axis = normalizeAxis(op.getAxis(), rank);
  bindTopK(l, axis);
  Dims dims = l.dims(0), outDims = l.resultDims(), grid;
  Type element = l.element(0), storage = getStorageType(element);
  Type i64 = l.b.getI64Type();
  Heap heap{rank, axis, element, op.getLargest() != 0};
  SmallVector<int64_t> loops(rank, -1);
  for (int64_t i = 0; i != rank; ++i) {
    if (i == axis)
      continue;
    loops[i] = grid.size();
    grid.push_back(outDims[i]);
  }
  if (grid.empty())
    grid.push_back(l.index(1));
  Value data = l.value(0), n = l.toValue(dims[axis]);
  Value k = l.toValue(outDims[axis]);
  return l.replace(makeGrid(
      l, grid, {{outDims, storage, loops}, {outDims, i64, loops}},
      [&](const Code &c, ValueRange point, ValueRange parts) -> Code::Values {
        Value zero = c.constant(0), one = c.constant(1);
        auto getElement = [&](const Code &c, Value i) -> Entry {
          SmallVector<Value> index;
          for (int64_t d = 0; d != rank; ++d)
            index.push_back(d == axis ? i : point[loops[d]]);
          return {c.readRaw(data, index),
                  arith::IndexCastOp::create(c.b, i64, i)};
        };
        Code::Values state =
            c.loop(zero, k, parts, [&](const Code &c, Value i, ValueRange s) {
              return heap.write(c, s, i, getElement(c, i));
            });
        Value half = arith::DivUIOp::create(c.b, k, c.constant(2));
        state = c.loop(zero, half, state,
                       [&](const Code &c, Value i, ValueRange s) {
                         Value at = c.sub(c.sub(half, one), i);
                         return heap.siftDown(c, s, at, k, heap.read(c, s, at));
                       });
        // Nothing is first in an empty heap.
        Value end = c.select(c.equal(k, zero), zero, n);
        state =
            c.loop(k, end, state, [&](const Code &c, Value i, ValueRange s) {
              Entry x = getElement(c, i);
              Value better = heap.isBefore(c, x, heap.read(c, s, zero));
              return c.branch(
                  better,
                  [&](const Code &c) {
                    return heap.siftDown(c, s, zero, k, x);
                  },
                  [&](const Code &) -> Code::Values { return {s[0], s[1]}; });
            });
        return c.loop(one, k, state, [&](const Code &c, Value i, ValueRange s) {
          // The worst of those left goes behind them.
          Value last = c.sub(k, i);
          Entry worst = heap.read(c, s, zero);
          Entry x = heap.read(c, s, last);
          Code::Values moved = heap.write(c, s, last, worst);
          return heap.siftDown(c, moved, zero, last, x);
        });
      }));
}

void lathe::populateTopKPatterns(RewritePatternSet &patterns,
                                 const TypeConverter &types) {
  addLowering(patterns, types, lowerTopK);
}
