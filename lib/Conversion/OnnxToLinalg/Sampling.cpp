// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GridSample and AffineGrid. Each element of the result is a sum over the
// elements around its position, of which the grid holds the coordinates; the
// cubic weights are those of Keys, "Cubic Convolution Interpolation for Digital
// Image Processing" (IEEE Trans. ASSP 29(6), 1981) with a = -0.75.

#include "Sampling.h"

#include "Families.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Onnx/IR/Spatial.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lathe;

Value FloatMath::add(Value x, Value y) const {
  return arith::AddFOp::create(b, x, y);
}
Value FloatMath::sub(Value x, Value y) const {
  return arith::SubFOp::create(b, x, y);
}
Value FloatMath::mul(Value x, Value y) const {
  return arith::MulFOp::create(b, x, y);
}
Value FloatMath::div(Value x, Value y) const {
  return arith::DivFOp::create(b, x, y);
}
Value FloatMath::less(Value x, Value y) const {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, y);
}
Value FloatMath::select(Value c, Value t, Value f) const {
  return arith::SelectOp::create(b, c, t, f);
}
Value FloatMath::floor(Value x) const { return math::FloorOp::create(b, x); }
Value FloatMath::ceil(Value x) const { return math::CeilOp::create(b, x); }
Value FloatMath::trunc(Value x) const { return math::TruncOp::create(b, x); }
Value FloatMath::roundEven(Value x) const {
  return math::RoundEvenOp::create(b, x);
}

Value FloatMath::limit(Value x, Value low, Value high) const {
  Value above = select(less(low, x), x, low);
  return select(less(above, high), above, high);
}

Value FloatMath::fromIndex(Value index) const {
  Value wide = arith::IndexCastOp::create(b, b.getI64Type(), index);
  return arith::SIToFPOp::create(b, type, wide);
}

Value FloatMath::toIndex(Value x) const {
  Value whole = arith::FPToSIOp::create(b, b.getI32Type(), x);
  return arith::IndexCastOp::create(b, b.getIndexType(), whole);
}

//===----------------------------------------------------------------------===//
// Taps
//===----------------------------------------------------------------------===//

/// Reflects `x` between `low` and `high` until it lies there.
static Value reflect(const FloatMath &f, Value x, Value low, Value high) {
  Value range = f.sub(high, low);
  Value below = f.less(x, low);
  Value distance = f.select(below, f.sub(low, x), f.sub(x, high));
  Value times = f.trunc(f.div(distance, range));
  Value rest = f.sub(distance, f.mul(times, range));
  Value half = f.mul(times, f.constant(0.5));
  Value isOdd = f.less(f.trunc(half), half);
  Value fromLow = f.add(low, rest), fromHigh = f.sub(high, rest);
  Value nearLow = arith::XOrIOp::create(f.b, below, isOdd);
  Value reflected = f.select(nearLow, fromLow, fromHigh);
  Value outside = arith::OrIOp::create(f.b, below, f.less(high, x));
  return f.select(outside, reflected, x);
}

namespace {
/// One dimension of an image: its size as an index and as a number, and where
/// it ends.
struct Extent {
  Value size, last, low, high;
  Outside outside;
};
} // namespace

/// The element with the whole number `x`.
static Tap getTap(const FloatMath &f, Value x, const Extent &extent,
                  Value weight) {
  Value zero = f.constant(0);
  if (extent.outside == Outside::Reflection)
    x = f.trunc(reflect(f, x, extent.low, extent.high));
  Tap tap{f.toIndex(f.limit(x, zero, extent.last)), weight, {}};
  if (extent.outside == Outside::Zeros)
    tap.inside = arith::AndIOp::create(
        f.b, arith::CmpFOp::create(f.b, arith::CmpFPredicate::OGE, x, zero),
        arith::CmpFOp::create(f.b, arith::CmpFPredicate::OLE, x, extent.last));
  return tap;
}

