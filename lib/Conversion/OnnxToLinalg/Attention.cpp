// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops over scores are the batch, the heads, the steps of the query and those
// of the key. Where several heads of the query share one of the key, the heads
// are two loops, so that every tensor is read by maps without divisions.

#include "Attention.h"

#include "Contraction.h"
#include "Elementwise.h"
#include "Softmax.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

Heads lathe::splitHeads(Lowering &l, Operand tensor, DimsRef dims,
                        int64_t heads) {
  OpFoldResult size =
      l.apply(l.b.getAffineSymbolExpr(0).floorDiv(heads), dims[2]);
  Heads made{tensor, {dims[0], dims[1], l.index(heads), size}};
  made.tensor.value = l.view(tensor.value, made.dims);
  return made;
}

Heads lathe::stepsLast(Lowering &l, const Heads &heads) {
  if (!heads.stepsFirst)
    return heads;
  Heads made = heads;
  made.stepsFirst = false;
  std::swap(made.dims[1], made.dims[2]);
  made.tensor.value = l.transpose(heads.tensor.value, heads.dims, {0, 2, 1, 3});
  return made;
}

Heads lathe::concatSteps(Lowering &l, const Heads &past, const Heads &fresh) {
  Heads made = past;
  AffineExpr a = l.b.getAffineSymbolExpr(0), b = l.b.getAffineSymbolExpr(1);
  made.dims[2] = l.apply(a + b, {past.dims[2], fresh.dims[2]});
  Value joined = l.empty(made.dims, getStorageType(past.tensor.element));
  Dims offsets(4, l.index(0)), strides(4, l.index(1));
  for (const Heads *part : {&past, &fresh}) {
    joined = tensor::InsertSliceOp::create(l.b, part->tensor.value, joined,
                                           offsets, part->dims, strides);
    offsets[2] = past.dims[2];
  }
  made.tensor.value = joined;
  return made;
}

namespace {
/// The loops of the heads: one, or one of the key's heads and one of the
/// query's that share it.
struct HeadLoops {
  Dims dims;
  unsigned size() const { return dims.size(); }
};
} // namespace

static HeadLoops getHeadLoops(Lowering &l, const Attention &attention) {
  OpFoldResult heads = attention.query.heads(), shared = attention.key.heads();
  if (heads == shared)
    return {{heads}};
  AffineExpr a = l.b.getAffineSymbolExpr(0), b = l.b.getAffineSymbolExpr(1);
  return {{shared, l.apply(a.floorDiv(b), {heads, shared})}};
}

/// A map to a tensor of heads: the loops of the batch, the heads (from 1 on,
/// `heads` of them), the step and the element.
static AffineMap getHeadsMap(MLIRContext *context, bool stepsFirst,
                             unsigned loops, unsigned firstHead, unsigned heads,
                             unsigned step, unsigned element) {
  auto dim = [&](unsigned i) { return getAffineDimExpr(i, context); };
  SmallVector<AffineExpr> exprs = {dim(0)};
  if (stepsFirst)
    exprs.push_back(dim(step));
  for (unsigned i = 0; i != heads; ++i)
    exprs.push_back(dim(firstHead + i));
  if (!stepsFirst)
    exprs.push_back(dim(step));
  exprs.push_back(dim(element));
  return AffineMap::get(loops, 0, exprs, context);
}

/// The heads of the query split as the loops are.
static Value viewQuery(Lowering &l, const Heads &query,
                       const HeadLoops &heads) {
  Dims dims = {query.batch()};
  if (query.stepsFirst)
    dims.push_back(query.steps());
  llvm::append_range(dims, heads.dims);
  if (!query.stepsFirst)
    dims.push_back(query.steps());
  dims.push_back(query.size());
  return l.view(query.tensor.value, dims);
}

/// The bias with heads split as the loops are.
static Operand viewBias(Lowering &l, const ScoreBias &bias,
                        const HeadLoops &heads) {
  Operand viewed = bias.tensor;
  if (heads.size() == 1)
    return viewed;
  bool one = getConstantIntValue(bias.dims[1]) == 1;
  Dims dims = {bias.dims[0]};
  for (OpFoldResult size : heads.dims)
    dims.push_back(one ? l.index(1) : size);
  llvm::append_range(dims, ArrayRef(bias.dims).drop_front(2));
  viewed.value = l.view(viewed.value, dims);
  return viewed;
}

