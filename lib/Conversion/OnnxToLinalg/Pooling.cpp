// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pooling: reductions over windows, or over all of space. An operand of the
// kernel's size, never read, gives the loops of the window their bounds.

#include "Contraction.h"
#include "Families.h"
#include "Limits.h"
#include "Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lathe;

static Value emitMax(ImplicitLocOpBuilder &b, Value acc, Value x,
                     Type element) {
  if (isa<FloatType>(element))
    return arith::MaximumFOp::create(b, acc, x);
  if (isUnsigned(element))
    return arith::MaxUIOp::create(b, acc, x);
  return arith::MaxSIOp::create(b, acc, x);
}

/// Reduces windows of the input, padded with `padding`, into `inits`. The body
/// gets an element in compute type and the accumulators.
static SmallVector<Value> reduceWindows(
    Lowering &l, const Window &window, TypedAttr padding, ValueRange inits,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, ValueRange)>
        body) {
  MLIRContext *context = l.b.getContext();
  unsigned space = window.kernel.size(), loops = 2 + 2 * space;
  Value x = padSpace(l, l.value(0), window, padding);
  Value shape = l.empty(getAsIndexOpFoldResult(context, window.kernel),
                        padding.getType());
  SmallVector<AffineExpr> read = {getAffineDimExpr(0, context),
                                  getAffineDimExpr(1, context)};
  llvm::append_range(read, getWindowExprs(window, 2, 2 + space, context));
  SmallVector<AffineMap> maps = {AffineMap::get(loops, 0, read, context),
                                 getLoopMap(context, loops, 2 + space, space)};
  maps.append(inits.size(), getLoopMap(context, loops, 0, 2 + space));
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), 2 + space, utils::IteratorType::parallel);
  return l.generic({x, shape}, inits, maps, iterators,
                   [&](ImplicitLocOpBuilder &b, ValueRange args) {
                     Value value = loadScalar(b, args[0], l.element(0));
                     return body(b, value, args.drop_front(2));
                   });
}

//===----------------------------------------------------------------------===//
// MaxPool
//===----------------------------------------------------------------------===//

/// The position in the flattened input of what the window's loops stand at.
static Value getPosition(ImplicitLocOpBuilder &b, const Window &window,
                         ArrayRef<Value> sizes, ArrayRef<Value> lows,
                         bool columnMajor) {
  unsigned space = window.kernel.size();
  auto constant = [&](int64_t value) {
    return makeConstant(b, b.getIndexType(), value);
  };
  auto multiplyAdd = [&](Value x, Value y, Value z) -> Value {
    return arith::AddIOp::create(b, arith::MulIOp::create(b, x, y), z);
  };
  SmallVector<Value> at;
  for (unsigned i = 0; i != space; ++i) {
    Value start =
        arith::MulIOp::create(b, Value(linalg::IndexOp::create(b, 2 + i)),
                              constant(window.strides[i]));
    Value inner = multiplyAdd(linalg::IndexOp::create(b, 2 + space + i),
                              constant(window.dilations[i]), start);
    at.push_back(arith::SubIOp::create(b, inner, lows[i]));
  }
  Value position = multiplyAdd(linalg::IndexOp::create(b, 0), sizes[1],
                               linalg::IndexOp::create(b, 1));
  for (unsigned i = 0; i != space; ++i)
    position = arith::MulIOp::create(b, position, sizes[i + 2]);
  Value inside = constant(0);
  for (unsigned i = 0; i != space; ++i) {
    unsigned k = columnMajor ? space - 1 - i : i;
    inside = multiplyAdd(inside, sizes[k + 2], at[k]);
  }
  return arith::AddIOp::create(b, position, inside);
}

static LogicalResult lowerMaxPool(onnx::MaxPoolOp op, Lowering &l) {
  FailureOr<Window> window = makeWindow(op, l, op.getKernelShape());
  if (failed(window))
    return failure();
  Type element = l.element(0), compute = getComputeType(element);
  Dims dims = l.resultDims();
  Type accumulated = isa<FloatType>(element) ? compute : element;
  Value init = l.fill(dims, getLeast(l.b, accumulated));
  TypedAttr padding = getLeast(l.b, element);
  if (op.getIndices().use_empty()) {
    Value y = reduceWindows(l, *window, padding, init,
                            [&](ImplicitLocOpBuilder &b, Value x,
                                ValueRange acc) -> SmallVector<Value> {
                              return {emitMax(b, acc[0], x, element)};
                            })
                  .front();
    // Nobody reads the positions.
    Value none = l.empty(dims, l.b.getI64Type());
    return l.replace({store(l, y, dims, element), none});
  }

  // The first of several greatest: later ones must be greater. -1 stands for a
  // window that has seen nothing yet.
  SmallVector<Value> sizes, lows;
  for (OpFoldResult size : l.dims(0))
    sizes.push_back(l.toValue(size));
  for (OpFoldResult low : window->low)
    lows.push_back(l.toValue(low));
  Value positions = l.fill(dims, l.b.getI64IntegerAttr(-1));
  SmallVector<Value> made = reduceWindows(
      l, *window, padding, {init, positions},
      [&](ImplicitLocOpBuilder &b, Value x,
          ValueRange acc) -> SmallVector<Value> {
        Value greater;
        if (isa<FloatType>(element))
          greater =
              arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, acc[0]);
        else
          greater = arith::CmpIOp::create(b,
                                          isUnsigned(element)
                                              ? arith::CmpIPredicate::ugt
                                              : arith::CmpIPredicate::sgt,
                                          x, acc[0]);
        Value at = getPosition(b, *window, sizes, lows, op.getStorageOrder());
        at = arith::IndexCastOp::create(b, b.getI64Type(), at);
        return {arith::SelectOp::create(b, greater, x, acc[0]),
                arith::SelectOp::create(b, greater, at, acc[1])};
      });
  return l.replace({store(l, made[0], dims, element), made[1]});
}

