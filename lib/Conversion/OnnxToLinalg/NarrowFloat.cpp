// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions of narrow floats as arithmetic on integers and `f32`, without
// tables or branches, so that it vectorizes and is the same on every target.
//
// A code is a sign, an exponent and `mantissa` bits, as in `f32` but shorter.
// Normal numbers are moved into place and rebiased. Those below the least
// normal one are multiples of 2^(1 - bias - mantissa): decoding multiplies by
// that, and encoding adds the power of two whose last bit weighs as much, which
// makes the processor round to it, ties to even.

#include "NarrowFloat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace lathe;

namespace {
/// What tells the formats apart. Codes are given without their sign.
struct Format {
  unsigned bits, mantissa;
  int bias;
  int64_t largest;
  /// The code of what is above `largest`, where there is one.
  std::optional<int64_t> infinity;
  /// NaN; its sign is turned by that of the NaN that is encoded, unless `fnuz`.
  int64_t nan;
  /// One zero, and one NaN in the place of the other.
  bool fnuz = false;
  /// Whether `nan` is a NaN, rather than a zero that stands for it.
  bool hasNan = true;
};

/// Integer arithmetic on 32 bits.
struct Bits {
  ImplicitLocOpBuilder &b;

  Value constant(int64_t value) const {
    return arith::ConstantOp::create(
        b, b.getIntegerAttr(b.getI32Type(), APInt(32, uint32_t(value))));
  }
  Value number(double value) const {
    return makeConstant(b, b.getF32Type(), value);
  }
  Value add(Value x, Value y) const { return arith::AddIOp::create(b, x, y); }
  Value sub(Value x, int64_t y) const {
    return arith::SubIOp::create(b, x, constant(y));
  }
  Value both(Value x, int64_t y) const {
    return arith::AndIOp::create(b, x, constant(y));
  }
  Value either(Value x, Value y) const { return arith::OrIOp::create(b, x, y); }
  Value left(Value x, unsigned by) const {
    return by ? Value(arith::ShLIOp::create(b, x, constant(by))) : x;
  }
  Value right(Value x, unsigned by) const {
    return by ? Value(arith::ShRUIOp::create(b, x, constant(by))) : x;
  }
  Value test(arith::CmpIPredicate predicate, Value x, int64_t y) const {
    return arith::CmpIOp::create(b, predicate, x, constant(y));
  }
  Value below(Value x, int64_t y) const {
    return test(arith::CmpIPredicate::ult, x, y);
  }
  Value above(Value x, int64_t y) const {
    return test(arith::CmpIPredicate::ugt, x, y);
  }
  Value select(Value c, Value x, Value y) const {
    return arith::SelectOp::create(b, c, x, y);
  }
  Value toFloat(Value bits) const {
    return arith::BitcastOp::create(b, b.getF32Type(), bits);
  }
  Value fromFloat(Value x) const {
    return arith::BitcastOp::create(b, b.getI32Type(), x);
  }
  Value toByte(Value x) const {
    return arith::TruncIOp::create(b, b.getI8Type(), x);
  }
};
} // namespace

static constexpr int64_t infinityBits = 0x7f800000, nanBits = 0x7fc00000;

static Format getFormat(FloatType type) {
  if (isa<Float8E4M3FNType>(type))
    return {8, 3, 7, 0x7e, std::nullopt, 0x7f};
  if (isa<Float8E4M3FNUZType>(type))
    return {8, 3, 8, 0x7f, std::nullopt, 0x80, /*fnuz=*/true};
  if (isa<Float8E5M2Type>(type))
    return {8, 2, 15, 0x7b, 0x7c, 0x7e};
  if (isa<Float8E5M2FNUZType>(type))
    return {8, 2, 16, 0x7f, std::nullopt, 0x80, /*fnuz=*/true};
  bool isFour = isa<Float4E2M1FNType>(type);
  bool isLong = isa<Float6E2M3FNType>(type);
  assert((isFour || isLong || isa<Float6E3M2FNType>(type)) &&
         "every narrow float of ONNX but f8E8M0FNU has a format here");
  if (isFour)
    return {4, 1, 1, 0x07, std::nullopt, 0x08, false, /*hasNan=*/false};
  if (isLong)
    return {6, 3, 1, 0x1f, std::nullopt, 0x20, false, /*hasNan=*/false};
  return {6, 2, 3, 0x1f, std::nullopt, 0x20, false, /*hasNan=*/false};
}

/// Codes of `f8E8M0FNU` are exponents of `f32`, but 0, which is 2^-127.
static Value decodeExponent(const Bits &m, Value code) {
  Value bits = m.left(code, 23);
  bits = m.select(m.below(code, 1), m.constant(0x400000), bits);
  bits = m.select(m.above(code, 0xfe), m.constant(nanBits), bits);
  return m.toFloat(bits);
}

