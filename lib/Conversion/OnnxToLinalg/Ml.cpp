// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators of the domain ai.onnx.ml on features [batch, features].

#include "lathe/Dialect/Onnx/IR/Ml.h"
#include "Checks.h"
#include "Contraction.h"
#include "Elementwise.h"
#include "Families.h"
#include "Indexing.h"
#include "PostTransform.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <limits>

using namespace mlir;
using namespace lathe;

static LogicalResult expectRows(Lowering &l) {
  if (l.rank(0) > 0)
    return success();
  return l.unsupported("expected rows of features as input 0, got a scalar");
}

/// (X - offset) * scale, each one number or one per feature.
static LogicalResult lowerScaler(onnx::MlScalerOp op, Lowering &l) {
  if (failed(expectRows(l)))
    return failure();
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
  if (failed(expectRows(l)))
    return failure();
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
  if (int64_t(coefficients.size()) != outputs * features)
    return l.unsupported("expected " + Twine(outputs) +
                         " coefficients per feature, got " +
                         Twine(coefficients.size()));
  if (intercepts && !intercepts->empty() &&
      int64_t(intercepts->size()) != outputs)
    return l.unsupported("expected " + Twine(outputs) + " intercepts, got " +
                         Twine(intercepts->size()));
  AffineExpr n, o, k;
  bindDims(context, n, o, k);
  Operand x = castFeatures(l);
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
  return l.replace(applyPostTransform(l, *scores, dims, op.getPostTransform()));
}

/// One score for two classes: the second from it, the first from what is left
/// to one.
static LogicalResult lowerOneScore(onnx::MlLinearClassifierOp op, Lowering &l,
                                   ArrayRef<int64_t> labels) {
  Dims dims = l.resultDims(1), one{dims[0], l.index(1)};
  Type f32 = l.b.getF32Type();
  FailureOr<Value> scores =
      makeScores(l, op.getCoefficients(), op.getIntercepts(), 1, one);
  if (failed(scores))
    return failure();
  Operand score{*scores, f32};
  Operand label = score;
  label.map = AffineMap::get(
      1, 0, {l.b.getAffineDimExpr(0), l.b.getAffineConstantExpr(0)},
      l.b.getContext());
  Value y = l.elementwise(
      label, dims[0], l.b.getI64Type(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value above = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x[0],
                                            makeConstant(b, f32, 0));
        auto constant = [&](int64_t value) -> Value {
          return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
        };
        return arith::SelectOp::create(b, above, constant(labels[1]),
                                       constant(labels[0]));
      });
  Value z = l.elementwise(
      score, dims, f32, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        IndexMath m{b};
        Value rest = arith::SubFOp::create(b, makeConstant(b, f32, 1), x[0]);
        return m.select(m.equal(m.loop(1), m.constant(0)), rest, x[0]);
      });
  return l.replace({y, z});
}

static LogicalResult lowerLinearClassifier(onnx::MlLinearClassifierOp op,
                                           Lowering &l) {
  std::optional<ArrayRef<int64_t>> labels = op.getClasslabelsInts();
  if (!labels || labels->size() < 2)
    return l.unsupported("expected two or more whole numbers as class labels");
  Dims dims = l.resultDims(1);
  int64_t features = l.type(0).getDimSize(l.rank(0) - 1);
  if (labels->size() == 2 && int64_t(op.getCoefficients().size()) == features)
    return lowerOneScore(op, l, *labels);
  FailureOr<Value> scores =
      makeScores(l, op.getCoefficients(), op.getIntercepts(),
                 int64_t(labels->size()), dims);
  if (failed(scores))
    return failure();
  Value z = applyPostTransform(l, *scores, dims, op.getPostTransform());
  return l.replace({pickLabels(l, *scores, *labels, dims), z});
}

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

static LogicalResult
lowerArrayFeatureExtractor(onnx::MlArrayFeatureExtractorOp op, Lowering &l) {
  Dims dims = l.dims(0);
  OpFoldResult count = l.product(l.dims(1));
  int64_t rank = dims.size();
  if (failed(checkIndices(l, 1, dims.back(), rank - 1, /*fromEnd=*/false)))
    return failure();
  Value data = l.value(0), size = l.toValue(dims.back());
  Dims out = dims;
  out.back() = count;
  Operand at{l.view(l.value(1), count), l.element(1)};
  at.map =
      AffineMap::get(rank, 0, l.b.getAffineDimExpr(rank - 1), l.b.getContext());
  Value taken = l.elementwise(at, out, l.resultElement(),
                              [&](ImplicitLocOpBuilder &b, ValueRange x) {
                                IndexMath m{b};
                                SmallVector<Value> index;
                                for (int64_t i = 0; i + 1 != rank; ++i)
                                  index.push_back(m.loop(i));
                                index.push_back(m.clamp(m.fromInt(x[0]), size));
                                return m.read(data, index, l.element(0));
                              });
  return l.replace(l.view(taken, l.resultDims()));
}

static LogicalResult lowerBinarizer(onnx::MlBinarizerOp op, Lowering &l) {
  Type element = l.element(0);
  double threshold = op.getThreshold().convertToFloat();
  return l.replace(l.elementwise(
      l.operand(0), l.resultDims(), element,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        // Whole numbers are compared with the fraction, as f64.
        Type f64 = b.getF64Type();
        Value wide = castScalar(b, x[0], element, f64);
        Value above = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, wide,
                                            makeConstant(b, f64, threshold));
        return arith::SelectOp::create(b, above,
                                       makeConstant(b, x[0].getType(), 1),
                                       makeConstant(b, x[0].getType(), 0));
      }));
}

