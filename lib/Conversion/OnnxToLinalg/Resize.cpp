// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resampling. Every mode is separable: per axis, element `o` of the result is
// the sum over taps `t` of weight[o, t] * x[index[o, t]]. The two tables are
// constants where the sizes are, else small loops make them. `nearest` has one
// tap and no weight, so that all axes are one loop; where it only repeats
// elements, it reads at quotients. The formulas are written once, over numbers
// or over emitted code.

#include "Families.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

namespace {

/// Arithmetic on numbers of the compiler.
struct Numbers {
  using T = double;
  using Bool = bool;
  T constant(double x) const { return x; }
  T add(T x, T y) const { return x + y; }
  T sub(T x, T y) const { return x - y; }
  T mul(T x, T y) const { return x * y; }
  T div(T x, T y) const { return x / y; }
  T floor(T x) const { return std::floor(x); }
  T ceil(T x) const { return std::ceil(x); }
  T abs(T x) const { return std::fabs(x); }
  T min(T x, T y) const { return std::fmin(x, y); }
  T max(T x, T y) const { return std::fmax(x, y); }
  Bool less(T x, T y) const { return x < y; }
  Bool equal(T x, T y) const { return x == y; }
  Bool either(Bool x, Bool y) const { return x || y; }
  T select(Bool c, T x, T y) const { return c ? x : y; }
};

/// The same on values of type f64.
struct Emitter {
  using T = Value;
  using Bool = Value;
  ImplicitLocOpBuilder &b;
  T constant(double x) const { return makeConstant(b, b.getF64Type(), x); }
  T add(T x, T y) const { return arith::AddFOp::create(b, x, y); }
  T sub(T x, T y) const { return arith::SubFOp::create(b, x, y); }
  T mul(T x, T y) const { return arith::MulFOp::create(b, x, y); }
  T div(T x, T y) const { return arith::DivFOp::create(b, x, y); }
  T floor(T x) const { return math::FloorOp::create(b, x); }
  T ceil(T x) const { return math::CeilOp::create(b, x); }
  T abs(T x) const { return math::AbsFOp::create(b, x); }
  T min(T x, T y) const { return arith::MinimumFOp::create(b, x, y); }
  T max(T x, T y) const { return arith::MaximumFOp::create(b, x, y); }
  Bool less(T x, T y) const {
    return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, y);
  }
  Bool equal(T x, T y) const {
    return arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, x, y);
  }
  Bool either(Bool x, Bool y) const { return arith::OrIOp::create(b, x, y); }
  T select(Bool c, T x, T y) const {
    return arith::SelectOp::create(b, c, x, y);
  }
};

/// What the formulas of one axis are made of.
template <typename M> struct Axis {
  typename M::T in, out, scale, roiStart, roiEnd;
};

/// The attributes, and how many taps the kernel has.
struct Mode {
  explicit Mode(onnx::ResizeOp op)
      : coordinates(op.getCoordinateTransformationMode()), kind(op.getMode()),
        nearest(op.getNearestMode()),
        cubic(op.getCubicCoeffA().convertToDouble()),
        extrapolation(op.getExtrapolationValue().convertToFloat()),
        excludeOutside(op.getExcludeOutside()), antialias(op.getAntialias()) {}

  bool isNearest() const { return kind == "nearest"; }
  bool isCrop() const { return coordinates == "tf_crop_and_resize"; }
  /// Where the kernel ends, in elements of the input, at full scale.
  int64_t getReach() const { return kind == "cubic" ? 2 : 1; }
  /// The first tap, counted from the element left of the coordinate.
  int64_t getFirst(double scale) const {
    if (isNearest())
      return 0;
    double shrink = antialias ? std::min(scale, 1.0) : 1.0;
    return int64_t(std::floor(-getReach() / shrink)) + 1;
  }
  int64_t getNumTaps(double scale) const {
    return isNearest() ? 1 : 2 - 2 * getFirst(scale);
  }

  /// Where in the input element `y` of the output lies.
  template <typename M>
  typename M::T getCoordinate(const M &m, typename M::T y,
                              const Axis<M> &a) const;
  /// The element that `nearest` takes.
  template <typename M>
  typename M::T getNearest(const M &m, typename M::T x) const;
  /// The kernel at a distance from its middle.
  template <typename M>
  typename M::T getKernel(const M &m, typename M::T distance) const;
  /// The taps at coordinate `x`: elements, limited to the input, and weights.
  template <typename M>
  void getTaps(const M &m, typename M::T x, const Axis<M> &a, int64_t first,
               int64_t count, SmallVectorImpl<typename M::T> &elements,
               SmallVectorImpl<typename M::T> &weights) const;

