// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fourier transforms, in f64, on planes: the real and the imaginary parts are
// two tensors side by side, [parts, outer, n, inner], so that loops over
// `inner` or over the bins run along memory.
//
// A transform of n = n1 * n2 points is one of n1 points, a multiplication by
// roots of unity and one of n2 points (Cooley and Tukey, Math. Comp. 19(90),
// 1965); short ones, and those of no divisors, are products with the matrix of
// roots. A long prime, or a length that is known only when the program runs, is
// summed with roots from a table of n: n * n steps.

#include "lathe/Dialect/Onnx/IR/Signal.h"
#include "Checks.h"
#include "Contraction.h"
#include "Families.h"
#include "RunTimeSizes.h"
#include "Sampling.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;

/// Points up to which a transform is one product with a matrix (4 * 64^2 * 8
/// bytes are 128 KiB: the matrix stays in the second cache).
static constexpr int64_t maxMatrix = 64;
/// The same for a length without divisors.
static constexpr int64_t maxPrimeMatrix = 256;

namespace {
/// Complex numbers on planes, f64: [parts, outer, n, inner].
struct Planes {
  Value value;
  Dims dims;
  bool isComplex() const { return !isConstantIntValue(dims[0], 1); }
};
} // namespace

/// The real (0) or imaginary (1) part of exp(sign * 2 pi i * k / n), exact
/// where it is 0 or 1.
static double getRoot(int64_t k, int64_t n, int sign, int part) {
  k %= n;
  double angle = 2 * llvm::numbers::pi * double(k) / double(n);
  if (part == 0)
    return 4 * k == n || 4 * k == 3 * n ? 0 : std::cos(angle);
  return sign * (2 * k == n ? 0 : std::sin(angle));
}

/// What plane `from` times a root adds to plane `to`.
static double getFactor(int64_t k, int64_t n, int sign, int from, int to) {
  double part = getRoot(k, n, sign, from ^ to);
  return from == 1 && to == 0 ? -part : part;
}

static Operand makeTable(Lowering &l, ArrayRef<double> values,
                         ArrayRef<int64_t> shape) {
  Type f64 = l.b.getF64Type();
  auto type = RankedTensorType::get(shape, f64);
  return {arith::ConstantOp::create(l.b, DenseElementsAttr::get(type, values)),
          f64};
}

/// The transform of `x` by a matrix [from, to, j, k].
static Value multiply(Lowering &l, const Planes &x, int64_t n, int sign) {
  MLIRContext *context = l.b.getContext();
  int64_t parts = x.isComplex() ? 2 : 1;
  SmallVector<double> values;
  for (int from = 0; from != parts; ++from)
    for (int to = 0; to != 2; ++to)
      for (int64_t j = 0; j != n; ++j)
        for (int64_t k = 0; k != n; ++k)
          values.push_back(getFactor(j * k, n, sign, from, to));
  Operand matrix = makeTable(l, values, {parts, 2, n, n});
  // to, outer, k, inner, from, j
  SmallVector<AffineExpr> d;
  for (unsigned i = 0; i != 6; ++i)
    d.push_back(getAffineDimExpr(i, context));
  Operand source{x.value, l.b.getF64Type(),
                 AffineMap::get(6, 0, {d[4], d[1], d[5], d[3]}, context)};
  matrix.map = AffineMap::get(6, 0, {d[4], d[0], d[5], d[2]}, context);
  return contract(l, {source, matrix}, 6,
                  {l.index(2), x.dims[1], l.index(n), x.dims[3]});
}

/// The roots of unity of an order that is known when the program runs: [2, n].
static Value makeRoots(Lowering &l, OpFoldResult n, int sign) {
  Type f64 = l.b.getF64Type();
  Value count = l.toValue(n);
  return l.elementwise(
      {}, {l.index(2), n}, f64, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        FloatMath f{b, f64};
        Value angle = f.mul(f.constant(2 * llvm::numbers::pi),
                            f.div(f.fromIndex(m.loop(1)), f.fromIndex(count)));
        Value cos = math::CosOp::create(b, angle);
        Value sin = f.mul(math::SinOp::create(b, angle), f.constant(sign));
        return m.select(m.equal(m.loop(0), m.constant(0)), cos, sin);
      });
}