/// Column `j` of the result is one of the input whose columns lie there.
static LogicalResult lowerFeatureVectorizer(onnx::MlFeatureVectorizerOp op,
                                            Lowering &l) {
  Dims out = l.resultDims();
  Type f32 = l.b.getF32Type();
  std::optional<ArrayRef<int64_t>> taken = op.getInputdimensions();
  AffineExpr sum = l.b.getAffineSymbolExpr(0) + l.b.getAffineSymbolExpr(1);
  OpFoldResult end = l.index(0);
  struct Part {
    Value source, begin, end, width;
    Type element;
  };
  SmallVector<Part> parts;
  for (unsigned i = 0, e = l.getNumOperands(); i != e; ++i) {
    Dims dims = l.dims(i);
    OpFoldResult width = dims.back();
    Value source = l.value(i);
    if (dims.size() == 1)
      source = l.view(source, {l.index(1), width});
    OpFoldResult begin = end;
    end = l.apply(sum, {end, taken ? l.index((*taken)[i]) : width});
    parts.push_back({source, l.toValue(begin), l.toValue(end), l.toValue(width),
                     l.element(i)});
  }
  return l.replace(
      l.elementwise({}, out, f32, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        Value result = makeConstant(b, f32, 0);
        for (const Part &part : parts) {
          auto type = cast<RankedTensorType>(part.source.getType());
          if (type.getDimSize(1) == 0)
            continue;
          Value column = m.sub(m.loop(1), part.begin);
          Value isHere = m.both(m.less(m.constant(-1), column),
                                m.less(m.loop(1), part.end));
          Value x =
              m.read(part.source, {m.loop(0), m.clamp(column, part.width)},
                     part.element);
          result =
              m.select(isHere, castScalar(b, x, part.element, f32), result);
        }
        return result;
      }));
}

static LogicalResult lowerImputer(onnx::MlImputerOp op, Lowering &l) {
  Type element = l.element(0), type = getComputeType(element);
  bool isFloat = isa<FloatType>(element);
  SmallVector<Attribute> values;
  std::optional<ArrayRef<float>> floats = op.getImputedValueFloats();
  std::optional<ArrayRef<int64_t>> whole = op.getImputedValueInt64s();
  if (isFloat && floats)
    for (float x : *floats)
      values.push_back(l.b.getFloatAttr(type, x));
  if (!isFloat && whole)
    for (int64_t x : *whole)
      values.push_back(l.b.getIntegerAttr(type, x));
  int64_t features = l.rank(0) ? l.type(0).getDimSize(l.rank(0) - 1) : 1;
  if (values.empty() ||
      (values.size() != 1 && int64_t(values.size()) != features))
    return l.unsupported(
        "expected one imputed value, or one per feature, got " +
        Twine(values.size()));
  auto shape = RankedTensorType::get(int64_t(values.size()), type);
  Operand imputed{
      arith::ConstantOp::create(l.b, DenseElementsAttr::get(shape, values)),
      element};
  double replaced = op.getReplacedValueFloat().convertToFloat();
  return l.replace(l.elementwise(
      {l.operand(0), imputed}, l.resultDims(), element,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value hit;
        if (!isFloat)
          hit = arith::CmpIOp::create(
              b, arith::CmpIPredicate::eq, x[0],
              arith::ConstantOp::create(
                  b, b.getIntegerAttr(type, op.getReplacedValueInt64())));
        else if (std::isnan(replaced))
          hit = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x[0], x[0]);
        else
          hit = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, x[0],
                                      makeConstant(b, type, replaced));
        return arith::SelectOp::create(b, hit, x[1], x[0]);
      }));
}

static LogicalResult lowerOneHotEncoder(onnx::MlOneHotEncoderOp op,
                                        Lowering &l) {
  std::optional<ArrayRef<int64_t>> categories = op.getCatsInt64s();
  if (!categories || categories->empty())
    return l.unsupported("expected categories that are whole numbers");
  Type element = l.element(0), i64 = l.b.getI64Type(), f32 = l.b.getF32Type();
  Dims dims = l.resultDims();
  int64_t rank = dims.size();
  Operand x = l.operand(0);
  x.map = l.dropAxes(rank, rank - 1);
  auto type = RankedTensorType::get(int64_t(categories->size()), i64);
  Operand table{
      arith::ConstantOp::create(l.b, DenseElementsAttr::get(type, *categories)),
      i64};
  Value marks = l.elementwise(
      {x, table}, dims, f32, [&](ImplicitLocOpBuilder &b, ValueRange v) {
        Value number = castScalar(b, v[0], element, i64);
        Value hit =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number, v[1]);
        return Value(arith::UIToFPOp::create(b, f32, hit));
      });
  if (!op.getZeros()) {
    Value found =
        l.reduce(Operand{marks, f32}, dims, rank - 1, l.b.getFloatAttr(f32, 0),
                 [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                   return arith::MaximumFOp::create(b, v[1], v[0]);
                 });
    checkElements(
        l, {found, f32}, l.dims(0),
        [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
          return arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, v[0],
                                       makeConstant(b, f32, 0));
        },
        "expects elements that are one of the categories");
  }
  return l.replace(marks);
}

void lathe::populateMlPatterns(RewritePatternSet &patterns,
                               const TypeConverter &types) {
  addLowering(patterns, types, lowerScaler);
  addLowering(patterns, types, lowerNormalizer);
  addLowering(patterns, types, lowerLinearRegressor);
  addLowering(patterns, types, lowerLinearClassifier);
  addLowering(patterns, types, lowerArrayFeatureExtractor);
  addLowering(patterns, types, lowerBinarizer);
  addLowering(patterns, types, lowerFeatureVectorizer);
  addLowering(patterns, types, lowerImputer);
  addLowering(patterns, types, lowerOneHotEncoder);
}
