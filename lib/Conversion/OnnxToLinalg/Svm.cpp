// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Support vector machines: the kernels of all rows and support vectors are one
// contraction, decisions another; votes and probabilities are code per row. The
// probabilities of several classes are those of pairwise coupling, the second
// method of Wu, Lin and Weng, "Probability Estimates for Multi-class
// Classification by Pairwise Coupling" (JMLR 5, 2004), solved by the iteration
// of its Algorithm 2.

#include "Contraction.h"
#include "Elementwise.h"
#include "Families.h"
#include "Grid.h"
#include "PostTransform.h"
#include "Sampling.h"
#include "lathe/Dialect/Onnx/IR/MlModel.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace lathe;

/// The columns of X, or nothing with a report.
static FailureOr<int64_t> getFeatures(Lowering &l) {
  int64_t features = l.type(0).getDimSize(l.rank(0) - 1);
  if (ShapedType::isDynamic(features))
    return l.unsupported("expected a static number of features");
  return features;
}

/// `x` [rows, inner] times the constant `matrix` [inner, columns], of the type
/// of `x`.
static Value multiply(Lowering &l, Operand x, ArrayRef<double> matrix,
                      OpFoldResult rows, int64_t inner, int64_t columns) {
  AffineExpr n, o, k;
  bindDims(l.b.getContext(), n, o, k);
  auto type = RankedTensorType::get({inner, columns}, x.element);
  SmallVector<Attribute> values;
  for (double value : matrix)
    values.push_back(l.b.getFloatAttr(x.element, value));
  Operand w{
      arith::ConstantOp::create(l.b, DenseElementsAttr::get(type, values)),
      x.element};
  x.map = AffineMap::get(3, 0, {n, k}, l.b.getContext());
  w.map = AffineMap::get(3, 0, {k, o}, l.b.getContext());
  return contract(l, {x, w}, 3, {rows, l.index(columns)});
}

namespace {
struct Kernel {
  StringRef type;
  float gamma = 0, coef0 = 0, degree = 0;
};
} // namespace

static FailureOr<Kernel> readKernel(Lowering &l, StringRef type,
                                    std::optional<ArrayRef<float>> params) {
  Kernel kernel{type};
  if (params && !params->empty()) {
    if (params->size() != 3)
      return l.unsupported("expected 3 kernel_params, got " +
                           Twine(params->size()));
    kernel.gamma = (*params)[0];
    kernel.coef0 = (*params)[1];
    kernel.degree = (*params)[2];
  }
  return kernel;
}

/// The kernels of the rows and of `count` vectors: f64 [rows, count], computed
/// in f32.
static Operand makeKernels(Lowering &l, const Kernel &kernel,
                           ArrayRef<float> vectors, int64_t count,
                           int64_t features, OpFoldResult rows) {
  MLIRContext *context = l.b.getContext();
  Type f32 = l.b.getF32Type(), f64 = l.b.getF64Type();
  SmallVector<Type> types = {f32};
  Operand x = castFeatures(l);
  Dims dims{rows, l.index(count)};
  Value products;
  if (kernel.type == "RBF") {
    AffineExpr n, v, k;
    bindDims(context, n, v, k);
    Operand sv = makeFloats(l, vectors, {count, features});
    x.map = AffineMap::get(3, 0, {n, k}, context);
    sv.map = AffineMap::get(3, 0, {v, k}, context);
    products = l.reduce({x, sv}, {rows, dims[1], l.index(features)}, 2,
                        l.b.getFloatAttr(f32, 0),
                        [&](ImplicitLocOpBuilder &b, ValueRange a) {
                          Element e{b, a, types, f32};
                          Value d = e.sub(a[0], a[1]);
                          return e.add(a[2], e.mul(d, d));
                        });
  } else {
    SmallVector<double> turned(vectors.size());
    for (int64_t i = 0; i != count; ++i)
      for (int64_t j = 0; j != features; ++j)
        turned[j * count + i] = vectors[i * features + j];
    products = multiply(l, x, turned, rows, features, count);
  }
  Value made = l.elementwise(
      Operand{products, f32}, dims, f64,
      [&](ImplicitLocOpBuilder &b, ValueRange a) {
        Element e{b, a, types, f32};
        Value s = a[0];
        if (kernel.type == "RBF")
          s = e.exp(e.mul(e.constant(-kernel.gamma), s));
        if (kernel.type == "POLY" || kernel.type == "SIGMOID")
          s = e.add(e.mul(e.constant(kernel.gamma), s),
                    e.constant(kernel.coef0));
        if (kernel.type == "SIGMOID")
          s = e.call<math::TanhOp>(s);
        if (kernel.type == "POLY")
          s = math::PowFOp::create(b, s, e.constant(kernel.degree));
        return castScalar(b, s, f32, f64);
      });
  return {made, f64};
}