/// The transform of `x` term by term.
static Value sumTerms(Lowering &l, const Planes &x, int sign) {
  MLIRContext *context = l.b.getContext();
  Type f64 = l.b.getF64Type();
  OpFoldResult n = x.dims[2];
  Value roots;
  if (std::optional<int64_t> known = getConstantIntValue(n)) {
    SmallVector<double> values;
    for (int part = 0; part != 2; ++part)
      for (int64_t k = 0; k != *known; ++k)
        values.push_back(getRoot(k, *known, sign, part));
    roots = makeTable(l, values, {2, *known}).value;
  } else {
    roots = makeRoots(l, n, sign);
  }
  Value count = l.toValue(n);
  Dims dims{l.index(2), x.dims[1], n, x.dims[3]};
  SmallVector<AffineExpr> d;
  for (unsigned i = 0; i != 6; ++i)
    d.push_back(getAffineDimExpr(i, context));
  SmallVector<utils::IteratorType> iterators(6, utils::IteratorType::parallel);
  iterators[4] = iterators[5] = utils::IteratorType::reduction;
  return l
      .generic(
          x.value, l.fill(dims, l.b.getF64FloatAttr(0)),
          {AffineMap::get(6, 0, {d[4], d[1], d[5], d[3]}, context),
           getLoopMap(context, 6, 0, 4)},
          iterators,
          [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
            IndexMath m{b};
            FloatMath f{b, f64};
            Value to = m.loop(0), from = m.loop(4);
            Value turn =
                arith::RemUIOp::create(b, m.mul(m.loop(2), m.loop(5)), count);
            Value same = m.equal(from, to);
            Value part = m.select(same, m.constant(0), m.constant(1));
            Value root = m.read(roots, {part, turn}, f64);
            Value negative = m.both(m.equal(from, m.constant(1)),
                                    m.equal(to, m.constant(0)));
            root = f.select(negative, f.sub(f.constant(0), root), root);
            return {f.add(args[1], f.mul(args[0], root))};
          })
      .front();
}

/// The greatest divisor of `n` up to its square root.
static int64_t getDivisor(int64_t n) {
  for (int64_t d = int64_t(std::sqrt(double(n))); d > 1; --d)
    if (n % d == 0)
      return d;
  return 1;
}

/// The transform along dimension 2; `sign` is that of the exponent.
static Value transform(Lowering &l, const Planes &x, int sign) {
  std::optional<int64_t> known = getConstantIntValue(x.dims[2]);
  if (!known)
    return sumTerms(l, x, sign);
  int64_t n = *known, n1 = n <= maxMatrix ? 1 : getDivisor(n), n2 = n / n1;
  if (n1 == 1)
    return n <= maxPrimeMatrix ? multiply(l, x, n, sign) : sumTerms(l, x, sign);
  MLIRContext *context = l.b.getContext();
  Type f64 = l.b.getF64Type();
  OpFoldResult outer = x.dims[1], inner = x.dims[3], two = l.index(2);
  // j = j1 * n2 + j2 and k = k1 + n1 * k2.
  OpFoldResult behind = l.product({l.index(n2), inner});
  Dims first{x.dims[0], outer, l.index(n1), behind};
  Value y = transform(l, {l.view(x.value, first), first}, sign);
  // Times the roots of order n at k1 * j2, as a table [from, to, k1, j2].
  Dims split{two, outer, l.index(n1), l.index(n2), inner};
  y = l.view(y, split);
  SmallVector<Operand> operands;
  for (int from = 0; from != 2; ++from) {
    SmallVector<double> values;
    for (int to = 0; to != 2; ++to)
      for (int64_t k1 = 0; k1 != n1; ++k1)
        for (int64_t j2 = 0; j2 != n2; ++j2)
          values.push_back(getFactor(k1 * j2, n, sign, from, to));
    Operand table = makeTable(l, values, {2, n1, n2});
    table.map = AffineMap::get(5, 0,
                               {getAffineDimExpr(0, context),
                                getAffineDimExpr(2, context),
                                getAffineDimExpr(3, context)},
                               context);
    SmallVector<AffineExpr> at{getAffineConstantExpr(from, context)};
    for (unsigned i = 1; i != 5; ++i)
      at.push_back(getAffineDimExpr(i, context));
    operands.push_back({y, f64, AffineMap::get(5, 0, at, context)});
    operands.push_back(table);
  }
  Value turned = l.elementwise(
      operands, split, f64, [&](ImplicitLocOpBuilder &b, ValueRange v) {
        FloatMath f{b, f64};
        return f.add(f.mul(v[0], v[1]), f.mul(v[2], v[3]));
      });
  Dims second{two, l.product({outer, l.index(n1)}), l.index(n2), inner};
  Value z = transform(l, {l.view(turned, second), second}, sign);
  Value sorted = l.transpose(l.view(z, split), split, {0, 1, 3, 2, 4});
  return l.view(sorted, {two, outer, x.dims[2], inner});
}

