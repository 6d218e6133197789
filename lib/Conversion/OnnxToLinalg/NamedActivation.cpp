// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NamedActivation.h"

#include <limits>

using namespace mlir;
using namespace lathe;

static Value emitScaledTanh(const Element &e, Value x, Value alpha,
                            Value beta) {
  return e.mul(alpha, e.call<math::TanhOp>(e.mul(beta, x)));
}

static Value emitHardSigmoid(const Element &e, Value x, Value alpha,
                             Value beta) {
  Value line = e.add(e.mul(alpha, x), beta);
  return e.greaterOr(e.constant(0), e.lesserOr(e.constant(1), line));
}

static Value emitElu(const Element &e, Value x, Value alpha, Value) {
  Value below = e.mul(alpha, e.call<math::ExpM1Op>(x));
  return e.select(e.less(x, e.constant(0)), below, x);
}

static const ActivationKind activationKinds[] = {
    {"sigmoid",
     {},
     {},
     [](const Element &e, Value x, Value, Value) { return e.sigmoid(x); }},
    {"tanh",
     {},
     {},
     [](const Element &e, Value x, Value, Value) {
       return e.call<math::TanhOp>(x);
     }},
    {"relu",
     {},
     {},
     [](const Element &e, Value x, Value, Value) {
       return e.greaterOr(e.constant(0), x);
     }},
    {"softsign",
     {},
     {},
     [](const Element &e, Value x, Value, Value) {
       return e.div(x, e.add(e.constant(1), e.call<math::AbsFOp>(x)));
     }},
    {"softplus",
     {},
     {},
     [](const Element &e, Value x, Value, Value) { return e.softplus(x); }},
    {"affine", 1.0, 0.0,
     [](const Element &e, Value x, Value a, Value b) {
       return e.add(e.mul(a, x), b);
     }},
    {"leakyrelu",
     0.01,
     {},
     [](const Element &e, Value x, Value a, Value) {
       return e.select(e.less(x, e.constant(0)), e.mul(a, x), x);
     }},
    {"thresholdedrelu",
     1.0,
     {},
     [](const Element &e, Value x, Value a, Value) {
       return e.select(e.less(a, x), x, e.constant(0));
     }},
    {"scaledtanh", 1.0, 1.0, emitScaledTanh},
    {"hardsigmoid", 0.2, 0.5, emitHardSigmoid},
    {"elu", 1.0, {}, emitElu},
    {"selu", 1.6732631921768188, 1.0507010221481323,
     [](const Element &e, Value x, Value a, Value b) {
       return e.mul(b, emitElu(e, x, a, Value()));
     },
     /*isOfCells=*/false},
    {"clip", -std::numeric_limits<double>::infinity(),
     std::numeric_limits<double>::infinity(),
     [](const Element &e, Value x, Value a, Value b) {
       return e.greaterOr(a, e.lesserOr(b, x));
     },
     /*isOfCells=*/false},
};

const ActivationKind *lathe::findActivation(StringRef name) {
  for (const ActivationKind &kind : activationKinds)
    if (kind.name == name)
      return &kind;
  return nullptr;
}