//===----------------------------------------------------------------------===//
// AveragePool, LpPool
//===----------------------------------------------------------------------===//

/// How many elements of the window at `position` lie in [first, last), counted
/// in the input: those `k` with first <= position * stride - low + k * dilation
/// < last.
static Value countInside(ImplicitLocOpBuilder &b, Value position, int64_t size,
                         int64_t stride, int64_t dilation, Value low,
                         Value first, Value last) {
  auto constant = [&](int64_t value) {
    return makeConstant(b, b.getIndexType(), value);
  };
  Value start = arith::SubIOp::create(
      b, arith::MulIOp::create(b, position, constant(stride)), low);
  auto clamp = [&](Value bound) -> Value {
    Value distance = arith::SubIOp::create(b, bound, start);
    Value steps = dilation == 1 ? distance
                                : Value(arith::CeilDivSIOp::create(
                                      b, distance, constant(dilation)));
    steps = arith::MaxSIOp::create(b, steps, constant(0));
    return arith::MinSIOp::create(b, steps, constant(size));
  };
  return arith::SubIOp::create(b, clamp(last), clamp(first));
}

static LogicalResult lowerAveragePool(onnx::AveragePoolOp op, Lowering &l) {
  FailureOr<Window> window = makeWindow(op, l, op.getKernelShape());
  if (failed(window))
    return failure();
  Type element = l.element(0), compute = getComputeType(element);
  Dims dims = l.resultDims(), inDims = l.dims(0);
  TypedAttr zero = l.b.getFloatAttr(compute, 0.0);
  Value sum =
      reduceWindows(l, *window,
                    cast<TypedAttr>(l.b.getZeroAttr(getStorageType(element))),
                    l.fill(dims, zero),
                    [](ImplicitLocOpBuilder &b, Value x,
                       ValueRange acc) -> SmallVector<Value> {
                      return {arith::AddFOp::create(b, acc[0], x)};
                    })
          .front();

  // The range of positions that count, per dimension; where all windows lie in
  // it, the count is the kernel's size.
  unsigned space = window->kernel.size();
  int64_t constantCount = 1;
  struct Bound {
    unsigned dim;
    Value low, first, last;
  };
  SmallVector<Bound> bounds;
  std::optional<ArrayRef<int64_t>> pads = op.getPads();
  bool explicitPads = pads && op.getAutoPad() == "NOTSET";
  for (unsigned i = 0; i != space; ++i) {
    OpFoldResult low = window->low[i], first = l.index(0), last = inDims[i + 2];
    OpFoldResult high = window->high[i];
    // No window is meant to reach past the end.
    bool endsInside = explicitPads ? (*pads)[i + space] == 0
                                   : !op.getAutoPad().starts_with("SAME");
    if (op.getCountIncludePad()) {
      first = l.apply(-l.b.getAffineSymbolExpr(0), low);
      int64_t after = explicitPads ? (*pads)[i + space] : 0;
      OpFoldResult counted = op.getAutoPad().starts_with("SAME")
                                 ? high
                                 : OpFoldResult(l.index(after));
      last = l.apply(l.b.getAffineSymbolExpr(0) + l.b.getAffineSymbolExpr(1),
                     {last, counted});
      std::optional<int64_t> read = getConstantIntValue(high);
      std::optional<int64_t> given = getConstantIntValue(counted);
      if (high == counted || (read && given && *read <= *given) ||
          (!op.getCeilMode() && !read)) {
        constantCount *= window->kernel[i];
        continue;
      }
    } else if (isConstantIntValue(low, 0) &&
               (isConstantIntValue(high, 0) ||
                (endsInside && !op.getCeilMode()))) {
      constantCount *= window->kernel[i];
      continue;
    }
    bounds.push_back({i, l.toValue(low), l.toValue(first), l.toValue(last)});
  }
  return l.replace(l.elementwise(
      Operand{sum, compute}, dims, element,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value count = makeConstant(b, b.getIndexType(), constantCount);
        for (const Bound &bound : bounds) {
          unsigned i = bound.dim;
          Value n = countInside(b, linalg::IndexOp::create(b, i + 2),
                                window->kernel[i], window->strides[i],
                                window->dilations[i], bound.low, bound.first,
                                bound.last);
          count = arith::MulIOp::create(b, count, n);
        }
        if (bounds.empty())
          return arith::DivFOp::create(b, x[0],
                                       makeConstant(b, compute, constantCount));
        Value wide = arith::IndexCastOp::create(b, b.getI32Type(), count);
        return arith::DivFOp::create(
            b, x[0], Value(arith::SIToFPOp::create(b, compute, wide)));
      }));
}

