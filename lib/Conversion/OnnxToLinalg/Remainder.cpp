// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point remainders by long division, 28 bits of the quotient a step.
// In double precision, with `q` cut to its leading 28 bits and made whole,
// `r - q * y` in one rounding is exact: its bits lie between the last of `q *
// y` and the first, 27 places below that of `r`, that the step leaves, which
// are no more than 53. As the quotient is rounded before it is cut, a step may
// overshoot and leave a remainder of the other sign; the next step corrects it,
// and after the last step adding `y` once does. The number of steps is what the
// range of exponents needs.

#include "Remainder.h"

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace lathe;

/// Steps from the largest quotient of two numbers down to less than one.
static int64_t countSteps(FloatType type) {
  const llvm::fltSemantics &format = type.getFloatSemantics();
  int64_t exponents = llvm::APFloat::semanticsMaxExponent(format) -
                      llvm::APFloat::semanticsMinExponent(format) +
                      llvm::APFloat::semanticsPrecision(format);
  return llvm::divideCeil(exponents, 27) + 1;
}

/// `rest` after `steps` steps of division by `y`, in f64.
static Value divide(ImplicitLocOpBuilder &b, Value rest, Value y,
                    int64_t steps) {
  Type f64 = b.getF64Type(), i64 = b.getI64Type();
  // The leading 28 bits of a double are all but the last 25.
  Value mask = arith::ConstantOp::create(
      b, b.getI64IntegerAttr(~((int64_t(1) << 25) - 1)));
  for (int64_t i = 0; i != steps; ++i) {
    Value quotient = arith::DivFOp::create(b, rest, y);
    Value bits = arith::BitcastOp::create(b, i64, quotient);
    bits = arith::AndIOp::create(b, bits, mask);
    quotient = arith::BitcastOp::create(b, f64, bits);
    quotient = math::TruncOp::create(b, quotient);
    Value negative = arith::NegFOp::create(b, quotient);
    rest = math::FmaOp::create(b, negative, y, rest);
  }
  return rest;
}

/// The same by a `y` of any size. The quotient of two doubles may be too large
/// for one: they are divided by y * 2^1074 and y * 2^537 first, which are
/// multiples of y, where these are numbers, so that no quotient exceeds 2^1024,
/// then 2^537.
static Value divideDoubles(ImplicitLocOpBuilder &b, Value rest, Value y) {
  Type f64 = b.getF64Type();
  Value one = makeConstant(b, f64, 1), half = makeConstant(b, f64, 0x1p537);
  Value size = math::AbsFOp::create(b, y);
  auto scale = [&](Value x, double below) -> Value {
    Value isBelow = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, size,
                                          makeConstant(b, f64, below));
    return arith::MulFOp::create(
        b, x, arith::SelectOp::create(b, isBelow, half, one));
  };
  Value second = scale(y, 0x1p400), first = scale(second, 0x1p-52);
  rest = divide(b, rest, first, 1024 / 27 + 2);
  rest = divide(b, rest, second, 537 / 27 + 2);
  return divide(b, rest, y, 537 / 27 + 2);
}

Value lathe::emitRemainder(ImplicitLocOpBuilder &b, Type element, Value x,
                           Value y) {
  Type f64 = b.getF64Type(), type = x.getType();
  Value wideX = castScalar(b, x, type, f64),
        wideY = castScalar(b, y, type, f64);
  Value zero = makeConstant(b, f64, 0);
  Value rest = element.isF64() ? divideDoubles(b, wideX, wideY)
                               : divide(b, wideX, wideY,
                                        countSteps(cast<FloatType>(element)));
  Value size = math::AbsFOp::create(b, wideY);
  Value isOver = arith::CmpFOp::create(
      b, arith::CmpFPredicate::OLT,
      arith::MulFOp::create(
          b, math::CopySignOp::create(b, makeConstant(b, f64, 1), wideX), rest),
      zero);
  Value fixed =
      arith::AddFOp::create(b, rest, math::CopySignOp::create(b, size, wideX));
  rest = arith::SelectOp::create(b, isOver, fixed, rest);
  rest = math::CopySignOp::create(b, rest, wideX);
  // All that is finite is its own remainder by infinity.
  Value infinity = arith::ConstantOp::create(
      b, b.getF64FloatAttr(std::numeric_limits<double>::infinity()));
  Value isFinite = arith::CmpFOp::create(
      b, arith::CmpFPredicate::OLT, math::AbsFOp::create(b, wideX), infinity);
  Value byInfinity =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, size, infinity);
  rest = arith::SelectOp::create(
      b, arith::AndIOp::create(b, isFinite, byInfinity), wideX, rest);
  return castScalar(b, rest, f64, type);
}
