// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of com.microsoft: scores, a softmax over what each query may see,
// and the sums of the values. Heads stay where they are; maps find them.

#include "lathe/Dialect/Onnx/IR/ContribAttention.h"
#include "Attention.h"
#include "Checks.h"
#include "Contraction.h"
#include "Families.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace lathe;

static LogicalResult lowerRotaryEmbedding(onnx::MsRotaryEmbeddingOp op,
                                          Lowering &l) {
  if (op.getIsPackedBatching())
    return l.unsupported("expected is_packed_batching of 0, got 1");
  if (op.getScale().convertToFloat() != 1)
    return l.unsupported("expected scale of 1, got another");
  FailureOr<int64_t> size = getRotarySize(l, 2, op.getRotaryEmbeddingDim());
  if (failed(size))
    return failure();
  Dims dims = l.dims(0);
  bool isFlat = dims.size() == 3;
  unsigned step = isFlat ? 1 : 2;
  Dims steps = {dims[0], dims[step]};
  int64_t hidden = l.type(0).getShape().back(), head = hidden;
  if (isFlat) {
    int64_t heads = op.getNumHeads();
    head = op.getRotaryEmbeddingDim() == 0 ? *size
           : heads > 0                     ? hidden / heads
                                           : 0;
    if (ShapedType::isDynamic(hidden) || head < *size || hidden % head != 0)
      return l.unsupported("expected heads of at least " + Twine(*size) +
                           " elements that fill the last dimension, got " +
                           Twine(hidden));
    dims = {dims[0], dims[1], l.index(hidden / head), l.index(head)};
  } else if (hidden < *size) {
    return l.unsupported("expected heads of at least " + Twine(*size) +
                         " elements, got " + Twine(hidden));
  }
  OpFoldResult rows = l.dims(2)[0];
  bool isOffset = l.rank(1) == 1;
  Value positions = l.value(1);
  Type positionType = l.element(1);
  if (isOffset) {
    Value first = l.readIndex(positions, 0);
    Value room =
        arith::SubIOp::create(l.b, l.toValue(rows), l.toValue(steps[1]));
    Value zero = arith::ConstantIndexOp::create(l.b, 0);
    Value ok = arith::AndIOp::create(
        l.b, arith::CmpIOp::create(l.b, arith::CmpIPredicate::sge, first, zero),
        arith::CmpIOp::create(l.b, arith::CmpIPredicate::sle, first, room));
    check(l, ok, "expects positions in the caches, got others");
  } else if (failed(checkIndices(l, 1, rows, 0, /*fromEnd=*/false))) {
    return failure();
  }
  auto locate = [&](const IndexMath &m, Value batch, Value s) -> Value {
    if (!isOffset)
      return m.fromInt(m.read(positions, {batch, s}, positionType));
    return m.add(s, m.fromInt(m.read(positions, m.constant(0), positionType)));
  };
  Heads x{l.operand(0), dims, /*stepsFirst=*/isFlat};
  x.tensor.value = l.view(x.tensor.value, dims);
  Rotation rotation{
      l.operand(2), l.operand(3), rows, *size, op.getInterleaved() != 0,
      locate};
  Value y = rotate(l, x, rotation).tensor.value;
  return l.replace(l.view(y, l.resultDims()));
}

/// Operand `i` as heads, from [batch, steps, heads * size] or as they are.
static Heads getHeads(Lowering &l, unsigned i, int64_t heads) {
  if (l.rank(i) == 4)
    return {l.operand(i), l.dims(i), /*stepsFirst=*/false};
  return splitHeads(l, l.operand(i), l.dims(i), heads);
}

/// Adds elements of the bias, operand `bias`, from `offset` on.
static void addBias(Lowering &l, Heads &heads, unsigned bias,
                    OpFoldResult offset) {
  OpFoldResult count = l.product({heads.heads(), heads.size()});
  Value part = tensor::ExtractSliceOp::create(l.b, l.value(bias), offset, count,
                                              l.index(1));
  Dims dims = {heads.heads(), heads.size()};
  if (!heads.stepsFirst)
    dims.insert(dims.begin() + 1, l.index(1));
  Operand added{l.view(part, dims), l.element(bias)};
  heads.tensor.value =
      l.elementwise({heads.tensor, added}, heads.dims, heads.tensor.element,
                    [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                      return arith::AddFOp::create(b, x[0], x[1]);
                    });
}

