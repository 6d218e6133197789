// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalizations: the mean, then the mean of squared differences (two passes,
// in f32 at least), then one elementwise op.

#include "Normalization.h"

#include "Contraction.h"
#include "Elementwise.h"
#include "Families.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

static Value emitAdd(ImplicitLocOpBuilder &b, ValueRange x) {
  return arith::AddFOp::create(b, x[1], x[0]);
}

/// A size as a number of type `compute`.
static Value toFloat(ImplicitLocOpBuilder &b, OpFoldResult size, Type compute) {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return makeConstant(b, compute, *known);
  Value wide = arith::IndexCastOp::create(b, b.getI64Type(), cast<Value>(size));
  return arith::SIToFPOp::create(b, compute, wide);
}

/// `sums`, read by their map, over the `count` elements of each.
static Value divide(Lowering &l, Operand sums, DimsRef dims,
                    OpFoldResult count) {
  Type compute = sums.element;
  return l.elementwise(
      sums, dims, compute, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        return arith::DivFOp::create(b, x[0], toFloat(b, count, compute));
      });
}

/// Divides the sums over `axes` by their number of elements.
static Operand divideByCount(Lowering &l, Value sums, DimsRef dims,
                             ArrayRef<int64_t> axes, Type compute) {
  Dims counted;
  for (int64_t axis : axes)
    counted.push_back(dims[axis]);
  Value mean = divide(l, Operand{sums, compute}, dropDims(dims, axes),
                      l.product(counted));
  return {mean, compute, l.dropAxes(dims.size(), axes)};
}

static Value sumUp(Lowering &l, Operand x, DimsRef dims,
                   ArrayRef<int64_t> axes) {
  return l.reduce(x, dims, axes,
                  l.b.getFloatAttr(getComputeType(x.element), 0.0), emitAdd);
}

/// Sums of squares, of differences from `mean` where there is one.
static Value sumSquares(Lowering &l, Operand x, std::optional<Operand> mean,
                        DimsRef dims, ArrayRef<int64_t> axes) {
  SmallVector<Operand> inputs = {x};
  if (mean)
    inputs.push_back(*mean);
  return l.reduce(
      inputs, dims, axes, l.b.getFloatAttr(getComputeType(x.element), 0.0),
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value d = mean ? Value(arith::SubFOp::create(b, x[0], x[1])) : x[0];
        return arith::AddFOp::create(b, x.back(),
                                     arith::MulFOp::create(b, d, d));
      });
}

Operand lathe::makeMean(Lowering &l, Operand x, DimsRef dims,
                        ArrayRef<int64_t> axes) {
  return divideByCount(l, sumUp(l, x, dims, axes), dims, axes,
                       getComputeType(x.element));
}

Operand lathe::makeVariance(Lowering &l, Operand x, std::optional<Operand> mean,
                            DimsRef dims, ArrayRef<int64_t> axes) {
  return divideByCount(l, sumSquares(l, x, mean, dims, axes), dims, axes,
                       getComputeType(x.element));
}

Operand lathe::makeInverse(Lowering &l, Operand variance, DimsRef kept,
                           double epsilon) {
  Type compute = variance.element;
  Value inverse = l.elementwise(
      Operand{variance.value, compute}, kept, compute,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value sum =
            arith::AddFOp::create(b, x[0], makeConstant(b, compute, epsilon));
        return arith::DivFOp::create(b, makeConstant(b, compute, 1),
                                     Value(math::SqrtOp::create(b, sum)));
      });
  return {inverse, compute, variance.map};
}