//===----------------------------------------------------------------------===//
// Regression
//===----------------------------------------------------------------------===//

static LogicalResult lowerSVMRegressor(onnx::MlSVMRegressorOp op, Lowering &l) {
  FailureOr<int64_t> features = getFeatures(l);
  if (failed(features))
    return failure();
  auto list = [](std::optional<ArrayRef<float>> values) {
    return values.value_or(ArrayRef<float>());
  };
  ArrayRef<float> coefficients = list(op.getCoefficients()),
                  vectors = list(op.getSupportVectors()),
                  rho = list(op.getRho());
  int64_t count = op.getNSupports();
  if (count < 0 || count > INT32_MAX)
    return l.unsupported("expected n_supports in [0, 2^31), got " +
                         Twine(count));
  if (int64_t(coefficients.size()) != (count ? count : *features))
    return l.unsupported("expected " + Twine(count ? count : *features) +
                         " coefficients, got " + Twine(coefficients.size()));
  if (count && int64_t(vectors.size()) != count * *features)
    return l.unsupported("expected " + Twine(count * *features) +
                         " elements in support_vectors, got " +
                         Twine(vectors.size()));
  if (rho.size() != 1)
    return l.unsupported("expected one element in rho, got " +
                         Twine(rho.size()));
  FailureOr<Kernel> kernel =
      readKernel(l, op.getKernelType(), op.getKernelParams());
  if (failed(kernel))
    return failure();
  Dims dims = l.resultDims();
  Type f32 = l.b.getF32Type(), f64 = l.b.getF64Type();
  Operand x = count
                  ? makeKernels(l, *kernel, vectors, count, *features, dims[0])
                  : castFeatures(l, f64);
  SmallVector<double> weights(coefficients.begin(), coefficients.end());
  Value sum = multiply(l, x, weights, dims[0], count ? count : *features, 1);
  bool sign = op.getOneClass() != 0;
  Value scores = l.elementwise(
      Operand{sum, f64}, dims, f32, [&](ImplicitLocOpBuilder &b, ValueRange v) {
        FloatMath f{b, f64};
        Value score = f.add(v[0], f.constant(rho[0]));
        if (sign)
          score = f.select(f.less(f.constant(0), score), f.constant(1),
                           f.constant(-1));
        return castScalar(b, score, f64, f32);
      });
  return l.replace(applyPostTransform(l, scores, dims, op.getPostTransform()));
}

//===----------------------------------------------------------------------===//
// Classification
//===----------------------------------------------------------------------===//

namespace {
/// Between which classes each decision is.
struct Pairs {
  SmallVector<std::pair<int64_t, int64_t>> list;
  explicit Pairs(int64_t classes) {
    for (int64_t i = 0; i != classes; ++i)
      for (int64_t j = i + 1; j != classes; ++j)
        list.push_back({i, j});
  }
  int64_t size() const { return list.size(); }
};
} // namespace

/// The matrix from kernels to decisions: row `m`, a vector of class `i`, has in
/// the column of classes `i` and `j` the coefficient for that pair.
static SmallVector<double> makeDecisionMatrix(ArrayRef<int64_t> perClass,
                                              ArrayRef<float> coefficients,
                                              const Pairs &pairs,
                                              int64_t count) {
  SmallVector<double> matrix(count * pairs.size());
  SmallVector<int64_t> first{0};
  for (int64_t size : perClass)
    first.push_back(first.back() + size);
  for (auto [p, pair] : llvm::enumerate(pairs.list)) {
    auto [i, j] = pair;
    for (int64_t m = first[i]; m != first[i + 1]; ++m)
      matrix[m * pairs.size() + p] = coefficients[(j - 1) * count + m];
    for (int64_t m = first[j]; m != first[j + 1]; ++m)
      matrix[m * pairs.size() + p] = coefficients[i * count + m];
  }
  return matrix;
}