  StringRef coordinates, kind, nearest;
  double cubic;
  float extrapolation;
  bool excludeOutside, antialias;
};

/// One axis to resample, as the lowering knows it.
struct Resampled {
  int64_t axis = 0;
  OpFoldResult in, out;
  /// Of a known scale; else it is out / in.
  std::optional<double> scale;
  double roiStart = 0, roiEnd = 1;
  /// Of what is known when the program runs: a tensor of scale, start and end
  /// of the region of each axis, and the row of this one. Null otherwise.
  Value runTime = {};
  int64_t row = 0;

  /// The formulas' numbers, if all are known.
  std::optional<Axis<Numbers>> getNumbers() const {
    std::optional<int64_t> a = getConstantIntValue(in);
    std::optional<int64_t> b = getConstantIntValue(out);
    if (!a || !b || runTime)
      return std::nullopt;
    return Axis<Numbers>{double(*a), double(*b),
                         scale ? *scale : double(*b) / double(*a), roiStart,
                         roiEnd};
  }
};

} // namespace

template <typename M>
typename M::T Mode::getCoordinate(const M &m, typename M::T y,
                                  const Axis<M> &a) const {
  using T = typename M::T;
  T one = m.constant(1), half = m.constant(0.5);
  T full = m.mul(a.scale, a.in), last = m.sub(a.in, one);
  T halfPixel = m.sub(m.div(m.add(y, half), a.scale), half);
  auto isOne = m.equal(full, one);
  // What is divided by where there is only one element is not used.
  T steps = m.select(isOne, one, m.sub(full, one));
  if (coordinates == "asymmetric")
    return m.div(y, a.scale);
  if (coordinates == "align_corners")
    return m.select(isOne, m.constant(0), m.div(m.mul(y, last), steps));
  if (coordinates == "pytorch_half_pixel")
    return m.select(isOne, m.constant(-0.5), halfPixel);
  if (coordinates == "half_pixel_symmetric") {
    T adjustment = m.div(a.out, full);
    T center = m.div(a.in, m.constant(2));
    return m.add(m.mul(center, m.sub(one, adjustment)), halfPixel);
  }
  if (isCrop()) {
    T width = m.mul(m.sub(a.roiEnd, a.roiStart), last);
    T inside = m.select(isOne, m.div(width, m.constant(2)),
                        m.div(m.mul(y, width), steps));
    return m.add(inside, m.mul(a.roiStart, last));
  }
  return halfPixel;
}

template <typename M>
typename M::T Mode::getNearest(const M &m, typename M::T x) const {
  if (nearest == "floor")
    return m.floor(x);
  if (nearest == "ceil")
    return m.ceil(x);
  if (nearest == "round_prefer_ceil")
    return m.floor(m.add(x, m.constant(0.5)));
  return m.ceil(m.sub(x, m.constant(0.5)));
}

template <typename M>
typename M::T Mode::getKernel(const M &m, typename M::T d) const {
  using T = typename M::T;
  T one = m.constant(1), zero = m.constant(0);
  if (kind == "linear")
    return m.max(zero, m.sub(one, d));
  // Keys' cubic: ((a + 2) d - (a + 3)) d^2 + 1 up to 1, then
  // ((d - 5) d + 8) d a - 4 a up to 2.
  T a = m.constant(cubic), square = m.mul(d, d);
  T inner =
      m.add(m.mul(m.sub(m.mul(m.constant(cubic + 2), d), m.constant(cubic + 3)),
                  square),
            one);
  T outer = m.mul(
      a,
      m.sub(m.mul(m.add(m.mul(m.sub(d, m.constant(5)), d), m.constant(8)), d),
            m.constant(4)));
  return m.select(m.less(one, d),
                  m.select(m.less(d, m.constant(2)), outer, zero), inner);
}

