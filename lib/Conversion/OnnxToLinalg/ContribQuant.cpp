// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized operators of com.microsoft.

#include "lathe/Dialect/Onnx/IR/ContribQuant.h"
#include "Contraction.h"
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

/// Operand `i`, which has one element or one for each index of loop `column`.
static Operand readPerColumn(Lowering &l, unsigned i, unsigned loops,
                             unsigned column) {
  if (llvm::all_of(l.type(i).getShape(), [](int64_t n) { return n == 1; }))
    return readFirst(l, i, loops);
  Operand operand = l.operand(i);
  operand.map =
      AffineMap::get(loops, 0, l.b.getAffineDimExpr(column), l.b.getContext());
  return operand;
}

static LogicalResult lowerQGemm(onnx::MsQGemmOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  AffineExpr m, n, k;
  bindDims(context, m, n, k);
  auto map = [&](AffineExpr row, AffineExpr column, bool swapped) {
    return swapped ? AffineMap::get(3, 0, {column, row}, context)
                   : AffineMap::get(3, 0, {row, column}, context);
  };
  Factor a = getFactor(l, 0, 2), b = getFactor(l, 3, 5);
  a.elements.map = map(m, k, op.getTransA());
  b.elements.map = map(k, n, op.getTransB());
  if (op.getTransB())
    if (Value swapped = transposeWeight(l, b.elements.value)) {
      b.elements.value = swapped;
      b.elements.map = map(k, n, false);
    }
  if (a.zero)
    a.zero = readFirst(l, 2, 3);
  if (b.zero)
    b.zero = readPerColumn(l, 5, 3, 1);
  Addends addends;
  takeOutZero(l, a, b, /*kept=*/1, /*rank=*/2, /*at=*/1, addends);
  if (addends.zeroTimes)
    addends.zeroTimes->first = readFirst(l, 2, 2);
  Dims dims = l.resultDims();
  Value sums = contractIntegers(l, a, b, 3, dims);

  Type element = l.resultElement(), f32 = l.b.getF32Type();
  SmallVector<Operand> more = {readFirst(l, 1, 2), readPerColumn(l, 4, 2, 1)};
  bool hasC = l.has(6), isQuantized = l.has(7);
  if (hasC)
    more.push_back(l.operand(6));
  if (isQuantized) {
    more.push_back(readFirst(l, 7, 2));
    more.push_back(readFirst(l, 8, 2));
  }
  float alpha = op.getAlpha().convertToFloat();
  return l.replace(finishSums(
      l, sums, addends, dims, more, element,
      [&](ImplicitLocOpBuilder &ib, Value sum, ValueRange x) -> Value {
        if (hasC)
          sum = arith::AddIOp::create(ib, sum, x[2]);
        Value scale = arith::MulFOp::create(ib, x[0], x[1]);
        if (alpha != 1)
          scale =
              arith::MulFOp::create(ib, scale, makeConstant(ib, f32, alpha));
        if (isQuantized)
          scale = arith::DivFOp::create(ib, scale, x[2 + hasC]);
        Value real = arith::MulFOp::create(
            ib, castScalar(ib, sum, ib.getI32Type(), f32), scale);
        return isQuantized ? quantizeScalar(ib, real, x[3 + hasC], element)
                           : real;
      }));
}

void lathe::populateContribQuantPatterns(RewritePatternSet &patterns,
                                         const TypeConverter &types) {
  addLowering(patterns, types, lowerQLinearAdd);
  addLowering(patterns, types, lowerQGemm);
}
