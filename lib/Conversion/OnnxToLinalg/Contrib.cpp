// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalizations, activations and products of com.microsoft, in terms of what
// ONNX's own operators are lowered to.

#include "lathe/Dialect/Onnx/IR/Contrib.h"
#include "Checks.h"
#include "Contraction.h"
#include "Convolution.h"
#include "Elementwise.h"
#include "Families.h"
#include "Indexing.h"
#include "NamedActivation.h"
#include "Normalization.h"
#include "Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

/// Replaces the op by its first and last result; refuses where somebody reads
/// the statistics.
static LogicalResult replaceSkip(Lowering &l, Value value, Value sum) {
  for (unsigned i : {1u, 2u})
    if (l.isUsed(i))
      return l.unsupported("expected statistics (output " + Twine(i) +
                           ") that nobody reads");
  SmallVector<Value> results{value};
  for (unsigned i : {1u, 2u})
    results.push_back(
        l.empty(l.resultDims(i), l.resultType(i).getElementType()));
  results.push_back(store(l, sum, l.resultDims(), l.resultElement()));
  return l.replace(results);
}

/// The sum of `operands`, which broadcast to operand 0, in its compute type.
static Operand addOperands(Lowering &l, ArrayRef<Operand> operands) {
  Type compute = getComputeType(l.element(0));
  Value sum = l.elementwise(operands, l.dims(0), compute,
                            [](ImplicitLocOpBuilder &b, ValueRange x) {
                              Value y = x[0];
                              for (Value more : x.drop_front())
                                y = arith::AddFOp::create(b, y, more);
                              return y;
                            });
  return {sum, compute};
}

/// Normalizes the last dimension of `x`, with the mean if `hasMean`.
static Value normalizeRows(Lowering &l, Operand x, bool hasMean, Operand scale,
                           std::optional<Operand> shift, double epsilon) {
  Dims dims = l.resultDims();
  int64_t last = dims.size() - 1;
  std::optional<Operand> mean;
  if (hasMean)
    mean = makeMean(l, x, dims, last);
  Operand variance = makeVariance(l, x, mean, dims, last);
  Operand inverse = makeInverse(l, variance, dropDims(dims, last), epsilon);
  return applyNormalization(l, x, mean, inverse, scale, shift, dims);
}

/// Operand `i`, where it is there.
static std::optional<Operand> getOptional(Lowering &l, unsigned i) {
  return l.has(i) ? std::optional(l.operand(i)) : std::nullopt;
}

static LogicalResult lowerSkipLayerNorm(onnx::MsSkipLayerNormalizationOp op,
                                        Lowering &l) {
  SmallVector<Operand> terms = {l.operand(0), l.operand(1)};
  if (l.has(4))
    terms.push_back(l.operand(4));
  Operand sum = addOperands(l, terms);
  Value y = normalizeRows(l, sum, /*hasMean=*/true, l.operand(2),
                          getOptional(l, 3), op.getEpsilon().convertToFloat());
  return replaceSkip(l, y, sum.value);
}

static LogicalResult
lowerSimplifiedLayerNorm(onnx::SimplifiedLayerNormalizationOp op, Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size();
  SmallVector<int64_t> axes = llvm::to_vector(
      llvm::seq<int64_t>(normalizeAxis(op.getAxis(), rank), rank));
  Operand x = l.operand(0);
  Dims kept = dropDims(dims, axes);
  Operand square = makeVariance(l, x, std::nullopt, dims, axes);
  Operand inverse =
      makeInverse(l, square, kept, op.getEpsilon().convertToFloat());
  Value y = applyNormalization(l, x, std::nullopt, inverse, l.operand(1),
                               std::nullopt, dims);
  Value stash = l.elementwise(
      Operand{inverse.value, inverse.element}, kept, l.resultElement(1),
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        return castScalar(b, x[0], inverse.element, l.resultElement(1));
      });
  return l.replace({y, l.view(stash, l.resultDims(1))});
}