Value lathe::applyNormalization(Lowering &l, Operand x,
                                std::optional<Operand> mean, Operand inverse,
                                std::optional<Operand> scale,
                                std::optional<Operand> shift, DimsRef dims) {
  SmallVector<Operand> inputs = {x, inverse};
  for (const std::optional<Operand> &more : {mean, scale, shift})
    if (more)
      inputs.push_back(*more);
  return l.elementwise(inputs, dims, l.resultElement(),
                       [&](ImplicitLocOpBuilder &b, ValueRange args) {
                         unsigned next = 2;
                         Value y = args[0];
                         if (mean)
                           y = arith::SubFOp::create(b, y, args[next++]);
                         y = arith::MulFOp::create(b, y, args[1]);
                         if (scale)
                           y = arith::MulFOp::create(b, y, args[next++]);
                         if (shift)
                           y = arith::AddFOp::create(b, y, args[next++]);
                         return y;
                       });
}

static SmallVector<int64_t> axesFrom(int64_t first, int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(first, rank));
}

/// A map that reads one number per index of dimension `dim`.
static AffineMap getDimMap(Lowering &l, int64_t rank, unsigned dim) {
  return AffineMap::get(rank, 0, l.b.getAffineDimExpr(dim), l.b.getContext());
}

//===----------------------------------------------------------------------===//
// Statistics of the data
//===----------------------------------------------------------------------===//

static LogicalResult lowerLayerNorm(onnx::LayerNormalizationOp op,
                                    Lowering &l) {
  Dims dims = l.dims(0);
  SmallVector<int64_t> axes =
      axesFrom(normalizeAxis(op.getAxis(), dims.size()), dims.size());
  Dims kept = dropDims(dims, axes);
  Operand x = l.operand(0);
  Operand mean = makeMean(l, x, dims, axes);
  Operand variance = makeVariance(l, x, mean, dims, axes);
  Operand inverse =
      makeInverse(l, variance, kept, op.getEpsilon().convertToFloat());
  std::optional<Operand> shift;
  if (l.has(2))
    shift = l.operand(2);
  Value y = applyNormalization(l, x, mean, inverse, l.operand(1), shift, dims);
  auto stash = [&](Operand statistic, unsigned result) {
    Type element = l.resultElement(result);
    Value stored = statistic.value;
    if (element != statistic.element)
      stored = l.elementwise(Operand{stored, statistic.element}, kept, element,
                             [&](ImplicitLocOpBuilder &b, ValueRange x) {
                               return castScalar(b, x[0], statistic.element,
                                                 element);
                             });
    return l.view(stored, l.resultDims(result));
  };
  return l.replace({y, stash(mean, 1), stash(inverse, 2)});
}

static LogicalResult lowerRmsNorm(onnx::RMSNormalizationOp op, Lowering &l) {
  Dims dims = l.dims(0);
  SmallVector<int64_t> axes =
      axesFrom(normalizeAxis(op.getAxis(), dims.size()), dims.size());
  Operand x = l.operand(0);
  Operand square = makeVariance(l, x, std::nullopt, dims, axes);
  Operand inverse = makeInverse(l, square, dropDims(dims, axes),
                                op.getEpsilon().convertToFloat());
  return l.replace(applyNormalization(l, x, std::nullopt, inverse, l.operand(1),
                                      std::nullopt, dims));
}

static LogicalResult lowerInstanceNorm(onnx::InstanceNormalizationOp op,
                                       Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size();
  SmallVector<int64_t> axes = axesFrom(2, rank);
  Operand x = l.operand(0), scale = l.operand(1), shift = l.operand(2);
  scale.map = shift.map = getDimMap(l, rank, 1);
  Operand mean = makeMean(l, x, dims, axes);
  Operand variance = makeVariance(l, x, mean, dims, axes);
  Operand inverse = makeInverse(l, variance, dropDims(dims, axes),
                                op.getEpsilon().convertToFloat());
  return l.replace(applyNormalization(l, x, mean, inverse, scale, shift, dims));
}

