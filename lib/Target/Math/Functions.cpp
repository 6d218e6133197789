// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each function is reduced to a small range by an identity that is exact, or
// nearly so with fused multiply-adds (Cody and Waite, "Software Manual for the
// Elementary Functions", 1980), and is a polynomial there: a Taylor series, or
// a Chebyshev fit. Functions of f32 that are rare are computed in f64, where
// plain formulas suffice. Beyond 2^50 the argument of sine and cosine is not
// reduced well; the result stays within [-1, 1].

#include "Functions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Value MathBuilder::constant(Value like, double value) {
  Type type = like.getType();
  auto element = cast<FloatType>(getElementTypeOrSelf(type));
  TypedAttr attr = b.getFloatAttr(element, value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attr = DenseElementsAttr::get(shaped, Attribute(attr));
  return arith::ConstantOp::create(b, attr);
}

Value MathBuilder::integer(Value likeInt, int64_t value) {
  Type type = likeInt.getType();
  TypedAttr attr = b.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attr = DenseElementsAttr::get(shaped, Attribute(attr));
  return arith::ConstantOp::create(b, attr);
}

Value MathBuilder::add(Value x, Value y) {
  return arith::AddFOp::create(b, x, y);
}
Value MathBuilder::sub(Value x, Value y) {
  return arith::SubFOp::create(b, x, y);
}
Value MathBuilder::mul(Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}
Value MathBuilder::div(Value x, Value y) {
  return arith::DivFOp::create(b, x, y);
}
Value MathBuilder::fma(Value x, Value y, Value z) {
  return math::FmaOp::create(b, x, y, z);
}
Value MathBuilder::abs(Value x) { return math::AbsFOp::create(b, x); }
Value MathBuilder::sqrt(Value x) { return math::SqrtOp::create(b, x); }
Value MathBuilder::round(Value x) { return math::RoundEvenOp::create(b, x); }
Value MathBuilder::floor(Value x) { return math::FloorOp::create(b, x); }
Value MathBuilder::copySign(Value magnitude, Value sign) {
  return math::CopySignOp::create(b, magnitude, sign);
}
Value MathBuilder::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, condition, x, y);
}
Value MathBuilder::less(Value x, Value y) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, y);
}
Value MathBuilder::equal(Value x, Value y) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, x, y);
}
Value MathBuilder::isNaN(Value x) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
}

Value MathBuilder::clamp(Value x, double low, double high) {
  Value l = constant(x, low), h = constant(x, high);
  x = select(less(l, x), x, l);
  return select(less(x, h), x, h);
}

Value MathBuilder::polynomial(Value x, ArrayRef<double> c) {
  Value result = constant(x, c.back());
  for (double coefficient : llvm::reverse(c.drop_back()))
    result = fma(result, x, constant(x, coefficient));
  return result;
}

/// x * 2^exponent, exponent a whole number; in two steps, so that neither
/// factor overflows and subnormal results are rounded once.
Value MathBuilder::scale(Value x, Value exponent) {
  bool isDouble = getElementTypeOrSelf(x.getType()).isF64();
  Type word = isDouble ? b.getI64Type() : b.getI32Type();
  if (auto shaped = dyn_cast<ShapedType>(x.getType()))
    word = shaped.clone(word);
  int64_t bias = isDouble ? 1023 : 127, mantissa = isDouble ? 52 : 23;
  auto power = [&](Value n) -> Value {
    // Adding 1.5 * 2^mantissa leaves the whole number in the low bits.
    Value magic = constant(n, 1.5 * std::ldexp(1.0, mantissa));
    Value bits = arith::BitcastOp::create(b, word, add(n, magic));
    bits = arith::AddIOp::create(b, bits, integer(bits, bias));
    bits = arith::ShLIOp::create(b, bits, integer(bits, mantissa));
    return arith::BitcastOp::create(b, x.getType(), bits);
  };
  Value half = floor(mul(exponent, constant(x, 0.5)));
  return mul(mul(x, power(half)), power(sub(exponent, half)));
}

/// 1/k!
static SmallVector<double> inverseFactorials(unsigned from, unsigned to,
                                             unsigned step = 1,
                                             bool alternate = false) {
  SmallVector<double> result;
  double sign = 1;
  for (unsigned k = from; k <= to; k += step) {
    result.push_back(sign / std::tgamma(k + 1.0));
    sign = alternate ? -sign : sign;
  }
  return result;
}

static constexpr double log2e = 1.4426950408889634;
static constexpr double ln2High = 6.93147180369123816490e-01;
static constexpr double ln2Low = 1.90821492927058770002e-10;
static constexpr double pi = 3.14159265358979323846;