/// |x|^p
static Value emitPower(ImplicitLocOpBuilder &b, Value x, int64_t p) {
  if (p == 2)
    return arith::MulFOp::create(b, x, x);
  Value positive = math::AbsFOp::create(b, x);
  if (p == 1)
    return positive;
  return math::PowFOp::create(b, positive, makeConstant(b, x.getType(), p));
}

/// x^(1/p)
static Value emitRoot(ImplicitLocOpBuilder &b, Value x, int64_t p) {
  if (p == 1)
    return x;
  if (p == 2)
    return math::SqrtOp::create(b, x);
  return math::PowFOp::create(b, x, makeConstant(b, x.getType(), 1.0 / p));
}

static Value makeRoots(Lowering &l, Value sum, DimsRef dims, int64_t p) {
  Type element = l.resultElement();
  return l.elementwise(Operand{sum, getComputeType(element)}, dims, element,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) {
                         return emitRoot(b, x[0], p);
                       });
}

static LogicalResult lowerLpPool(onnx::LpPoolOp op, Lowering &l) {
  FailureOr<Window> window = makeWindow(op, l, op.getKernelShape());
  if (failed(window))
    return failure();
  int64_t p = op.getP();
  Type element = l.element(0);
  Dims dims = l.resultDims();
  TypedAttr zero = l.b.getFloatAttr(getComputeType(element), 0.0);
  Value sum =
      reduceWindows(
          l, *window, cast<TypedAttr>(l.b.getZeroAttr(getStorageType(element))),
          l.fill(dims, zero),
          [&](ImplicitLocOpBuilder &b, Value x,
              ValueRange acc) -> SmallVector<Value> {
            return {arith::AddFOp::create(b, acc[0], emitPower(b, x, p))};
          })
          .front();
  return l.replace(makeRoots(l, sum, dims, p));
}

//===----------------------------------------------------------------------===//
// Global pooling
//===----------------------------------------------------------------------===//

/// Reduces all of space; the result has the compute type and two dimensions.
static Value reduceSpace(Lowering &l, TypedAttr init, ScalarBody body) {
  Dims dims = l.dims(0);
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(2, dims.size()));
  return l.reduce(l.operand(0), dims, axes, init, body);
}

static LogicalResult lowerGlobalAveragePool(onnx::GlobalAveragePoolOp,
                                            Lowering &l) {
  Type element = l.element(0), compute = getComputeType(element);
  Dims dims = l.dims(0);
  Value sum = reduceSpace(l, l.b.getFloatAttr(compute, 0.0),
                          [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                            return arith::AddFOp::create(b, x[1], x[0]);
                          });
  OpFoldResult count = l.product(ArrayRef(dims).drop_front(2));
  Value dynamic = isa<Attribute>(count) ? Value() : cast<Value>(count);
  Value mean = l.elementwise(
      Operand{sum, compute}, ArrayRef(dims).take_front(2), element,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value n;
        if (dynamic)
          n = arith::SIToFPOp::create(
              b, compute,
              Value(arith::IndexCastOp::create(b, b.getI64Type(), dynamic)));
        else
          n = makeConstant(b, compute, *getConstantIntValue(count));
        return arith::DivFOp::create(b, x[0], n);
      });
  return l.replace(l.view(mean, l.resultDims()));
}

static LogicalResult lowerGlobalMaxPool(onnx::GlobalMaxPoolOp, Lowering &l) {
  Type element = l.element(0), compute = getComputeType(element);
  Value greatest = reduceSpace(l, getLeast(l.b, compute),
                               [&](ImplicitLocOpBuilder &b, ValueRange x) {
                                 return emitMax(b, x[1], x[0], element);
                               });
  Dims dims = l.dims(0);
  Value stored = store(l, greatest, ArrayRef(dims).take_front(2), element);
  return l.replace(l.view(stored, l.resultDims()));
}

static LogicalResult lowerGlobalLpPool(onnx::GlobalLpPoolOp op, Lowering &l) {
  int64_t p = op.getP();
  Type compute = getComputeType(l.element(0));
  Value sum = reduceSpace(l, l.b.getFloatAttr(compute, 0.0),
                          [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                            return arith::AddFOp::create(b, x[1],
                                                         emitPower(b, x[0], p));
                          });
  Dims dims = l.dims(0);
  Value roots = makeRoots(l, sum, ArrayRef(dims).take_front(2), p);
  return l.replace(l.view(roots, l.resultDims()));
}

void lathe::populatePoolingPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &types) {
  addLowering(patterns, types, lowerMaxPool);
  addLowering(patterns, types, lowerAveragePool);
  addLowering(patterns, types, lowerLpPool);
  addLowering(patterns, types, lowerGlobalAveragePool);
  addLowering(patterns, types, lowerGlobalMaxPool);
  addLowering(patterns, types, lowerGlobalLpPool);
}