template <typename M>
void Mode::getTaps(const M &m, typename M::T x, const Axis<M> &a, int64_t first,
                   int64_t count, SmallVectorImpl<typename M::T> &elements,
                   SmallVectorImpl<typename M::T> &weights) const {
  using T = typename M::T;
  T zero = m.constant(0), last = m.sub(a.in, m.constant(1));
  auto limit = [&](T at) { return m.max(m.min(at, last), zero); };
  auto isOutside = [&](T at) {
    return m.either(m.less(at, zero), m.less(last, at));
  };
  if (isNearest()) {
    elements.push_back(limit(getNearest(m, x)));
    weights.push_back(m.constant(1));
  } else {
    T base = m.floor(x), ratio = m.sub(x, base), sum = zero;
    T shrink = antialias ? m.min(a.scale, m.constant(1)) : m.constant(1);
    for (int64_t i = first; i != first + count; ++i) {
      T at = m.add(base, m.constant(i));
      T distance = m.abs(m.mul(m.sub(m.constant(i), ratio), shrink));
      T weight = getKernel(m, distance);
      if (excludeOutside)
        weight = m.select(isOutside(at), zero, weight);
      sum = m.add(sum, weight);
      elements.push_back(limit(at));
      weights.push_back(weight);
    }
    if (excludeOutside || antialias)
      for (T &weight : weights)
        weight = m.div(weight, sum);
  }
  // Nothing of the input takes part in what lies outside of it.
  if (isCrop())
    for (T &weight : weights)
      weight = m.select(isOutside(x), zero, weight);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

namespace {
/// [out, taps] of i64 and f32, and [out] of what is added.
struct Tables {
  Value elements, weights, offsets;
};
} // namespace

static Tables makeConstantTables(Lowering &l, const Mode &mode,
                                 const Axis<Numbers> &axis, int64_t first,
                                 int64_t count) {
  Numbers m;
  SmallVector<int64_t> elements;
  SmallVector<float> weights, offsets;
  int64_t out = axis.out;
  for (int64_t y = 0; y != out; ++y) {
    double x = mode.getCoordinate(m, double(y), axis);
    SmallVector<double> at, factors;
    mode.getTaps(m, x, axis, first, count, at, factors);
    elements.append(at.begin(), at.end());
    weights.append(factors.begin(), factors.end());
    bool outside = mode.isCrop() && (x < 0 || x > axis.in - 1);
    offsets.push_back(outside ? mode.extrapolation : 0);
  }
  auto shape = RankedTensorType::get({out, count}, l.b.getI64Type());
  auto constant = [&](DenseElementsAttr attr) -> Value {
    return arith::ConstantOp::create(l.b, attr);
  };
  return {
      constant(DenseElementsAttr::get(shape, ArrayRef(elements))),
      constant(DenseElementsAttr::get(shape.clone(l.b.getF32Type()),
                                      ArrayRef(weights))),
      constant(DenseElementsAttr::get(
          RankedTensorType::get(out, l.b.getF32Type()), ArrayRef(offsets)))};
}

/// A size as f64.
static Value toNumber(ImplicitLocOpBuilder &b, Value size) {
  Value wide = arith::IndexCastOp::create(b, b.getI64Type(), size);
  return arith::SIToFPOp::create(b, b.getF64Type(), wide);
}

static Tables makeTables(Lowering &l, const Mode &mode, const Resampled &r,
                         int64_t first, int64_t count) {
  if (std::optional<Axis<Numbers>> numbers = r.getNumbers())
    return makeConstantTables(l, mode, *numbers, first, count);
  Value in = l.toValue(r.in), out = l.toValue(r.out);
  auto makeAxis = [&](const Emitter &m) {
    Axis<Emitter> a;
    a.in = toNumber(m.b, in);
    a.out = toNumber(m.b, out);
    if (r.runTime) {
      IndexMath at{m.b};
      auto read = [&](int64_t i) {
        return at.read(r.runTime, {at.constant(r.row), at.constant(i)},
                       m.b.getF64Type());
      };
      a.scale = read(0);
      a.roiStart = read(1);
      a.roiEnd = read(2);
      return a;
    }
    a.scale = r.scale ? m.constant(*r.scale) : m.div(a.out, a.in);
    a.roiStart = m.constant(r.roiStart);
    a.roiEnd = m.constant(r.roiEnd);
    return a;
  };
  // One of the taps, by the position of the second loop.
  auto pick = [&](bool weights) {
    Type f64 = l.b.getF64Type();
    Type type = weights ? Type(l.b.getF32Type()) : Type(l.b.getI64Type());
    return l.elementwise(
        {}, {r.out, l.index(count)}, type,
        [&](ImplicitLocOpBuilder &b, ValueRange) {
          Emitter m{b};
          IndexMath at{b};
          Axis<Emitter> a = makeAxis(m);
          Value x = mode.getCoordinate(m, toNumber(b, at.loop(0)), a);
          SmallVector<Value> elements, factors;
          mode.getTaps(m, x, a, first, count, elements, factors);
          ArrayRef<Value> taps = weights ? factors : elements;
          Value tap = taps.back();
          for (int64_t i = count - 2; i >= 0; --i)
            tap = m.select(at.equal(at.loop(1), at.constant(i)), taps[i], tap);
          return castScalar(b, tap, f64, type);
        });
  };
  Value offsets = l.elementwise(
      {}, r.out, l.b.getF32Type(),
      [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        Type f32 = b.getF32Type();
        Value none = makeConstant(b, f32, 0);
        if (!mode.isCrop())
          return none;
        Emitter m{b};
        Axis<Emitter> a = makeAxis(m);
        Value x = mode.getCoordinate(m, toNumber(b, IndexMath{b}.loop(0)), a);
        Value outside = m.either(m.less(x, m.constant(0)),
                                 m.less(m.sub(a.in, m.constant(1)), x));
        return m.select(outside, makeConstant(b, f32, mode.extrapolation),
                        none);
      });
  return {pick(/*weights=*/false), pick(/*weights=*/true), offsets};
}

//===----------------------------------------------------------------------===//
// Passes over the data
//===----------------------------------------------------------------------===//

/// All axes at once: each element is one of the input.
static Value resizeNearest(Lowering &l, const Mode &mode,
                           ArrayRef<Resampled> axes, DimsRef outDims) {
  MLIRContext *context = l.b.getContext();
  int64_t rank = outDims.size();
  // By how much each axis only repeats its elements, if that is known.
  SmallVector<int64_t> repeats(rank, 1);
  bool repeatsOnly = true;
  SmallVector<Value> tables;
  for (const Resampled &r : axes) {
    Tables made = makeTables(l, mode, r, 0, 1);
    tables.push_back(made.elements);
    std::optional<Axis<Numbers>> a = r.getNumbers();
    int64_t times = a && a->in > 0 ? int64_t(a->out / a->in) : 0;
    repeatsOnly &= times > 0 && times * a->in == a->out;
    if (!repeatsOnly)
      continue;
    DenseElementsAttr values;
    matchPattern(made.elements, m_Constant(&values));
    for (auto [i, at] : llvm::enumerate(values.getValues<int64_t>()))
      repeatsOnly &= at == int64_t(i) / times;
    repeats[r.axis] = times;
  }
  Operand x = l.operand(0);
  if (repeatsOnly) {
    SmallVector<AffineExpr> read;
    for (auto [i, times] : llvm::enumerate(repeats))
      read.push_back(getAffineDimExpr(i, context).floorDiv(times));
    x.map = AffineMap::get(rank, 0, read, context);
    return l.elementwise(
        x, outDims, x.element,
        [](ImplicitLocOpBuilder &, ValueRange v) { return v[0]; });
  }
  SmallVector<Operand> inputs;
  for (auto [table, r] : llvm::zip_equal(tables, axes))
    inputs.push_back({table, l.b.getI64Type(),
                      AffineMap::get(rank, 0,
                                     {getAffineDimExpr(r.axis, context),
                                      getAffineConstantExpr(0, context)},
                                     context)});
  return l.elementwise(inputs, outDims, x.element,
                       [&](ImplicitLocOpBuilder &b, ValueRange v) {
                         IndexMath m{b};
                         SmallVector<Value> at;
                         for (int64_t i = 0; i != rank; ++i)
                           at.push_back(m.loop(i));
                         for (auto [value, r] : llvm::zip_equal(v, axes))
                           at[r.axis] = m.fromInt(value);
                         return m.read(x.value, at, x.element);
                       });
}

/// One axis of a tensor of f32 (f64 stays): the sum of its taps.
static Value resizeAxis(Lowering &l, const Mode &mode, const Resampled &r,
                        Operand x, Dims &dims, Type working) {
  MLIRContext *context = l.b.getContext();
  double scale = r.getNumbers() ? r.getNumbers()->scale : 1;
  int64_t first = mode.getFirst(scale), count = mode.getNumTaps(scale);
  Tables tables = makeTables(l, mode, r, first, count);
  unsigned rank = dims.size();
  dims[r.axis] = r.out;
  AffineMap table = AffineMap::get(
      rank + 1, 0,
      {getAffineDimExpr(r.axis, context), getAffineDimExpr(rank, context)},
      context);
  Value init = l.fill(dims, cast<TypedAttr>(l.b.getZeroAttr(working)));
  SmallVector<utils::IteratorType> iterators(rank + 1,
                                             utils::IteratorType::parallel);
  iterators[rank] = utils::IteratorType::reduction;
  Value sum =
      l.generic(
           {tables.elements, tables.weights}, init,
           {table, table, getLoopMap(context, rank + 1, 0, rank)}, iterators,
           [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
             IndexMath m{b};
             SmallVector<Value> at;
             for (unsigned i = 0; i != rank; ++i)
               at.push_back(m.loop(i));
             at[r.axis] = m.fromInt(args[0]);
             Value value = castScalar(b, m.read(x.value, at, x.element),
                                      x.element, working);
             Value weight = castScalar(b, args[1], b.getF32Type(), working);
             return {arith::AddFOp::create(
                 b, args[2], arith::MulFOp::create(b, value, weight))};
           })
          .front();
  if (!mode.isCrop())
    return sum;
  Operand offsets{tables.offsets, l.b.getF32Type(),
                  getLoopMap(context, rank, r.axis, 1)};
  return l.elementwise({Operand{sum, working}, offsets}, dims, working,
                       [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                         Value offset =
                             castScalar(b, v[1], b.getF32Type(), working);
                         return arith::AddFOp::create(b, v[0], offset);
                       });
}

/// The numbers of a constant operand of floats; nothing if it is none.
static std::optional<SmallVector<double>> getFloats(Lowering &l, unsigned i) {
  DenseElementsAttr value = l.constant(i);
  if (!value)
    return std::nullopt;
  return llvm::map_to_vector(value.getValues<APFloat>(),
                             [](APFloat x) { return x.convertToDouble(); });
}

/// Binds the sizes of the result and gives scale, start and end of the region
/// of each axis, f64 [axes, 3], where scales, sizes or region are known only
/// when the program runs.
static Value makeRunTimeAxes(Lowering &l, onnx::ResizeOp op, const Mode &mode,
                             ArrayRef<int64_t> axes, bool byScales) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size(), count = axes.size();
  SmallVector<Value> in = toValues(l, dims);
  Type f64 = l.b.getF64Type(), i64 = l.b.getI64Type();
  StringRef policy = op.getKeepAspectRatioPolicy();
  SmallVector<Value> made = makeGrid(
      l, l.index(1),
      {{{l.index(rank)}, i64, {-1}},
       {{l.index(count), l.index(3)}, f64, {-1, -1}}},
      [&](const Code &c, ValueRange, ValueRange parts) -> Code::Values {
        Emitter m{c.b};
        auto number = [&](unsigned operand, int64_t i) {
          Value x = c.read(l.value(operand), c.constant(i), l.element(operand));
          return castScalar(c.b, x, l.element(operand), f64);
        };
        SmallVector<Value> scales, starts, ends, outs;
        for (auto [i, axis] : llvm::enumerate(axes)) {
          bool crops = mode.isCrop();
          starts.push_back(crops ? number(1, i) : m.constant(0));
          ends.push_back(crops ? number(1, i + count) : m.constant(1));
          Value size = toNumber(c.b, in[axis]);
          // An empty dimension has no scale.
          Value divisor =
              m.select(m.equal(size, m.constant(0)), m.constant(1), size);
          scales.push_back(byScales ? number(2, i)
                                    : m.div(number(3, i), divisor));
        }
        if (!byScales && policy != "stretch") {
          Value common = scales.front();
          for (Value scale : scales)
            common = policy == "not_larger" ? m.min(common, scale)
                                            : m.max(common, scale);
          scales.assign(count, common);
        }
        Value table = parts[1], sizes = parts[0];
        SmallVector<Value> out(in);
        for (auto [i, axis] : llvm::enumerate(axes)) {
          Value size = toNumber(c.b, in[axis]), scaled;
          if (byScales) {
            // In f32, as the operator is defined.
            Value part = m.mul(m.sub(ends[i], starts[i]), scales[i]);
            Value wide = m.mul(size, part);
            wide = castScalar(c.b, castScalar(c.b, wide, f64, c.b.getF32Type()),
                              c.b.getF32Type(), f64);
            scaled = m.floor(wide);
          } else if (policy == "stretch") {
            scaled = number(3, i);
          } else {
            scaled = m.floor(m.add(m.mul(size, scales[i]), m.constant(0.5)));
          }
          Value most = m.constant(0x1p40), least = m.constant(-1);
          Value fits = m.less(scaled, most);
          scaled = m.select(fits, m.max(scaled, least), least);
          out[axis] = c.fromInt(castScalar(c.b, scaled, f64, i64));
          Value row[] = {scales[i], starts[i], ends[i]};
          for (auto [k, value] : llvm::enumerate(row))
            table = c.write(value, table, {c.constant(i), c.constant(k)});
        }
        for (auto [i, size] : llvm::enumerate(out))
          sizes = c.write(arith::IndexCastOp::create(c.b, i64, size), sizes,
                          c.constant(i));
        return {sizes, table};
      });
  for (int64_t axis : axes)
    l.bindDim(0, axis, l.readIndex(made[0], axis));
  return made[1];
}

