// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic and functions of one element.

#include "Elementwise.h"
#include "Families.h"
#include "Remainder.h"
#include "lathe/Dialect/Onnx/IR/Math.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Element
//===----------------------------------------------------------------------===//

Value Element::add(Value l, Value r) const {
  if (isFloat())
    return arith::AddFOp::create(b, l, r);
  return arith::AddIOp::create(b, l, r);
}

Value Element::sub(Value l, Value r) const {
  if (isFloat())
    return arith::SubFOp::create(b, l, r);
  return arith::SubIOp::create(b, l, r);
}

Value Element::mul(Value l, Value r) const {
  if (isFloat())
    return arith::MulFOp::create(b, l, r);
  return arith::MulIOp::create(b, l, r);
}

Value Element::div(Value l, Value r) const {
  return arith::DivFOp::create(b, l, r);
}

Value Element::max(Value l, Value r) const {
  if (isFloat())
    return arith::MaximumFOp::create(b, l, r);
  if (isUnsigned(types[0]))
    return arith::MaxUIOp::create(b, l, r);
  return arith::MaxSIOp::create(b, l, r);
}

Value Element::min(Value l, Value r) const {
  if (isFloat())
    return arith::MinimumFOp::create(b, l, r);
  if (isUnsigned(types[0]))
    return arith::MinUIOp::create(b, l, r);
  return arith::MinSIOp::create(b, l, r);
}

/// Compares by the predicate for floats, signed or unsigned integers.
static Value compare(const Element &e, arith::CmpFPredicate floats,
                     arith::CmpIPredicate ints, arith::CmpIPredicate uints,
                     Value l, Value r) {
  if (e.isFloat())
    return arith::CmpFOp::create(e.b, floats, l, r);
  return arith::CmpIOp::create(e.b, isUnsigned(e.types[0]) ? uints : ints, l,
                               r);
}

Value Element::equal(Value l, Value r) const {
  return compare(*this, arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq,
                 arith::CmpIPredicate::eq, l, r);
}

Value Element::less(Value l, Value r) const {
  return compare(*this, arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt,
                 arith::CmpIPredicate::ult, l, r);
}

Value Element::lessOrEqual(Value l, Value r) const {
  return compare(*this, arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle,
                 arith::CmpIPredicate::ule, l, r);
}

Value Element::select(Value c, Value t, Value f) const {
  return arith::SelectOp::create(b, c, t, f);
}

Value Element::greaterOr(Value l, Value r) const {
  return select(less(r, l), l, r);
}

Value Element::lesserOr(Value l, Value r) const {
  return select(less(l, r), l, r);
}

Value Element::exp(Value v) const { return math::ExpOp::create(b, v); }

Value Element::sigmoid(Value v) const {
  Value one = constant(1);
  return div(one, add(one, exp(arith::NegFOp::create(b, v))));
}

/// max(x, 0) + log1p(exp(-|x|)), which does not overflow.
Value Element::softplus(Value v) const {
  Value down = exp(arith::NegFOp::create(b, math::AbsFOp::create(b, v)));
  return add(greaterOr(constant(0), v), math::Log1pOp::create(b, down));
}

//===----------------------------------------------------------------------===//
// Functions of one element
//===----------------------------------------------------------------------===//

template <typename OpTy, typename MathOp>
static Value emitCall(OpTy, const Element &e) {
  return e.call<MathOp>(e.x[0]);
}

static Value emitAbs(onnx::AbsOp, const Element &e) {
  if (e.isFloat())
    return math::AbsFOp::create(e.b, e.x[0]);
  if (isUnsigned(e.types[0]))
    return e.x[0];
  return math::AbsIOp::create(e.b, e.x[0]);
}

static Value emitNeg(onnx::NegOp, const Element &e) {
  if (e.isFloat())
    return arith::NegFOp::create(e.b, e.x[0]);
  return e.sub(e.constant(0), e.x[0]);
}

static Value emitReciprocal(onnx::ReciprocalOp, const Element &e) {
  return e.div(e.constant(1), e.x[0]);
}

/// Zero and NaN give themselves.
static Value emitSign(onnx::SignOp, const Element &e) {
  Value zero = e.constant(0);
  Value negative = e.x[0];
  if (!isUnsigned(e.types[0]))
    negative = e.select(e.less(e.x[0], zero), e.constant(-1), e.x[0]);
  return e.select(e.less(zero, e.x[0]), e.constant(1), negative);
}

static Value emitErf(onnx::ErfOp, const Element &e) {
  if (e.isFloat())
    return e.call<math::ErfOp>(e.x[0]);
  Type f64 = e.b.getF64Type();
  Value x = castScalar(e.b, e.x[0], e.types[0], f64);
  return castScalar(e.b, e.call<math::ErfOp>(x), f64, e.result);
}

static Value emitBitwiseNot(onnx::BitwiseNotOp, const Element &e) {
  return arith::XOrIOp::create(e.b, e.x[0], e.constant(-1));
}

//===----------------------------------------------------------------------===//
// Two operands
//===----------------------------------------------------------------------===//