static LogicalResult
lowerSkipSimplified(onnx::MsSkipSimplifiedLayerNormalizationOp op,
                    Lowering &l) {
  SmallVector<Operand> terms = {l.operand(0), l.operand(1)};
  if (l.has(3))
    terms.push_back(l.operand(3));
  Operand sum = addOperands(l, terms);
  Value y = normalizeRows(l, sum, /*hasMean=*/false, l.operand(2), std::nullopt,
                          op.getEpsilon().convertToFloat());
  return replaceSkip(l, y, sum.value);
}

/// x * (1 + f) / 2
static Value emitHalf(const Element &e, Value x, Value f) {
  return e.mul(e.mul(e.constant(0.5), x), e.add(e.constant(1), f));
}

static Value emitErfGelu(const Element &e, Value x) {
  Value scaled = e.mul(e.constant(0.7071067811865476), x);
  return emitHalf(e, x, e.call<math::ErfOp>(scaled));
}

static Value emitBiasGelu(onnx::MsBiasGeluOp, const Element &e) {
  return emitErfGelu(e, e.add(e.x[0], e.x[1]));
}

static Value emitFastGelu(onnx::MsFastGeluOp, const Element &e) {
  Value x = e.x.size() == 2 ? e.add(e.x[0], e.x[1]) : e.x[0];
  Value cube = e.mul(e.mul(x, x), x);
  Value sum = e.add(x, e.mul(e.constant(0.044715), cube));
  Value scaled = e.mul(e.constant(0.7978845608028654), sum);
  return emitHalf(e, x, e.call<math::TanhOp>(scaled));
}

static Value emitQuickGelu(onnx::MsQuickGeluOp op, const Element &e) {
  return e.mul(e.x[0], e.sigmoid(e.mul(e.constant(op.getAlpha()), e.x[0])));
}

static Value emitGelu(onnx::MsGeluOp, const Element &e) {
  return emitErfGelu(e, e.x[0]);
}

/// A product, in the compute type of `element`, times `alpha`, stored as
/// `element`.
static Value scaleAndStore(Lowering &l, Value product, DimsRef dims,
                           Type element, double alpha) {
  if (alpha == 1)
    return store(l, product, dims, element);
  Type compute = getComputeType(element);
  return l.elementwise(Operand{product, compute}, dims, element,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                         return arith::MulFOp::create(
                             b, x[0], makeConstant(b, compute, alpha));
                       });
}

static LogicalResult lowerFusedMatMul(onnx::MsFusedMatMulOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.resultDims();
  int64_t rank = dims.size(), numBatches = rank - 2;
  ArrayRef<int64_t> shape = l.resultType().getShape();
  AffineExpr k = getAffineDimExpr(rank, context);
  Operand factors[2] = {l.operand(0), l.operand(1)};
  for (unsigned i : {0u, 1u}) {
    int64_t own = l.rank(i);
    SmallVector<int64_t> perm = op.getPerm(i, own);
    ArrayRef<int64_t> sizes = l.type(i).getShape();
    // A weight is laid out as it is multiplied.
    if (!llvm::is_sorted(perm))
      if (Value moved = permuteWeight(l, factors[i].value, perm)) {
        factors[i].value = moved;
        sizes = cast<RankedTensorType>(moved.getType()).getShape();
        perm = llvm::to_vector(llvm::seq(own));
      }
    SmallVector<AffineExpr> exprs(own);
    for (int64_t d = 0; d < own - 2; ++d) {
      int64_t loop = d + numBatches - (own - 2);
      exprs[perm[d]] = sizes[perm[d]] == 1 && shape[loop] != 1
                           ? getAffineConstantExpr(0, context)
                           : getAffineDimExpr(loop, context);
    }
    exprs[perm[own - 2]] = i == 0 ? getAffineDimExpr(rank - 2, context) : k;
    exprs[perm[own - 1]] = i == 0 ? k : getAffineDimExpr(rank - 1, context);
    factors[i].map = AffineMap::get(rank + 1, 0, exprs, context);
  }
  Value product = contract(l, factors, rank + 1, dims);
  return l.replace(scaleAndStore(l, product, dims, l.resultElement(),
                                 op.getAlpha().convertToFloat()));
}

