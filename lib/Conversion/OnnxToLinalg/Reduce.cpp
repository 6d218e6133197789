// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions: an optional function of each element, a loop that combines them,
// an optional function of the result.

#include "lathe/Dialect/Onnx/IR/Reduce.h"
#include "Elementwise.h"
#include "Families.h"
#include "Limits.h"
#include "Reduction.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace lathe;

/// Whether the axes are known only when the program runs.
static bool hasRunTimeAxes(Lowering &l) {
  return l.has(1) && !l.ints(1) && l.type(1).getDimSize(0) != 0;
}

/// The axes that an op reduces, which are known.
template <typename OpTy>
static SmallVector<int64_t> getAxes(OpTy op, Lowering &l) {
  int64_t rank = l.rank(0);
  std::optional<SmallVector<int64_t>> axes;
  if (l.has(1)) {
    axes = l.ints(1);
    if (l.type(1).getDimSize(0) == 0)
      axes.emplace();
  }
  if (axes && !axes->empty())
    return normalizeAxes(*axes, rank);
  if (op.getNoopWithEmptyAxes())
    return SmallVector<int64_t>();
  return llvm::to_vector(llvm::seq<int64_t>(0, rank));
}

/// Runs the reduction on the type `working` in ONNX's sense, which elements are
/// cast to and from.
template <typename OpTy>
static LogicalResult lowerReduction(OpTy op, Lowering &l, Type working,
                                    const Reduction &r) {
  if (hasRunTimeAxes(l))
    return reduceAlongAny(l, working, r, op.getKeepdims() != 0);
  SmallVector<int64_t> axes = getAxes(op, l);
  Dims dims = l.dims(0);
  Type element = l.element(0);
  SmallVector<Type> types = {working};
  Value reduced = l.reduce(
      l.operand(0), dims, axes, r.init,
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Element e{b, x, types, working};
        Value value = castScalar(b, x[0], element, working);
        return (e.*r.combine)(x[1], r.before ? r.before(e, value) : value);
      });
  Dims counted;
  for (int64_t axis : axes)
    counted.push_back(dims[axis]);
  OpFoldResult count = l.product(counted);
  Value dynamic = dyn_cast<Value>(count);
  Type compute = getComputeType(working);
  if (r.after || compute != getStorageType(l.resultElement()))
    reduced = l.elementwise(
        Operand{reduced, working}, dropDims(dims, axes), l.resultElement(),
        [&](ImplicitLocOpBuilder &b, ValueRange x) {
          Element e{b, x, types, working};
          Value value = x[0];
          if (r.after) {
            Type i64 = b.getI64Type();
            Value n =
                dynamic
                    ? castScalar(b, arith::IndexCastOp::create(b, i64, dynamic),
                                 i64, working)
                    : makeConstant(b, compute, *getConstantIntValue(count));
            value = r.after(e, value, n);
          }
          return castScalar(b, value, working, element);
        });
  return l.replace(l.view(reduced, l.resultDims()));
}

/// The type that sums are made in: f32 for the short floats.
static Type getSumType(Lowering &l) { return getComputeType(l.element(0)); }

/// Floats as they are, integers in f64.
static Type getRealType(Lowering &l) {
  Type element = l.element(0);
  return isa<FloatType>(element) ? getComputeType(element)
                                 : Type(l.b.getF64Type());
}

static TypedAttr getNumber(Lowering &l, Type working, int64_t value) {
  Type compute = getComputeType(working);
  if (auto floating = dyn_cast<FloatType>(compute))
    return l.b.getFloatAttr(floating, value);
  return l.b.getIntegerAttr(compute, value);
}

static LogicalResult lowerSum(onnx::ReduceSumOp op, Lowering &l) {
  Type working = getSumType(l);
  return lowerReduction(op, l, working,
                        {getNumber(l, working, 0), &Element::add, {}, {}});
}

static LogicalResult lowerProd(onnx::ReduceProdOp op, Lowering &l) {
  Type working = getSumType(l);
  return lowerReduction(op, l, working,
                        {getNumber(l, working, 1), &Element::mul, {}, {}});
}

