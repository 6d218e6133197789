// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions along axes that are known only when the program runs: a point for
// each element of the result, which loops over all dimensions; a dimension that
// stays is a loop of one step.

#include "Limits.h"
#include "Reduction.h"
#include "RunTimeSizes.h"

using namespace mlir;
using namespace lathe;

namespace {
/// The elements that one point of the result is of: [first, end) per dimension.
struct Box {
  SmallVector<Value> first, end;
};
} // namespace

/// The box of element `point`, counted in row-major order over the dimensions
/// that stay.
static Box getBox(Lowering &l, const Code &c, ArrayRef<Value> dims,
                  Value point) {
  int64_t rank = dims.size(), count = l.type(1).getDimSize(0);
  Value zero = c.constant(0), one = c.constant(1), rest = point;
  Box box{SmallVector<Value>(rank), SmallVector<Value>(rank)};
  for (int64_t i = rank; i-- > 0;) {
    Value goes = namesAxis(l, c, 1, count, i, rank);
    Value size = c.max(dims[i], one);
    Value at = arith::RemUIOp::create(c.b, rest, size);
    Value next = arith::DivUIOp::create(c.b, rest, size);
    box.first[i] = c.select(goes, zero, at);
    box.end[i] = c.select(goes, dims[i], c.add(at, one));
    rest = c.select(goes, rest, next);
  }
  return box;
}

/// Runs `body` for each element of the box, as loops from dimension `i` on.
static Code::Values
overBox(const Code &c, const Box &box, SmallVector<Value> &at, ValueRange state,
        llvm::function_ref<Code::Values(const Code &, ValueRange)> body) {
  size_t i = at.size();
  if (i == box.first.size())
    return body(c, state);
  return c.loop(box.first[i], box.end[i], state,
                [&](const Code &c, Value index, ValueRange state) {
                  at.push_back(index);
                  Code::Values next = overBox(c, box, at, state, body);
                  at.pop_back();
                  return next;
                });
}

LogicalResult lathe::reduceAlongAny(Lowering &l, Type working,
                                    const Reduction &r, bool keepDims) {
  if (failed(bindReduced(l, keepDims)))
    return failure();
  Dims outDims = l.resultDims();
  Type element = l.element(0), out = l.resultElement();
  Type storage = getStorageType(out);
  OpFoldResult all = l.product(outDims);
  SmallVector<Value> dims = toValues(l, l.dims(0));
  SmallVector<Type> types = {working};
  Value data = l.value(0);
  Value made =
      makeGrid(
          l, all, {{{all}, storage, {0}}},
          [&](const Code &c, ValueRange point,
              ValueRange parts) -> Code::Values {
            Box box = getBox(l, c, dims, point[0]);
            auto getElement = [&](const Code &c, ArrayRef<Value> at) {
              return castScalar(c.b, c.read(data, at, element), element,
                                working);
            };
            SmallVector<Value> at;
            Value maximum;
            if (r.shiftsByMaximum) {
              Value least =
                  arith::ConstantOp::create(c.b, getLeast(c.b, working));
              maximum =
                  overBox(c, box, at, least,
                          [&](const Code &c, ValueRange s) -> Code::Values {
                            Element e{c.b, {}, types, working};
                            return {e.max(s[0], getElement(c, at))};
                          })[0];
              Element e{c.b, {}, types, working};
              Value size = math::AbsFOp::create(c.b, maximum);
              Value infinity =
                  e.constant(std::numeric_limits<double>::infinity());
              maximum =
                  e.select(e.less(size, infinity), maximum, e.constant(0));
            }
            Value init = arith::ConstantOp::create(c.b, r.init);
            Code::Values done = overBox(
                c, box, at, {init, c.constant(0)},
                [&](const Code &c, ValueRange s) -> Code::Values {
                  Element e{c.b, {}, types, working};
                  Value x = getElement(c, at);
                  if (maximum)
                    x = e.exp(e.sub(x, maximum));
                  if (r.before)
                    x = r.before(e, x);
                  return {(e.*r.combine)(s[0], x), c.add(s[1], c.constant(1))};
                });
            Element e{c.b, {}, types, working};
            Value value = done[0];
            if (r.after) {
              Type i64 = c.b.getI64Type();
              Value count =
                  castScalar(c.b, arith::IndexCastOp::create(c.b, i64, done[1]),
                             i64, working);
              value = r.after(e, value, count);
            }
            if (maximum)
              value = e.add(value, maximum);
            value = castScalar(c.b, value, working, out);
            return {
                c.write(storeScalar(c.b, value, out), parts[0], c.constant(0))};
          })
          .front();
  return l.replace(l.view(made, outDims));
}