//===----------------------------------------------------------------------===//
// DFT
//===----------------------------------------------------------------------===//

/// Puts the input on planes of `n` points: cut, padded with zeros or, where it
/// is `half` of a spectrum, with the conjugates of what is there.
static Planes makePlanes(Lowering &l, Value source, DimsRef sourceDims,
                         bool isComplex, OpFoldResult n, bool half) {
  Type element = l.element(0), f64 = l.b.getF64Type();
  bool complexOut = isComplex || half;
  Dims dims{l.index(complexOut ? 2 : 1), sourceDims[0], n, sourceDims[2]};
  Value have = l.toValue(sourceDims[1]), all = l.toValue(n);
  Value made =
      l.elementwise({}, dims, f64, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        FloatMath f{b, f64};
        Value j = m.loop(2), part = m.loop(0), mirrored;
        if (half) {
          Value other = m.sub(all, j);
          mirrored = m.less(other, j);
          j = m.select(mirrored, other, j);
        }
        Value inside = m.less(j, have);
        Value at = isComplex ? part : m.constant(0);
        Value x = m.read(source, {m.loop(1), m.clamp(j, have), m.loop(3), at},
                         element);
        x = castScalar(b, x, element, f64);
        Value zero = f.constant(0);
        if (!isComplex && complexOut)
          x = f.select(m.equal(part, m.constant(0)), x, zero);
        if (half) {
          Value flips = m.both(mirrored, m.equal(part, m.constant(1)));
          x = f.select(flips, f.sub(zero, x), x);
        }
        return f.select(inside, x, zero);
      });
  return {made, dims};
}

/// The first bins of planes as numbers that lie together, [outer, bins, inner,
/// parts], divided by `divisor` if that is given.
static Value takeBins(Lowering &l, Value planes, DimsRef dims, Value divisor) {
  Type element = l.resultElement(), f64 = l.b.getF64Type();
  // The loops are those of the result, which may have fewer bins and parts.
  return l.elementwise(
      {}, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        FloatMath f{b, f64};
        Value x =
            m.read(planes, {m.loop(3), m.loop(0), m.loop(1), m.loop(2)}, f64);
        if (divisor)
          x = f.div(x, f.fromIndex(divisor));
        return castScalar(b, x, f64, element);
      });
}

