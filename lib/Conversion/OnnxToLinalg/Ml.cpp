// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators of the domain ai.onnx.ml on features [batch, features].

#include "lathe/Dialect/Onnx/IR/Ml.h"
#include "Contraction.h"
#include "Elementwise.h"
#include "Families.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <limits>

using namespace mlir;
using namespace lathe;

/// A constant of f32 numbers.
static Operand makeFloats(Lowering &l, ArrayRef<float> values,
                          ArrayRef<int64_t> shape) {
  Type f32 = l.b.getF32Type();
  auto type = RankedTensorType::get(shape, f32);
  return {arith::ConstantOp::create(l.b, DenseElementsAttr::get(type, values)),
          f32};
}

/// X as f32.
static Operand castInput(Lowering &l) {
  Type f32 = l.b.getF32Type();
  if (l.element(0) == f32)
    return l.operand(0);
  return {l.elementwise(l.operand(0), l.dims(0), f32,
                        [&](ImplicitLocOpBuilder &b, ValueRange x) {
                          return castScalar(b, x[0], l.element(0), f32);
                        }),
          f32};
}

/// (X - offset) * scale, each one number or one per feature.
static LogicalResult lowerScaler(onnx::MlScalerOp op, Lowering &l) {
  int64_t rank = l.rank(0);
  auto read = [&](std::optional<ArrayRef<float>> values,
                  float missing) -> std::optional<Operand> {
    if (!values || values->empty())
      return makeFloats(l, missing, {1});
    int64_t features = l.type(0).getDimSize(rank - 1);
    if (values->size() != 1 && int64_t(values->size()) != features)
      return std::nullopt;
    return makeFloats(l, *values, int64_t(values->size()));
  };
  std::optional<Operand> offset = read(op.getOffset(), 0);
  std::optional<Operand> scale = read(op.getScale(), 1);
  if (!offset || !scale)
    return l.unsupported("expected one offset and scale per feature");
  return l.replace(l.elementwise(
      {castInput(l), *offset, *scale}, l.resultDims(), l.resultElement(),
      [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        return arith::MulFOp::create(b, arith::SubFOp::create(b, x[0], x[1]),
                                     x[2]);
      }));
}

/// Divides each row by its greatest, its sum of magnitudes or its Euclidean
/// norm.
static LogicalResult lowerNormalizer(onnx::MlNormalizerOp op, Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size();
  Type f32 = l.b.getF32Type();
  StringRef norm = op.getNorm();
  Operand x = castInput(l);
  SmallVector<Type> types = {f32};
  double least = -std::numeric_limits<double>::infinity();
  Value row = l.reduce(x, dims, rank - 1,
                       l.b.getFloatAttr(f32, norm == "MAX" ? least : 0.0),
                       [&](ImplicitLocOpBuilder &b, ValueRange v) {
                         Element e{b, v, types, f32};
                         if (norm == "MAX")
                           return e.max(v[1], v[0]);
                         if (norm == "L1")
                           return e.add(v[1], math::AbsFOp::create(b, v[0]));
                         return e.add(v[1], e.mul(v[0], v[0]));
                       });
  return l.replace(l.elementwise(
      {x, Operand{row, f32, l.dropAxes(rank, rank - 1)}}, dims, f32,
      [&](ImplicitLocOpBuilder &b, ValueRange v) {
        Element e{b, v, types, f32};
        Value by = norm == "L2" ? e.call<math::SqrtOp>(v[1]) : v[1];
        // A row of zeros stays.
        Value isZero = e.equal(by, e.constant(0));
        return e.div(v[0], e.select(isZero, e.constant(1), by));
      }));
}

//===----------------------------------------------------------------------===//
// Linear models
//===----------------------------------------------------------------------===//

