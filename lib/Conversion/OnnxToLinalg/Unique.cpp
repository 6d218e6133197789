// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compress and Unique: one kernel finds which slices stay, in memory of the
// largest size there can be, and how many; the count is bound, and the result
// is made from there. Unique sorts the numbers of the slices; equal ones then
// lie together, the first occurrence first.

#include "Elementwise.h"
#include "Families.h"
#include "Heap.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Onnx/IR/Select.h"

using namespace mlir;
using namespace lathe;

namespace {
/// An operand as [outer, count, inner]: slices along an axis, or its elements.
struct Slices {
  Value data;
  Dims dims;
  int64_t axis; ///< In the result.
  /// `inner`, and the elements of a slice.
  Value inner, elements;
};
} // namespace

static Slices getSlices(Lowering &l, std::optional<int64_t> axis) {
  Dims dims = l.dims(0);
  OpFoldResult one = l.index(1);
  Slices slices;
  if (!axis) {
    slices.dims = {one, l.product(dims), one};
    slices.axis = 0;
  } else {
    slices.axis = normalizeAxis(*axis, dims.size());
    slices.dims = {l.product(ArrayRef(dims).take_front(slices.axis)),
                   dims[slices.axis],
                   l.product(ArrayRef(dims).drop_front(slices.axis + 1))};
  }
  slices.data = l.view(l.value(0), slices.dims);
  slices.inner = l.toValue(slices.dims[2]);
  slices.elements = l.toValue(l.product({slices.dims[0], slices.dims[2]}));
  return slices;
}

/// The slices whose numbers `chosen` holds, as result 0.
static Value takeSlices(Lowering &l, const Slices &slices, Value chosen,
                        OpFoldResult count) {
  Type i64 = l.b.getI64Type();
  Value size = l.toValue(slices.dims[1]);
  Dims dims{slices.dims[0], count, slices.dims[2]};
  Value taken = l.elementwise(
      {}, dims, l.resultElement(), [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        Value at = m.clamp(m.fromInt(m.read(chosen, m.loop(1), i64)), size);
        return m.read(slices.data, {m.loop(0), at, m.loop(2)}, l.element(0));
      });
  return l.view(taken, l.resultDims());
}

static LogicalResult lowerCompress(onnx::CompressOp op, Lowering &l) {
  Slices slices = getSlices(l, op.getAxis());
  Type i64 = l.b.getI64Type();
  OpFoldResult all = slices.dims[1];
  Value length = l.toValue(l.dims(1)[0]), size = l.toValue(all);
  Value condition = l.value(1);
  SmallVector<Value> found = makeGrid(
      l, l.index(1), {{{all}, i64, {-1}}, {{l.index(1)}, i64, {-1}}},
      [&](const Code &c, ValueRange, ValueRange parts) -> Code::Values {
        Value zero = c.constant(0);
        Code::Values done =
            c.loop(zero, c.min(length, size), {parts[0], zero},
                   [&](const Code &c, Value i, ValueRange s) -> Code::Values {
                     // Written before it is known whether it counts: no branch.
                     Value next = c.add(s[1], c.constant(1));
                     Value counts = c.read(condition, i, l.element(1));
                     return {writeNumber(c, i, s[0], s[1]),
                             c.select(counts, next, s[1])};
                   });
        return {done[0], writeNumber(c, done[1], parts[1], zero)};
      });
  l.bindDim(0, slices.axis, l.readIndex(found[1], 0), all);
  OpFoldResult count = l.resultDims()[slices.axis];
  return l.replace(takeSlices(l, slices, found[0], count));
}

//===----------------------------------------------------------------------===//
// Unique
//===----------------------------------------------------------------------===//

/// -1, 0 or 1 as slice `a` comes before, equals or comes after slice `b`.
static Value compareSlices(Lowering &l, const Slices &slices, const Code &c,
                           Value a, Value b) {
  Type element = l.element(0);
  SmallVector<Type> types = {element};
  Value zero = c.constant(0), one = c.constant(1);
  return c.repeat(
      {zero, zero},
      [&](const Code &c, ValueRange s) {
        return c.both(c.equal(s[1], zero), c.less(s[0], slices.elements));
      },
      [&](const Code &c, ValueRange s) -> Code::Values {
        Value o = arith::DivUIOp::create(c.b, s[0], slices.inner);
        Value i = arith::RemUIOp::create(c.b, s[0], slices.inner);
        Value x = c.read(slices.data, {o, a, i}, element);
        Value y = c.read(slices.data, {o, b, i}, element);
        Element e{c.b, {}, types, element};
        auto less = [&](Value p, Value q) -> Value {
          if (element.isInteger(1))
            return arith::CmpIOp::create(c.b, arith::CmpIPredicate::ult, p, q);
          Value below = e.less(p, q);
          if (!e.isFloat())
            return below;
          Value ordered =
              arith::CmpFOp::create(c.b, arith::CmpFPredicate::ORD, p, p);
          Value isNaN =
              arith::CmpFOp::create(c.b, arith::CmpFPredicate::UNO, q, q);
          return arith::OrIOp::create(c.b, below, c.both(ordered, isNaN));
        };
        Value order = c.select(less(y, x), one, zero);
        order = c.select(less(x, y), c.constant(-1), order);
        return {c.add(s[0], one), order};
      })[1];
}