/// Along an axis that is known when the program runs: a point per number of the
/// result, which sums all terms.
static LogicalResult transformAlongAny(onnx::DFTOp op, Lowering &l) {
  int64_t rank = l.rank(0);
  if (ShapedType::isDynamic(l.type(0).getDimSize(rank - 1)))
    return l.unsupported("expected a static last dimension");
  if (failed(checkIndices(l, 2, l.index(rank), 0)))
    return failure();
  bool inverse = op.getInverse() != 0, onesided = op.getOnesided() != 0;
  bool half = inverse && onesided;
  SmallVector<Value> sizes = toValues(l, l.dims(0));
  // The size along the axis, and the points of the transform.
  auto getLength = [&](const Code &c) -> std::pair<Value, Value> {
    Value have = c.constant(1), two = c.constant(2);
    for (int64_t i = 0; i + 1 != rank; ++i)
      have = c.select(namesAxis(l, c, 2, 1, i, rank), sizes[i], have);
    if (l.has(1))
      return {have, readOperand(l, c, 1, 0)};
    return {have, half ? c.mul(c.sub(have, c.constant(1)), two) : have};
  };
  bindDims(l, 0, [&](const Code &c) {
    Value n = getLength(c).second, one = c.constant(1);
    Value bins = onesided && !inverse
                     ? c.add(arith::DivSIOp::create(c.b, n, c.constant(2)), one)
                     : n;
    // Along the parts there is no transform, and none of no points.
    Value wrong = arith::OrIOp::create(c.b, c.less(n, one),
                                       namesAxis(l, c, 2, 1, rank - 1, rank));
    bins = c.select(wrong, c.constant(-1), bins);
    Code::Values made;
    for (int64_t i = 0; i + 1 != rank; ++i)
      made.push_back(c.select(namesAxis(l, c, 2, 1, i, rank), bins, sizes[i]));
    made.push_back(c.constant(half ? 1 : 2));
    if (rank > 1)
      made[0] = c.select(wrong, c.constant(-1), made[0]);
    return made;
  });
  Dims outDims = l.resultDims();
  OpFoldResult all = l.product(outDims);
  SmallVector<Value> outs = toValues(l, outDims);
  Type element = l.element(0), f64 = l.b.getF64Type();
  bool isComplex = l.type(0).getDimSize(rank - 1) == 2;
  Value source = l.value(0);
  Value made =
      makeGrid(
          l, all, {{{all}, getStorageType(element), {0}}},
          [&](const Code &c, ValueRange point,
              ValueRange parts) -> Code::Values {
            Value zero = c.constant(0), one = c.constant(1);
            auto [have, points] = getLength(c);
            Value length = have, n = c.max(points, one), rest = point[0];
            SmallVector<Value> at(rank), isAxis(rank);
            Value bin = zero;
            for (int64_t d = rank; d-- > 0;) {
              Value size = c.max(outs[d], one);
              at[d] = arith::RemUIOp::create(c.b, rest, size);
              rest = arith::DivUIOp::create(c.b, rest, size);
              isAxis[d] = namesAxis(l, c, 2, 1, d, rank);
              bin = c.select(isAxis[d], at[d], bin);
            }
            Value isReal = c.equal(at[rank - 1], zero);
            FloatMath f{c.b, f64};
            Value step =
                f.div(f.constant((inverse ? 2 : -2) * llvm::numbers::pi),
                      f.fromIndex(n));
            Value sum = c.loop(
                zero, half ? n : c.min(length, n), f.constant(0),
                [&](const Code &c, Value j, ValueRange s) -> Code::Values {
                  FloatMath f{c.b, f64};
                  Value from = j, mirrored;
                  if (half) {
                    Value other = c.sub(n, j);
                    mirrored = c.less(other, j);
                    from = c.select(mirrored, other, j);
                  }
                  SmallVector<Value> index;
                  for (int64_t d = 0; d + 1 != rank; ++d)
                    index.push_back(
                        c.select(isAxis[d], c.clamp(from, length), at[d]));
                  index.push_back(c.constant(0));
                  auto read = [&] {
                    return castScalar(c.b, c.read(source, index, element),
                                      element, f64);
                  };
                  Value x = read(), y = f.constant(0);
                  if (isComplex) {
                    index.back() = c.constant(1);
                    y = read();
                  }
                  if (mirrored)
                    y = f.select(mirrored, f.sub(f.constant(0), y), y);
                  Value turn = arith::RemUIOp::create(c.b, c.mul(j, bin), n);
                  Value angle = f.mul(step, f.fromIndex(turn));
                  Value cos = math::CosOp::create(c.b, angle);
                  Value sin = math::SinOp::create(c.b, angle);
                  Value real = f.sub(f.mul(x, cos), f.mul(y, sin));
                  Value imaginary = f.add(f.mul(x, sin), f.mul(y, cos));
                  Value term = f.select(isReal, real, imaginary);
                  Value inside = c.less(from, length);
                  return {f.add(s[0], f.select(inside, term, f.constant(0)))};
                })[0];
            if (inverse)
              sum = f.div(sum, f.fromIndex(n));
            Value result = castScalar(c.b, sum, f64, element);
            return {c.write(storeScalar(c.b, result, element), parts[0], zero)};
          })
          .front();
  return l.replace(l.view(made, outDims));
}

