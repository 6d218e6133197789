// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RunTimeSizes.h"

#include "Checks.h"
#include "Sampling.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lathe;

Value lathe::computeNumbers(
    Lowering &l, int64_t count,
    llvm::function_ref<Code::Values(const Code &)> body) {
  Type i64 = l.b.getI64Type();
  return makeGrid(
             l, l.index(1), {{{l.index(count)}, i64, {-1}}},
             [&](const Code &c, ValueRange, ValueRange parts) -> Code::Values {
               Value out = parts[0];
               for (auto [i, value] : llvm::enumerate(body(c)))
                 out = c.write(arith::IndexCastOp::create(c.b, i64, value), out,
                               c.constant(i));
               return {out};
             })
      .front();
}

void lathe::bindDims(Lowering &l, unsigned i,
                     llvm::function_ref<Code::Values(const Code &)> body,
                     DimsRef max) {
  int64_t rank = l.resultType(i).getRank();
  if (rank == 0)
    return;
  Value numbers = computeNumbers(l, rank, body);
  for (int64_t dim = 0; dim != rank; ++dim)
    l.bindDim(i, dim, l.readIndex(numbers, dim),
              max.empty() ? OpFoldResult() : max[dim]);
}

/// What element `at` of operand `i`, of rank 0 or 1, is in the body of a loop.
static Value readNumber(Lowering &l, const IndexMath &m, unsigned i,
                        int64_t at) {
  SmallVector<Value> index;
  if (l.rank(i) == 1)
    index.push_back(m.constant(at));
  return m.fromInt(m.read(l.value(i), index, l.element(i)));
}

Value lathe::readOperand(Lowering &l, const Code &c, unsigned i, int64_t at) {
  return readNumber(l, c, i, at);
}

/// `size`, or -1 where `ok` is false.
static Value require(const IndexMath &m, Value ok, Value size) {
  return m.select(ok, size, m.constant(-1));
}

/// Refuses operand `i` unless it is a list of `length` numbers.
static LogicalResult expectLength(Lowering &l, unsigned i, int64_t length,
                                  bool orLess = false) {
  RankedTensorType type = l.type(i);
  if (type.getRank() == 1 && !type.isDynamicDim(0) &&
      (type.getDimSize(0) == length || (orLess && type.getDimSize(0) < length)))
    return success();
  return l.unsupported("expected a list of static length as operand " +
                       Twine(i));
}

/// Whether `axis`, which may count from the end, is dimension `dim`.
static Value isAxis(const IndexMath &m, Value axis, int64_t dim, int64_t rank) {
  return arith::OrIOp::create(m.b, m.equal(axis, m.constant(dim)),
                              m.equal(axis, m.constant(dim - rank)));
}