/// Bools are compared as the bytes that they are stored in.
static Type getOrderedType(Lowering &l) {
  Type element = l.element(0);
  if (element.isInteger(1))
    return IntegerType::get(l.b.getContext(), 8, IntegerType::Unsigned);
  return isa<FloatType>(element) ? getComputeType(element) : element;
}

static LogicalResult lowerMax(onnx::ReduceMaxOp op, Lowering &l) {
  Type working = getOrderedType(l);
  return lowerReduction(op, l, working,
                        {getLeast(l.b, working), &Element::max, {}, {}});
}

static LogicalResult lowerMin(onnx::ReduceMinOp op, Lowering &l) {
  Type working = getOrderedType(l);
  return lowerReduction(op, l, working,
                        {getGreatest(l.b, working), &Element::min, {}, {}});
}

static LogicalResult lowerMean(onnx::ReduceMeanOp op, Lowering &l) {
  Type working = getSumType(l);
  auto divide = [&](const Element &e, Value sum, Value count) -> Value {
    if (e.isFloat())
      return e.div(sum, count);
    // No elements: the count that divides is 1.
    count = e.select(e.equal(count, e.constant(0)), e.constant(1), count);
    return arith::DivSIOp::create(e.b, sum, count);
  };
  return lowerReduction(op, l, working,
                        {getNumber(l, working, 0), &Element::add, {}, divide});
}

static Value emitSquare(const Element &e, Value x) { return e.mul(x, x); }

static Value emitMagnitude(const Element &e, Value x) {
  if (e.isFloat())
    return math::AbsFOp::create(e.b, x);
  return math::AbsIOp::create(e.b, x);
}

static LogicalResult lowerL1(onnx::ReduceL1Op op, Lowering &l) {
  Type working = getSumType(l);
  return lowerReduction(
      op, l, working,
      {getNumber(l, working, 0), &Element::add, emitMagnitude, {}});
}

static LogicalResult lowerSumSquare(onnx::ReduceSumSquareOp op, Lowering &l) {
  Type working = getSumType(l);
  return lowerReduction(
      op, l, working,
      {getNumber(l, working, 0), &Element::add, emitSquare, {}});
}

static LogicalResult lowerL2(onnx::ReduceL2Op op, Lowering &l) {
  Type working = getRealType(l);
  auto root = [](const Element &e, Value sum, Value) {
    return e.call<math::SqrtOp>(sum);
  };
  return lowerReduction(
      op, l, working,
      {getNumber(l, working, 0), &Element::add, emitSquare, root});
}

static Value emitLog(const Element &e, Value sum, Value) {
  return e.call<math::LogOp>(sum);
}

static LogicalResult lowerLogSum(onnx::ReduceLogSumOp op, Lowering &l) {
  Type working = getRealType(l);
  return lowerReduction(op, l, working,
                        {getNumber(l, working, 0), &Element::add, {}, emitLog});
}