SmallVector<Tap> lathe::getLinearTaps(const FloatMath &f, Value x, Value size) {
  Value last = f.sub(f.fromIndex(size), f.constant(1));
  Extent extent{size, last, {}, {}, Outside::Zeros};
  Value first = f.floor(x), part = f.sub(x, first);
  return {getTap(f, first, extent, f.sub(f.constant(1), part)),
          getTap(f, f.add(first, f.constant(1)), extent, part)};
}

/// The weight of an element at distance `t` in [0, 1] (`near`) or [1, 2].
static Value getCubicWeight(const FloatMath &f, Value t, bool near) {
  constexpr double a = -0.75;
  if (near) {
    Value slope = f.sub(f.mul(f.constant(a + 2), t), f.constant(a + 3));
    return f.add(f.mul(f.mul(slope, t), t), f.constant(1));
  }
  Value sum = f.sub(f.mul(f.constant(a), t), f.constant(5 * a));
  sum = f.add(f.mul(sum, t), f.constant(8 * a));
  return f.sub(f.mul(sum, t), f.constant(4 * a));
}

static SmallVector<Tap> getTaps(const FloatMath &f, Value x,
                                const Extent &extent, StringRef mode) {
  if (mode == "nearest")
    return {getTap(f, x, extent, {})};
  Value first = f.floor(x), part = f.sub(x, first), one = f.constant(1);
  Value rest = f.sub(one, part);
  Value next = f.add(first, one);
  if (mode == "linear")
    return {getTap(f, first, extent, rest), getTap(f, next, extent, part)};
  return {getTap(f, f.sub(first, one), extent,
                 getCubicWeight(f, f.add(part, one), /*near=*/false)),
          getTap(f, first, extent, getCubicWeight(f, part, /*near=*/true)),
          getTap(f, next, extent, getCubicWeight(f, rest, /*near=*/true)),
          getTap(f, f.add(next, one), extent,
                 getCubicWeight(f, f.add(rest, one), /*near=*/false))};
}

Value lathe::sample(const IndexMath &m, Value image, Type element,
                    ArrayRef<Value> at, ArrayRef<SmallVector<Tap>> taps,
                    Type type) {
  FloatMath f{m.b, type};
  SmallVector<Value> position(at);
  // Sums from the last dimension outwards.
  std::function<Value(size_t, Value)> visit = [&](size_t dim,
                                                  Value inside) -> Value {
    if (dim == taps.size()) {
      Value x =
          castScalar(m.b, m.read(image, position, element), element, type);
      Value zero = makeConstant(m.b, x.getType(), 0);
      return inside ? m.select(inside, x, zero) : x;
    }
    Value sum;
    for (const Tap &tap : taps[dim]) {
      position.push_back(tap.index);
      Value live = !tap.inside ? inside
                   : inside    ? m.both(inside, tap.inside)
                               : tap.inside;
      Value x = visit(dim + 1, live);
      position.pop_back();
      if (tap.weight)
        x = f.mul(castScalar(m.b, tap.weight, tap.weight.getType(), type), x);
      sum = sum ? f.add(sum, x) : x;
    }
    return sum;
  };
  return visit(0, {});
}

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

