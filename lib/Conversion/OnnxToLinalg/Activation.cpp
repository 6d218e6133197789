// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activation functions.

#include "lathe/Dialect/Onnx/IR/Activation.h"
#include "Elementwise.h"
#include "Families.h"

using namespace mlir;
using namespace lathe;

/// NaN passes through.
static Value emitRelu(onnx::ReluOp, const Element &e) {
  return e.greaterOr(e.constant(0), e.x[0]);
}

static Value emitLeakyRelu(onnx::LeakyReluOp op, const Element &e) {
  Value slope = e.mul(e.constant(op.getAlpha()), e.x[0]);
  return e.select(e.less(e.x[0], e.constant(0)), slope, e.x[0]);
}

static Value emitPRelu(onnx::PReluOp, const Element &e) {
  return e.select(e.less(e.x[0], e.constant(0)), e.mul(e.x[1], e.x[0]), e.x[0]);
}

static Value emitThresholdedRelu(onnx::ThresholdedReluOp op, const Element &e) {
  return e.select(e.less(e.constant(op.getAlpha()), e.x[0]), e.x[0],
                  e.constant(0));
}

static Value emitElu(onnx::EluOp op, const Element &e) {
  Value below =
      e.mul(e.constant(op.getAlpha()), math::ExpM1Op::create(e.b, e.x[0]));
  return e.select(e.less(e.x[0], e.constant(0)), below, e.x[0]);
}

static Value emitCelu(onnx::CeluOp op, const Element &e) {
  Value alpha = e.constant(op.getAlpha());
  Value scaled = e.div(e.x[0], alpha);
  Value below = e.mul(alpha, math::ExpM1Op::create(e.b, scaled));
  return e.select(e.less(e.x[0], e.constant(0)), below, e.x[0]);
}

static Value emitSelu(onnx::SeluOp op, const Element &e) {
  Value below =
      e.mul(e.constant(op.getAlpha()), math::ExpM1Op::create(e.b, e.x[0]));
  Value y = e.select(e.less(e.constant(0), e.x[0]), e.x[0], below);
  return e.mul(e.constant(op.getGamma()), y);
}

/// 0.5 * x * (1 + erf(x / sqrt(2))), or its approximation by tanh.
static Value emitGelu(onnx::GeluOp op, const Element &e) {
  Value x = e.x[0], inner;
  if (op.getApproximate() == "tanh") {
    Value cube = e.mul(e.mul(x, x), x);
    Value sum = e.add(x, e.mul(e.constant(0.044715), cube));
    inner = e.call<math::TanhOp>(e.mul(e.constant(0.7978845608028654), sum));
  } else {
    inner = e.call<math::ErfOp>(e.mul(e.constant(0.7071067811865476), x));
  }
  return e.mul(e.mul(e.constant(0.5), x), e.add(e.constant(1), inner));
}

/// Limits to [0, 1]; NaN passes through.
static Value limit(const Element &e, Value v) {
  return e.greaterOr(e.constant(0), e.lesserOr(e.constant(1), v));
}

static Value emitHardSigmoid(onnx::HardSigmoidOp op, const Element &e) {
  return limit(e, e.add(e.mul(e.constant(op.getAlpha()), e.x[0]),
                        e.constant(op.getBeta())));
}

static Value emitHardSwish(onnx::HardSwishOp, const Element &e) {
  Value line = e.add(e.mul(e.x[0], e.constant(1.0 / 6)), e.constant(0.5));
  return e.mul(e.x[0], limit(e, line));
}

/// x * tanh(ln(1 + e^x)) = x * n / (n + 2) with n = e^x * (e^x + 2), which is
/// exact to rounding; from 20 on the factor is 1.
static Value emitMish(onnx::MishOp, const Element &e) {
  Value x = e.x[0];
  Value power = e.exp(e.lesserOr(e.constant(20), x));
  Value n = e.mul(power, e.add(power, e.constant(2)));
  return e.mul(x, e.div(n, e.add(n, e.constant(2))));
}

static Value emitSoftsign(onnx::SoftsignOp, const Element &e) {
  return e.div(e.x[0], e.add(e.constant(1), math::AbsFOp::create(e.b, e.x[0])));
}

static Value emitSwish(onnx::SwishOp op, const Element &e) {
  Value scaled = e.mul(e.constant(op.getAlpha()), e.x[0]);
  return e.mul(e.x[0], e.sigmoid(scaled));
}

static Value emitSwiGLU(onnx::SwiGLUOp op, const Element &e) {
  Value scaled = e.mul(e.constant(op.getAlpha()), e.x[0]);
  return e.mul(e.mul(e.x[0], e.sigmoid(scaled)), e.x[1]);
}

/// Integers are shrunk in f32, as ONNX's reference does.
static Value emitShrink(onnx::ShrinkOp op, const Element &e) {
  Type f32 = e.b.getF32Type();
  Type wide = e.isFloat() ? e.types[0] : Type(f32);
  Value x = castScalar(e.b, e.x[0], e.types[0], wide);
  SmallVector<Type> types = {wide};
  Element in{e.b, x, types, wide};
  Value bias = in.constant(op.getBias()), lambd = in.constant(op.getLambd());
  Value above = in.select(in.less(lambd, x), in.sub(x, bias), in.constant(0));
  Value minus = arith::NegFOp::create(e.b, lambd);
  Value y = in.select(in.less(x, minus), in.add(x, bias), above);
  return castScalar(e.b, y, wide, e.result);
}

void lathe::populateActivationPatterns(RewritePatternSet &patterns,
                                       const TypeConverter &types) {
  addScalar(patterns, types, emitRelu);
  addScalar(patterns, types, emitLeakyRelu);
  addScalar(patterns, types, emitPRelu);
  addScalar(patterns, types, emitThresholdedRelu);
  addScalar(patterns, types, emitElu);
  addScalar(patterns, types, emitCelu);
  addScalar(patterns, types, emitSelu);
  addScalar(patterns, types, emitGelu);
  addScalar(patterns, types, emitHardSigmoid);
  addScalar(patterns, types, emitHardSwish);
  addScalar(patterns, types, emitMish);
  addScalar(patterns, types, emitSoftsign);
  addScalar(patterns, types, emitSwish);
  addScalar(patterns, types, emitSwiGLU);
  addScalar(patterns, types, emitShrink);
  addScalar<onnx::SigmoidOp>(patterns, types, [](auto, const Element &e) {
    return e.sigmoid(e.x[0]);
  });
  addScalar<onnx::SoftplusOp>(patterns, types, [](auto, const Element &e) {
    return e.softplus(e.x[0]);
  });
}