/// The activation `name` with the parameters that are given; none where the
/// name is empty.
static FailureOr<std::optional<Activation>>
getActivation(Lowering &l, StringRef name,
              ArrayRef<std::optional<double>> given) {
  if (name.empty())
    return std::optional<Activation>();
  const ActivationKind *kind = findActivation(name.lower());
  if (!kind)
    return l.unsupported("expected an activation that is supported, got '" +
                         name + "'");
  Activation activation{kind, kind->alpha.value_or(0), kind->beta.value_or(0)};
  if (!given.empty() && given[0] && kind->alpha)
    activation.alpha = *given[0];
  if (given.size() > 1 && given[1] && kind->beta)
    activation.beta = *given[1];
  return std::optional(activation);
}

static LogicalResult lowerFusedGemm(onnx::MsFusedGemmOp op, Lowering &l) {
  auto get = [](std::optional<APFloat> value) -> std::optional<double> {
    if (!value)
      return std::nullopt;
    return value->convertToFloat();
  };
  // Selu calls its factor gamma, where the others have beta.
  std::optional<APFloat> second = op.getActivation() == "Selu"
                                      ? op.getActivationGamma()
                                      : op.getActivationBeta();
  auto activation = getActivation(l, op.getActivation(),
                                  {get(op.getActivationAlpha()), get(second)});
  if (failed(activation))
    return failure();
  auto after = [&](const Element &e, Value x) {
    return (*activation)->emit(e, x);
  };
  Gemm gemm{op.getAlpha().convertToFloat(), op.getBeta().convertToFloat(),
            bool(op.getTransA()), bool(op.getTransB())};
  if (*activation)
    gemm.after = after;
  return lowerGemm(l, gemm);
}

static LogicalResult lowerFusedConv(onnx::MsFusedConvOp op, Lowering &l) {
  SmallVector<std::optional<double>> given;
  if (auto params = op.getActivationParams())
    llvm::append_range(given, *params);
  auto activation = getActivation(l, op.getActivation(), given);
  if (failed(activation))
    return failure();
  FailureOr<Value> product = convolveOperands(op, l);
  if (failed(product))
    return failure();
  Dims dims = l.resultDims();
  Type element = l.resultElement();
  SmallVector<Operand> inputs = {{*product, getComputeType(element)}};
  if (l.has(2)) {
    inputs.push_back(l.operand(2));
    inputs.back().map = AffineMap::get(dims.size(), 0, l.b.getAffineDimExpr(1),
                                       l.b.getContext());
  }
  if (l.has(3))
    inputs.push_back(l.operand(3));
  return l.replace(l.elementwise(
      inputs, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Element e{b, x, element, element};
        Value y = x[0];
        for (Value more : x.drop_front())
          y = e.add(y, more);
        return *activation ? (*activation)->emit(e, y) : y;
      }));
}

