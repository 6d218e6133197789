// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Steps of optimizers: element by element, with a learning rate and a count of
// steps that are scalars.

#include "lathe/Dialect/Onnx/IR/Training.h"
#include "Elementwise.h"
#include "Families.h"

using namespace mlir;
using namespace lathe;

/// Makes the results of a step. `body` gets the rate, the count and an element
/// of each of the `states` lists, and gives the new elements, one after the
/// other, in the order of the results.
static LogicalResult
lowerStep(Lowering &l, unsigned states,
          llvm::function_ref<SmallVector<Value>(const Element &)> body) {
  unsigned n = (l.getNumOperands() - 2) / states;
  SmallVector<Value> results((states - 1) * n);
  for (unsigned i = 0; i != n; ++i) {
    Type element = l.element(2 + i);
    SmallVector<Operand> operands{l.operand(0), l.operand(1)};
    SmallVector<Type> types{element};
    for (unsigned state = 0; state != states; ++state)
      operands.push_back(l.operand(2 + state * n + i));
    for (unsigned k = 0; k + 1 != states; ++k)
      results[k * n + i] = l.elementwise(
          operands, l.resultDims(k * n + i), element,
          [&](ImplicitLocOpBuilder &b, ValueRange x) {
            SmallVector<Value> values(x);
            values[0] = castScalar(b, x[0], l.element(0), element);
            values[1] = castScalar(b, x[1], l.element(1), element);
            return body(Element{b, values, types, element})[k];
          });
  }
  return l.replace(results);
}

/// The gradient with that of the regularization.
static Value getGradient(const Element &e, const APFloat &norm) {
  return e.add(e.mul(e.constant(norm), e.x[2]), e.x[3]);
}

static LogicalResult lowerAdagrad(onnx::TrainingAdagradOp op, Lowering &l) {
  return lowerStep(l, 3, [&](const Element &e) -> SmallVector<Value> {
    Value decay =
        e.add(e.constant(1), e.mul(e.x[1], e.constant(op.getDecayFactor())));
    Value rate = e.div(e.x[0], decay);
    Value g = getGradient(e, op.getNormCoefficient());
    Value h = e.add(e.x[4], e.mul(g, g));
    Value size = e.add(e.call<math::SqrtOp>(h), e.constant(op.getEpsilon()));
    return {e.sub(e.x[2], e.div(e.mul(rate, g), size)), h};
  });
}

static LogicalResult lowerAdam(onnx::TrainingAdamOp op, Lowering &l) {
  return lowerStep(l, 4, [&](const Element &e) -> SmallVector<Value> {
    Value alpha = e.constant(op.getAlpha()), beta = e.constant(op.getBeta());
    Value one = e.constant(1), t = e.x[1];
    Value g = getGradient(e, op.getNormCoefficient());
    Value v = e.add(e.mul(alpha, e.x[4]), e.mul(e.sub(one, alpha), g));
    Value h = e.add(e.mul(beta, e.x[5]), e.mul(e.sub(one, beta), e.mul(g, g)));
    Value size = e.add(e.call<math::SqrtOp>(h), e.constant(op.getEpsilon()));
    // The bias of the first steps.
    Value bias =
        e.div(e.call<math::SqrtOp>(
                  e.sub(one, math::PowFOp::create(e.b, beta, t).getResult())),
              e.sub(one, math::PowFOp::create(e.b, alpha, t).getResult()));
    Value rate =
        e.select(e.less(e.constant(0), t), e.mul(e.x[0], bias), e.x[0]);
    Value x = e.sub(e.x[2], e.mul(rate, e.div(v, size)));
    Value post = e.sub(one, e.constant(op.getNormCoefficientPost()));
    return {e.mul(post, x), v, h};
  });
}

static LogicalResult lowerMomentum(onnx::TrainingMomentumOp op, Lowering &l) {
  return lowerStep(l, 3, [&](const Element &e) -> SmallVector<Value> {
    Value alpha = e.constant(op.getAlpha());
    Value g = getGradient(e, op.getNormCoefficient());
    Value beta = e.select(e.less(e.constant(0), e.x[1]),
                          e.constant(op.getBeta()), e.constant(1));
    Value v = e.add(e.mul(alpha, e.x[4]), e.mul(beta, g));
    Value by = op.getMode() == "standard" ? v : e.add(g, e.mul(alpha, v));
    return {e.sub(e.x[2], e.mul(e.x[0], by)), v};
  });
}

void lathe::populateTrainingPatterns(RewritePatternSet &patterns,
                                     const TypeConverter &types) {
  addLowering(patterns, types, lowerAdagrad);
  addLowering(patterns, types, lowerAdam);
  addLowering(patterns, types, lowerMomentum);
}