static Value makeInts(Lowering &l, Type type, ArrayRef<int64_t> values) {
  SmallVector<Attribute> elements;
  for (int64_t value : values)
    elements.push_back(l.b.getIntegerAttr(type, value));
  return arith::ConstantOp::create(
      l.b, DenseElementsAttr::get(
               RankedTensorType::get(int64_t(values.size()), type), elements));
}

/// The label of the class that most decisions are for, the first of several.
static Value makeVotes(Lowering &l, Value decisions, const Pairs &pairs,
                       ArrayRef<int64_t> labels, OpFoldResult rows) {
  Type i64 = l.b.getI64Type(), i32 = l.b.getI32Type(), f32 = l.b.getF32Type();
  SmallVector<int64_t> first, second;
  for (auto [i, j] : pairs.list) {
    first.push_back(i);
    second.push_back(j);
  }
  Value firsts = makeInts(l, i32, first), seconds = makeInts(l, i32, second);
  Value table = makeInts(l, i64, labels);
  int64_t classes = labels.size();
  return makeGrid(
             l, rows, {{{rows}, i64, {0}}},
             [&](const Code &c, ValueRange at,
                 ValueRange parts) -> Code::Values {
               Value zero = c.constant(0), end = c.constant(classes);
               Value none = makeConstant(c.b, i32, 0);
               Value votes = c.loop(
                   zero, end,
                   c.scratch(OpFoldResult(c.b.getIndexAttr(classes)), i32),
                   [&](const Code &c, Value k, ValueRange v) -> Code::Values {
                     return {c.write(none, v[0], k)};
                   })[0];
               votes = c.loop(
                   zero, c.constant(pairs.size()), votes,
                   [&](const Code &c, Value p, ValueRange v) -> Code::Values {
                     Value d = c.readRaw(decisions, {at[0], p});
                     Value isFirst =
                         arith::CmpFOp::create(c.b, arith::CmpFPredicate::OGT,
                                               d, makeConstant(c.b, f32, 0));
                     Value k = c.fromInt(c.select(isFirst, c.readRaw(firsts, p),
                                                  c.readRaw(seconds, p)));
                     Value more = arith::AddIOp::create(
                         c.b, c.readRaw(v[0], k), makeConstant(c.b, i32, 1));
                     return {c.write(more, v[0], k)};
                   })[0];
               Value best = c.loop(
                   zero, end, {zero, makeConstant(c.b, i32, -1)},
                   [&](const Code &c, Value k, ValueRange s) -> Code::Values {
                     Value v = c.readRaw(votes, k);
                     Value better = arith::CmpIOp::create(
                         c.b, arith::CmpIPredicate::sgt, v, s[1]);
                     return {c.select(better, k, s[0]),
                             c.select(better, v, s[1])};
                   })[0];
               return {c.write(c.readRaw(table, best), parts[0], zero)};
             })
      .front();
}

/// Steps of the iteration at most; it ends when the error is below 0.005 /
/// classes, as in LIBSVM.
static constexpr int64_t maxCouplingSteps = 100;

