// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running sums and products. Short axes, and those of symbolic size, are
// reduced anew for each element. Long ones double: in step k each element takes
// in the one 2^k before it (Hillis and Steele, CACM 29(12), 1986).

#include "Checks.h"
#include "Elementwise.h"
#include "Families.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Onnx/IR/Math.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace lathe;

/// Up to this size reducing anew costs no more than the passes of doubling.
static constexpr int64_t maxQuadratic = 32;

namespace {
struct Running {
  int64_t axis;
  bool exclusive, reverse;
  double neutral;
  Value (Element::*combine)(Value, Value) const;
};
} // namespace

static Value runQuadratic(Lowering &l, const Running &r) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.dims(0);
  unsigned rank = dims.size();
  Type compute = getComputeType(l.element(0));
  SmallVector<Type> types = {compute};
  SmallVector<AffineExpr> exprs;
  for (unsigned i = 0; i != rank; ++i)
    exprs.push_back(getAffineDimExpr(i, context));
  AffineMap out = AffineMap::get(rank + 1, 0, exprs, context);
  exprs[r.axis] = getAffineDimExpr(rank, context);
  AffineMap in = AffineMap::get(rank + 1, 0, exprs, context);
  SmallVector<utils::IteratorType> iterators(rank + 1,
                                             utils::IteratorType::parallel);
  iterators[rank] = utils::IteratorType::reduction;
  TypedAttr init = isa<FloatType>(compute)
                       ? TypedAttr(l.b.getFloatAttr(compute, r.neutral))
                       : TypedAttr(l.b.getIntegerAttr(compute, r.neutral));
  return l
      .generic(
          l.value(0), l.fill(dims, init), {in, out}, iterators,
          [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
            IndexMath m{b};
            Element e{b, args, types, compute};
            Value here = m.loop(r.axis), at = m.loop(rank);
            if (r.reverse)
              std::swap(here, at);
            // Reduced so far: at < here, or at <= here.
            Value skip = r.exclusive ? m.less(at, here) : m.less(here, at);
            Value x = loadScalar(b, args[0], l.element(0));
            Value taken = (e.*r.combine)(args[1], x);
            return {r.exclusive ? m.select(skip, taken, args[1])
                                : m.select(skip, args[1], taken)};
          })
      .front();
}

/// Each element with the one `distance` before it, or after it in reverse;
/// `combine` is null for that one alone.
static Value takeIn(Lowering &l, const Running &r, Value source, Type element,
                    int64_t distance,
                    Value (Element::*combine)(Value, Value) const) {
  Dims dims = l.dims(0);
  unsigned rank = dims.size();
  Type compute = getComputeType(l.element(0));
  SmallVector<Type> types = {compute};
  Value size = l.toValue(dims[r.axis]);
  return l.elementwise(
      Operand{source, element}, dims, compute,
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        IndexMath m{b};
        SmallVector<Value> at;
        for (unsigned i = 0; i != rank; ++i)
          at.push_back(m.loop(i));
        Value from =
            m.add(at[r.axis], m.constant(r.reverse ? distance : -distance));
        Value inside =
            r.reverse ? m.less(from, size) : m.less(m.constant(-1), from);
        at[r.axis] = m.clamp(from, size);
        Value other = m.read(source, at, element);
        Element e{b, x, types, compute};
        if (!combine)
          return m.select(inside, other, e.constant(r.neutral));
        return m.select(inside, (e.*combine)(other, x[0]), x[0]);
      });
}

static Value runDoubling(Lowering &l, const Running &r, int64_t size) {
  Value value = l.value(0);
  Type element = l.element(0), compute = getComputeType(element);
  for (int64_t distance = 1; distance < size; distance *= 2) {
    value = takeIn(l, r, value, element, distance, r.combine);
    element = compute;
  }
  return r.exclusive ? takeIn(l, r, value, element, 1, nullptr) : value;
}