static LogicalResult lowerUnique(onnx::UniqueOp op, Lowering &l) {
  Slices slices = getSlices(l, op.getAxis());
  Type i64 = l.b.getI64Type();
  OpFoldResult all = slices.dims[1];
  Value n = l.toValue(all);
  // First occurrences, counts, which one each is, and how many there are.
  GridResult list{{all}, i64, {-1}};
  bool sorted = op.getSorted() != 0;
  SmallVector<Value> found = makeGrid(
      l, l.index(1), {list, list, list, {{l.index(1)}, i64, {-1}}},
      [&](const Code &c, ValueRange, ValueRange parts) -> Code::Values {
        Value zero = c.constant(0);
        Value numbers =
            c.loop(zero, n, c.scratch(all, i64),
                   [&](const Code &c, Value i, ValueRange s) -> Code::Values {
                     return {writeNumber(c, i, s[0], i)};
                   })[0];
        // The last one nearest to the top, so that sorting puts it last.
        auto isAfter = [&](const Code &c, Value a, Value b) -> Value {
          Value order = compareSlices(l, slices, c, a, b);
          Value later = c.both(c.equal(order, c.constant(0)), c.less(b, a));
          return arith::OrIOp::create(c.b, c.less(c.constant(0), order), later);
        };
        numbers = sortByHeap(c, numbers, n, isAfter);
        // Groups of equal ones; `next` is how many began.
        Code::Values done = c.loop(
            zero, n, {parts[0], parts[1], parts[2], zero},
            [&](const Code &c, Value i, ValueRange s) -> Code::Values {
              Value zero = c.constant(0), one = c.constant(1);
              Value here = readNumber(c, numbers, i);
              Value before = readNumber(c, numbers, c.max(c.sub(i, one), zero));
              Value differs = arith::OrIOp::create(
                  c.b, c.equal(i, zero),
                  c.less(compareSlices(l, slices, c, before, here), zero));
              Value next = c.select(differs, c.add(s[3], one), s[3]);
              Value group = c.sub(next, one);
              Value first = c.select(differs, here, readNumber(c, s[0], group));
              Value count = c.select(differs, zero, readNumber(c, s[1], group));
              return {writeNumber(c, first, s[0], group),
                      writeNumber(c, c.add(count, one), s[1], group),
                      writeNumber(c, group, s[2], here), next};
            });
        if (!sorted) {
          // Groups again, in the order of their first occurrence.
          Value firsts = done[0], counts = done[1], inverse = done[2];
          Code::Values order =
              c.loop(zero, n,
                     {c.scratch(all, i64), c.scratch(all, i64),
                      c.scratch(all, i64), zero},
                     [&](const Code &c, Value i, ValueRange s) -> Code::Values {
                       Value group = readNumber(c, inverse, i);
                       Value begins = c.equal(readNumber(c, firsts, group), i);
                       Value next = c.add(s[3], c.constant(1));
                       // Place s[3] is written again until it counts.
                       Value old = readNumber(c, s[2], group);
                       Value place = c.select(begins, s[3], old);
                       return {writeNumber(c, i, s[0], s[3]),
                               writeNumber(c, readNumber(c, counts, group),
                                           s[1], s[3]),
                               writeNumber(c, place, s[2], group),
                               c.select(begins, next, s[3])};
                     });
          Code::Values copied = c.loop(
              zero, n, {firsts, counts, inverse},
              [&](const Code &c, Value i, ValueRange s) -> Code::Values {
                Value group = readNumber(c, s[2], i);
                return {
                    writeNumber(c, readNumber(c, order[0], i), s[0], i),
                    writeNumber(c, readNumber(c, order[1], i), s[1], i),
                    writeNumber(c, readNumber(c, order[2], group), s[2], i)};
              });
          done = {copied[0], copied[1], copied[2], done[3]};
        }
        return {done[0], done[1], done[2],
                writeNumber(c, done[3], parts[3], zero)};
      });
  l.bindDim(1, 0, l.readIndex(found[3], 0), all);
  OpFoldResult count = l.resultDims(1)[0];
  // The lists are longer than what counts of them, so they are no operands.
  auto take = [&](Value list) {
    return l.elementwise({}, count, i64,
                         [&](ImplicitLocOpBuilder &b, ValueRange) {
                           IndexMath m{b};
                           return m.read(list, m.loop(0), i64);
                         });
  };
  return l.replace({takeSlices(l, slices, found[0], count), take(found[0]),
                    found[2], take(found[1])});
}

void lathe::populateUniquePatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerCompress);
  addLowering(patterns, types, lowerUnique);
}