/// The probabilities p that are nearest to those of the pairs, `r` [classes,
/// classes]: f64 [classes].
static Value emitCoupling(const Code &c, Value r, int64_t classes) {
  Type f64 = c.b.getF64Type();
  OpFoldResult size = c.b.getIndexAttr(classes);
  Value zero = c.constant(0), end = c.constant(classes);
  // Q[i, i] = sum of r[j, i]^2, Q[i, j] = -r[j, i] r[i, j].
  Value q =
      c.loop(zero, end, c.scratch({size, size}, f64),
             [&](const Code &c, Value i, ValueRange s) {
               Code::Values row = c.loop(
                   zero, end, {s[0], makeConstant(c.b, f64, 0)},
                   [&](const Code &c, Value j, ValueRange s) -> Code::Values {
                     FloatMath f{c.b, f64};
                     Value ji = c.readRaw(r, {j, i}), ij = c.readRaw(r, {i, j});
                     Value other = f.sub(f.constant(0), f.mul(ji, ij));
                     Value isSelf = c.equal(i, j);
                     Value square =
                         f.select(isSelf, f.constant(0), f.mul(ji, ji));
                     return {c.write(other, s[0], {i, j}), f.add(s[1], square)};
                   });
               return Code::Values{c.write(row[1], row[0], {i, i})};
             })[0];
  Value start =
      c.loop(zero, end, c.scratch(size, f64),
             [&](const Code &c, Value i, ValueRange s) -> Code::Values {
               return {c.write(makeConstant(c.b, f64, 1.0 / double(classes)),
                               s[0], i)};
             })[0];
  Value work = c.scratch(size, f64);
  // p, Q p, whether it goes on, and how often it went.
  Value goesOn = makeConstant(c.b, c.b.getI1Type(), 1);
  return c.repeat(
      {start, work, goesOn, zero},
      [&](const Code &c, ValueRange s) -> Value {
        return c.both(s[2], c.less(s[3], c.constant(maxCouplingSteps)));
      },
      [&](const Code &c, ValueRange s) -> Code::Values {
        Value p = s[0];
        // Q p and p' Q p.
        Code::Values products = c.loop(
            zero, end, {s[1], makeConstant(c.b, f64, 0)},
            [&](const Code &c, Value i, ValueRange t) -> Code::Values {
              Value sum = c.loop(
                  zero, end, makeConstant(c.b, f64, 0),
                  [&](const Code &c, Value j, ValueRange u) -> Code::Values {
                    FloatMath f{c.b, f64};
                    return {f.add(
                        u[0], f.mul(c.readRaw(q, {i, j}), c.readRaw(p, j)))};
                  })[0];
              FloatMath f{c.b, f64};
              return {c.write(sum, t[0], i),
                      f.add(t[1], f.mul(c.readRaw(p, i), sum))};
            });
        Value qp = products[0], pqp = products[1];
        Value error = c.loop(
            zero, end, makeConstant(c.b, f64, 0),
            [&](const Code &c, Value i, ValueRange t) -> Code::Values {
              FloatMath f{c.b, f64};
              Value e = math::AbsFOp::create(c.b, f.sub(c.readRaw(qp, i), pqp));
              return {f.select(f.less(t[0], e), e, t[0])};
            })[0];
        FloatMath f{c.b, f64};
        Value isFar =
            arith::CmpFOp::create(c.b, arith::CmpFPredicate::OGE, error,
                                  f.constant(0.005 / double(classes)));
        Code::Values next = c.branch(
            isFar,
            [&](const Code &c) -> Code::Values {
              Code::Values moved = c.loop(
                  zero, end, {p, qp, pqp},
                  [&](const Code &c, Value i, ValueRange t) -> Code::Values {
                    FloatMath f{c.b, f64};
                    Value one = f.constant(1), qii = c.readRaw(q, {i, i});
                    Value qpi = c.readRaw(t[1], i);
                    Value step = f.div(f.sub(t[2], qpi), qii);
                    Value scale = f.add(one, step);
                    Value pi = f.add(c.readRaw(t[0], i), step);
                    Value sum = f.div(
                        f.div(f.add(t[2], f.mul(step, f.add(f.mul(step, qii),
                                                            f.mul(f.constant(2),
                                                                  qpi)))),
                              scale),
                        scale);
                    Code::Values both = c.loop(
                        zero, end, {c.write(pi, t[0], i), t[1]},
                        [&](const Code &c, Value j,
                            ValueRange u) -> Code::Values {
                          FloatMath f{c.b, f64};
                          Value qpj =
                              f.div(f.add(c.readRaw(u[1], j),
                                          f.mul(step, c.readRaw(q, {i, j}))),
                                    scale);
                          Value pj = f.div(c.readRaw(u[0], j), scale);
                          return {c.write(pj, u[0], j), c.write(qpj, u[1], j)};
                        });
                    return {both[0], both[1], sum};
                  });
              return {moved[0], moved[1]};
            },
            [&](const Code &) -> Code::Values { return {p, qp}; });
        return {next[0], next[1], isFar, c.add(s[3], c.constant(1))};
      })[0];
}