/// Sums of channels, [n, c], added up by groups, over the number of elements
/// that a group has: a mean, for each channel that of its group.
static Value averageGroups(Lowering &l, Value sums, OpFoldResult batch,
                           int64_t groups, int64_t perGroup, OpFoldResult count,
                           Type compute) {
  Dims grouped = {batch, l.index(groups), l.index(perGroup)};
  Operand total{sumUp(l, Operand{l.view(sums, grouped), compute}, grouped, {2}),
                compute,
                AffineMap::get(2, 0,
                               {l.b.getAffineDimExpr(0),
                                l.b.getAffineDimExpr(1).floorDiv(perGroup)},
                               l.b.getContext())};
  return divide(l, total, {batch, l.index(groups * perGroup)}, count);
}

/// On [n, g, c / g, space…], a view: for numbers of channels that are known at
/// run time only.
static Value normalizeGroupsOfView(Lowering &l, int64_t groups,
                                   double epsilon) {
  Dims dims = l.dims(0), grouped(dims);
  OpFoldResult perGroup =
      l.apply(l.b.getAffineSymbolExpr(0).floorDiv(groups), dims[1]);
  grouped[1] = perGroup;
  grouped.insert(grouped.begin() + 1, l.index(groups));
  int64_t rank = grouped.size();
  SmallVector<int64_t> axes = axesFrom(2, rank);
  Operand x = l.operand(0), scale = l.operand(1), shift = l.operand(2);
  x.value = l.view(x.value, grouped);
  for (Operand *operand : {&scale, &shift}) {
    operand->value = l.view(operand->value, {l.index(groups), perGroup});
    operand->map = AffineMap::get(
        rank, 0, {l.b.getAffineDimExpr(1), l.b.getAffineDimExpr(2)},
        l.b.getContext());
  }
  Operand mean = makeMean(l, x, grouped, axes);
  Operand variance = makeVariance(l, x, mean, grouped, axes);
  Operand inverse = makeInverse(l, variance, dropDims(grouped, axes), epsilon);
  return l.view(applyNormalization(l, x, mean, inverse, scale, shift, grouped),
                dims);
}

/// The image keeps its dimensions, so that it may have any layout.
static LogicalResult lowerGroupNorm(onnx::GroupNormalizationOp op,
                                    Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size(), groups = op.getNumGroups();
  double epsilon = op.getEpsilon().convertToFloat();
  std::optional<int64_t> channels = getConstantIntValue(dims[1]);
  if (!channels)
    return l.replace(normalizeGroupsOfView(l, groups, epsilon));
  int64_t perGroup = *channels / groups;
  SmallVector<int64_t> space = axesFrom(2, rank);
  Operand x = l.operand(0), scale = l.operand(1), shift = l.operand(2);
  scale.map = shift.map = getDimMap(l, rank, 1);
  Type compute = getComputeType(x.element);
  Dims counted(llvm::drop_begin(dims, 2));
  counted.push_back(l.index(perGroup));
  OpFoldResult count = l.product(counted);
  auto average = [&](Value sums) {
    return Operand{
        averageGroups(l, sums, dims[0], groups, perGroup, count, compute),
        compute, l.dropAxes(rank, space)};
  };
  Operand mean = average(sumUp(l, x, dims, space));
  Operand variance = average(sumSquares(l, x, mean, dims, space));
  Operand inverse = makeInverse(l, variance, dropDims(dims, space), epsilon);
  return l.replace(applyNormalization(l, x, mean, inverse, scale, shift, dims));
}

/// (x - mean) / (sqrt(variance) + 1e-9)
static LogicalResult lowerMeanVarianceNorm(onnx::MeanVarianceNormalizationOp op,
                                           Lowering &l) {
  Dims dims = l.dims(0);
  SmallVector<int64_t> axes = normalizeAxes(op.getAxes(), dims.size());
  Operand x = l.operand(0);
  Operand mean = makeMean(l, x, dims, axes);
  Operand variance = makeVariance(l, x, mean, dims, axes);
  Type compute = variance.element;
  Value inverse = l.elementwise(
      Operand{variance.value, compute}, dropDims(dims, axes), compute,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value sum = arith::AddFOp::create(b, math::SqrtOp::create(b, x[0]),
                                          makeConstant(b, compute, 1e-9));
        return arith::DivFOp::create(b, makeConstant(b, compute, 1), sum);
      });
  return l.replace(applyNormalization(l, x, mean,
                                      Operand{inverse, compute, variance.map},
                                      std::nullopt, std::nullopt, dims));
}

