// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The types of single elements: as ONNX names them, as they are stored, and as
// they are computed with; and ONNX's rules for converting one to another.

#include "Limits.h"
#include "Lowering.h"
#include "NarrowFloat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;
using namespace lathe;

Type lathe::getStorageType(Type element) {
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), 8);
  if (auto integer = dyn_cast<IntegerType>(element))
    return IntegerType::get(element.getContext(),
                            std::max(8u, integer.getWidth()));
  return isNarrow(element) ? IntegerType::get(element.getContext(), 8)
                           : element;
}

bool lathe::isNarrow(Type element) {
  if (element.isInteger(1) || !element.isIntOrFloat())
    return false;
  return element.getIntOrFloatBitWidth() < (isa<FloatType>(element) ? 16 : 8);
}

Type lathe::getComputeType(Type element) {
  if (element.isF16() || element.isBF16())
    return Float32Type::get(element.getContext());
  return element.isInteger(1) ? element : getStorageType(element);
}

bool lathe::isUnsigned(Type element) {
  return element.isUnsignedInteger() || element.isInteger(1);
}

Value lathe::makeConstant(ImplicitLocOpBuilder &b, Type type, double value) {
  TypedAttr attr;
  if (auto floating = dyn_cast<FloatType>(type))
    attr = b.getFloatAttr(floating, value);
  else
    attr = b.getIntegerAttr(type, static_cast<int64_t>(value));
  return arith::ConstantOp::create(b, attr);
}

Value lathe::loadScalar(ImplicitLocOpBuilder &b, Value stored, Type element) {
  Type computed = getComputeType(element);
  if (stored.getType() == computed)
    return stored;
  if (element.isInteger(1))
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, stored,
                                 makeConstant(b, stored.getType(), 0));
  return arith::ExtFOp::create(b, computed, stored);
}

Value lathe::storeScalar(ImplicitLocOpBuilder &b, Value computed,
                         Type element) {
  Type stored = getStorageType(element);
  if (computed.getType() == stored)
    return computed;
  if (element.isInteger(1))
    return arith::ExtUIOp::create(b, stored, computed);
  return arith::TruncFOp::create(b, stored, computed);
}

/// Truncates toward zero. What does not fit goes through the next wider signed
/// type and wraps there, as in ONNX's reference.
static Value castFloatToInt(ImplicitLocOpBuilder &b, Value x, Type to) {
  unsigned width = to.getIntOrFloatBitWidth();
  Type result = getStorageType(to);
  if (to.isUnsignedInteger() && width == 64)
    return arith::FPToUIOp::create(b, result, x);
  unsigned wide = width < 32 ? 32 : to.isUnsignedInteger() ? 64 : width;
  Value integer = arith::FPToSIOp::create(b, b.getIntegerType(wide), x);
  if (wide == width)
    return integer;
  return arith::TruncIOp::create(b, result, integer);
}

Value lathe::extendNarrow(ImplicitLocOpBuilder &b, Value byte, Type element) {
  unsigned bits = element.getIntOrFloatBitWidth();
  if (bits == 8)
    return byte;
  if (isa<FloatType>(element) || isUnsigned(element))
    return arith::AndIOp::create(
        b, byte, makeConstant(b, byte.getType(), (1 << bits) - 1));
  Value shift = makeConstant(b, byte.getType(), 8 - bits);
  return arith::ShRSIOp::create(b, arith::ShLIOp::create(b, byte, shift),
                                shift);
}

/// `from` or `to` is narrow: through the next type that is computed with.
static Value castNarrow(ImplicitLocOpBuilder &b, Value x, Type from, Type to,
                        CastRules rules) {
  Type f32 = b.getF32Type();
  auto getByte = [&](Type type) {
    return b.getIntegerType(8, type.isSignlessInteger());
  };
  if (isNarrow(from) && isa<FloatType>(from))
    return castScalar(b, decodeFloat(b, x, cast<FloatType>(from)), f32, to,
                      rules);
  if (isNarrow(from))
    return castScalar(b, x, getByte(from), to, rules);
  if (auto floating = dyn_cast<FloatType>(to)) {
    Value single =
        from.isF64() ? roundToOdd(b, x) : castScalar(b, x, from, f32);
    return encodeFloat(b, single, floating, rules);
  }
  return extendNarrow(b, castScalar(b, x, from, getByte(to)), to);
}

Value lathe::castScalar(ImplicitLocOpBuilder &b, Value x, Type from, Type to,
                        CastRules rules) {
  if (isNarrow(from) && from == to)
    return x;
  if (isNarrow(from) || isNarrow(to))
    return castNarrow(b, x, from, to, rules);
  Type result = getComputeType(to);
  bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  if (to.isInteger(1)) {
    if (from.isInteger(1))
      return x;
    Value zero = makeConstant(b, x.getType(), 0);
    if (fromFloat)
      return arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, x, zero);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, x, zero);
  }
  if (fromFloat && toFloat) {
    unsigned have = x.getType().getIntOrFloatBitWidth();
    unsigned want = result.getIntOrFloatBitWidth();
    if (have == want)
      return x;
    if (have < want)
      return arith::ExtFOp::create(b, result, x);
    return arith::TruncFOp::create(b, result, x);
  }
  if (fromFloat)
    return castFloatToInt(b, x, to);
  if (toFloat) {
    if (isUnsigned(from))
      return arith::UIToFPOp::create(b, result, x);
    return arith::SIToFPOp::create(b, result, x);
  }
  unsigned have = x.getType().getIntOrFloatBitWidth();
  unsigned want = result.getIntOrFloatBitWidth();
  if (have == want)
    return x;
  if (have > want)
    return arith::TruncIOp::create(b, result, x);
  if (isUnsigned(from))
    return arith::ExtUIOp::create(b, result, x);
  return arith::ExtSIOp::create(b, result, x);
}

static TypedAttr getLimit(Builder &b, Type element, bool greatest) {
  if (auto floating = dyn_cast<FloatType>(element)) {
    double infinity = std::numeric_limits<double>::infinity();
    return b.getFloatAttr(floating, greatest ? infinity : -infinity);
  }
  Type storage = getStorageType(element);
  unsigned width = storage.getIntOrFloatBitWidth();
  if (isUnsigned(element))
    return b.getIntegerAttr(storage, greatest ? APInt::getMaxValue(width)
                                              : APInt::getMinValue(width));
  return b.getIntegerAttr(storage, greatest ? APInt::getSignedMaxValue(width)
                                            : APInt::getSignedMinValue(width));
}

TypedAttr lathe::getLeast(Builder &b, Type element) {
  return getLimit(b, element, /*greatest=*/false);
}

TypedAttr lathe::getGreatest(Builder &b, Type element) {
  return getLimit(b, element, /*greatest=*/true);
}