static LogicalResult lowerGridSample(onnx::GridSampleOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.dims(0), outDims = l.resultDims();
  int64_t rank = dims.size(), space = rank - 2;
  Type element = l.element(0), coordinate = getComputeType(l.element(1));
  StringRef mode = op.getMode();
  bool align = op.getAlignCorners() != 0;
  Outside outside = op.getPaddingMode() == "zeros"    ? Outside::Zeros
                    : op.getPaddingMode() == "border" ? Outside::Border
                                                      : Outside::Reflection;
  // Weights of elements that are no floats are f32.
  Type type = mode == "nearest"         ? element
              : isa<FloatType>(element) ? getComputeType(element)
                                        : Type(l.b.getF32Type());
  SmallVector<Operand> positions;
  for (int64_t d = 0; d != space; ++d) {
    // The grid holds the last dimension first.
    SmallVector<AffineExpr> exprs{getAffineDimExpr(0, context)};
    for (int64_t i = 0; i != space; ++i)
      exprs.push_back(getAffineDimExpr(i + 2, context));
    exprs.push_back(getAffineConstantExpr(space - 1 - d, context));
    Operand position = l.operand(1);
    position.map = AffineMap::get(rank, 0, exprs, context);
    positions.push_back(position);
  }
  SmallVector<Value> sizes = toValues(l, ArrayRef(dims).drop_front(2));
  Value image = l.value(0);
  return l.replace(l.elementwise(
      positions, outDims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange at) {
        IndexMath m{b};
        FloatMath f{b, coordinate};
        Value one = f.constant(1), half = f.constant(0.5);
        SmallVector<SmallVector<Tap>> taps;
        for (int64_t d = 0; d != space; ++d) {
          Value size = f.fromIndex(sizes[d]), last = f.sub(size, one);
          Extent extent{sizes[d], last, f.constant(align ? 0 : -0.5),
                        align ? last : f.sub(size, half), outside};
          Value x = f.add(at[d], one);
          x = align ? f.mul(f.mul(x, half), last)
                    : f.mul(f.sub(f.mul(x, size), one), half);
          if (mode == "nearest")
            x = f.roundEven(x);
          if (outside == Outside::Border)
            x = f.limit(x, f.constant(0), last);
          if (outside == Outside::Reflection)
            x = reflect(f, x, extent.low, extent.high);
          taps.push_back(getTaps(f, x, extent, mode));
        }
        Value sum =
            sample(m, image, element, {m.loop(0), m.loop(1)}, taps, type);
        return castScalar(b, sum, type, element);
      }));
}

//===----------------------------------------------------------------------===//
// AffineGrid
//===----------------------------------------------------------------------===//

/// Coordinate `i` of the result is row `i` of theta times (x, y, z, 1).
static LogicalResult lowerAffineGrid(onnx::AffineGridOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  if (!l.contents(1)) {
    int64_t rank = l.resultType().getRank();
    Value matrices = l.toValue(l.dims(0)[0]);
    bindDims(l, 0, [&](const Code &c) {
      // N, then space; the last dimension is that of positions.
      Value batch = readOperand(l, c, 1, 0);
      Code::Values sizes{
          c.select(c.equal(batch, matrices), batch, c.constant(-1))};
      for (int64_t i = 0; i != rank - 2; ++i)
        sizes.push_back(readOperand(l, c, 1, i + 2));
      sizes.push_back(c.constant(rank - 2));
      return sizes;
    });
  }
  Dims outDims = l.resultDims();
  int64_t rank = outDims.size(), space = rank - 2;
  Type type = getComputeType(l.element(0));
  bool align = op.getAlignCorners() != 0;
  SmallVector<Operand> rows;
  for (int64_t column = 0; column <= space; ++column) {
    Operand theta = l.operand(0);
    theta.map = AffineMap::get(rank, 0,
                               {getAffineDimExpr(0, context),
                                getAffineDimExpr(rank - 1, context),
                                getAffineConstantExpr(column, context)},
                               context);
    rows.push_back(theta);
  }
  SmallVector<Value> sizes =
      toValues(l, ArrayRef(outDims).drop_front(1).drop_back(1));
  return l.replace(l.elementwise(
      rows, outDims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange theta) {
        IndexMath m{b};
        FloatMath f{b, type};
        Value one = f.constant(1), two = f.constant(2);
        Value sum = theta[space];
        for (int64_t column = 0; column != space; ++column) {
          int64_t dim = space - 1 - column;
          Value at = f.fromIndex(m.loop(dim + 1)),
                size = f.fromIndex(sizes[dim]);
          // One element alone lies at -1.
          Value last = f.sub(size, one);
          Value steps = f.select(f.less(last, one), one, last);
          Value x = align ? f.sub(f.div(f.mul(at, two), steps), one)
                          : f.sub(f.div(f.add(f.mul(at, two), one), size), one);
          sum = f.add(sum, f.mul(theta[column], x));
        }
        return sum;
      }));
}

void lathe::populateSamplingPatterns(RewritePatternSet &patterns,
                                     const TypeConverter &types) {
  addLowering(patterns, types, lowerGridSample);
  addLowering(patterns, types, lowerAffineGrid);
}