Value lathe::attend(Lowering &l, const Attention &attention, Type element) {
  MLIRContext *context = l.b.getContext();
  const Heads &query = attention.query, &key = attention.key;
  const Heads &value = attention.value;
  Type compute = getComputeType(query.tensor.element);
  HeadLoops heads = getHeadLoops(l, attention);
  unsigned n = heads.size();

  Dims scoreDims = {query.batch()};
  llvm::append_range(scoreDims, heads.dims);
  scoreDims.push_back(query.steps());
  scoreDims.push_back(key.steps());
  unsigned loops = n + 4, step = n + 1, total = n + 2;
  Operand q = query.tensor, k = key.tensor;
  q.value = viewQuery(l, query, heads);
  q.map = getHeadsMap(context, query.stepsFirst, loops, 1, n, step, n + 3);
  k.map = getHeadsMap(context, key.stepsFirst, loops, 1, 1, total, n + 3);
  Value scores = contract(l, {q, k}, loops, scoreDims);

  double scale = attention.scale;
  if (scale == 0)
    scale = 1 / std::sqrt(double(*getConstantIntValue(query.size())));
  SmallVector<Operand> inputs = {{scores, compute}};
  if (attention.bias)
    inputs.push_back(viewBias(l, *attention.bias, heads));
  scores = l.elementwise(
      inputs, scoreDims, compute, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Element e{b, x, compute, compute};
        Value score = e.mul(x[0], e.constant(scale));
        if (attention.softcap != 0) {
          Value cap = e.constant(attention.softcap);
          score = e.mul(cap, e.call<math::TanhOp>(e.div(score, cap)));
        }
        if (attention.bias)
          score = e.add(score, x[1]);
        IndexMath m{b};
        return attention.mask ? attention.mask(m, score, m.loop(0),
                                               m.loop(step), m.loop(total))
                              : score;
      });
  Operand shares{makeSoftmax(l, {scores, compute}, scoreDims, n + 2, compute),
                 compute};

  // Loops: the batch, the steps, the heads, the elements, and the sum.
  Dims dims = {query.batch(), query.steps()};
  llvm::append_range(dims, heads.dims);
  dims.push_back(value.size());
  SmallVector<AffineExpr> read = {getAffineDimExpr(0, context)};
  for (unsigned i = 0; i != n; ++i)
    read.push_back(getAffineDimExpr(2 + i, context));
  read.push_back(getAffineDimExpr(1, context));
  read.push_back(getAffineDimExpr(n + 3, context));
  shares.map = AffineMap::get(loops, 0, read, context);
  Operand v = value.tensor;
  v.map = getHeadsMap(context, value.stepsFirst, loops, 2, 1, n + 3, n + 2);
  Value made = store(l, contract(l, {shares, v}, loops, dims), dims, element);
  AffineExpr a = l.b.getAffineSymbolExpr(0), b = l.b.getAffineSymbolExpr(1);
  return l.view(made, {query.batch(), query.steps(),
                       l.apply(a * b, {query.heads(), value.size()})});
}

//===----------------------------------------------------------------------===//
// Rotary embedding
//===----------------------------------------------------------------------===//

Heads lathe::rotate(Lowering &l, const Heads &heads, const Rotation &rotation) {
  Operand x = heads.tensor;
  DimsRef dims = heads.dims;
  unsigned stepLoop = heads.stepsFirst ? 1 : 2;
  int64_t size = rotation.size, half = size / 2;
  bool all = getConstantIntValue(dims.back()) == size;
  Value positions = l.toValue(rotation.numPositions);
  Heads made = heads;
  made.tensor.value = l.elementwise(
      x, dims, x.element,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
        IndexMath m{b};
        SmallVector<Value> at;
        for (unsigned d = 0; d != 4; ++d)
          at.push_back(m.loop(d));
        Value element =
            all ? at.back() : m.min(at.back(), m.constant(size - 1));
        Value isFirst, pair;
        if (rotation.interleaved) {
          Value two = m.constant(2);
          isFirst =
              m.equal(arith::RemUIOp::create(b, element, two), m.constant(0));
          pair = arith::DivUIOp::create(b, element, two);
          at.back() = m.select(isFirst, m.add(element, m.constant(1)),
                               m.sub(element, m.constant(1)));
        } else {
          isFirst = m.less(element, m.constant(half));
          at.back() = m.select(isFirst, m.add(element, m.constant(half)),
                               m.sub(element, m.constant(half)));
          pair = m.min(element, at.back());
        }
        Value position =
            m.clamp(rotation.locate(m, m.loop(0), m.loop(stepLoop)), positions);
        Value other = m.read(x.value, at, x.element);
        Value cosine =
            m.read(rotation.cosines.value, {position, pair}, x.element);
        Value sine = m.read(rotation.sines.value, {position, pair}, x.element);
        other = arith::SelectOp::create(
            b, isFirst, Value(arith::NegFOp::create(b, other)), other);
        Value turned = arith::AddFOp::create(
            b, Value(arith::MulFOp::create(b, args[0], cosine)),
            Value(arith::MulFOp::create(b, other, sine)));
        if (all)
          return turned;
        return arith::SelectOp::create(b, m.less(m.loop(3), m.constant(size)),
                                       turned, args[0]);
      });
  return made;
}

FailureOr<int64_t> lathe::getRotarySize(Lowering &l, unsigned cache,
                                        int64_t given) {
  int64_t columns = l.type(cache).getDimSize(1);
  if (ShapedType::isDynamic(columns) || columns < 1 || columns > INT32_MAX)
    return l.unsupported("expected a known number of columns in input " +
                         Twine(cache));
  if (given != 0 && given != 2 * columns)
    return l.unsupported("expected rotary_embedding_dim of " +
                         Twine(2 * columns) + ", got " + Twine(given));
  return 2 * columns;
}