/// Integers are cut towards zero. A divisor that would trap is replaced: zero
/// gives zero, and the least number by -1 wraps.
static Value emitIntDiv(const Element &e, Value l, Value r) {
  Value zero = e.constant(0), one = e.constant(1);
  Value byZero = e.equal(r, zero);
  if (isUnsigned(e.types[0])) {
    Value safe = e.select(byZero, one, r);
    return e.select(byZero, zero, arith::DivUIOp::create(e.b, l, safe));
  }
  Value byMinusOne = e.equal(r, e.constant(-1));
  Value unsafe = arith::OrIOp::create(e.b, byZero, byMinusOne);
  Value safe = e.select(unsafe, one, r);
  Value quotient = arith::DivSIOp::create(e.b, l, safe);
  quotient = e.select(byMinusOne, e.sub(zero, l), quotient);
  return e.select(byZero, zero, quotient);
}

static Value emitDiv(onnx::DivOp, const Element &e) {
  if (e.isFloat())
    return e.div(e.x[0], e.x[1]);
  return emitIntDiv(e, e.x[0], e.x[1]);
}

static Value emitMod(onnx::ModOp op, const Element &e) {
  Value l = e.x[0], r = e.x[1];
  Value rest = e.isFloat() ? emitRemainder(e.b, e.types[0], l, r)
                           : e.sub(l, e.mul(emitIntDiv(e, l, r), r));
  if (op.getFmod() || isUnsigned(e.types[0]))
    return rest;
  // The sign is that of the divisor.
  Value zero = e.constant(0);
  Value differs =
      arith::XOrIOp::create(e.b, e.less(rest, zero), e.less(r, zero));
  Value isRest = arith::XOrIOp::create(e.b, e.equal(rest, zero),
                                       makeConstant(e.b, e.b.getI1Type(), 1));
  Value wrong = arith::AndIOp::create(e.b, differs, isRest);
  // That of zero, too.
  if (e.isFloat())
    rest = e.select(isRest, rest, math::CopySignOp::create(e.b, zero, r));
  return e.select(wrong, e.add(rest, r), rest);
}

/// The value of a computed constant, if it is one.
static std::optional<double> getConstantFloat(Value value) {
  FloatAttr attr;
  if (auto wider = value.getDefiningOp<arith::ExtFOp>())
    value = wider.getIn();
  if (matchPattern(value, m_Constant(&attr)))
    return attr.getValueAsDouble();
  return std::nullopt;
}

/// A power of integers. Where the exponent is negative, or so large that only
/// the units -1, 0 and 1 have such a power, the others are 0.
static Value emitIntPower(const Element &e, Value x, Value y) {
  const int64_t bits = 6;
  Value zero = e.constant(0), one = e.constant(1);
  Value power = one, square = x, rest = y;
  for (int64_t i = 0; i != bits; ++i) {
    Value isSet = e.equal(arith::AndIOp::create(e.b, rest, one), one);
    power = e.select(isSet, e.mul(power, square), power);
    square = e.mul(square, square);
    rest = arith::ShRUIOp::create(e.b, rest, one);
  }
  Value isUnit = e.equal(e.mul(x, x), one);
  Value isShort = arith::CmpIOp::create(e.b, arith::CmpIPredicate::ult, y,
                                        e.constant(1 << bits));
  return e.select(arith::OrIOp::create(e.b, isUnit, isShort), power, zero);
}

static Value emitPow(onnx::PowOp, const Element &e) {
  Value x = e.x[0], y = e.x[1];
  Type base = e.types[0], exponent = e.types[1];
  if (e.isFloat()) {
    std::optional<double> known = getConstantFloat(y);
    IntegerAttr whole;
    if (matchPattern(y, m_Constant(&whole)))
      known = whole.getValue().getSExtValue();
    if (known == 1.0)
      return x;
    if (known == 2.0)
      return e.mul(x, x);
    if (known == 3.0)
      return e.mul(e.mul(x, x), x);
    if (known == -1.0)
      return e.div(e.constant(1), x);
    y = castScalar(e.b, y, exponent, base);
    return math::PowFOp::create(e.b, x, y);
  }
  if (isa<FloatType>(exponent)) {
    Type f64 = e.b.getF64Type();
    Value power = math::PowFOp::create(e.b, castScalar(e.b, x, base, f64),
                                       castScalar(e.b, y, exponent, f64));
    return castScalar(e.b, power, f64, e.result);
  }
  y = castScalar(e.b, y, exponent, base);
  return emitIntPower(e, x, y);
}

/// A shift by as many bits as there are, or more, leaves no bit.
static Value emitBitShift(onnx::BitShiftOp op, const Element &e) {
  Value x = e.x[0], places = e.x[1];
  int64_t width = e.types[0].getIntOrFloatBitWidth();
  bool left = op.getDirection() == "LEFT";
  bool arithmetic = !left && !isUnsigned(e.types[0]);
  Value inside = arith::CmpIOp::create(e.b, arith::CmpIPredicate::ult, places,
                                       e.constant(width));
  Value safe = e.select(inside, places, e.constant(arithmetic ? width - 1 : 0));
  if (arithmetic)
    return arith::ShRSIOp::create(e.b, x, safe);
  Value shifted = left ? Value(arith::ShLIOp::create(e.b, x, safe))
                       : Value(arith::ShRUIOp::create(e.b, x, safe));
  return e.select(inside, shifted, e.constant(0));
}