namespace {
/// Which keys a query sees: operand `operand`, where it is there, says which
/// are there at all; and causal attention sees none behind the query.
struct KeyMask {
  std::optional<unsigned> operand;
  /// Where the operand may hold the ends of the keys and then their beginnings:
  /// its size, and the number of batches, which tells.
  Value size, numBatches;
  bool isCausal = false;
  double filter = 0;
  /// How many keys stand before the first query; null for none.
  Value past;

  Value apply(Lowering &l, const IndexMath &m, Value score, Value batch,
              Value step, Value key) const;
};
} // namespace

Value KeyMask::apply(Lowering &l, const IndexMath &m, Value score, Value batch,
                     Value step, Value key) const {
  ImplicitLocOpBuilder &b = m.b;
  Type type = score.getType();
  if (operand) {
    Value mask = l.value(*operand);
    auto read = [&](ValueRange at) {
      return m.fromInt(m.read(mask, at, l.element(*operand)));
    };
    // A dimension of size 1 is for all.
    auto shape = l.type(*operand).getShape();
    auto at = [&](unsigned d, Value index) {
      return shape[d] == 1 ? m.constant(0) : index;
    };
    Value isThere;
    if (shape.size() == 1) {
      isThere = m.less(key, read(at(0, batch)));
      if (size) {
        Value first = read(m.clamp(m.add(batch, numBatches), size));
        Value start = m.select(m.equal(size, numBatches), m.constant(0), first);
        isThere = m.both(isThere, m.less(m.sub(start, m.constant(1)), key));
      }
    } else {
      Value number = shape.size() == 2
                         ? read({at(0, batch), at(1, key)})
                         : read({at(0, batch), at(1, step), at(2, key)});
      isThere = m.less(m.constant(0), number);
    }
    Value masked =
        arith::AddFOp::create(b, score, makeConstant(b, type, filter));
    score = arith::SelectOp::create(b, isThere, score, masked);
  }
  if (!isCausal)
    return score;
  Value last = past ? m.add(step, past) : step;
  Value never = makeConstant(b, type, -std::numeric_limits<double>::infinity());
  return arith::SelectOp::create(b, m.less(last, key), never, score);
}

/// What nobody reads.
static Value makeUnread(Lowering &l, unsigned i) {
  return l.empty(l.resultDims(i), l.resultType(i).getElementType());
}

static LogicalResult lowerMultiHead(onnx::MsMultiHeadAttentionOp op,
                                    Lowering &l) {
  for (unsigned i : {8u, 9u})
    if (l.has(i))
      return l.unsupported("expected no cache that is shared (input " +
                           Twine(i) + ")");
  if (l.isUsed(3))
    return l.unsupported("expected scores (output 3) that nobody reads");
  int64_t heads = op.getNumHeads();
  Heads query = getHeads(l, 0, heads), key = getHeads(l, 1, heads);
  Heads value = getHeads(l, 2, heads);
  if (l.has(3)) {
    OpFoldResult size = l.product({query.heads(), query.size()});
    addBias(l, query, 3, l.index(0));
    addBias(l, key, 3, size);
    addBias(l, value, 3, l.product({l.index(2), size}));
  }
  bool hasPast = l.has(6);
  if (hasPast || l.isUsed(1))
    key = stepsLast(l, key);
  if (hasPast || l.isUsed(2))
    value = stepsLast(l, value);
  KeyMask mask;
  mask.isCausal = op.getUnidirectional();
  mask.filter = op.getMaskFilterValue().convertToFloat();
  if (l.has(4))
    mask.operand = 4;
  if (hasPast) {
    Heads pastKey{l.operand(6), l.dims(6), /*stepsFirst=*/false};
    Heads pastValue{l.operand(7), l.dims(7), /*stepsFirst=*/false};
    mask.past = l.toValue(pastKey.steps());
    key = concatSteps(l, pastKey, key);
    value = concatSteps(l, pastValue, value);
  }
  Attention attention{query, key, value, op.getScale().convertToFloat()};
  if (l.has(5))
    attention.bias = ScoreBias{l.operand(5), l.dims(5)};
  auto apply = [&](const IndexMath &m, Value score, Value batch, Value step,
                   Value k) { return mask.apply(l, m, score, batch, step, k); };
  if (mask.operand || mask.isCausal)
    attention.mask = apply;
  Value made = attend(l, attention, l.resultElement());
  return l.replace({made, l.isUsed(1) ? key.tensor.value : makeUnread(l, 1),
                    l.isUsed(2) ? value.tensor.value : makeUnread(l, 2),
                    makeUnread(l, 3)});
}

