// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers by Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As
// Easy as 1, 2, 3", SC 2011): element `i` is a function of `i`, the counter,
// and of the node's key, so that it does not matter which thread makes it. The
// key is the bits of the attribute `seed` or, without one, the number of the
// node in the model; a run gives the same numbers as the run before.

#include "lathe/Dialect/Onnx/IR/Random.h"
#include "Families.h"
#include "Grid.h"
#include "Sampling.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;

/// The two words of a node's key.
static std::pair<uint32_t, uint32_t> getKey(Operation *op,
                                            std::optional<APFloat> seed) {
  if (seed)
    return {uint32_t(seed->bitcastToAPInt().getZExtValue()), 0};
  auto node = op->getAttrOfType<IntegerAttr>(nodeAttrName);
  return {node ? uint32_t(node.getInt()) : 0, 1};
}

namespace {
/// The four words that a counter gives, as i64 below 2^32.
struct Words {
  Value w[4];
};
} // namespace

static Value word(ImplicitLocOpBuilder &b, uint32_t value) {
  return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
}

/// The words at counter `at`, an index.
static Words emitPhilox(ImplicitLocOpBuilder &b,
                        std::pair<uint32_t, uint32_t> key, Value at) {
  Value mask = word(b, 0xFFFFFFFF), half = word(b, 32);
  Value wide = arith::IndexCastOp::create(b, b.getI64Type(), at);
  Words x{{arith::AndIOp::create(b, wide, mask),
           arith::ShRUIOp::create(b, wide, half), word(b, 0), word(b, 0)}};
  auto [k0, k1] = key;
  for (int round = 0; round != 10; ++round) {
    Value p0 = arith::MulIOp::create(b, x.w[0], word(b, 0xD2511F53));
    Value p1 = arith::MulIOp::create(b, x.w[2], word(b, 0xCD9E8D57));
    auto high = [&](Value p) -> Value {
      return arith::ShRUIOp::create(b, p, half);
    };
    auto low = [&](Value p) -> Value {
      return arith::AndIOp::create(b, p, mask);
    };
    auto mix = [&](Value p, Value y, uint32_t k) -> Value {
      Value mixed = arith::XOrIOp::create(b, high(p), y);
      return arith::XOrIOp::create(b, mixed, word(b, k));
    };
    x = {{mix(p1, x.w[1], k0), low(p1), mix(p0, x.w[3], k1), low(p0)}};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return x;
}

/// A number in [0, 1) with as many bits as `f`'s type holds, from two words.
static Value emitUnit(const FloatMath &f, Value high, Value low) {
  ImplicitLocOpBuilder &b = f.b;
  if (f.type.isF64()) {
    // 53 bits.
    Value bits =
        arith::OrIOp::create(b, arith::ShLIOp::create(b, high, word(b, 21)),
                             arith::ShRUIOp::create(b, low, word(b, 11)));
    return f.mul(arith::SIToFPOp::create(b, f.type, bits),
                 f.constant(std::ldexp(1.0, -53)));
  }
  Value bits = arith::ShRUIOp::create(b, high, word(b, 8));
  Value narrow = arith::TruncIOp::create(b, b.getI32Type(), bits);
  return f.mul(arith::SIToFPOp::create(b, f.type, narrow),
               f.constant(std::ldexp(1.0, -24)));
}

/// The position in row-major order of the loops over `sizes`.
static Value getPosition(const IndexMath &m, ArrayRef<Value> sizes) {
  Value at = m.constant(0);
  for (auto [i, size] : llvm::enumerate(sizes))
    at = m.add(m.mul(at, size), m.loop(i));
  return at;
}

/// low + u * (high - low)
template <typename OpTy>
static LogicalResult lowerUniform(OpTy op, Lowering &l) {
  auto key = getKey(op, op.getSeed());
  Dims dims = l.resultDims();
  SmallVector<Value> sizes = toValues(l, dims);
  Type element = l.resultElement();
  double low = op.getLow().convertToFloat(),
         high = op.getHigh().convertToFloat();
  return l.replace(l.elementwise(
      {}, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        FloatMath f{b, getComputeType(element)};
        Words x = emitPhilox(b, key, getPosition(m, sizes));
        Value u = emitUnit(f, x.w[0], x.w[1]);
        return f.add(f.constant(low), f.mul(u, f.constant(high - low)));
      }));
}

/// mean + scale * sqrt(-2 ln u1) cos(2 pi u2) (Box and Muller, Ann. Math. Stat.
/// 29(2), 1958), with u1 in (0, 1].
template <typename OpTy>
static LogicalResult lowerNormal(OpTy op, Lowering &l) {
  auto key = getKey(op, op.getSeed());
  Dims dims = l.resultDims();
  SmallVector<Value> sizes = toValues(l, dims);
  Type element = l.resultElement();
  double mean = op.getMean().convertToFloat();
  double scale = op.getScale().convertToFloat();
  return l.replace(l.elementwise(
      {}, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        FloatMath f{b, getComputeType(element)};
        Words x = emitPhilox(b, key, getPosition(m, sizes));
        Value u1 = f.sub(f.constant(1), emitUnit(f, x.w[0], x.w[1]));
        Value u2 = emitUnit(f, x.w[2], x.w[3]);
        Value radius = math::SqrtOp::create(
            b, f.mul(f.constant(-2), math::LogOp::create(b, u1)));
        Value angle = f.mul(f.constant(2 * llvm::numbers::pi), u2);
        Value normal = f.mul(radius, math::CosOp::create(b, angle));
        return f.add(f.constant(mean), f.mul(normal, f.constant(scale)));
      }));
}

