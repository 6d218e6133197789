// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that work element by element: each gives the value of one element,
// `addScalar` makes the loop around it.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace lathe {

/// One element of an elementwise operator: its operands in compute type, and
/// arithmetic that follows the type in ONNX of operand 0.
struct Element {
  mlir::ImplicitLocOpBuilder &b;
  mlir::ValueRange x;
  /// The operands' types in ONNX, and the result's.
  llvm::ArrayRef<mlir::Type> types;
  mlir::Type result;

  bool isFloat() const { return mlir::isa<mlir::FloatType>(types[0]); }
  mlir::Type type() const { return getComputeType(types[0]); }
  mlir::Value constant(double value) const {
    return makeConstant(b, type(), value);
  }
  mlir::Value constant(const llvm::APFloat &value) const {
    return constant(double(value.convertToFloat()));
  }
  mlir::Value add(mlir::Value l, mlir::Value r) const;
  mlir::Value sub(mlir::Value l, mlir::Value r) const;
  mlir::Value mul(mlir::Value l, mlir::Value r) const;
  /// Floats only.
  mlir::Value div(mlir::Value l, mlir::Value r) const;
  /// NaN if one is.
  mlir::Value max(mlir::Value l, mlir::Value r) const;
  mlir::Value min(mlir::Value l, mlir::Value r) const;
  /// Comparisons; false if one is NaN.
  mlir::Value equal(mlir::Value l, mlir::Value r) const;
  mlir::Value less(mlir::Value l, mlir::Value r) const;
  mlir::Value lessOrEqual(mlir::Value l, mlir::Value r) const;
  mlir::Value select(mlir::Value c, mlir::Value t, mlir::Value f) const;
  /// `l` where it is greater than `r`, else `r`; `r` if one is NaN.
  mlir::Value greaterOr(mlir::Value l, mlir::Value r) const;
  mlir::Value lesserOr(mlir::Value l, mlir::Value r) const;
  mlir::Value exp(mlir::Value v) const;
  mlir::Value sigmoid(mlir::Value v) const;
  mlir::Value softplus(mlir::Value v) const;
  template <typename MathOp> mlir::Value call(mlir::Value v) const {
    return MathOp::create(b, v);
  }
};

/// Lowers an operator whose operands broadcast.
template <typename OpTy>
mlir::LogicalResult
lowerElementwise(OpTy op, Lowering &l,
                 llvm::function_ref<mlir::Value(OpTy, const Element &)> body) {
  llvm::SmallVector<Operand> operands = l.getOperands();
  llvm::SmallVector<mlir::Type> elements;
  for (const Operand &operand : operands)
    elements.push_back(operand.element);
  return l.replace(l.elementwise(
      operands, l.resultDims(), l.resultElement(),
      [&](mlir::ImplicitLocOpBuilder &b, mlir::ValueRange x) {
        return body(op, Element{b, x, elements, l.resultElement()});
      }));
}

/// Adds an elementwise operator; omitted operands are not among the element's.
template <typename OpTy>
void addScalar(mlir::RewritePatternSet &patterns,
               const mlir::TypeConverter &types,
               mlir::Value (*body)(OpTy, const Element &)) {
  patterns.add<OnnxLowering<OpTy>>(
      types, patterns.getContext(),
      [body](OpTy op, Lowering &l) {
        return lowerElementwise<OpTy>(op, l, body);
      },
      /*checkTypes=*/true);
}

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H