static LogicalResult lowerDFT(onnx::DFTOp op, Lowering &l) {
  if (l.has(2) && !l.ints(2))
    return transformAlongAny(op, l);
  Dims dims = l.dims(0), outDims = l.resultDims();
  int64_t rank = dims.size(), axis = rank - 2;
  if (l.has(2)) {
    std::optional<SmallVector<int64_t>> given = l.ints(2);
    if (given->size() != 1)
      return l.unsupported("expected one axis, got " + Twine(given->size()));
    axis = normalizeAxis(given->front(), rank);
  }
  int64_t parts = l.type(0).getDimSize(rank - 1);
  if (ShapedType::isDynamic(parts))
    return l.unsupported("expected a static last dimension");
  bool inverse = op.getInverse() != 0, onesided = op.getOnesided() != 0;
  OpFoldResult n = dims[axis];
  if (inverse && onesided)
    n = outDims[axis];
  if (l.has(1)) {
    std::optional<Dims> given = l.contents(1);
    if (!given || given->size() != 1)
      return l.unsupported("expected a dft_length that is known from shapes");
    n = given->front();
  }
  DimsRef before = ArrayRef(dims).take_front(axis);
  DimsRef behind = ArrayRef(dims).slice(axis + 1, rank - axis - 2);
  Dims flat{l.product(before), dims[axis], l.product(behind)};
  Dims flatSource = flat;
  flatSource.push_back(l.index(parts));
  Planes x = makePlanes(l, l.view(l.value(0), flatSource), flat, parts == 2, n,
                        inverse && onesided);
  Value y = transform(l, x, inverse ? 1 : -1);
  Dims out{flat[0], outDims[axis], flat[2], outDims.back()};
  Value bins = takeBins(l, y, out, inverse ? l.toValue(n) : Value());
  return l.replace(l.view(bins, outDims));
}

//===----------------------------------------------------------------------===//
// STFT
//===----------------------------------------------------------------------===//

/// Binds the number of frames that a step makes which is known when the program
/// runs.
static void bindFrames(Lowering &l, OpFoldResult length) {
  Value size = l.toValue(l.dims(0)[1]), window = l.toValue(length);
  Value frames = computeNumbers(l, 1, [&](const Code &c) -> Code::Values {
    Value step = readOperand(l, c, 1, 0), zero = c.constant(0);
    Value ok =
        c.both(c.less(zero, step), c.less(window, c.add(size, c.constant(1))));
    Value by = c.max(step, c.constant(1));
    Value count =
        c.add(arith::DivSIOp::create(c.b, c.max(c.sub(size, window), zero), by),
              c.constant(1));
    return {c.select(ok, count, c.constant(-1))};
  });
  l.bindDim(0, 1, l.readIndex(frames, 0), l.dims(0)[1]);
}

static LogicalResult lowerSTFT(onnx::STFTOp op, Lowering &l) {
  OpFoldResult length;
  if (l.has(3) && l.contents(3)) {
    length = l.contents(3)->front();
  } else if (l.has(2)) {
    length = l.dims(2).front();
  } else {
    return l.unsupported("expected a frame_length that is known from shapes");
  }
  if (l.has(2) && l.has(3) && !l.contents(3)) {
    Value given = l.readIndex(l.value(3), 0);
    check(l,
          arith::CmpIOp::create(l.b, arith::CmpIPredicate::eq, given,
                                l.toValue(length)),
          "expects a frame_length of the size of the window");
    // The bins follow from the window then.
    AffineExpr size = l.b.getAffineSymbolExpr(0);
    l.bindDim(0, 2,
              l.toValue(op.getOnesided() ? l.apply(size.floorDiv(2) + 1, length)
                                         : length),
              length);
  }
  std::optional<Dims> step = l.contents(1);
  if (!step)
    bindFrames(l, length);
  Dims dims = l.dims(0), outDims = l.resultDims();
  int64_t parts = dims.size() == 3 ? l.type(0).getDimSize(2) : 1;
  if (ShapedType::isDynamic(parts))
    return l.unsupported("expected a static last dimension");
  Value signal = l.view(l.value(0), {dims[0], dims[1], l.index(parts)});
  Value window = l.has(2) ? l.value(2) : Value();
  Value stride = step ? l.toValue(step->front()) : l.readIndex(l.value(1), 0);
  Value size = l.toValue(dims[1]);
  Type element = l.element(0), f64 = l.b.getF64Type();
  Dims frames{l.index(parts), outDims[0], outDims[1], length};
  Value made =
      l.elementwise({}, frames, f64, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        FloatMath f{b, f64};
        Value at = m.add(m.mul(m.loop(2), stride), m.loop(3));
        Value x =
            m.read(signal, {m.loop(1), m.clamp(at, size), m.loop(0)}, element);
        x = castScalar(b, x, element, f64);
        if (!window)
          return x;
        Value w = m.read(window, m.loop(3), l.element(2));
        return f.mul(x, castScalar(b, w, l.element(2), f64));
      });
  OpFoldResult outer = l.product({outDims[0], outDims[1]}), one = l.index(1);
  Dims planes{l.index(parts), outer, length, one};
  Value y = transform(l, {l.view(made, planes), planes}, -1);
  Value bins = takeBins(l, y, {outer, outDims[2], one, l.index(2)}, {});
  return l.replace(l.view(bins, outDims));
}

