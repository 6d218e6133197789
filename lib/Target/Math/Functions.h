// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds functions as arithmetic on f64 values, scalars or vectors; those named
// `...F32` work on f32.

#ifndef LATHE_LIB_TARGET_MATH_FUNCTIONS_H
#define LATHE_LIB_TARGET_MATH_FUNCTIONS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/ArrayRef.h"

namespace lathe {

class MathBuilder {
public:
  MathBuilder(mlir::OpBuilder &builder, mlir::Location loc) : b(loc, builder) {}

  using Value = mlir::Value;
  Value expF32(Value x);
  Value tanhF32(Value x);
  Value erfF32(Value x);

  Value exp(Value x);
  Value exp2(Value x);
  Value expm1(Value x);
  Value log(Value x);
  Value log1p(Value x);
  Value sin(Value x);
  Value cos(Value x);
  Value tan(Value x);
  Value atan2(Value y, Value x);
  Value atan(Value x);
  Value asin(Value x);
  Value acos(Value x);
  Value sinh(Value x);
  Value cosh(Value x);
  Value tanh(Value x);
  Value asinh(Value x);
  Value acosh(Value x);
  Value atanh(Value x);
  Value cbrt(Value x);
  Value erf(Value x);
  Value erfc(Value x);
  Value pow(Value x, Value y);

  Value constant(Value like, double value);
  Value mul(Value x, Value y);

private:
  Value integer(Value likeInt, int64_t value);
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value div(Value x, Value y);
  Value fma(Value x, Value y, Value z);
  Value abs(Value x);
  Value sqrt(Value x);
  Value copySign(Value magnitude, Value sign);
  Value round(Value x);
  Value floor(Value x);
  /// Clamps; a NaN becomes a bound.
  Value clamp(Value x, double low, double high);
  Value select(Value condition, Value x, Value y);
  Value less(Value x, Value y);
  Value equal(Value x, Value y);
  Value isNaN(Value x);
  /// c[0] + c[1] x + ...
  Value polynomial(Value x, llvm::ArrayRef<double> c);
  Value scale(Value x, Value exponent);
  Value expReduced(Value n, Value r);
  void sinCos(Value x, Value &sine, Value &cosine, Value &quadrant);
  Value atanPositive(Value x);
  Value erfcTail(Value x);

  mlir::ImplicitLocOpBuilder b;
};

} // namespace lathe

#endif // LATHE_LIB_TARGET_MATH_FUNCTIONS_H