/// The exponent after rounding; the sign is ignored.
static Value encodeExponent(const Bits &m, Value x, CastRules rules) {
  Value bits = m.both(m.fromFloat(x), 0x7fffffff);
  Value isNan = m.above(bits, infinityBits);
  // What is added to round, and below what a number below 2^-126 goes to 2^-127
  // rather than there.
  int64_t carry = 0, least = 0;
  if (rules.rounding == CastRules::Up) {
    carry = 0x7fffff;
    least = 0x400001;
  } else if (rules.rounding == CastRules::Nearest) {
    carry = 0x400000;
    least = 0x600000;
  }
  Value code = m.right(m.add(bits, m.constant(carry)), 23);
  code = m.select(m.below(bits, least), m.constant(0), code);
  Value over = m.above(code, 0xfe);
  code = m.select(over, m.constant(rules.saturate ? 0xfe : 0xff), code);
  if (!rules.saturate)
    code = m.select(m.below(bits, 0x400000), m.constant(0xff), code);
  return m.toByte(m.select(isNan, m.constant(0xff), code));
}

Value lathe::decodeFloat(ImplicitLocOpBuilder &b, Value code, FloatType type) {
  Bits m{b};
  Value wide = arith::ExtUIOp::create(b, b.getI32Type(), code);
  if (isa<Float8E8M0FNUType>(type))
    return decodeExponent(m, wide);
  Format f = getFormat(type);
  int64_t signBit = int64_t(1) << (f.bits - 1);
  Value magnitude = m.both(wide, signBit - 1);
  unsigned shift = 23 - f.mantissa;
  Value normal =
      m.add(m.left(magnitude, shift), m.constant(int64_t(127 - f.bias) << 23));
  double unit = std::ldexp(1.0, 1 - f.bias - int(f.mantissa));
  Value small = m.fromFloat(arith::MulFOp::create(
      b, Value(arith::SIToFPOp::create(b, b.getF32Type(), magnitude)),
      m.number(unit)));
  Value bits =
      m.select(m.below(magnitude, int64_t(1) << f.mantissa), small, normal);
  if (f.infinity)
    bits = m.select(
        m.above(magnitude, *f.infinity - 1),
        m.either(m.left(magnitude, shift), m.constant(infinityBits)), bits);
  else if (f.hasNan && !f.fnuz)
    bits = m.select(m.above(magnitude, f.largest), m.constant(nanBits), bits);
  bits = m.either(bits, m.left(m.both(wide, signBit), 32 - f.bits));
  if (f.fnuz)
    bits = m.select(m.test(arith::CmpIPredicate::eq, wide, f.nan),
                    m.constant(nanBits), bits);
  return m.toFloat(bits);
}

Value lathe::encodeFloat(ImplicitLocOpBuilder &b, Value x, FloatType type,
                         CastRules rules) {
  Bits m{b};
  if (isa<Float8E8M0FNUType>(type))
    return encodeExponent(m, x, rules);
  Format f = getFormat(type);
  Value all = m.fromFloat(x);
  Value sign = m.left(m.right(all, 31), f.bits - 1);
  Value bits = m.both(all, 0x7fffffff);
  unsigned shift = 23 - f.mantissa;
  // Half of the last place, less one where the place itself is even.
  Value half = m.add(m.both(m.right(bits, shift), 1),
                     m.constant((int64_t(1) << (shift - 1)) - 1));
  Value normal = m.sub(m.right(m.add(bits, half), shift), int64_t(127 - f.bias)
                                                              << f.mantissa);
  // 23 places above the unit of the smallest numbers.
  int64_t adderBits = int64_t(127 + 1 - f.bias - int(f.mantissa) + 23) << 23;
  Value sum = arith::AddFOp::create(b, m.toFloat(bits),
                                    m.toFloat(m.constant(adderBits)));
  Value small = m.sub(m.fromFloat(sum), adderBits);
  Value isSmall = m.below(bits, int64_t(127 + 1 - f.bias) << 23);
  Value code = m.select(isSmall, small, normal);

  Value over = m.above(code, f.largest);
  int64_t limit = f.largest;
  if (!rules.saturate && f.hasNan)
    limit = f.infinity.value_or(f.nan);
  code = m.select(over, m.constant(limit), code);
  Value nan = m.constant(f.nan);
  if (f.fnuz) {
    // Neither zero nor NaN has a sign.
    Value unsignedCode =
        m.either(m.test(arith::CmpIPredicate::eq, code, 0),
                 m.test(arith::CmpIPredicate::eq, code, f.nan));
    code = m.select(unsignedCode, code, m.either(code, sign));
  } else {
    code = m.either(code, sign);
    nan = arith::XOrIOp::create(b, nan, sign);
  }
  return m.toByte(m.select(m.above(bits, infinityBits), nan, code));
}

Value lathe::roundToOdd(ImplicitLocOpBuilder &b, Value x) {
  Bits m{b};
  Value single = arith::TruncFOp::create(b, b.getF32Type(), x);
  Value back = arith::ExtFOp::create(b, b.getF64Type(), single);
  Value isLarger = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT,
                                         Value(math::AbsFOp::create(b, back)),
                                         Value(math::AbsFOp::create(b, x)));
  Value isExact = arith::CmpFOp::create(b, arith::CmpFPredicate::UEQ, back, x);
  Value bits = m.fromFloat(single);
  Value odd = m.either(m.select(isLarger, m.sub(bits, 1), bits), m.constant(1));
  return m.toFloat(m.select(isExact, bits, odd));
}