//===----------------------------------------------------------------------===//
// Any number of operands
//===----------------------------------------------------------------------===//

static Value fold(const Element &e,
                  Value (Element::*combine)(Value, Value) const) {
  Value value = e.x.front();
  for (Value x : e.x.drop_front())
    value = (e.*combine)(value, x);
  return value;
}

/// The limits are scalars; NaN passes through.
static LogicalResult lowerClip(onnx::ClipOp op, Lowering &l) {
  bool hasMin = l.has(1), hasMax = l.has(2);
  return lowerElementwise<onnx::ClipOp>(
      op, l, [&](onnx::ClipOp, const Element &e) {
        Value y = e.x[0];
        if (hasMin)
          y = e.greaterOr(e.x[1], y);
        if (hasMax)
          y = e.lesserOr(e.x[hasMin ? 2 : 1], y);
        return y;
      });
}

void lathe::populateElementwisePatterns(RewritePatternSet &patterns,
                                        const TypeConverter &types) {
  addScalar(patterns, types, emitAbs);
  addScalar(patterns, types, emitCall<onnx::AcosOp, math::AcosOp>);
  addScalar(patterns, types, emitCall<onnx::AcoshOp, math::AcoshOp>);
  addScalar(patterns, types, emitCall<onnx::AsinOp, math::AsinOp>);
  addScalar(patterns, types, emitCall<onnx::AsinhOp, math::AsinhOp>);
  addScalar(patterns, types, emitCall<onnx::AtanOp, math::AtanOp>);
  addScalar(patterns, types, emitCall<onnx::AtanhOp, math::AtanhOp>);
  addScalar(patterns, types, emitCall<onnx::CeilOp, math::CeilOp>);
  addScalar(patterns, types, emitCall<onnx::CosOp, math::CosOp>);
  addScalar(patterns, types, emitCall<onnx::CoshOp, math::CoshOp>);
  addScalar(patterns, types, emitCall<onnx::ExpOp, math::ExpOp>);
  addScalar(patterns, types, emitCall<onnx::FloorOp, math::FloorOp>);
  addScalar(patterns, types, emitCall<onnx::LogOp, math::LogOp>);
  addScalar(patterns, types, emitCall<onnx::RoundOp, math::RoundEvenOp>);
  addScalar(patterns, types, emitCall<onnx::SinOp, math::SinOp>);
  addScalar(patterns, types, emitCall<onnx::SinhOp, math::SinhOp>);
  addScalar(patterns, types, emitCall<onnx::SqrtOp, math::SqrtOp>);
  addScalar(patterns, types, emitCall<onnx::TanOp, math::TanOp>);
  addScalar(patterns, types, emitCall<onnx::TanhOp, math::TanhOp>);
  addScalar(patterns, types, emitErf);
  addScalar(patterns, types, emitNeg);
  addScalar(patterns, types, emitReciprocal);
  addScalar(patterns, types, emitSign);
  addScalar(patterns, types, emitBitwiseNot);
  addScalar(patterns, types, emitDiv);
  addScalar(patterns, types, emitMod);
  addScalar(patterns, types, emitPow);
  addScalar(patterns, types, emitBitShift);
  addLowering(patterns, types, lowerClip);
  addScalar<onnx::AddOp>(patterns, types, [](auto, const Element &e) {
    return e.add(e.x[0], e.x[1]);
  });
  addScalar<onnx::SubOp>(patterns, types, [](auto, const Element &e) {
    return e.sub(e.x[0], e.x[1]);
  });
  addScalar<onnx::MulOp>(patterns, types, [](auto, const Element &e) {
    return e.mul(e.x[0], e.x[1]);
  });
  addScalar<onnx::MaxOp>(patterns, types, [](auto, const Element &e) {
    return fold(e, &Element::max);
  });
  addScalar<onnx::MinOp>(patterns, types, [](auto, const Element &e) {
    return fold(e, &Element::min);
  });
  addScalar<onnx::SumOp>(patterns, types, [](auto, const Element &e) {
    return fold(e, &Element::add);
  });
  addScalar<onnx::MeanOp>(patterns, types, [](auto, const Element &e) {
    return e.div(fold(e, &Element::add), e.constant(e.x.size()));
  });
  addScalar<onnx::BitwiseAndOp>(
      patterns, types, [](auto, const Element &e) -> Value {
        return arith::AndIOp::create(e.b, e.x[0], e.x[1]);
      });
  addScalar<onnx::BitwiseOrOp>(
      patterns, types, [](auto, const Element &e) -> Value {
        return arith::OrIOp::create(e.b, e.x[0], e.x[1]);
      });
  addScalar<onnx::BitwiseXorOp>(
      patterns, types, [](auto, const Element &e) -> Value {
        return arith::XOrIOp::create(e.b, e.x[0], e.x[1]);
      });
}