/// The probabilities of the classes, f32 [rows, classes], from decisions by the
/// sigmoid function of Platt (1999).
static Value makeProbabilities(Lowering &l, Value decisions, const Pairs &pairs,
                               ArrayRef<float> a, ArrayRef<float> b,
                               int64_t classes, OpFoldResult rows) {
  Type f32 = l.b.getF32Type(), f64 = l.b.getF64Type();
  Value as = makeFloats(l, a.take_front(pairs.size()), pairs.size()).value;
  Value bs = makeFloats(l, b.take_front(pairs.size()), pairs.size()).value;
  Dims dims{rows, l.index(classes)};
  OpFoldResult size = l.index(classes);
  return makeGrid(
             l, rows, {{dims, f32, {0, -1}}},
             [&](const Code &c, ValueRange at,
                 ValueRange parts) -> Code::Values {
               Value r = c.scratch({size, size}, f64);
               for (auto [k, pair] : llvm::enumerate(pairs.list)) {
                 FloatMath f{c.b, f64};
                 Value p = c.constant(k);
                 auto wide = [&](Value tensor, ValueRange index) {
                   return castScalar(c.b, c.readRaw(tensor, index), f32, f64);
                 };
                 Value x =
                     f.add(f.mul(wide(decisions, {at[0], p}), wide(as, p)),
                           wide(bs, p));
                 // 1 - 1 / (1 + e^-x)
                 Value share =
                     f.div(f.constant(1),
                           f.add(f.constant(1), math::ExpOp::create(c.b, x)));
                 share = f.limit(share, f.constant(1e-7), f.constant(1 - 1e-7));
                 auto [i, j] = pair;
                 r = c.write(share, r, {c.constant(i), c.constant(j)});
                 r = c.write(f.sub(f.constant(1), share), r,
                             {c.constant(j), c.constant(i)});
               }
               for (int64_t i = 0; i != classes; ++i)
                 r = c.write(makeConstant(c.b, f64, 0), r,
                             {c.constant(i), c.constant(i)});
               Value p = emitCoupling(c, r, classes);
               Value zero = c.constant(0);
               return c.loop(
                   zero, c.constant(classes), parts,
                   [&](const Code &c, Value k, ValueRange out) -> Code::Values {
                     Value x = castScalar(c.b, c.readRaw(p, k), f64, f32);
                     return {c.write(x, out[0], {zero, k})};
                   });
             })
      .front();
}

/// Classes above this make tables of pairs that no one means.
static constexpr size_t maxClasses = 4096;