Value lathe::namesAxis(Lowering &l, const Code &c, unsigned i, int64_t count,
                       int64_t dim, int64_t rank) {
  Value any = makeConstant(c.b, c.b.getI1Type(), 0);
  for (int64_t k = 0; k != count; ++k)
    any = arith::OrIOp::create(c.b, any,
                               isAxis(c, readOperand(l, c, i, k), dim, rank));
  return any;
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

LogicalResult lathe::bindReshape(Lowering &l, bool allowZero) {
  if (l.contents(1))
    return success();
  if (failed(expectLength(l, 1, l.resultType().getRank())))
    return failure();
  SmallVector<Value> dims = toValues(l, l.dims(0));
  Value total = l.toValue(l.product(l.dims(0)));
  int64_t rank = l.resultType().getRank();
  if (rank == 0)
    return success();
  // A last number says whether there are as many elements as before.
  Value numbers =
      computeNumbers(l, rank + 1, [&](const Code &c) -> Code::Values {
        Value one = c.constant(1), zero = c.constant(0), left = one;
        Value rest = c.constant(-1);
        Code::Values sizes;
        for (int64_t i = 0; i != rank; ++i) {
          Value size = readOperand(l, c, 1, i);
          if (!allowZero && i < int64_t(dims.size()))
            size = c.select(c.equal(size, zero), dims[i], size);
          sizes.push_back(size);
          left = c.mul(left, c.select(c.equal(size, rest), one, size));
        }
        Value divisor = c.select(c.equal(left, zero), one, left);
        Value filled = arith::DivSIOp::create(c.b, total, divisor);
        filled = c.select(c.equal(left, zero), zero, filled);
        Value product = one;
        for (Value &size : sizes) {
          size = c.select(c.equal(size, rest), filled, size);
          product = c.mul(product, size);
        }
        sizes.push_back(c.equal(product, total));
        sizes.back() =
            arith::IndexCastUIOp::create(c.b, c.b.getIndexType(), sizes.back());
        return sizes;
      });
  Value ok =
      arith::CmpIOp::create(l.b, arith::CmpIPredicate::eq,
                            l.readIndex(numbers, rank), l.toValue(l.index(1)));
  check(l, ok, "expects a shape of as many elements as its data has");
  for (int64_t i = 0; i != rank; ++i)
    l.bindDim(0, i, l.readIndex(numbers, i));
  return success();
}

/// The sizes `dims` without those that the `count` elements of axis operand 1
/// name; -1 unless `ok` and all of these are distinct.
static Code::Values dropNamed(Lowering &l, const Code &c, ArrayRef<Value> dims,
                              int64_t count, Value ok) {
  int64_t rank = dims.size();
  Code::Values sizes(std::max<int64_t>(rank - count, 0), c.constant(-1));
  Value place = c.constant(0), no = makeConstant(c.b, c.b.getI1Type(), 0);
  // Dimension i goes to the place that is the number of those kept before.
  for (int64_t i = 0; i != rank; ++i) {
    Value goes = namesAxis(l, c, 1, count, i, rank);
    for (auto [k, size] : llvm::enumerate(sizes)) {
      Value here = c.select(goes, no, c.equal(place, c.constant(k)));
      size = c.select(here, dims[i], size);
    }
    place = c.select(goes, place, c.add(place, c.constant(1)));
  }
  ok = c.both(ok, c.equal(place, c.constant(rank - count)));
  for (Value &size : sizes)
    size = require(c, ok, size);
  return sizes;
}

LogicalResult lathe::bindSqueeze(Lowering &l) {
  if (!l.has(1) || l.ints(1))
    return success();
  int64_t count = l.type(1).getDimSize(0);
  if (ShapedType::isDynamic(count))
    return l.unsupported("expected axes of static length");
  SmallVector<Value> dims = toValues(l, l.dims(0));
  int64_t rank = dims.size();
  if (failed(checkIndices(l, 1, l.index(rank), 0)))
    return failure();
  bindDims(l, 0, [&](const Code &c) {
    Value yes = makeConstant(c.b, c.b.getI1Type(), 1), ok = yes;
    for (int64_t i = 0; i != rank; ++i) {
      Value isOne = c.equal(dims[i], c.constant(1));
      ok = c.both(ok, c.select(namesAxis(l, c, 1, count, i, rank), isOne, yes));
    }
    return dropNamed(l, c, dims, count, ok);
  });
  return success();
}

LogicalResult lathe::bindReduced(Lowering &l, bool keepDims) {
  SmallVector<Value> dims = toValues(l, l.dims(0));
  int64_t rank = dims.size(), count = l.type(1).getDimSize(0);
  if (ShapedType::isDynamic(count))
    return l.unsupported("expected axes of static length");
  if (failed(checkIndices(l, 1, l.index(rank), 0)))
    return failure();
  bindDims(l, 0, [&](const Code &c) {
    if (!keepDims)
      return dropNamed(l, c, dims, count,
                       makeConstant(c.b, c.b.getI1Type(), 1));
    Code::Values sizes;
    for (int64_t i = 0; i != rank; ++i)
      sizes.push_back(
          c.select(namesAxis(l, c, 1, count, i, rank), c.constant(1), dims[i]));
    return sizes;
  });
  return success();
}

LogicalResult lathe::bindUnsqueeze(Lowering &l) {
  if (l.ints(1))
    return success();
  SmallVector<Value> dims = toValues(l, l.dims(0));
  int64_t rank = l.resultType().getRank(), count = rank - dims.size();
  if (failed(expectLength(l, 1, count)))
    return failure();
  if (failed(checkIndices(l, 1, l.index(rank), 0)))
    return failure();
  bindDims(l, 0, [&](const Code &c) {
    Code::Values sizes;
    Value place = c.constant(0), one = c.constant(1);
    for (int64_t i = 0; i != rank; ++i) {
      Value isNew = namesAxis(l, c, 1, count, i, rank), size = c.constant(-1);
      for (auto [k, dim] : llvm::enumerate(dims))
        size = c.select(c.equal(place, c.constant(k)), dim, size);
      sizes.push_back(c.select(isNew, one, size));
      place = c.select(isNew, place, c.add(place, one));
    }
    return sizes;
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Repeating and filling
//===----------------------------------------------------------------------===//

LogicalResult lathe::bindExpand(Lowering &l) {
  if (l.contents(1))
    return success();
  if (failed(expectLength(l, 1, l.resultType().getRank(), /*orLess=*/true)))
    return failure();
  SmallVector<Value> dims = toValues(l, l.dims(0));
  int64_t rank = l.resultType().getRank();
  int64_t length = l.type(1).getDimSize(0), have = dims.size();
  bindDims(l, 0, [&](const Code &c) {
    Code::Values sizes;
    Value one = c.constant(1);
    for (int64_t i = 0; i != rank; ++i) {
      int64_t mine = i - (rank - have), given = i - (rank - length);
      Value dim = mine < 0 ? one : dims[mine];
      Value size = given < 0 ? one : readOperand(l, c, 1, given);
      Value same =
          arith::OrIOp::create(c.b, c.equal(size, dim), c.equal(size, one));
      Value kept = require(c, same, dim);
      sizes.push_back(c.select(c.equal(dim, one), size, kept));
    }
    return sizes;
  });
  return success();
}

LogicalResult lathe::bindConstantOfShape(Lowering &l) {
  if (l.contents(0))
    return success();
  if (failed(expectLength(l, 0, l.resultType().getRank())))
    return failure();
  int64_t rank = l.resultType().getRank();
  bindDims(l, 0, [&](const Code &c) {
    Code::Values sizes;
    for (int64_t i = 0; i != rank; ++i)
      sizes.push_back(readOperand(l, c, 0, i));
    return sizes;
  });
  return success();
}

LogicalResult lathe::bindTile(Lowering &l) {
  if (l.contents(1))
    return success();
  if (failed(expectLength(l, 1, l.rank(0))))
    return failure();
  SmallVector<Value> dims = toValues(l, l.dims(0));
  bindDims(l, 0, [&](const Code &c) {
    Code::Values sizes;
    for (auto [i, dim] : llvm::enumerate(dims)) {
      Value repeat = readOperand(l, c, 1, i);
      sizes.push_back(
          require(c, c.less(c.constant(-1), repeat), c.mul(dim, repeat)));
    }
    return sizes;
  });
  return success();
}

void lathe::bindOneHot(Lowering &l, int64_t axis) {
  if (l.contents(1))
    return;
  Value depth = computeNumbers(l, 1, [&](const Code &c) -> Code::Values {
    SmallVector<Value> index;
    if (l.rank(1) == 1)
      index.push_back(c.constant(0));
    Value x = c.read(l.value(1), index, l.element(1));
    return {c.fromInt(castScalar(c.b, x, l.element(1), c.b.getI64Type()))};
  });
  l.bindDim(0, axis, l.readIndex(depth, 0));
}

void lathe::bindTopK(Lowering &l, int64_t axis) {
  if (l.contents(1))
    return;
  Value k = computeNumbers(l, 1, [&](const Code &c) -> Code::Values {
    return {readOperand(l, c, 1, 0)};
  });
  for (unsigned i : {0u, 1u})
    l.bindDim(i, axis, l.readIndex(k, 0), l.dims(0)[axis]);
}

void lathe::bindRange(Lowering &l) {
  bool known = true;
  for (unsigned i : {0u, 1u, 2u})
    known &= l.contents(i).has_value();
  if (known || l.resultType().hasStaticShape())
    return;
  Type element = l.element(0), f64 = l.b.getF64Type();
  Value count = computeNumbers(l, 1, [&](const Code &c) -> Code::Values {
    FloatMath f{c.b, f64};
    Value x[3];
    for (unsigned i : {0u, 1u, 2u}) {
      SmallVector<Value> index;
      if (l.rank(i) == 1)
        index.push_back(c.constant(0));
      x[i] = c.read(l.value(i), index, element);
    }
    Value zero = c.constant(0);
    if (!isa<FloatType>(element)) {
      Value start = c.fromInt(x[0]), limit = c.fromInt(x[1]),
            delta = c.fromInt(x[2]);
      Value isNull = c.equal(delta, zero);
      Value up = c.less(zero, delta);
      Value span = c.select(up, c.sub(limit, start), c.sub(start, limit));
      Value step = c.select(up, delta, c.sub(zero, delta));
      step = c.select(isNull, c.constant(1), step);
      Value steps = arith::CeilDivSIOp::create(c.b, span, step);
      return {c.select(isNull, c.constant(-1), c.max(steps, zero))};
    }
    for (Value &v : x)
      v = castScalar(c.b, v, element, f64);
    Value steps = f.ceil(f.div(f.sub(x[1], x[0]), x[2]));
    // Not a number, or more than can be: -1.
    Value most = f.constant(0x1p40);
    Value ok =
        arith::CmpFOp::create(c.b, arith::CmpFPredicate::OLE, steps, most);
    steps = f.limit(steps, f.constant(0), most);
    Value wide = arith::FPToSIOp::create(c.b, c.b.getI64Type(), steps);
    return {require(c, ok, c.fromInt(wide))};
  });
  l.bindDim(0, 0, l.readIndex(count, 0));
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

LogicalResult lathe::bindSplit(Lowering &l, int64_t axis) {
  if (!l.has(1) || l.contents(1))
    return success();
  if (failed(expectLength(l, 1, l.getNumResults())))
    return failure();
  int64_t count = l.type(1).getDimSize(0);
  Value whole = l.toValue(l.dims(0)[axis]);
  Value sizes = computeNumbers(l, count, [&](const Code &c) {
    Code::Values sizes;
    Value sum = c.constant(0), ok = makeConstant(c.b, c.b.getI1Type(), 1);
    for (int64_t i = 0; i != count; ++i) {
      sizes.push_back(readOperand(l, c, 1, i));
      sum = c.add(sum, sizes.back());
    }
    ok = c.equal(sum, whole);
    for (Value &size : sizes)
      size = require(c, ok, size);
    return sizes;
  });
  for (int64_t i = 0; i != count; ++i)
    l.bindDim(i, axis, l.readIndex(sizes, i), l.dims(0)[axis]);
  return success();
}

/// The axes that operand 3 lists, the first ones where it is absent, or nothing
/// where they are known only when the program runs.
static std::optional<SmallVector<int64_t>> getAxes(Lowering &l, int64_t count) {
  if (!l.has(3))
    return llvm::to_vector(llvm::seq<int64_t>(0, count));
  return l.ints(3);
}

SliceRange lathe::getSliceRange(Lowering &l, const IndexMath &m, int64_t dim,
                                Value size, int64_t count) {
  Value zero = m.constant(0), one = m.constant(1);
  Value start = zero, end = size, step = one;
  int64_t rank = l.rank(0);
  std::optional<SmallVector<int64_t>> axes = getAxes(l, count);
  for (int64_t i = 0; i != count; ++i) {
    if (axes && normalizeAxis((*axes)[i], rank) != dim)
      continue;
    Value s = readNumber(l, m, 1, i), e = readNumber(l, m, 2, i);
    Value t = l.has(4) ? readNumber(l, m, 4, i) : one;
    if (!axes) {
      Value here = isAxis(m, readNumber(l, m, 3, i), dim, rank);
      s = m.select(here, s, start);
      e = m.select(here, e, end);
      t = m.select(here, t, step);
    }
    start = s;
    end = e;
    step = t;
  }
  Value back = m.less(step, zero), last = m.sub(size, one);
  auto fromEnd = [&](Value x) {
    return m.select(m.less(x, zero), m.add(x, size), x);
  };
  Value top = m.select(back, last, size);
  start = m.max(m.min(fromEnd(start), top), zero);
  // Going back, the end may lie one before the first.
  Value least = m.select(back, m.constant(-1), zero);
  end = m.max(m.min(fromEnd(end), top), least);
  Value span = m.select(back, m.sub(start, end), m.sub(end, start));
  Value width = m.select(back, m.sub(zero, step), step);
  Value isNull = m.equal(step, zero);
  width = m.select(isNull, one, width);
  Value steps = arith::CeilDivSIOp::create(m.b, span, width);
  // Nothing is there to start at.
  steps = m.select(m.equal(size, zero), zero, m.max(steps, zero));
  return {start, step, m.select(isNull, m.constant(-1), steps)};
}

void lathe::bindSlice(Lowering &l, int64_t count) {
  bool known = l.contents(1) && l.contents(2) && (!l.has(3) || l.ints(3)) &&
               (!l.has(4) || l.contents(4));
  if (known || l.resultType().hasStaticShape())
    return;
  Dims max = l.dims(0);
  SmallVector<Value> dims = toValues(l, max);
  bindDims(
      l, 0,
      [&](const Code &c) {
        Code::Values sizes;
        for (auto [i, dim] : llvm::enumerate(dims))
          sizes.push_back(getSliceRange(l, c, i, dim, count).size);
        return sizes;
      },
      max);
}

std::pair<Value, Value> lathe::getPads(Lowering &l, const IndexMath &m,
                                       int64_t dim, int64_t count) {
  Value low = m.constant(0), high = low;
  int64_t rank = l.rank(0);
  std::optional<SmallVector<int64_t>> axes = getAxes(l, count);
  for (int64_t i = 0; i != count; ++i) {
    if (axes && normalizeAxis((*axes)[i], rank) != dim)
      continue;
    Value before = readNumber(l, m, 1, i);
    Value after = readNumber(l, m, 1, i + count);
    if (!axes) {
      Value here = isAxis(m, readNumber(l, m, 3, i), dim, rank);
      before = m.select(here, before, low);
      after = m.select(here, after, high);
    }
    low = before;
    high = after;
  }
  return {low, high};
}

void lathe::bindPad(Lowering &l, int64_t count) {
  if (l.contents(1) && (!l.has(3) || l.ints(3)))
    return;
  SmallVector<Value> dims = toValues(l, l.dims(0));
  bindDims(l, 0, [&](const Code &c) {
    Code::Values sizes;
    for (auto [i, dim] : llvm::enumerate(dims)) {
      auto [low, high] = getPads(l, c, i, count);
      sizes.push_back(c.add(c.add(dim, low), high));
    }
    return sizes;
  });
}
