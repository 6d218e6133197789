// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Heap.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

Value lathe::readNumber(const Code &c, Value heap, Value at) {
  return c.fromInt(c.readRaw(heap, at));
}

Value lathe::writeNumber(const Code &c, Value number, Value heap, Value at) {
  return c.write(arith::IndexCastOp::create(c.b, c.b.getI64Type(), number),
                 heap, at);
}

Value lathe::siftDown(const Code &c, Value heap, Value start, Value size,
                      Value item, HeapOrder isAbove) {
  auto getLeft = [](const Code &c, Value at) {
    return c.add(c.mul(at, c.constant(2)), c.constant(1));
  };
  // The upper one of the children of `at`, within the heap.
  auto getChild = [&](const Code &c, Value heap, Value at) {
    Value last = c.sub(size, c.constant(1));
    Value left = c.min(getLeft(c, at), last);
    Value right = c.min(c.add(getLeft(c, at), c.constant(1)), last);
    Value turns =
        isAbove(c, readNumber(c, heap, right), readNumber(c, heap, left));
    return c.select(turns, right, left);
  };
  Code::Values done = c.repeat(
      {heap, start},
      [&](const Code &c, ValueRange s) {
        Value child = readNumber(c, s[0], getChild(c, s[0], s[1]));
        return c.both(c.less(getLeft(c, s[1]), size), isAbove(c, child, item));
      },
      [&](const Code &c, ValueRange s) -> Code::Values {
        Value child = getChild(c, s[0], s[1]);
        return {writeNumber(c, readNumber(c, s[0], child), s[0], s[1]), child};
      });
  return writeNumber(c, item, done[0], done[1]);
}

Value lathe::makeHeap(const Code &c, Value heap, Value size,
                      HeapOrder isAbove) {
  Value half = arith::DivUIOp::create(c.b, size, c.constant(2));
  return c.loop(
      c.constant(0), half, heap,
      [&](const Code &c, Value i, ValueRange s) -> Code::Values {
        Value at = c.sub(c.sub(half, c.constant(1)), i);
        return {siftDown(c, s[0], at, size, readNumber(c, s[0], at), isAbove)};
      })[0];
}

Value lathe::sortByHeap(const Code &c, Value numbers, Value size,
                        HeapOrder isAbove) {
  Value heap = makeHeap(c, numbers, size, isAbove);
  return c.loop(c.constant(1), size, heap,
                [&](const Code &c, Value i, ValueRange s) -> Code::Values {
                  Value last = c.sub(size, i), zero = c.constant(0);
                  Value top = readNumber(c, s[0], zero);
                  Value item = readNumber(c, s[0], last);
                  Value moved = writeNumber(c, top, s[0], last);
                  return {siftDown(c, moved, zero, last, item, isAbove)};
                })[0];
}