//===----------------------------------------------------------------------===//
// BatchNormalization
//===----------------------------------------------------------------------===//

/// y = x * a + c with a = scale / sqrt(var + epsilon) and c = B - mean * a,
/// both made once per channel. In training the statistics are those of the
/// batch.
static LogicalResult lowerBatchNorm(onnx::BatchNormalizationOp op,
                                    Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size();
  Operand x = l.operand(0), mean = l.operand(3), variance = l.operand(4);
  Type compute = getComputeType(x.element);
  Dims channels = {dims[1]};
  Value runningMean = mean.value, runningVar = variance.value;
  if (op.getTrainingMode()) {
    SmallVector<int64_t> axes = axesFrom(1, rank);
    axes.front() = 0;
    mean = makeMean(l, x, dims, axes);
    variance = makeVariance(l, x, mean, dims, axes);
    float momentum = op.getMomentum().convertToFloat();
    auto update = [&](unsigned input, Operand batch, unsigned result) {
      batch.map = {};
      return l.elementwise(
          {l.operand(input), batch}, channels, l.resultElement(result),
          [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
            Type working = getComputeType(l.element(input));
            Value fresh = castScalar(b, x[1], compute, working);
            Value keep = makeConstant(b, working, momentum);
            Value rest = makeConstant(b, working, 1.0 - double(momentum));
            return arith::AddFOp::create(b,
                                         arith::MulFOp::create(b, x[0], keep),
                                         arith::MulFOp::create(b, fresh, rest));
          });
    };
    runningMean = update(3, mean, 1);
    runningVar = update(4, variance, 2);
    mean.map = variance.map = {};
  }
  float epsilon = op.getEpsilon().convertToFloat();
  auto cast = [&](ImplicitLocOpBuilder &b, Value v, Type from) {
    return castScalar(b, v, from, compute);
  };
  Operand scale = l.operand(1), shift = l.operand(2);
  Value factor = l.elementwise(
      {scale, variance}, channels, compute,
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value sum = arith::AddFOp::create(b, cast(b, v[1], variance.element),
                                          makeConstant(b, compute, epsilon));
        return arith::DivFOp::create(b, cast(b, v[0], scale.element),
                                     Value(math::SqrtOp::create(b, sum)));
      });
  Value offset = l.elementwise(
      {shift, mean, Operand{factor, compute}}, channels, compute,
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value moved =
            arith::MulFOp::create(b, cast(b, v[1], mean.element), v[2]);
        return arith::SubFOp::create(b, cast(b, v[0], shift.element), moved);
      });
  AffineMap perChannel = getDimMap(l, rank, 1);
  Value y = l.elementwise({x, Operand{factor, compute, perChannel},
                           Operand{offset, compute, perChannel}},
                          dims, l.resultElement(),
                          [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                            return arith::AddFOp::create(
                                b, arith::MulFOp::create(b, v[0], v[1]), v[2]);
                          });
  return l.replace({y, runningMean, runningVar});
}

//===----------------------------------------------------------------------===//
// Norms along an axis
//===----------------------------------------------------------------------===//