//===----------------------------------------------------------------------===//
// f32
//===----------------------------------------------------------------------===//

Value MathBuilder::expF32(Value x) {
  // Past these bounds the result is infinity or zero.
  Value bounded = clamp(x, -104.0, 89.0);
  Value n = round(mul(bounded, constant(x, log2e)));
  Value r = fma(n, constant(x, -0.693359375), bounded);
  r = fma(n, constant(x, 2.12194440e-4), r);
  // (exp(r) - 1 - r) / r^2 on |r| <= 0.35
  Value p = polynomial(r, {0.50000000142811996, 0.16666666722191925,
                           0.041666456873140668, 0.0083332970803170672,
                           0.0013934534192766915, 0.0001990043039872339});
  Value tail = fma(mul(r, r), p, r);
  Value result = scale(add(tail, constant(x, 1)), n);
  return select(isNaN(x), x, result);
}

Value MathBuilder::tanhF32(Value x) {
  Value a = abs(x), z = mul(x, x);
  // (tanh(x) - x) / x^3 over x^2 for |x| < 0.6
  Value p = polynomial(z, {-0.33333333234574203, 0.13333313328118027,
                           -0.053961653417733492, 0.02178910781177499,
                           -0.0084125544364242483, 0.0023735158032382841});
  Value small = fma(mul(x, z), p, x);
  Value bounded = select(less(a, constant(x, 10)), a, constant(x, 10));
  Value e = expF32(mul(bounded, constant(x, 2)));
  Value large =
      sub(constant(x, 1), div(constant(x, 2), add(e, constant(x, 1))));
  Value result = select(less(a, constant(x, 0.6)), small, copySign(large, x));
  return select(isNaN(x), x, result);
}

Value MathBuilder::erfF32(Value x) {
  Value a = abs(x), z = mul(x, x);
  // erf(x) / x - 1 over x^2 for |x| < 0.95
  Value p = polynomial(z, {0.1283791670803267, -0.37612638686508704,
                           0.11283786589804203, -0.026865715521089229,
                           0.0052219672495144318, -0.00084997462993416774,
                           0.00011395326729511929, -1.0084780013582188e-05});
  Value small = fma(x, p, x);
  // log(erfc(x)) for 0.9 <= x <= 4, beyond which erf is 1
  Value bounded = select(less(a, constant(x, 4)), a, constant(x, 4));
  Value l =
      polynomial(bounded, {0.00030026882473599414, -1.1301551015794689,
                           -0.63195624134056927, -0.10996079944171466,
                           0.026355120782419222, -0.0047369506233201145,
                           0.00059209275832699702, -4.5512772964745007e-05,
                           1.6102404176296994e-06});
  Value large = sub(constant(x, 1), expF32(l));
  Value result = select(less(a, constant(x, 0.95)), small, copySign(large, x));
  return select(isNaN(x), x, result);
}

//===----------------------------------------------------------------------===//
// f64: exponentials and logarithms
//===----------------------------------------------------------------------===//

/// 2^n (exp(r) - 1) + (2^n - 1) would be exp - 1; this is 2^n exp(r).
Value MathBuilder::expReduced(Value n, Value r) {
  return scale(polynomial(r, inverseFactorials(0, 13)), n);
}

Value MathBuilder::exp(Value x) {
  Value bounded = clamp(x, -746.0, 710.0);
  Value n = round(mul(bounded, constant(x, log2e)));
  Value r = fma(n, constant(x, -ln2High), bounded);
  r = fma(n, constant(x, -ln2Low), r);
  return select(isNaN(x), x, expReduced(n, r));
}

Value MathBuilder::exp2(Value x) {
  Value bounded = clamp(x, -1076.0, 1025.0);
  Value n = round(bounded);
  Value r = mul(sub(bounded, n), constant(x, 0.6931471805599453));
  return select(isNaN(x), x, expReduced(n, r));
}

Value MathBuilder::expm1(Value x) {
  Value bounded = clamp(x, -60.0, 709.0);
  Value n = round(mul(bounded, constant(x, log2e)));
  Value r = fma(n, constant(x, -ln2High), bounded);
  r = fma(n, constant(x, -ln2Low), r);
  Value one = constant(x, 1);
  Value small = mul(r, polynomial(r, inverseFactorials(1, 14)));
  Value power = scale(one, n);
  Value result = fma(power, small, sub(power, one));
  result = select(less(constant(x, 709), x),
                  constant(x, std::numeric_limits<double>::infinity()), result);
  // A zero keeps its sign.
  return select(equal(x, constant(x, 0)), x, select(isNaN(x), x, result));
}