static LogicalResult lowerEmbed(onnx::MsEmbedLayerNormalizationOp op,
                                Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.resultDims();
  Type element = l.resultElement(), compute = getComputeType(element);
  // Tables, and the operands that say which rows; positions count by default.
  struct Table {
    unsigned rows, ids;
  };
  SmallVector<Table> tables = {{2, 0}};
  if (l.has(4))
    tables.push_back({4, 1});
  bool counts = !l.has(8);
  if (!counts)
    tables.push_back({3, 8});
  SmallVector<Operand> ids;
  SmallVector<Value> sizes;
  for (const Table &table : tables) {
    OpFoldResult rows = l.dims(table.rows)[0];
    if (failed(checkIndices(l, table.ids, rows, 0, /*fromEnd=*/false)))
      return failure();
    ids.push_back(l.operand(table.ids));
    bool isForAll = l.type(table.ids).getDimSize(0) == 1 &&
                    l.resultType().getDimSize(0) != 1;
    ids.back().map = AffineMap::get(
        3, 0,
        {isForAll ? l.b.getAffineConstantExpr(0) : l.b.getAffineDimExpr(0),
         l.b.getAffineDimExpr(1)},
        context);
    sizes.push_back(l.toValue(rows));
  }
  Value positions = l.toValue(l.dims(3)[0]);
  if (counts) {
    Value fits = arith::CmpIOp::create(l.b, arith::CmpIPredicate::sle,
                                       l.toValue(dims[1]), positions);
    check(l, fits,
          "expects at most as many steps as position embeddings, got "
          "more");
  }
  Value sum = l.elementwise(
      ids, dims, compute, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        IndexMath m{b};
        Value total;
        auto add = [&](unsigned table, Value row) {
          Value part = m.read(l.value(table), {row, m.loop(2)}, element);
          total = total ? Value(arith::AddFOp::create(b, total, part)) : part;
        };
        for (auto [id, table, size] : llvm::zip_equal(x, tables, sizes))
          add(table.rows, m.clamp(m.fromInt(id), size));
        if (counts)
          add(3, m.clamp(m.loop(1), positions));
        return total;
      });
  Value y = normalizeRows(l, {sum, compute}, /*hasMean=*/true, l.operand(5),
                          l.operand(6), op.getEpsilon().convertToFloat());
  Type i32 = l.b.getI32Type();
  Value lengths = l.fill({dims[0]}, l.b.getI32IntegerAttr(0));
  if (l.has(7))
    lengths =
        l.reduce(l.operand(7), {dims[0], dims[1]}, 1, l.b.getI32IntegerAttr(0),
                 [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                   Value isOne =
                       arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x[0],
                                             makeConstant(b, i32, 1));
                   return arith::AddIOp::create(
                       b, x[1], Value(arith::ExtUIOp::create(b, i32, isOne)));
                 });
  return l.replace({y, lengths, store(l, sum, dims, element)});
}

/// The sizes of [batch, space..., channels] with the channels second.
static Dims channelsSecond(DimsRef dims) {
  Dims moved = {dims.front(), dims.back()};
  llvm::append_range(moved, dims.drop_front().drop_back());
  return moved;
}

static LogicalResult lowerNhwcMaxPool(onnx::MsNhwcMaxPoolOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims in = l.dims(0), out = l.resultDims();
  FailureOr<Window> window = makeWindow(
      l, op.getKernelShape(), op.getStrides(), op.getDilations(), op.getPads(),
      op.getAutoPad(), channelsSecond(in), channelsSecond(out));
  if (failed(window))
    return failure();
  Type element = l.element(0);
  bool isByte = isUnsigned(element);
  TypedAttr least = l.b.getI8IntegerAttr(isByte ? 0 : INT8_MIN);
  Value padded = padSpace(l, l.value(0), *window, least, /*firstSpace=*/1);
  unsigned rank = out.size(), space = rank - 2, loops = rank + space;
  SmallVector<AffineExpr> read = {getAffineDimExpr(0, context)};
  llvm::append_range(read, getWindowExprs(*window, 1, rank, context));
  read.push_back(getAffineDimExpr(rank - 1, context));
  // What gives the loops over the window their sizes.
  Dims sizes = getAsIndexOpFoldResult(context, window->kernel);
  Value shape = l.empty(sizes, l.b.getI8Type());
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), rank, utils::IteratorType::parallel);
  return l.replace(l.generic(
      {padded, shape}, l.fill(out, least),
      {AffineMap::get(loops, 0, read, context),
       getLoopMap(context, loops, rank, space),
       getLoopMap(context, loops, 0, rank)},
      iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> SmallVector<Value> {
        if (isByte)
          return {arith::MaxUIOp::create(b, x[0], x[2])};
        return {arith::MaxSIOp::create(b, x[0], x[2])};
      }));
}

void lathe::populateContribPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &types) {
  addLowering(patterns, types, lowerSkipLayerNorm);
  addLowering(patterns, types, lowerSimplifiedLayerNorm);
  addLowering(patterns, types, lowerSkipSimplified);
  addScalar(patterns, types, emitBiasGelu);
  addScalar(patterns, types, emitFastGelu);
  addScalar(patterns, types, emitQuickGelu);
  addScalar(patterns, types, emitGelu);
  addLowering(patterns, types, lowerFusedMatMul);
  addLowering(patterns, types, lowerFusedGemm);
  addLowering(patterns, types, lowerFusedConv);
  addLowering(patterns, types, lowerEmbed);
  addLowering(patterns, types, lowerNhwcMaxPool);
}