/// X * coefficients' + intercepts: [batch, outputs].
static FailureOr<Value> makeScores(Lowering &l, ArrayRef<float> coefficients,
                                   std::optional<ArrayRef<float>> intercepts,
                                   int64_t outputs, DimsRef dims) {
  MLIRContext *context = l.b.getContext();
  int64_t features = l.type(0).getDimSize(l.rank(0) - 1);
  if (l.rank(0) != 2 || int64_t(coefficients.size()) != outputs * features)
    return l.unsupported("expected " + Twine(outputs) +
                         " coefficients per feature of a matrix, got " +
                         Twine(coefficients.size()));
  if (intercepts && !intercepts->empty() &&
      int64_t(intercepts->size()) != outputs)
    return l.unsupported("expected " + Twine(outputs) + " intercepts, got " +
                         Twine(intercepts->size()));
  AffineExpr n, o, k;
  bindDims(context, n, o, k);
  Operand x = castInput(l);
  x.map = AffineMap::get(3, 0, {n, k}, context);
  // [features, outputs], as contractions read weights.
  SmallVector<float> turned(coefficients.size());
  for (int64_t i = 0; i != outputs; ++i)
    for (int64_t j = 0; j != features; ++j)
      turned[j * outputs + i] = coefficients[i * features + j];
  Operand w = makeFloats(l, turned, {features, outputs});
  w.map = AffineMap::get(3, 0, {k, o}, context);
  Value scores = contract(l, {x, w}, 3, dims);
  if (!intercepts || intercepts->empty())
    return scores;
  return l.elementwise(
      {Operand{scores, x.element}, makeFloats(l, *intercepts, outputs)}, dims,
      x.element, [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        return arith::AddFOp::create(b, v[0], v[1]);
      });
}

/// Applies `transform` to each row of scores; reports one that is not known.
static FailureOr<Value> postTransform(Lowering &l, Value scores, DimsRef dims,
                                      StringRef transform) {
  Type f32 = l.b.getF32Type();
  SmallVector<Type> types = {f32};
  Operand in{scores, f32};
  if (transform == "NONE")
    return scores;
  if (transform == "LOGISTIC")
    return l.elementwise(in, dims, f32,
                         [&](ImplicitLocOpBuilder &b, ValueRange x) {
                           return Element{b, x, types, f32}.sigmoid(x[0]);
                         });
  if (transform != "SOFTMAX")
    return l.unsupported("expected a post_transform of NONE, LOGISTIC or "
                         "SOFTMAX, got " +
                         transform);
  AffineMap row = l.dropAxes(2, 1);
  TypedAttr least =
      l.b.getFloatAttr(f32, -std::numeric_limits<double>::infinity());
  Value maximum =
      l.reduce(in, dims, 1, least, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        return Element{b, x, types, f32}.max(x[1], x[0]);
      });
  Value exponentials =
      l.elementwise({in, Operand{maximum, f32, row}}, dims, f32,
                    [&](ImplicitLocOpBuilder &b, ValueRange x) {
                      Element e{b, x, types, f32};
                      return e.exp(e.sub(x[0], x[1]));
                    });
  Operand power{exponentials, f32};
  Value sum = l.reduce(power, dims, 1, l.b.getFloatAttr(f32, 0.0),
                       [&](ImplicitLocOpBuilder &b, ValueRange x) {
                         return Element{b, x, types, f32}.add(x[1], x[0]);
                       });
  return l.elementwise({power, Operand{sum, f32, row}}, dims, f32,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) {
                         return Element{b, x, types, f32}.div(x[0], x[1]);
                       });
}

static LogicalResult lowerLinearRegressor(onnx::MlLinearRegressorOp op,
                                          Lowering &l) {
  if (!op.getCoefficients())
    return l.unsupported("expected coefficients");
  Dims dims = l.resultDims();
  FailureOr<Value> scores =
      makeScores(l, *op.getCoefficients(), op.getIntercepts(),
                 int64_t(op.getTargets()), dims);
  if (failed(scores))
    return failure();
  FailureOr<Value> y = postTransform(l, *scores, dims, op.getPostTransform());
  if (failed(y))
    return failure();
  return l.replace(*y);
}

/// The label of the greatest score of each row, the first of several.
static Value pickLabels(Lowering &l, Value scores, ArrayRef<int64_t> labels,
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

static LogicalResult lowerLinearClassifier(onnx::MlLinearClassifierOp op,
                                           Lowering &l) {
  std::optional<ArrayRef<int64_t>> labels = op.getClasslabelsInts();
  if (!labels || labels->size() < 2)
    return l.unsupported("expected two or more whole numbers as class labels");
  Dims dims = l.resultDims(1);
  FailureOr<Value> scores =
      makeScores(l, op.getCoefficients(), op.getIntercepts(),
                 int64_t(labels->size()), dims);
  if (failed(scores))
    return failure();
  FailureOr<Value> z = postTransform(l, *scores, dims, op.getPostTransform());
  if (failed(z))
    return failure();
  return l.replace({pickLabels(l, *scores, *labels, dims), *z});
}

void lathe::populateMlPatterns(RewritePatternSet &patterns,
                               const TypeConverter &types) {
  addLowering(patterns, types, lowerScaler);
  addLowering(patterns, types, lowerNormalizer);
  addLowering(patterns, types, lowerLinearRegressor);
  addLowering(patterns, types, lowerLinearClassifier);
}