/// The heads from `first` on, `count` of them, of what lies in one tensor.
static Heads cutHeads(Lowering &l, const Heads &all, int64_t first,
                      int64_t count) {
  Heads part = all;
  Dims offsets(4, l.index(0)), strides(4, l.index(1));
  offsets[2] = l.index(first);
  part.dims[2] = l.index(count);
  part.tensor.value = tensor::ExtractSliceOp::create(
      l.b, all.tensor.value, offsets, part.dims, strides);
  return part;
}

/// Keys or values of a cache of `total` steps: those of `past`, where there are
/// any, then `fresh`, then zeros; `locate` gives the number of past ones.
static Heads
fillCache(Lowering &l, std::optional<Heads> past, const Heads &fresh,
          OpFoldResult total,
          llvm::function_ref<Value(const IndexMath &, Value)> locate) {
  Heads made = fresh;
  made.stepsFirst = false;
  made.dims = {fresh.batch(), fresh.heads(), total, fresh.size()};
  Type element = fresh.tensor.element;
  Value steps = l.toValue(fresh.steps());
  Value capacity = past ? l.toValue(past->steps()) : Value();
  made.tensor.value = l.elementwise(
      {}, made.dims, element,
      [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        IndexMath m{b};
        Value step = m.loop(2), first = locate(m, m.loop(0));
        Value since = m.sub(step, first);
        Value read = m.read(
            fresh.tensor.value,
            {m.loop(0), m.clamp(since, steps), m.loop(1), m.loop(3)}, element);
        Value isFresh = m.less(since, steps);
        Value value = arith::SelectOp::create(
            b, isFresh, read, makeConstant(b, read.getType(), 0));
        if (!past)
          return value;
        // A past without steps has nothing to read.
        Value old =
            m.read(past->tensor.value,
                   {m.loop(0), m.loop(1), m.clamp(step, capacity), m.loop(3)},
                   element);
        return arith::SelectOp::create(b, m.less(step, first), old, value);
      });
  return made;
}

static LogicalResult checkGroupQuery(onnx::MsGroupQueryAttentionOp op,
                                     Lowering &l) {
  for (auto [i, name] :
       {std::pair(9u, "position_ids"), std::pair(11u, "head_sink"),
        std::pair(12u, "k_scale"), std::pair(13u, "v_scale"),
        std::pair(14u, "q_norm_weight"), std::pair(15u, "k_norm_weight")})
    if (l.has(i))
      return l.unsupported("expected no " + Twine(name) + " (input " +
                           Twine(i) + ")");
  if (!op.getCausal())
    return l.unsupported("expected causal of 1, got 0");
  if (int64_t smooth = op.getSmoothSoftmax(); smooth > 0)
    return l.unsupported("expected smooth_softmax of 0, got " + Twine(smooth));
  if (op.getSlidingWindowCache())
    return l.unsupported("expected sliding_window_cache of 0, got 1");
  if (op.getQkOutput() != 0 || l.isUsed(3))
    return l.unsupported("expected scores (output 3) that nobody reads");
  if (op.getDoRotary() && !l.has(7))
    return l.unsupported("expected cos_cache and sin_cache (inputs 7 and 8)");
  if (int64_t window = op.getLocalWindowSize(); window != -1 && window < 1)
    return l.unsupported(
        "expected local_window_size of -1 or at least 1, got " + Twine(window));
  return success();
}