//===----------------------------------------------------------------------===//
// MelWeightMatrix
//===----------------------------------------------------------------------===//

static LogicalResult lowerMelWeightMatrix(onnx::MelWeightMatrixOp op,
                                          Lowering &l) {
  Type f64 = l.b.getF64Type(), element = l.resultElement();
  if (!l.contents(0) || !l.contents(1))
    bindDims(l, 0, [&](const Code &c) -> Code::Values {
      Value half = arith::FloorDivSIOp::create(c.b, readOperand(l, c, 1, 0),
                                               c.constant(2));
      return {c.add(half, c.constant(1)), readOperand(l, c, 0, 0)};
    });
  auto scalar = [&](unsigned i) {
    Operand x = l.operand(i);
    x.value = l.view(x.value, {});
    return x;
  };
  SmallVector<Operand> operands;
  for (unsigned i = 0; i != 5; ++i)
    operands.push_back(scalar(i));
  return l.replace(l.elementwise(
      operands, l.resultDims(), element,
      [&](ImplicitLocOpBuilder &b, ValueRange v) {
        IndexMath m{b};
        FloatMath f{b, f64};
        SmallVector<Value> x;
        for (unsigned i = 0; i != 5; ++i)
          x.push_back(castScalar(b, v[i], l.element(i), f64));
        // 2595 log10(1 + f / 700), by natural logarithms.
        Value scale = f.constant(2595 / llvm::numbers::ln10);
        auto toMel = [&](Value hertz) {
          Value ratio = f.div(hertz, f.constant(700));
          return f.mul(scale, math::Log1pOp::create(b, ratio));
        };
        Value low = toMel(x[3]), high = toMel(x[4]);
        Value step = f.div(f.sub(high, low), f.add(x[0], f.constant(2)));
        auto getBin = [&](int64_t offset) {
          Value number = f.fromIndex(m.add(m.loop(1), m.constant(offset)));
          Value mel = f.add(f.mul(number, step), low);
          Value hertz = f.mul(f.constant(700),
                              math::ExpM1Op::create(b, f.div(mel, scale)));
          Value bins = f.mul(f.add(x[1], f.constant(1)), hertz);
          return f.floor(f.div(bins, x[2]));
        };
        Value left = getBin(0), center = getBin(1), right = getBin(2);
        Value row = f.fromIndex(m.loop(0)), zero = f.constant(0);
        Value one = f.constant(1);
        auto compare = [&](arith::CmpFPredicate how, Value p, Value q) {
          return arith::CmpFOp::create(b, how, p, q).getResult();
        };
        Value rise = f.sub(center, left), fall = f.sub(right, center);
        Value isFlat = compare(arith::CmpFPredicate::OEQ, rise, zero);
        Value atCenter = compare(arith::CmpFPredicate::OEQ, row, center);
        Value rises = m.both(compare(arith::CmpFPredicate::OGE, row, left),
                             compare(arith::CmpFPredicate::OLE, row, center));
        Value up = f.select(
            rises, f.div(f.sub(row, left), f.select(isFlat, one, rise)), zero);
        Value weight = f.select(isFlat, f.select(atCenter, one, zero), up);
        Value falls = m.both(compare(arith::CmpFPredicate::OGE, row, center),
                             compare(arith::CmpFPredicate::OLT, row, right));
        Value down =
            f.div(f.sub(right, row), f.select(f.less(zero, fall), fall, one));
        return castScalar(b, f.select(falls, down, weight), f64, element);
      }));
}

void lathe::populateSignalPatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerDFT);
  addLowering(patterns, types, lowerSTFT);
  addLowering(patterns, types, lowerMelWeightMatrix);
}