static LogicalResult lowerSVMClassifier(onnx::MlSVMClassifierOp op,
                                        Lowering &l) {
  FailureOr<int64_t> features = getFeatures(l);
  if (failed(features))
    return failure();
  std::optional<ArrayRef<int64_t>> labels = op.getClasslabelsInts();
  if (!labels || labels->size() < 2 || labels->size() > maxClasses)
    return l.unsupported("expected 2 to " + Twine(maxClasses) +
                         " whole numbers as class labels");
  auto list = [](std::optional<ArrayRef<float>> values) {
    return values.value_or(ArrayRef<float>());
  };
  ArrayRef<float> coefficients = list(op.getCoefficients()),
                  vectors = list(op.getSupportVectors()),
                  rho = list(op.getRho()), probA = list(op.getProbA()),
                  probB = list(op.getProbB());
  ArrayRef<int64_t> perClass =
      op.getVectorsPerClass().value_or(ArrayRef<int64_t>());
  int64_t classes = labels->size(), count = 0;
  for (int64_t size : perClass) {
    if (size < 0 || size > INT32_MAX)
      return l.unsupported("expected vectors_per_class in [0, 2^31), got " +
                           Twine(size));
    count += size;
  }
  Type f32 = l.b.getF32Type(), f64 = l.b.getF64Type();
  Dims zDims = l.resultDims(1);
  OpFoldResult rows = zDims[0];
  StringRef transform = op.getPostTransform();
  if (count == 0) {
    // One linear function per class.
    if (int64_t(coefficients.size()) != classes * *features || rho.empty())
      return l.unsupported("expected " + Twine(classes * *features) +
                           " coefficients and a rho, got " +
                           Twine(coefficients.size()) + " and " +
                           Twine(rho.size()));
    SmallVector<double> turned(coefficients.size());
    for (int64_t i = 0; i != classes; ++i)
      for (int64_t j = 0; j != *features; ++j)
        turned[j * classes + i] = coefficients[i * *features + j];
    Value sum = multiply(l, castFeatures(l), turned, rows, *features, classes);
    Value scores = l.elementwise(Operand{sum, f32}, zDims, f32,
                                 [&](ImplicitLocOpBuilder &b, ValueRange v) {
                                   FloatMath f{b, f32};
                                   return f.add(v[0], f.constant(rho[0]));
                                 });
    return l.replace({pickLabels(l, scores, *labels, zDims),
                      applyPostTransform(l, scores, zDims, transform)});
  }
  Pairs pairs(classes);
  if (int64_t(perClass.size()) != classes)
    return l.unsupported("expected " + Twine(classes) +
                         " elements in vectors_per_class, got " +
                         Twine(perClass.size()));
  if (int64_t(coefficients.size()) != (classes - 1) * count)
    return l.unsupported("expected " + Twine((classes - 1) * count) +
                         " coefficients, got " + Twine(coefficients.size()));
  if (int64_t(vectors.size()) != count * *features)
    return l.unsupported("expected " + Twine(count * *features) +
                         " elements in support_vectors, got " +
                         Twine(vectors.size()));
  if (int64_t(rho.size()) < pairs.size())
    return l.unsupported("expected " + Twine(pairs.size()) +
                         " elements in rho, got " + Twine(rho.size()));
  if (probA.size() != probB.size() ||
      (!probA.empty() && int64_t(probA.size()) < pairs.size()))
    return l.unsupported("expected " + Twine(pairs.size()) +
                         " elements in prob_a and prob_b, got " +
                         Twine(probA.size()) + " and " + Twine(probB.size()));
  FailureOr<Kernel> kernel =
      readKernel(l, op.getKernelType(), op.getKernelParams());
  if (failed(kernel))
    return failure();
  Operand kernels = makeKernels(l, *kernel, vectors, count, *features, rows);
  Value sums = multiply(
      l, kernels, makeDecisionMatrix(perClass, coefficients, pairs, count),
      rows, count, pairs.size());
  Dims dims{rows, l.index(pairs.size())};
  Value decisions =
      l.elementwise({Operand{sums, f64},
                     makeFloats(l, rho.take_front(pairs.size()), pairs.size())},
                    dims, f32, [&](ImplicitLocOpBuilder &b, ValueRange v) {
                      FloatMath f{b, f64};
                      Value wide = castScalar(b, v[1], f32, f64);
                      return castScalar(b, f.add(v[0], wide), f64, f32);
                    });
  Value y = makeVotes(l, decisions, pairs, *labels, rows);
  if (!probA.empty())
    return l.replace(
        {y, applyPostTransform(l,
                               makeProbabilities(l, decisions, pairs, probA,
                                                 probB, classes, rows),
                               zDims, transform)});
  if (classes > 2)
    return l.replace({y, applyPostTransform(l, decisions, zDims, transform)});
  // One decision makes two scores.
  Operand decision{decisions, f32};
  bool isShare = transform != "NONE";
  Value z = l.elementwise(
      decision, zDims, f32, [&](ImplicitLocOpBuilder &b, ValueRange v) {
        IndexMath m{b};
        FloatMath f{b, f32};
        Value rest = f.sub(f.constant(isShare ? 1 : 0), v[0]);
        return m.select(m.equal(m.loop(1), m.constant(0)), rest, v[0]);
      });
  return l.replace({y, z});
}

void lathe::populateSvmPatterns(RewritePatternSet &patterns,
                                const TypeConverter &types) {
  addLowering(patterns, types, lowerSVMRegressor);
  addLowering(patterns, types, lowerSVMClassifier);
}
