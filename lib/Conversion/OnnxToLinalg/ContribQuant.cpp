// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized operators of com.microsoft.

#include "lathe/Dialect/Onnx/IR/ContribQuant.h"
#include "Elementwise.h"
#include "Families.h"
#include "Quantize.h"
#include "QuantizeProduct.h"

using namespace mlir;
using namespace lathe;

namespace {
/// Numbers that are quantized by one scale and one zero point, operands
/// `scale` and `zero`, and where their values stand among the arguments of the
/// body of a loop.
struct Scaled {
  unsigned scale, zero;
  unsigned scaleAt = 0;
  std::optional<unsigned> zeroAt = {};

  /// Makes the scale and, where it is there, the zero point inputs of loops.
  void addTo(Lowering &l, unsigned loops, SmallVectorImpl<Operand> &inputs) {
    scaleAt = inputs.size();
    inputs.push_back(readFirst(l, scale, loops));
    if (!l.has(zero))
      return;
    zeroAt = inputs.size();
    inputs.push_back(readFirst(l, zero, loops));
  }
};
} // namespace

/// `(stored - zero) * scale`, where `x` are the arguments of the body.
static Value dequantize(ImplicitLocOpBuilder &b, Value stored, Type element,
                        const Scaled &by, ValueRange x) {
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  Value whole = castScalar(b, stored, element, i32);
  if (by.zeroAt)
    whole = arith::SubIOp::create(b, whole,
                                  castScalar(b, x[*by.zeroAt], element, i32));
  return arith::MulFOp::create(b, castScalar(b, whole, i32, f32),
                               x[by.scaleAt]);
}

/// `value / scale + zero`, rounded and saturated.
static Value quantize(ImplicitLocOpBuilder &b, Value value, Type element,
                      const Scaled &by, ValueRange x) {
  Value quotient = arith::DivFOp::create(b, value, x[by.scaleAt]);
  return quantizeScalar(b, quotient, by.zeroAt ? x[*by.zeroAt] : Value(),
                        element);
}

/// Operands 0 and 3, dequantized, combined and quantized again.
static LogicalResult lowerBinary(
    Lowering &l,
    llvm::function_ref<Value(ImplicitLocOpBuilder &, Value, Value)> combine) {
  Dims dims = l.resultDims();
  Type element = l.resultElement();
  SmallVector<Operand> inputs = {l.operand(0), l.operand(3)};
  Scaled left{1, 2}, right{4, 5}, result{6, 7};
  for (Scaled *by : {&left, &right, &result})
    by->addTo(l, dims.size(), inputs);
  return l.replace(l.elementwise(
      inputs, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Value value = combine(b, dequantize(b, x[0], element, left, x),
                              dequantize(b, x[1], element, right, x));
        return quantize(b, value, element, result, x);
      }));
}

static LogicalResult lowerQLinearAdd(onnx::MsQLinearAddOp, Lowering &l) {
  return lowerBinary(l, [](ImplicitLocOpBuilder &b, Value x, Value y) -> Value {
    return arith::AddFOp::create(b, x, y);
  });
}

void lathe::populateContribQuantPatterns(RewritePatternSet &patterns,
                                         const TypeConverter &types) {
  addLowering(patterns, types, lowerQLinearAdd);
}