static LogicalResult lowerResize(onnx::ResizeOp op, Lowering &l) {
  if (op.getMode() != "nearest" && isNarrow(l.element(0)))
    return l.unsupported("expected no interpolation of narrow elements");
  Mode mode(op);
  Dims dims = l.dims(0);
  int64_t rank = dims.size();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (op.getAxes()) {
    axes.assign(op.getAxes()->begin(), op.getAxes()->end());
    for (int64_t &axis : axes)
      axis = normalizeAxis(axis, rank);
  }
  for (unsigned i : {2u, 3u})
    if (l.has(i) && l.rank(i) != 1)
      return l.unsupported("expected scales and sizes of one dimension");
  bool byScales = l.has(2) && l.type(2).getDimSize(0) != 0;
  std::optional<SmallVector<double>> scales, roi;
  if (byScales)
    scales = getFloats(l, 2);
  if (mode.isCrop()) {
    if (!l.has(1) || l.rank(1) != 1 ||
        l.type(1).getDimSize(0) != int64_t(2 * axes.size()))
      return l.unsupported(
          "expected a roi of a start and an end for each axis");
    roi = getFloats(l, 1);
  }
  bool known =
      byScales ? scales.has_value()
               : l.contents(3) && op.getKeepAspectRatioPolicy() == "stretch";
  Value runTime;
  if (!known || (mode.isCrop() && !roi))
    runTime = makeRunTimeAxes(l, op, mode, axes, byScales);
  Dims outDims = l.resultDims();

  SmallVector<Resampled> resampled;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    Resampled r;
    r.axis = axis;
    r.in = dims[axis];
    r.out = outDims[axis];
    r.runTime = runTime;
    r.row = i;
    if (scales)
      r.scale = (*scales)[i];
    if (roi) {
      r.roiStart = (*roi)[i];
      r.roiEnd = (*roi)[i + axes.size()];
    }
    bool same = !runTime && r.in == r.out && (!r.scale || *r.scale == 1) &&
                r.roiStart == 0 && r.roiEnd == 1;
    if (same)
      continue;
    if (mode.antialias && !mode.isNearest() && !r.getNumbers())
      return l.unsupported("expected known sizes for antialias");
    resampled.push_back(r);
  }
  if (resampled.empty())
    return l.replace(l.value(0));
  if (mode.isNearest() && !mode.isCrop())
    return l.replace(resizeNearest(l, mode, resampled, outDims));

  Type element = l.element(0);
  Type working = element.isF64() ? element : Type(l.b.getF32Type());
  Operand x = l.operand(0);
  for (const Resampled &r : resampled)
    x = {resizeAxis(l, mode, r, x, dims, working), working};
  if (working == element)
    return l.replace(x.value);
  return l.replace(l.elementwise(x, outDims, element,
                                 [&](ImplicitLocOpBuilder &b, ValueRange v) {
                                   return castScalar(b, v[0], working, element);
                                 }));
}

void lathe::populateResizePatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerResize);
}