static LogicalResult lowerGroupQuery(onnx::MsGroupQueryAttentionOp op,
                                     Lowering &l) {
  if (failed(checkGroupQuery(op, l)))
    return failure();
  int64_t heads = op.getNumHeads(), shared = op.getKvNumHeads();
  std::optional<Heads> pastKey, pastValue;
  if (l.has(3) && l.type(3).getDimSize(2) != 0) {
    pastKey = Heads{l.operand(3), l.dims(3), /*stepsFirst=*/false};
    pastValue = Heads{l.operand(4), l.dims(4), /*stepsFirst=*/false};
  }
  Dims dims = l.dims(0);
  Value count = l.readIndex(l.value(6), 0);
  Value steps = l.toValue(dims[1]);
  Value zero = arith::ConstantIndexOp::create(l.b, 0);
  Value capacity = pastKey ? l.toValue(pastKey->steps()) : zero;
  Value most = arith::MaxSIOp::create(l.b, capacity, count);
  // No batch has more past keys than the cache. Scores are made for as many
  // keys as there may be, a number that is known when the program is entered.
  OpFoldResult bound =
      pastKey ? l.apply(l.b.getAffineSymbolExpr(0) + l.b.getAffineSymbolExpr(1),
                        {pastKey->steps(), dims[1]})
              : dims[1];
  l.bindDim(1, 2, most, bound);

  Operand lengths = l.operand(5);
  lengths.value = l.view(lengths.value, {dims[0]});
  // How many keys come before the steps.
  auto getPast = [&](const IndexMath &m, Value length) -> Value {
    Value past = m.sub(m.add(m.fromInt(length), m.constant(1)), steps);
    return m.select(m.equal(steps, count), m.constant(0), past);
  };
  auto locate = [&](const IndexMath &m, Value batch) {
    return getPast(m, m.read(lengths.value, batch, lengths.element));
  };
  lengths.map = AffineMap::get(1, 0, l.b.getAffineDimExpr(0), l.b.getContext());
  checkElements(
      l, lengths, {dims[0]},
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        IndexMath m{b};
        Value past = getPast(m, x[0]);
        Value isBad = arith::OrIOp::create(
            b, m.less(past, m.constant(0)),
            Value(arith::OrIOp::create(b, m.less(capacity, past),
                                       m.less(count, m.add(past, steps)))));
        return isBad;
      },
      "expects seqlens_k of keys that the caches hold, got others");

  Heads query, key, value;
  if (l.has(1)) {
    query = splitHeads(l, l.operand(0), dims, heads);
    key = splitHeads(l, l.operand(1), l.dims(1), shared);
    value = splitHeads(l, l.operand(2), l.dims(2), shared);
  } else {
    Heads all = splitHeads(l, l.operand(0), dims, heads + 2 * shared);
    query = cutHeads(l, all, 0, heads);
    key = cutHeads(l, all, heads, shared);
    value = cutHeads(l, all, heads + shared, shared);
  }
  if (op.getDoRotary()) {
    FailureOr<int64_t> size = getRotarySize(l, 7, 0);
    if (failed(size))
      return failure();
    if (*size > getConstantIntValue(query.size()))
      return l.unsupported("expected heads of at least " + Twine(*size) +
                           " elements");
    auto position = [&](const IndexMath &m, Value batch, Value step) {
      return m.add(locate(m, batch), step);
    };
    OpFoldResult rows = l.dims(7)[0];
    Value fits = arith::CmpIOp::create(l.b, arith::CmpIPredicate::sle, count,
                                       l.toValue(rows));
    check(l, fits,
          "expects positions in the caches of cosines and sines, got "
          "others");
    Rotation rotation{
        l.operand(7), l.operand(8), rows, *size, op.getRotaryInterleaved() != 0,
        position};
    query = rotate(l, query, rotation);
    key = rotate(l, key, rotation);
  }
  Attention attention{query, fillCache(l, pastKey, key, bound, locate),
                      fillCache(l, pastValue, value, bound, locate),
                      op.getScale().convertToFloat(),
                      op.getSoftcap().convertToFloat()};
  if (l.has(10))
    attention.bias = ScoreBias{l.operand(10), l.dims(10)};
  int64_t window = op.getLocalWindowSize();
  auto mask = [&](const IndexMath &m, Value score, Value batch, Value step,
                  Value k) -> Value {
    Value last = m.add(locate(m, batch), step);
    Value isHidden = m.less(last, k);
    if (window > 0)
      isHidden = arith::OrIOp::create(
          m.b, isHidden, m.less(k, m.sub(last, m.constant(window - 1))));
    Value never = makeConstant(m.b, score.getType(),
                               -std::numeric_limits<double>::infinity());
    return arith::SelectOp::create(m.b, isHidden, never, score);
  };
  attention.mask = mask;
  Value made = attend(l, attention, l.resultElement());
  auto cut = [&](const Heads &cache, unsigned result) -> Value {
    if (!l.isUsed(result))
      return makeUnread(l, result);
    Dims offsets(4, l.index(0)), strides(4, l.index(1));
    return tensor::ExtractSliceOp::create(l.b, cache.tensor.value, offsets,
                                          l.resultDims(result), strides);
  };
  return l.replace(
      {made, cut(attention.key, 1), cut(attention.value, 2), makeUnread(l, 3)});
}

/// Part `which` of a cache [2, batch, heads, steps, size].
static Heads cutCache(Lowering &l, unsigned cache, int64_t which) {
  Dims sizes = l.dims(cache), offsets(5, l.index(0)), strides(5, l.index(1));
  Dims dims(ArrayRef(sizes).drop_front());
  sizes[0] = l.index(1);
  offsets[0] = l.index(which);
  Value part = tensor::ExtractSliceOp::create(l.b, l.value(cache), offsets,
                                              sizes, strides);
  return {{l.view(part, dims), l.element(cache)}, dims, /*stepsFirst=*/false};
}

