// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparison, logic, selection and conversion of elements.

#include "lathe/Dialect/Onnx/IR/Logic.h"
#include "Elementwise.h"
#include "Families.h"

using namespace mlir;
using namespace lathe;

static Value emitNot(onnx::NotOp, const Element &e) {
  return arith::XOrIOp::create(e.b, e.x[0], e.constant(1));
}

static Value emitIsNaN(onnx::IsNaNOp, const Element &e) {
  Value x = e.x[0];
  if (isNarrow(e.types[0]))
    x = castScalar(e.b, x, e.types[0], e.b.getF32Type());
  return arith::CmpFOp::create(e.b, arith::CmpFPredicate::UNO, x, x);
}

static Value emitIsInf(onnx::IsInfOp op, const Element &given) {
  Type type = given.types[0];
  Value x = given.x[0];
  if (isNarrow(type)) {
    x = castScalar(given.b, x, type, given.b.getF32Type());
    type = x.getType();
  }
  Element e{given.b, x, type, given.result};
  double infinity = std::numeric_limits<double>::infinity();
  Value found = makeConstant(e.b, e.b.getI1Type(), 0);
  auto accept = [&](double value) {
    Value is = e.equal(e.x[0], e.constant(value));
    found = arith::OrIOp::create(e.b, found, is);
  };
  if (op.getDetectPositive())
    accept(infinity);
  if (op.getDetectNegative())
    accept(-infinity);
  return found;
}

static Value emitWhere(onnx::WhereOp, const Element &e) {
  return e.select(e.x[0], e.x[1], e.x[2]);
}

template <typename OpTy> static CastRules getCastRules(OpTy op) {
  CastRules rules;
  rules.saturate = op.getSaturate();
  if (op.getRoundMode() != "up")
    rules.rounding =
        op.getRoundMode() == "down" ? CastRules::Down : CastRules::Nearest;
  return rules;
}

static Value emitCast(onnx::CastOp op, const Element &e) {
  return castScalar(e.b, e.x[0], e.types[0], e.result, getCastRules(op));
}

/// Only the type of the second operand matters.
static LogicalResult lowerCastLike(onnx::CastLikeOp op, Lowering &l) {
  return l.replace(
      l.elementwise(l.operand(0), l.resultDims(), l.resultElement(),
                    [&](ImplicitLocOpBuilder &b, ValueRange x) {
                      return castScalar(b, x[0], l.element(0),
                                        l.resultElement(), getCastRules(op));
                    }));
}

/// What is stored stays, but for a bool that is neither 0 nor 1.
static LogicalResult lowerBitCast(onnx::BitCastOp, Lowering &l) {
  Type to = getStorageType(l.resultElement());
  bool toBool = l.resultElement().isInteger(1);
  Value init = l.empty(l.resultDims(), to);
  int64_t rank = l.rank(0);
  AffineMap map = l.b.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return l.replace(l.generic(
      l.value(0), init, {map, map}, iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> SmallVector<Value> {
        Value stored = x[0];
        if (stored.getType() != to)
          stored = arith::BitcastOp::create(b, to, stored);
        if (isNarrow(l.resultElement()))
          stored = extendNarrow(b, stored, l.resultElement());
        if (toBool)
          stored = storeScalar(b, loadScalar(b, stored, l.resultElement()),
                               l.resultElement());
        return {stored};
      }));
}

void lathe::populateLogicPatterns(RewritePatternSet &patterns,
                                  const TypeConverter &types) {
  addScalar(patterns, types, emitNot);
  addScalar(patterns, types, emitIsNaN);
  addScalar(patterns, types, emitIsInf);
  addScalar(patterns, types, emitWhere);
  addScalar(patterns, types, emitCast);
  addLowering(patterns, types, lowerCastLike);
  addLowering(patterns, types, lowerBitCast);
  addScalar<onnx::EqualOp>(patterns, types, [](auto, const Element &e) {
    return e.equal(e.x[0], e.x[1]);
  });
  addScalar<onnx::LessOp>(patterns, types, [](auto, const Element &e) {
    return e.less(e.x[0], e.x[1]);
  });
  addScalar<onnx::LessOrEqualOp>(patterns, types, [](auto, const Element &e) {
    return e.lessOrEqual(e.x[0], e.x[1]);
  });
  addScalar<onnx::GreaterOp>(patterns, types, [](auto, const Element &e) {
    return e.less(e.x[1], e.x[0]);
  });
  addScalar<onnx::GreaterOrEqualOp>(
      patterns, types,
      [](auto, const Element &e) { return e.lessOrEqual(e.x[1], e.x[0]); });
  addScalar<onnx::AndOp>(patterns, types, [](auto, const Element &e) -> Value {
    return arith::AndIOp::create(e.b, e.x[0], e.x[1]);
  });
  addScalar<onnx::OrOp>(patterns, types, [](auto, const Element &e) -> Value {
    return arith::OrIOp::create(e.b, e.x[0], e.x[1]);
  });
  addScalar<onnx::XorOp>(patterns, types, [](auto, const Element &e) -> Value {
    return arith::XOrIOp::create(e.b, e.x[0], e.x[1]);
  });
}