/// Along an axis that is known when the program runs: one point per element,
/// the first of each row of which does the row.
static LogicalResult runAlongAny(Lowering &l, const Running &r) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size();
  if (failed(checkIndices(l, 1, l.index(rank), 0)))
    return failure();
  Type element = l.element(0), compute = getComputeType(element);
  Type storage = getStorageType(element);
  OpFoldResult all = l.product(dims);
  Value flat = l.view(l.value(0), all);
  SmallVector<Value> sizes = toValues(l, dims);
  SmallVector<Type> types = {compute};
  Value made =
      makeGrid(
          l, l.index(1), {{{all}, storage, {-1}}},
          [&](const Code &c, ValueRange, ValueRange parts) -> Code::Values {
            Value zero = c.constant(0), one = c.constant(1);
            Value size = one, step = one, outer = one;
            for (int64_t i = rank; i-- > 0;) {
              Value isIt = namesAxis(l, c, 1, 1, i, rank);
              size = c.select(isIt, sizes[i], size);
              Value axisBefore = zero;
              for (int64_t k = 0; k != i; ++k)
                axisBefore =
                    c.select(namesAxis(l, c, 1, 1, k, rank), one, axisBefore);
              // Dimensions after the axis make the step.
              step = c.select(c.equal(axisBefore, one), c.mul(step, sizes[i]),
                              step);
              Value axisAfter = arith::XOrIOp::create(
                  c.b,
                  arith::OrIOp::create(c.b, isIt, c.equal(axisBefore, one)),
                  makeConstant(c.b, c.b.getI1Type(), 1));
              outer = c.select(axisAfter, c.mul(outer, sizes[i]), outer);
            }
            return c.loop(
                zero, outer, parts,
                [&](const Code &c, Value o, ValueRange out) {
                  return c.loop(
                      zero, step, out,
                      [&](const Code &c, Value j, ValueRange out) {
                        Value first = c.add(c.mul(c.mul(o, size), step), j);
                        Value start = makeConstant(c.b, compute, r.neutral);
                        Code::Values done = c.loop(
                            zero, size, {out[0], start},
                            [&](const Code &c, Value i,
                                ValueRange s) -> Code::Values {
                              Value last = c.sub(size, c.constant(1));
                              Value k = r.reverse ? c.sub(last, i) : i;
                              Value at = c.add(first, c.mul(k, step));
                              Element e{c.b, {}, types, compute};
                              Value x = c.read(flat, at, element);
                              Value next = (e.*r.combine)(s[1], x);
                              Value put = r.exclusive ? s[1] : next;
                              return {c.write(storeScalar(c.b, put, element),
                                              s[0], at),
                                      next};
                            });
                        return Code::Values{done[0]};
                      });
                });
          })
          .front();
  return l.replace(l.view(made, dims));
}

template <typename OpTy>
static LogicalResult lowerRunning(OpTy op, Lowering &l, double neutral,
                                  Value (Element::*combine)(Value, Value)
                                      const) {
  std::optional<SmallVector<int64_t>> axis = l.ints(1);
  bool known = axis && axis->size() == 1;
  Running r{known ? normalizeAxis(axis->front(), l.rank(0)) : 0,
            op.getExclusive() != 0, op.getReverse() != 0, neutral, combine};
  if (!known)
    return runAlongAny(l, r);
  int64_t size = l.type(0).getDimSize(r.axis);
  Value value = ShapedType::isDynamic(size) || size <= maxQuadratic
                    ? runQuadratic(l, r)
                    : runDoubling(l, r, size);
  Type compute = getComputeType(l.element(0));
  if (compute != getStorageType(l.element(0)))
    value = l.elementwise(
        Operand{value, compute}, l.dims(0), l.resultElement(),
        [](ImplicitLocOpBuilder &, ValueRange x) { return x[0]; });
  return l.replace(value);
}

static LogicalResult lowerCumSum(onnx::CumSumOp op, Lowering &l) {
  return lowerRunning(op, l, 0, &Element::add);
}

static LogicalResult lowerCumProd(onnx::CumProdOp op, Lowering &l) {
  return lowerRunning(op, l, 1, &Element::mul);
}

void lathe::populateRunningPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &types) {
  addLowering(patterns, types, lowerCumSum);
  addLowering(patterns, types, lowerCumProd);
}