Value MathBuilder::log(Value x) {
  Type word = b.getI64Type();
  if (auto shaped = dyn_cast<ShapedType>(x.getType()))
    word = shaped.clone(word);
  // Subnormals are scaled to normal numbers.
  Value tiny = less(x, constant(x, std::ldexp(1.0, -1022)));
  Value scaled = select(tiny, mul(x, constant(x, std::ldexp(1.0, 54))), x);
  Value bits = arith::BitcastOp::create(b, word, scaled);
  // The exponent, with the mantissa in [sqrt(1/2), sqrt(2)).
  Value offset = integer(bits, 0x3fe6a09e667f3bcdLL);
  Value moved = arith::SubIOp::create(b, bits, offset);
  Value exponent = arith::ShRSIOp::create(b, moved, integer(bits, 52));
  Value top = arith::ShLIOp::create(b, exponent, integer(bits, 52));
  Value m = arith::BitcastOp::create(b, x.getType(),
                                     arith::SubIOp::create(b, bits, top));
  // A small whole number as a double: its bits on top of 1.5 * 2^52.
  Value magic = constant(x, 1.5 * std::ldexp(1.0, 52));
  Value magicBits = arith::BitcastOp::create(b, word, magic);
  Value e =
      sub(arith::BitcastOp::create(
              b, x.getType(), arith::AddIOp::create(b, magicBits, exponent)),
          magic);
  e = select(tiny, sub(e, constant(x, 54)), e);
  Value one = constant(x, 1);
  Value s = div(sub(m, one), add(m, one)), z = mul(s, s);
  SmallVector<double> series;
  for (int k = 0; k <= 11; ++k)
    series.push_back(2.0 / (2 * k + 3));
  // 2 atanh(s) = 2 s + s z (2/3 + 2/5 z + ...)
  Value tail = mul(mul(s, z), polynomial(z, series));
  Value result = add(fma(e, constant(x, ln2Low), tail), mul(s, constant(x, 2)));
  result = fma(e, constant(x, ln2High), result);
  double infinity = std::numeric_limits<double>::infinity();
  Value zero = constant(x, 0);
  result = select(equal(x, zero), constant(x, -infinity), result);
  result = select(equal(x, constant(x, infinity)), x, result);
  result = select(less(x, zero), constant(x, std::nan("")), result);
  return select(isNaN(x), x, result);
}

/// log(u) x / (u - 1) with u = 1 + x rounded: the rounding cancels (Kahan).
Value MathBuilder::log1p(Value x) {
  Value one = constant(x, 1);
  Value u = add(one, x);
  Value d = sub(u, one);
  Value result = mul(log(u), div(x, d));
  result = select(equal(d, constant(x, 0)), x, result);
  return select(equal(x, constant(x, std::numeric_limits<double>::infinity())),
                x, result);
}

Value MathBuilder::pow(Value x, Value y) {
  Value zero = constant(x, 0), one = constant(x, 1);
  double infinity = std::numeric_limits<double>::infinity();
  Value a = abs(x);
  Value magnitude = exp(mul(y, log(a)));
  // Negative bases: whole powers only, odd ones with the sign.
  Value whole = equal(floor(y), y);
  Value half = mul(y, constant(x, 0.5));
  Value even = equal(floor(half), half);
  Value signedResult =
      select(even, magnitude, copySign(magnitude, constant(x, -1)));
  signedResult = select(whole, signedResult, constant(x, std::nan("")));
  Value sign = copySign(one, x);
  Value result = select(less(sign, zero), signedResult, magnitude);
  // A negative infinity and a negative zero take any power.
  Value special =
      arith::OrIOp::create(b, equal(a, constant(x, infinity)), equal(a, zero));
  Value odd = arith::AndIOp::create(
      b, whole,
      arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, floor(half), half));
  Value keepSign = arith::AndIOp::create(b, odd, less(sign, zero));
  result =
      select(special,
             select(keepSign, copySign(magnitude, constant(x, -1)), magnitude),
             result);
  result = select(equal(x, one), one, result);
  result = select(arith::AndIOp::create(b, equal(a, one),
                                        equal(abs(y), constant(x, infinity))),
                  one, result);
  return select(equal(y, zero), one, result);
}

Value MathBuilder::cbrt(Value x) {
  Value a = abs(x);
  Value result = exp(div(log(a), constant(x, 3)));
  return copySign(result, x);
}

//===----------------------------------------------------------------------===//
// f64: circular functions
//===----------------------------------------------------------------------===//