/// Where the norm is zero the result is zero.
static LogicalResult lowerLpNorm(onnx::LpNormalizationOp op, Lowering &l) {
  int64_t p = op.getP();
  if (p != 1 && p != 2)
    return l.unsupported("expected p of 1 or 2, got " + Twine(p));
  Dims dims = l.dims(0);
  int64_t axis = normalizeAxis(op.getAxis(), dims.size());
  Operand x = l.operand(0);
  Type compute = getComputeType(x.element);
  Value sum = l.reduce(x, dims, axis, l.b.getFloatAttr(compute, 0.0),
                       [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                         Value term =
                             p == 1
                                 ? Value(math::AbsFOp::create(b, v[0]))
                                 : Value(arith::MulFOp::create(b, v[0], v[0]));
                         return arith::AddFOp::create(b, v[1], term);
                       });
  Value norm = sum;
  if (p == 2)
    norm = l.elementwise(Operand{sum, compute}, dropDims(dims, axis), compute,
                         [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                           return math::SqrtOp::create(b, v[0]);
                         });
  return l.replace(l.elementwise(
      {x, Operand{norm, compute, l.dropAxes(dims.size(), axis)}}, dims,
      l.resultElement(), [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value zero = makeConstant(b, compute, 0);
        Value isZero =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, v[1], zero);
        return arith::SelectOp::create(b, isZero, zero,
                                       arith::DivFOp::create(b, v[0], v[1]));
      }));
}

/// The squares over `size` channels around, summed from a padded copy.
static LogicalResult lowerLrn(onnx::LRNOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.dims(0);
  int64_t rank = dims.size(), size = op.getSize();
  Operand x = l.operand(0);
  Type compute = getComputeType(x.element);
  Dims low(rank, l.index(0)), high(rank, l.index(0));
  low[1] = l.index((size - 1) / 2);
  high[1] = l.index(size - 1 - (size - 1) / 2);
  SmallVector<int64_t> shape(l.type(0).getShape());
  if (!ShapedType::isDynamic(shape[1]))
    shape[1] += size - 1;
  Value zero = arith::ConstantOp::create(
      l.b, cast<TypedAttr>(l.b.getZeroAttr(getStorageType(x.element))));
  Value padded = tensor::PadOp::create(l.b, l.type(0).clone(shape), x.value,
                                       low, high, zero);
  Value window = l.empty({l.index(size)}, compute);
  SmallVector<AffineExpr> read;
  for (int64_t i = 0; i != rank; ++i)
    read.push_back(getAffineDimExpr(i, context));
  AffineMap all = AffineMap::get(rank + 1, 0, read, context);
  read[1] = read[1] + getAffineDimExpr(rank, context);
  SmallVector<utils::IteratorType> iterators(rank + 1,
                                             utils::IteratorType::parallel);
  iterators[rank] = utils::IteratorType::reduction;
  Value squares =
      l.generic(
           {padded, window}, l.fill(dims, l.b.getFloatAttr(compute, 0.0)),
           {AffineMap::get(rank + 1, 0, read, context),
            getDimMap(l, rank + 1, rank), all},
           iterators,
           [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
             Value v = loadScalar(b, args[0], x.element);
             return {arith::AddFOp::create(b, args[2],
                                           arith::MulFOp::create(b, v, v))};
           })
          .front();
  double alpha = op.getAlpha().convertToFloat() / size;
  double beta = op.getBeta().convertToFloat();
  double bias = op.getBias().convertToFloat();
  return l.replace(l.elementwise(
      {x, Operand{squares, compute}}, dims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        Value base = arith::AddFOp::create(
            b, makeConstant(b, compute, bias),
            arith::MulFOp::create(b, makeConstant(b, compute, alpha), v[1]));
        Value power =
            math::PowFOp::create(b, base, makeConstant(b, compute, beta));
        return arith::DivFOp::create(b, v[0], power);
      }));
}

void lathe::populateNormalizationPatterns(RewritePatternSet &patterns,
                                          const TypeConverter &types) {
  addLowering(patterns, types, lowerLayerNorm);
  addLowering(patterns, types, lowerRmsNorm);
  addLowering(patterns, types, lowerInstanceNorm);
  addLowering(patterns, types, lowerGroupNorm);
  addLowering(patterns, types, lowerMeanVarianceNorm);
  addLowering(patterns, types, lowerBatchNorm);
  addLowering(patterns, types, lowerLpNorm);
  addLowering(patterns, types, lowerLrn);
}