/// log(sum(exp(x - m))) + m with m the maximum, or 0 where that is infinite.
static LogicalResult lowerLogSumExp(onnx::ReduceLogSumExpOp op, Lowering &l) {
  Type working = getRealType(l), element = l.element(0);
  if (hasRunTimeAxes(l)) {
    Reduction sum{getNumber(l, working, 0), &Element::add, {}, emitLog};
    sum.shiftsByMaximum = true;
    return reduceAlongAny(l, working, sum, op.getKeepdims() != 0);
  }
  SmallVector<int64_t> axes = getAxes(op, l);
  Dims dims = l.dims(0), kept = dropDims(dims, axes);
  SmallVector<Type> types = {working};
  Value maximum =
      l.reduce(l.operand(0), dims, axes, getLeast(l.b, working),
               [&](ImplicitLocOpBuilder &b, ValueRange x) {
                 Element e{b, x, types, working};
                 return e.max(x[1], castScalar(b, x[0], element, working));
               });
  maximum = l.elementwise(
      Operand{maximum, working}, kept, working,
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Element e{b, x, types, working};
        Value magnitude = math::AbsFOp::create(b, x[0]);
        Value infinity = e.constant(std::numeric_limits<double>::infinity());
        return e.select(e.less(magnitude, infinity), x[0], e.constant(0));
      });
  Operand shift{maximum, working, l.dropAxes(dims.size(), axes)};
  Value sum =
      l.reduce({l.operand(0), shift}, dims, axes, getNumber(l, working, 0),
               [&](ImplicitLocOpBuilder &b, ValueRange x) {
                 Element e{b, x, types, working};
                 Value value = castScalar(b, x[0], element, working);
                 return e.add(x[2], e.exp(e.sub(value, x[1])));
               });
  Value result = l.elementwise(
      {Operand{sum, working}, Operand{maximum, working}}, kept,
      l.resultElement(), [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Element e{b, x, types, working};
        Value value = e.add(e.call<math::LogOp>(x[0]), x[1]);
        return castScalar(b, value, working, element);
      });
  return l.replace(l.view(result, l.resultDims()));
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// The position (i64) along `axis`, which vanishes, of the greatest or least
/// element, the first of several unless `last`.
static Value findExtreme(Lowering &l, int64_t axis, bool greatest, bool last) {
  Dims dims = l.dims(0), kept = dropDims(dims, axis);
  int64_t rank = dims.size();
  Type working = getOrderedType(l);
  SmallVector<Type> types = {working};
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators[axis] = utils::IteratorType::reduction;
  Value values = l.fill(kept, greatest ? getLeast(l.b, working)
                                       : getGreatest(l.b, working));
  Value positions = l.fill(kept, l.b.getI64IntegerAttr(0));
  AffineMap row = l.dropAxes(rank, axis);
  return l.generic(
      l.value(0), {values, positions},
      {l.b.getMultiDimIdentityMap(rank), row, row}, iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
        Element e{b, args, types, working};
        Value x = loadScalar(b, args[0], working);
        Value best = args[1];
        Value better;
        if (greatest)
          better = last ? e.lessOrEqual(best, x) : e.less(best, x);
        else
          better = last ? e.lessOrEqual(x, best) : e.less(x, best);
        Value at = arith::IndexCastOp::create(
            b, b.getI64Type(), Value(linalg::IndexOp::create(b, axis)));
        return {e.select(better, x, best), e.select(better, at, args[2])};
      })[1];
}

template <typename OpTy, bool greatest>
static LogicalResult lowerArg(OpTy op, Lowering &l) {
  int64_t axis = normalizeAxis(op.getAxis(), l.rank(0));
  Value at = findExtreme(l, axis, greatest, op.getSelectLastIndex());
  return l.replace(l.view(at, l.resultDims()));
}

/// 1 at the first greatest element, else 0.
static LogicalResult lowerHardmax(onnx::HardmaxOp op, Lowering &l) {
  Dims dims = l.dims(0);
  int64_t axis = normalizeAxis(op.getAxis(), dims.size());
  Value at = findExtreme(l, axis, /*greatest=*/true, /*last=*/false);
  Operand position{at, l.b.getI64Type(), l.dropAxes(dims.size(), axis)};
  return l.replace(l.elementwise(
      position, dims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Value here = arith::IndexCastOp::create(
            b, b.getI64Type(), Value(linalg::IndexOp::create(b, axis)));
        Value is =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, here, x[0]);
        return castScalar(b, is, b.getI1Type(), l.resultElement());
      }));
}

void lathe::populateReducePatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerSum);
  addLowering(patterns, types, lowerProd);
  addLowering(patterns, types, lowerMax);
  addLowering(patterns, types, lowerMin);
  addLowering(patterns, types, lowerMean);
  addLowering(patterns, types, lowerL1);
  addLowering(patterns, types, lowerL2);
  addLowering(patterns, types, lowerSumSquare);
  addLowering(patterns, types, lowerLogSum);
  addLowering(patterns, types, lowerLogSumExp);
  addLowering(patterns, types, lowerArg<onnx::ArgMaxOp, true>);
  addLowering(patterns, types, lowerArg<onnx::ArgMinOp, false>);
  addLowering(patterns, types, lowerHardmax);
}