/// Per row: the classes' shares of the sum of all, in order, until they exceed
/// the random number.
static LogicalResult lowerMultinomial(onnx::MultinomialOp op, Lowering &l) {
  auto key = getKey(op, op.getSeed());
  Dims dims = l.dims(0), outDims = l.resultDims();
  Type element = l.element(0), type = getComputeType(element);
  Type storage = getStorageType(l.resultElement());
  Value classes = l.toValue(dims[1]), draws = l.toValue(outDims[1]);
  Value logits = l.value(0);
  return l.replace(makeGrid(
      l, dims[0], {{outDims, storage, {0, -1}}},
      [&](const Code &c, ValueRange at, ValueRange parts) -> Code::Values {
        FloatMath f{c.b, type};
        Value zero = c.constant(0);
        Value least = f.constant(-std::numeric_limits<double>::infinity());
        Value greatest =
            c.loop(zero, classes, least,
                   [&](const Code &c, Value j, ValueRange x) -> Code::Values {
                     FloatMath f{c.b, type};
                     Value v = c.read(logits, {at[0], j}, element);
                     return {f.select(f.less(x[0], v), v, x[0])};
                   })[0];
        auto getShare = [&](const Code &c, Value j) -> Value {
          FloatMath f{c.b, type};
          Value v = c.read(logits, {at[0], j}, element);
          return math::ExpOp::create(c.b, f.sub(v, greatest));
        };
        Value total =
            c.loop(zero, classes, f.constant(0),
                   [&](const Code &c, Value j, ValueRange sum) -> Code::Values {
                     FloatMath f{c.b, type};
                     return {f.add(sum[0], getShare(c, j))};
                   })[0];
        return c.loop(
            zero, draws, parts,
            [&](const Code &c, Value i, ValueRange out) -> Code::Values {
              FloatMath f{c.b, type};
              Words x = emitPhilox(c.b, key, c.add(c.mul(at[0], draws), i));
              Value limit = f.mul(emitUnit(f, x.w[0], x.w[1]), total);
              Code::Values found = c.loop(
                  zero, classes, {f.constant(0), zero},
                  [&](const Code &c, Value j, ValueRange s) -> Code::Values {
                    FloatMath f{c.b, type};
                    Value sum = f.add(s[0], getShare(c, j));
                    // Past every class whose end is not beyond the limit.
                    Value passed = arith::CmpFOp::create(
                        c.b, arith::CmpFPredicate::OLE, sum, limit);
                    Value next = c.add(j, c.constant(1));
                    return {sum, c.select(passed, next, s[1])};
                  });
              Value drawn = c.clamp(found[1], classes);
              return {c.write(arith::IndexCastOp::create(c.b, storage, drawn),
                              out[0], {zero, i})};
            });
      }));
}

//===----------------------------------------------------------------------===//
// Dropout
//===----------------------------------------------------------------------===//

/// In training an element stays, times 1 / (1 - ratio), where its random number
/// is not below `ratio`.
static LogicalResult lowerDropout(onnx::DropoutOp op, Lowering &l) {
  std::optional<SmallVector<int64_t>> training = SmallVector<int64_t>{0};
  if (l.has(2))
    training = l.ints(2);
  if (training && llvm::all_of(*training, [](int64_t x) { return x == 0; }))
    return l.replace(
        {l.value(0), l.fill(l.resultDims(1), l.b.getI8IntegerAttr(1))});
  Dims dims = l.resultDims();
  SmallVector<Value> sizes = toValues(l, dims);
  Type element = l.element(0), type = getComputeType(element);
  auto key = std::make_pair(0u, 0u);
  if (IntegerAttr seed = op.getSeedAttr())
    key = {uint32_t(seed.getInt()), 0};
  else
    key = getKey(op, std::nullopt);
  auto scalar = [&](unsigned i) {
    Operand x = l.operand(i);
    x.value = l.view(x.value, {});
    return x;
  };
  SmallVector<Operand> operands{l.operand(0)};
  if (l.has(1))
    operands.push_back(scalar(1));
  if (!training)
    operands.push_back(scalar(2));
  auto keeps = [&](ImplicitLocOpBuilder &b, ValueRange x, Value &ratio) {
    IndexMath m{b};
    FloatMath f{b, type};
    ratio =
        l.has(1) ? castScalar(b, x[1], l.element(1), type) : f.constant(0.5);
    Words words = emitPhilox(b, key, getPosition(m, sizes));
    Value kept =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OGE,
                              emitUnit(f, words.w[0], words.w[1]), ratio);
    if (training)
      return kept;
    Value isOff =
        arith::XOrIOp::create(b, x.back(), makeConstant(b, b.getI1Type(), 1));
    return Value(arith::OrIOp::create(b, kept, isOff));
  };
  Value mask = l.elementwise(operands, dims, l.resultElement(1),
                             [&](ImplicitLocOpBuilder &b, ValueRange x) {
                               Value ratio;
                               return keeps(b, x, ratio);
                             });
  Value output = l.elementwise(
      operands, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        FloatMath f{b, type};
        Value ratio, kept = keeps(b, x, ratio);
        Value scale = f.div(f.constant(1), f.sub(f.constant(1), ratio));
        if (!training)
          scale = f.select(x.back(), scale, f.constant(1));
        return f.select(kept, f.mul(x[0], scale), f.constant(0));
      });
  return l.replace({output, mask});
}

void lathe::populateRandomPatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerUniform<onnx::RandomUniformOp>);
  addLowering(patterns, types, lowerUniform<onnx::RandomUniformLikeOp>);
  addLowering(patterns, types, lowerNormal<onnx::RandomNormalOp>);
  addLowering(patterns, types, lowerNormal<onnx::RandomNormalLikeOp>);
  addLowering(patterns, types, lowerMultinomial);
  addLowering(patterns, types, lowerDropout);
}