void MathBuilder::sinCos(Value x, Value &sine, Value &cosine, Value &quadrant) {
  Value n = round(mul(x, constant(x, 2 / pi)));
  // pi / 2 in three parts
  Value r = fma(n, constant(x, -1.5707963267948966), x);
  r = fma(n, constant(x, -6.123233995736766e-17), r);
  r = fma(n, constant(x, 1.4973849048591833e-33), r);
  r = clamp(r, -1, 1);
  Value z = mul(r, r);
  sine = mul(r, polynomial(z, inverseFactorials(1, 17, 2, true)));
  cosine = polynomial(z, inverseFactorials(0, 16, 2, true));
  Value quarter = mul(n, constant(x, 0.25));
  quadrant = mul(sub(quarter, floor(quarter)), constant(x, 4));
  // Infinities and NaNs have no sine.
  Value invalid = isNaN(sub(x, x));
  sine = select(invalid, sub(x, x), sine);
  cosine = select(invalid, sub(x, x), cosine);
}

Value MathBuilder::sin(Value x) {
  Value s, c, q;
  sinCos(x, s, c, q);
  Value swap = arith::OrIOp::create(b, equal(q, constant(x, 1)),
                                    equal(q, constant(x, 3)));
  Value result = select(swap, c, s);
  Value negative = less(constant(x, 1.5), q);
  result = select(negative, arith::NegFOp::create(b, result), result);
  return select(equal(x, constant(x, 0)), x, result);
}

Value MathBuilder::cos(Value x) {
  Value s, c, q;
  sinCos(x, s, c, q);
  Value swap = arith::OrIOp::create(b, equal(q, constant(x, 1)),
                                    equal(q, constant(x, 3)));
  Value result = select(swap, s, c);
  Value negative = arith::OrIOp::create(b, equal(q, constant(x, 1)),
                                        equal(q, constant(x, 2)));
  return select(negative, arith::NegFOp::create(b, result), result);
}

Value MathBuilder::tan(Value x) {
  Value s, c, q;
  sinCos(x, s, c, q);
  Value swap = arith::OrIOp::create(b, equal(q, constant(x, 1)),
                                    equal(q, constant(x, 3)));
  Value ratio = div(select(swap, c, s), select(swap, s, c));
  Value result = select(swap, arith::NegFOp::create(b, ratio), ratio);
  return select(equal(x, constant(x, 0)), x, result);
}

/// atan of x in [0, 1].
Value MathBuilder::atanPositive(Value x) {
  Value one = constant(x, 1);
  Value large = less(constant(x, 0.4142135623730950), x);
  Value t = select(large, div(sub(x, one), add(x, one)), x);
  Value z = mul(t, t);
  SmallVector<double> series;
  for (int k = 0; k <= 21; ++k)
    series.push_back((k % 2 ? -1.0 : 1.0) / (2 * k + 1));
  Value result = mul(t, polynomial(z, series));
  return select(large, add(result, constant(x, pi / 4)), result);
}

Value MathBuilder::atan2(Value y, Value x) {
  Value ax = abs(x), ay = abs(y);
  Value steep = less(ax, ay);
  Value low = select(steep, ax, ay), high = select(steep, ay, ax);
  Value ratio = div(low, high);
  // 0/0 is on the axis, infinity over infinity on the diagonal.
  ratio = select(equal(high, constant(x, 0)), constant(x, 0), ratio);
  double infinity = std::numeric_limits<double>::infinity();
  ratio = select(equal(low, constant(x, infinity)), constant(x, 1), ratio);
  Value angle = atanPositive(ratio);
  angle = select(steep, sub(constant(x, pi / 2), angle), angle);
  Value left = less(copySign(constant(x, 1), x), constant(x, 0));
  angle = select(left, sub(constant(x, pi), angle), angle);
  Value result = copySign(angle, y);
  Value sum = add(x, y);
  Value invalid = arith::OrIOp::create(b, isNaN(x), isNaN(y));
  return select(invalid, sum, result);
}

Value MathBuilder::atan(Value x) { return atan2(x, constant(x, 1)); }

Value MathBuilder::asin(Value x) {
  Value one = constant(x, 1);
  Value side = sqrt(mul(sub(one, x), add(one, x)));
  return atan2(x, side);
}

Value MathBuilder::acos(Value x) {
  Value one = constant(x, 1);
  Value side = sqrt(mul(sub(one, x), add(one, x)));
  return atan2(side, x);
}

//===----------------------------------------------------------------------===//
// f64: hyperbolic functions
//===----------------------------------------------------------------------===//