/// Keys and values one after the other, in the order of a cache.
static Value joinCache(Lowering &l, const Heads &key, const Heads &value) {
  Dims dims = l.resultDims(1), offsets(5, l.index(0)), strides(5, l.index(1));
  Value joined = l.empty(dims, l.resultType(1).getElementType());
  Dims sizes = dims;
  sizes[0] = l.index(1);
  const Heads *parts[] = {&key, &value};
  for (auto [i, part] : llvm::enumerate(parts)) {
    offsets[0] = l.index(i);
    joined =
        tensor::InsertSliceOp::create(l.b, l.view(part->tensor.value, sizes),
                                      joined, offsets, sizes, strides);
  }
  return joined;
}

static LogicalResult lowerAttention(onnx::MsAttentionOp op, Lowering &l) {
  if (op.getDoRotary())
    return l.unsupported("expected do_rotary of 0, got 1");
  if (op.getPastPresentShareBuffer() || l.has(6))
    return l.unsupported("expected past_present_share_buffer of 0 and no "
                         "past_sequence_length (input 6)");
  MLIRContext *context = l.b.getContext();
  Dims in = l.dims(0);
  int64_t columns = l.type(1).getDimSize(1), heads = op.getNumHeads();
  SmallVector<int64_t> sizes(3, columns / 3);
  if (auto given = op.getQkvHiddenSizes(); given && !given->empty())
    sizes.assign(given->begin(), given->end());
  if ((l.has(4) || l.isUsed(1)) && sizes[2] != sizes[0])
    return l.unsupported("expected keys and values of one size in a cache");

  // The projection, from which the parts are cut.
  AffineExpr b, s, n, k;
  bindDims(context, b, s, n, k);
  Operand x = l.operand(0), w = l.operand(1);
  x.map = AffineMap::get(4, 0, {b, s, k}, context);
  w.map = AffineMap::get(4, 0, {k, n}, context);
  Dims dims = {in[0], in[1], l.index(columns)};
  Value made = contract(l, {x, w}, 4, dims);
  Type element = l.element(0), compute = getComputeType(element);
  if (l.has(2))
    made = l.elementwise({Operand{made, compute}, l.operand(2)}, dims, element,
                         [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                           return arith::AddFOp::create(b, x[0], x[1]);
                         });
  else
    made = store(l, made, dims, element);
  Heads parts[3];
  Dims offsets(3, l.index(0)), strides(3, l.index(1));
  int64_t first = 0;
  for (auto [part, size] : llvm::zip_equal(parts, sizes)) {
    offsets[2] = l.index(first);
    dims[2] = l.index(size);
    Value cut =
        tensor::ExtractSliceOp::create(l.b, made, offsets, dims, strides);
    part = splitHeads(l, {cut, element}, dims, heads);
    first += size;
  }

  KeyMask mask;
  mask.isCausal = op.getUnidirectional();
  mask.filter = op.getMaskFilterValue().convertToFloat();
  if (l.has(3)) {
    mask.operand = 3;
    if (l.rank(3) == 1) {
      mask.size = l.toValue(l.dims(3)[0]);
      mask.numBatches = l.toValue(in[0]);
    }
  }
  Attention attention{parts[0], parts[1], parts[2],
                      op.getScale().convertToFloat()};
  if (l.has(4) || l.isUsed(1)) {
    attention.key = stepsLast(l, attention.key);
    attention.value = stepsLast(l, attention.value);
  }
  if (l.has(4)) {
    Heads pastKey = cutCache(l, 4, 0);
    mask.past = l.toValue(pastKey.steps());
    attention.key = concatSteps(l, pastKey, attention.key);
    attention.value = concatSteps(l, cutCache(l, 4, 1), attention.value);
  }
  if (l.has(5))
    attention.bias = ScoreBias{l.operand(5), l.dims(5)};
  auto apply = [&](const IndexMath &m, Value score, Value batch, Value step,
                   Value key) {
    return mask.apply(l, m, score, batch, step, key);
  };
  if (mask.operand || mask.isCausal)
    attention.mask = apply;
  Value y = attend(l, attention, l.resultElement());
  return l.replace({y, l.isUsed(1)
                           ? joinCache(l, attention.key, attention.value)
                           : makeUnread(l, 1)});
}

void lathe::populateContribAttentionPatterns(RewritePatternSet &patterns,
                                             const TypeConverter &types) {
  addLowering(patterns, types, lowerRotaryEmbedding);
  addLowering(patterns, types, lowerMultiHead);
  addLowering(patterns, types, lowerGroupQuery);
  addLowering(patterns, types, lowerAttention);
}
