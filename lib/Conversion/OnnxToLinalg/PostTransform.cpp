// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PostTransform.h"

#include "Elementwise.h"
#include "Sampling.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace lathe;

Operand lathe::castInput(Lowering &l, Type type) {
  Type element = l.element(0);
  if (!type)
    type = l.b.getF32Type();
  if (element == type)
    return l.operand(0);
  return {l.elementwise(l.operand(0), l.dims(0), type,
                        [&](ImplicitLocOpBuilder &b, ValueRange v) {
                          return castScalar(b, v[0], element, type);
                        }),
          type};
}

Operand lathe::castFeatures(Lowering &l, Type type) {
  Operand x = castInput(l, type);
  Dims dims = l.dims(0);
  if (dims.size() == 1)
    x.value = l.view(x.value, {l.index(1), dims[0]});
  return x;
}

Operand lathe::makeFloats(Lowering &l, ArrayRef<float> values,
                          ArrayRef<int64_t> shape) {
  Type f32 = l.b.getF32Type();
  auto type = RankedTensorType::get(shape, f32);
  return {arith::ConstantOp::create(l.b, DenseElementsAttr::get(type, values)),
          f32};
}

/// What counts as zero for SOFTMAX_ZERO.
static constexpr double smallScore = 1e-7;

/// The exponentials of each row's distance from its greatest score, divided by
/// their sum. With `keepsZero` scores of zero are left out of the sum.
static Value makeSoftmax(Lowering &l, Value scores, DimsRef dims,
                         bool keepsZero) {
  Type type = getElementTypeOrSelf(scores.getType());
  SmallVector<Type> types = {type};
  Operand in{scores, type};
  AffineMap row = l.dropAxes(2, 1);
  TypedAttr least =
      l.b.getFloatAttr(type, -std::numeric_limits<double>::infinity());
  Value maximum =
      l.reduce(in, dims, 1, least, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        return Element{b, x, types, type}.max(x[1], x[0]);
      });
  auto isZero = [&](const Element &e, Value x) {
    return e.less(math::AbsFOp::create(e.b, x), e.constant(smallScore));
  };
  Value exponentials =
      l.elementwise({in, Operand{maximum, type, row}}, dims, type,
                    [&](ImplicitLocOpBuilder &b, ValueRange x) {
                      Element e{b, x, types, type};
                      Value power = e.exp(e.sub(x[0], x[1]));
                      if (!keepsZero)
                        return power;
                      Value rest =
                          e.mul(x[0], e.exp(e.sub(e.constant(0), x[1])));
                      return e.select(isZero(e, x[0]), rest, power);
                    });
  Operand power{exponentials, type};
  Value sum = l.reduce({power, in}, dims, 1, l.b.getFloatAttr(type, 0.0),
                       [&](ImplicitLocOpBuilder &b, ValueRange x) {
                         Element e{b, x, types, type};
                         Value more = e.add(x[2], x[0]);
                         if (!keepsZero)
                           return more;
                         return e.select(isZero(e, x[1]), x[2], more);
                       });
  return l.elementwise({power, Operand{sum, type, row}}, dims, type,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) {
                         return Element{b, x, types, type}.div(x[0], x[1]);
                       });
}

/// sqrt(2) erfinv(2 p - 1), by the approximation that the operators are defined
/// with: Winitzki, "A Handy Approximation for the Error Function and Its
/// Inverse" (2008), a = 0.147 and pi = 3.14159.
static Value emitProbit(const FloatMath &f, Value p) {
  Value x = f.sub(f.mul(f.constant(2), p), f.constant(1));
  Value one = f.constant(1), zero = f.constant(0);
  Value product = f.mul(f.sub(one, x), f.add(one, x));
  Value log = math::LogOp::create(f.b, product);
  Value v =
      f.add(f.constant(2 / (3.14159 * 0.147)), f.mul(f.constant(0.5), log));
  Value root = math::SqrtOp::create(
      f.b, f.sub(f.mul(v, v), f.mul(f.constant(1 / 0.147), log)));
  Value inverse = math::SqrtOp::create(f.b, f.sub(root, v));
  inverse = math::CopySignOp::create(f.b, inverse, x);
  Value atEnd =
      arith::CmpFOp::create(f.b, arith::CmpFPredicate::OEQ, product, zero);
  return f.mul(f.constant(llvm::numbers::sqrt2),
               f.select(atEnd, zero, inverse));
}

Value lathe::applyPostTransform(Lowering &l, Value scores, DimsRef dims,
                                StringRef transform) {
  Type type = getElementTypeOrSelf(scores.getType());
  SmallVector<Type> types = {type};
  if (transform == "SOFTMAX" || transform == "SOFTMAX_ZERO")
    return makeSoftmax(l, scores, dims, transform == "SOFTMAX_ZERO");
  if (transform == "NONE")
    return scores;
  bool logistic = transform == "LOGISTIC";
  return l.elementwise(Operand{scores, type}, dims, type,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) {
                         if (logistic)
                           return Element{b, x, types, type}.sigmoid(x[0]);
                         return emitProbit(FloatMath{b, type}, x[0]);
                       });
}

Value lathe::pickLabels(Lowering &l, Value scores, ArrayRef<int64_t> labels,
                        DimsRef dims) {
  Type i64 = l.b.getI64Type(), f32 = l.b.getF32Type();
  Value least = l.fill(
      dims[0], l.b.getFloatAttr(f32, -std::numeric_limits<double>::infinity()));
  Value first = l.fill(dims[0], l.b.getI64IntegerAttr(labels.front()));
  auto type = RankedTensorType::get(int64_t(labels.size()), i64);
  Value table =
      arith::ConstantOp::create(l.b, DenseElementsAttr::get(type, labels));
  AffineMap row = l.dropAxes(2, 1), column = l.dropAxes(2, 0);
  return l.generic(
      {scores, table}, {least, first},
      {l.b.getMultiDimIdentityMap(2), column, row, row},
      {utils::IteratorType::parallel, utils::IteratorType::reduction},
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> SmallVector<Value> {
        SmallVector<Type> types = {f32};
        Element e{b, x, types, f32};
        Value better = e.less(x[2], x[0]);
        return {e.select(better, x[0], x[2]), e.select(better, x[1], x[3])};
      })[1];
}