Value MathBuilder::sinh(Value x) {
  Value a = abs(x);
  Value e = expm1(a), one = constant(x, 1), half = constant(x, 0.5);
  Value fraction = div(e, add(e, one));
  double infinity = std::numeric_limits<double>::infinity();
  fraction = select(equal(e, constant(x, infinity)), one, fraction);
  return copySign(mul(half, add(e, fraction)), x);
}

Value MathBuilder::cosh(Value x) {
  Value e = exp(abs(x)), half = constant(x, 0.5);
  return fma(half, e, div(half, e));
}

Value MathBuilder::tanh(Value x) {
  Value a = abs(x);
  a = select(less(constant(x, 20), a), constant(x, 20), a);
  Value e = expm1(add(a, a));
  Value result = copySign(div(e, add(e, constant(x, 2))), x);
  return select(isNaN(x), x, result);
}

Value MathBuilder::asinh(Value x) {
  Value a = abs(x), one = constant(x, 1);
  // Past 2^28 the one under the root does not count.
  Value far = less(constant(x, 268435456.0), a);
  Value near = select(far, one, a);
  Value square = mul(near, near);
  Value root = sqrt(add(square, one));
  Value small = log1p(add(near, div(square, add(one, root))));
  Value large = add(log(a), constant(x, 0.6931471805599453));
  return copySign(select(far, large, small), x);
}

Value MathBuilder::acosh(Value x) {
  Value one = constant(x, 1);
  Value far = less(constant(x, 268435456.0), x);
  Value t = sub(select(far, one, x), one);
  Value small = log1p(add(t, sqrt(fma(t, t, add(t, t)))));
  Value large = add(log(x), constant(x, 0.6931471805599453));
  Value result = select(far, large, small);
  return select(less(x, one), constant(x, std::nan("")), result);
}

Value MathBuilder::atanh(Value x) {
  Value a = abs(x), one = constant(x, 1);
  Value result = mul(constant(x, 0.5), log1p(div(add(a, a), sub(one, a))));
  return copySign(result, x);
}

//===----------------------------------------------------------------------===//
// f64: error functions
//===----------------------------------------------------------------------===//

/// erf(x) = x (c0 + c1 x^2 + ...), for |x| below one.
static SmallVector<double> getErfSeries() {
  SmallVector<double> series;
  for (int k = 0; k <= 22; ++k)
    series.push_back((k % 2 ? -1.0 : 1.0) * 2 / std::sqrt(pi) /
                     (std::tgamma(k + 1.0) * (2 * k + 1)));
  return series;
}

/// erfc of |x|, not accurate below one half.
Value MathBuilder::erfcTail(Value x) {
  Value a = abs(x), one = constant(x, 1);
  Value bounded = select(less(a, constant(x, 28)), a, constant(x, 28));
  Value t = div(one, fma(bounded, constant(x, 0.5), one));
  // exp(x^2) erfc(x) over t = 1 / (1 + x/2)
  Value p = polynomial(
      t, {-6.7141292525718654e-10, 0.28209484148430453, 0.28209315197361434,
          0.24686498932992121, 0.17589288228507688, 0.087572491566619171,
          -0.03021186663396614, 0.074046415799517415, -0.55854084600862275,
          1.4907192540936871, -3.3303272973528344, 5.8266238796848517,
          -7.2692181210637496, 6.3631281806020468, -3.8920588283758573,
          1.6282289124806226, -0.44086275148317117, 0.06838148123882172,
          -0.0044267689494353075});
  return mul(exp(arith::NegFOp::create(b, mul(bounded, bounded))), p);
}

Value MathBuilder::erfc(Value x) {
  Value a = abs(x), one = constant(x, 1), zero = constant(x, 0);
  Value tail = erfcTail(x);
  Value result = select(less(x, zero), sub(constant(x, 2), tail), tail);
  // Near zero one minus the series of erf is closer.
  Value near = less(a, constant(x, 0.5));
  Value inside = select(near, x, zero);
  Value small = mul(inside, polynomial(mul(inside, inside), getErfSeries()));
  result = select(near, sub(one, small), result);
  return select(isNaN(x), x, result);
}

Value MathBuilder::erf(Value x) {
  Value a = abs(x), one = constant(x, 1);
  Value near = less(a, one);
  Value inside = select(near, x, constant(x, 0));
  Value small = mul(inside, polynomial(mul(inside, inside), getErfSeries()));
  Value large = copySign(sub(one, erfcTail(x)), x);
  Value result = select(near, small, large);
  return select(isNaN(x), x, result);
}
