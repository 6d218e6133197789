// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic and functions of one element: unary, binary with broadcasting,
// and over any number of operands.

#ifndef LATHE_DIALECT_ONNX_IR_MATH_TD
#define LATHE_DIALECT_ONNX_IR_MATH_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

//===----------------------------------------------------------------------===//
// Functions of one element
//===----------------------------------------------------------------------===//

def Onnx_AbsOp : Onnx_UnaryOp<"Abs", Onnx_NumberTensor> {
  let summary = "Takes the absolute value";
  let description = [{
    `y = |x|`; the least signed integer stays as it is.
    https://onnx.ai/onnx/operators/onnx__Abs.html

    ```mlir
    %y = onnx.Abs %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_AcosOp : Onnx_UnaryOp<"Acos", Onnx_FloatTensor> {
  let summary = "Computes the arc cosine";
  let description = [{
    `y = acos(x)`, an angle in radians.
    https://onnx.ai/onnx/operators/onnx__Acos.html

    ```mlir
    %y = onnx.Acos %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_AcoshOp : Onnx_UnaryOp<"Acosh", Onnx_FloatTensor> {
  let summary = "Computes the inverse hyperbolic cosine";
  let description = [{
    `y = acosh(x)`.
    https://onnx.ai/onnx/operators/onnx__Acosh.html

    ```mlir
    %y = onnx.Acosh %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_AsinOp : Onnx_UnaryOp<"Asin", Onnx_FloatTensor> {
  let summary = "Computes the arc sine";
  let description = [{
    `y = asin(x)`, an angle in radians.
    https://onnx.ai/onnx/operators/onnx__Asin.html

    ```mlir
    %y = onnx.Asin %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_AsinhOp : Onnx_UnaryOp<"Asinh", Onnx_FloatTensor> {
  let summary = "Computes the inverse hyperbolic sine";
  let description = [{
    `y = asinh(x)`.
    https://onnx.ai/onnx/operators/onnx__Asinh.html

    ```mlir
    %y = onnx.Asinh %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_AtanOp : Onnx_UnaryOp<"Atan", Onnx_FloatTensor> {
  let summary = "Computes the arc tangent";
  let description = [{
    `y = atan(x)`, an angle in radians.
    https://onnx.ai/onnx/operators/onnx__Atan.html

    ```mlir
    %y = onnx.Atan %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_AtanhOp : Onnx_UnaryOp<"Atanh", Onnx_FloatTensor> {
  let summary = "Computes the inverse hyperbolic tangent";
  let description = [{
    `y = atanh(x)`.
    https://onnx.ai/onnx/operators/onnx__Atanh.html

    ```mlir
    %y = onnx.Atanh %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_CosOp : Onnx_UnaryOp<"Cos", Onnx_FloatTensor> {
  let summary = "Computes the cosine";
  let description = [{
    `y = cos(x)`, in radians.
    https://onnx.ai/onnx/operators/onnx__Cos.html

    ```mlir
    %y = onnx.Cos %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_CoshOp : Onnx_UnaryOp<"Cosh", Onnx_FloatTensor> {
  let summary = "Computes the hyperbolic cosine";
  let description = [{
    `y = cosh(x)`.
    https://onnx.ai/onnx/operators/onnx__Cosh.html

    ```mlir
    %y = onnx.Cosh %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SinOp : Onnx_UnaryOp<"Sin", Onnx_FloatTensor> {
  let summary = "Computes the sine";
  let description = [{
    `y = sin(x)`, in radians.
    https://onnx.ai/onnx/operators/onnx__Sin.html

    ```mlir
    %y = onnx.Sin %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SinhOp : Onnx_UnaryOp<"Sinh", Onnx_FloatTensor> {
  let summary = "Computes the hyperbolic sine";
  let description = [{
    `y = sinh(x)`.
    https://onnx.ai/onnx/operators/onnx__Sinh.html

    ```mlir
    %y = onnx.Sinh %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_TanOp : Onnx_UnaryOp<"Tan", Onnx_FloatTensor> {
  let summary = "Computes the tangent";
  let description = [{
    `y = tan(x)`, in radians.
    https://onnx.ai/onnx/operators/onnx__Tan.html

    ```mlir
    %y = onnx.Tan %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_TanhOp : Onnx_UnaryOp<"Tanh", Onnx_FloatTensor> {
  let summary = "Computes the hyperbolic tangent";
  let description = [{
    `y = tanh(x)`.
    https://onnx.ai/onnx/operators/onnx__Tanh.html

    ```mlir
    %y = onnx.Tanh %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_CeilOp : Onnx_UnaryOp<"Ceil", Onnx_FloatTensor, (ins),
                 "sameShape(ctx, content::keepWhole)"> {
  let summary = "Rounds up";
  let description = [{
    The least whole number that is not below `x`; NaN, infinities and whole
    numbers stay.
    https://onnx.ai/onnx/operators/onnx__Ceil.html

    ```mlir
    %y = onnx.Ceil %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_ErfOp : Onnx_UnaryOp<"Erf", Onnx_NumberTensor> {
  let summary = "Computes the error function";
  let description = [{
    `y = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x`.
    https://onnx.ai/onnx/operators/onnx__Erf.html

    ```mlir
    %y = onnx.Erf %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_ExpOp : Onnx_UnaryOp<"Exp", Onnx_FloatTensor> {
  let summary = "Computes the exponential";
  let description = [{
    `y = e^x`.
    https://onnx.ai/onnx/operators/onnx__Exp.html

    ```mlir
    %y = onnx.Exp %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_FloorOp : Onnx_UnaryOp<"Floor", Onnx_FloatTensor, (ins),
                 "sameShape(ctx, content::keepWhole)"> {
  let summary = "Rounds down";
  let description = [{
    The greatest whole number that is not above `x`; NaN, infinities and whole
    numbers stay.
    https://onnx.ai/onnx/operators/onnx__Floor.html

    ```mlir
    %y = onnx.Floor %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_IdentityOp : Onnx_UnaryOp<"Identity", Onnx_AnyValue, (ins),
                 "sameValue(ctx)", [Onnx_RearrangesOperand]> {
  let summary = "Gives its operand";
  let description = [{
    `y = x`, for any tensor, sequence, map or optional.
    https://onnx.ai/onnx/operators/onnx__Identity.html

    ```mlir
    %y = onnx.Identity %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
  let hasFolder = 1;
}

def Onnx_LogOp : Onnx_UnaryOp<"Log", Onnx_FloatTensor> {
  let summary = "Computes the natural logarithm";
  let description = [{
    `y = ln(x)`.
    https://onnx.ai/onnx/operators/onnx__Log.html

    ```mlir
    %y = onnx.Log %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_NegOp : Onnx_UnaryOp<"Neg", Onnx_SignedNumberTensor, (ins),
                 "sameShape(ctx, content::negate)"> {
  let summary = "Negates";
  let description = [{
    `y = -x`.
    https://onnx.ai/onnx/operators/onnx__Neg.html

    ```mlir
    %y = onnx.Neg %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_ReciprocalOp : Onnx_UnaryOp<"Reciprocal", Onnx_FloatTensor> {
  let summary = "Takes the reciprocal";
  let description = [{
    `y = 1 / x`.
    https://onnx.ai/onnx/operators/onnx__Reciprocal.html

    ```mlir
    %y = onnx.Reciprocal %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_RoundOp : Onnx_UnaryOp<"Round", Onnx_FloatTensor, (ins),
                 "sameShape(ctx, content::keepWhole)"> {
  let summary = "Rounds to the nearest whole number";
  let description = [{
    Halves go to the even neighbour.
    https://onnx.ai/onnx/operators/onnx__Round.html

    ```mlir
    %y = onnx.Round %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SignOp : Onnx_UnaryOp<"Sign", Onnx_NumberTensor> {
  let summary = "Takes the sign";
  let description = [{
    -1, 0 or 1.
    https://onnx.ai/onnx/operators/onnx__Sign.html

    ```mlir
    %y = onnx.Sign %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SqrtOp : Onnx_UnaryOp<"Sqrt", Onnx_FloatTensor> {
  let summary = "Takes the square root";
  let description = [{
    `y = sqrt(x)`, NaN for negative numbers.
    https://onnx.ai/onnx/operators/onnx__Sqrt.html

    ```mlir
    %y = onnx.Sqrt %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_ClipOp : Onnx_Op<"Clip", "sameElementOfScalars(ctx)"> {
  let summary = "Limits to a range";
  let description = [{
    `y = min(max(x, min), max)`; a limit that is omitted does not limit. Where
    `min > max` every element is `max`. [C1] The limits are scalars of the
    element type of `input`.
    https://onnx.ai/onnx/operators/onnx__Clip.html

    ```mlir
    %y = onnx.Clip %x, %lo, %none : (tensor<2x?xf32>, tensor<f32>, none) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_NumberTensor:$input,
                       Onnx_Optional<Onnx_NumberTensor>:$min,
                       Onnx_Optional<Onnx_NumberTensor>:$max);
  let results = (outs Onnx_NumberTensor:$output);
}

//===----------------------------------------------------------------------===//
// Two operands that broadcast
//===----------------------------------------------------------------------===//

def Onnx_AddOp : Onnx_BinaryOp<"Add", Onnx_NumberTensor, (ins),
                  "broadcast(ctx, content::add)"> {
  let summary = "Adds";
  let description = [{
    `c = a + b`; integers wrap.
    https://onnx.ai/onnx/operators/onnx__Add.html

    ```mlir
    %c = onnx.Add %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_DivOp : Onnx_BinaryOp<"Div", Onnx_NumberTensor, (ins),
                  "broadcast(ctx, content::divide)"> {
  let summary = "Divides";
  let description = [{
    `c = a / b`; integers are cut towards zero.
    https://onnx.ai/onnx/operators/onnx__Div.html

    ```mlir
    %c = onnx.Div %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_ModOp
    : Onnx_BinaryOp<"Mod", Onnx_NumberTensor, (ins Onnx_Flag<"0">:$fmod),
                  "broadcast(ctx, content::modulo)"> {
  let summary = "Takes the rest of a division";
  let description = [{
    With `fmod = 0` (integers only) the rest has the sign of `b`, as in Python;
    with `fmod = 1` that of `a`, as in C.
    https://onnx.ai/onnx/operators/onnx__Mod.html

    ```mlir
    %c = onnx.Mod %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_MulOp : Onnx_BinaryOp<"Mul", Onnx_NumberTensor, (ins),
                  "broadcast(ctx, content::multiply)"> {
  let summary = "Multiplies";
  let description = [{
    `c = a * b`; integers wrap.
    https://onnx.ai/onnx/operators/onnx__Mul.html

    ```mlir
    %c = onnx.Mul %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_PowOp : Onnx_Op<"Pow", "power(ctx)"> {
  let summary = "Raises to a power";
  let description = [{
    `z = x^y`. The result has the element type of `X`, whatever that of `Y`.
    https://onnx.ai/onnx/operators/onnx__Pow.html

    ```mlir
    %z = onnx.Pow %x, %y : (tensor<2x?xf32>, tensor<i64>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F16, BF16, F32, F64, I32, I64]>:$X,
                       Onnx_NumberTensor:$Y);
  let results = (outs Onnx_TensorOf<[F16, BF16, F32, F64, I32, I64]>:$Z);
}

def Onnx_SubOp : Onnx_BinaryOp<"Sub", Onnx_NumberTensor, (ins),
                  "broadcast(ctx, content::subtract)"> {
  let summary = "Subtracts";
  let description = [{
    `c = a - b`; integers wrap.
    https://onnx.ai/onnx/operators/onnx__Sub.html

    ```mlir
    %c = onnx.Sub %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Any number of operands that broadcast
//===----------------------------------------------------------------------===//

def Onnx_MaxOp
    : Onnx_VariadicOp<"Max", Onnx_NumberTensor, "broadcast(ctx, content::max)"> {
  let summary = "Takes the greatest";
  let description = [{
    The greatest of the operands, element by element; NaN if one is.
    https://onnx.ai/onnx/operators/onnx__Max.html

    ```mlir
    %r = onnx.Max %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_MeanOp : Onnx_VariadicOp<"Mean", Onnx_FloatTensor> {
  let summary = "Takes the mean";
  let description = [{
    The sum of the operands by their number.
    https://onnx.ai/onnx/operators/onnx__Mean.html

    ```mlir
    %r = onnx.Mean %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_MinOp
    : Onnx_VariadicOp<"Min", Onnx_NumberTensor, "broadcast(ctx, content::min)"> {
  let summary = "Takes the least";
  let description = [{
    The least of the operands, element by element; NaN if one is.
    https://onnx.ai/onnx/operators/onnx__Min.html

    ```mlir
    %r = onnx.Min %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SumOp : Onnx_VariadicOp<"Sum", Onnx_FloatTensor> {
  let summary = "Adds up";
  let description = [{
    The sum of the operands.
    https://onnx.ai/onnx/operators/onnx__Sum.html

    ```mlir
    %r = onnx.Sum %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

def Onnx_BitwiseAndOp : Onnx_BinaryOp<"BitwiseAnd", Onnx_IntTensor> {
  let summary = "Combines bits by and";
  let description = [{
    Each bit of the result is the and of the operands' bits.
    https://onnx.ai/onnx/operators/onnx__BitwiseAnd.html

    ```mlir
    %c = onnx.BitwiseAnd %a, %b : (tensor<2x?xi32>, tensor<i32>) -> tensor<2x?xi32>
    ```
  }];
}

def Onnx_BitwiseOrOp : Onnx_BinaryOp<"BitwiseOr", Onnx_IntTensor> {
  let summary = "Combines bits by or";
  let description = [{
    Each bit of the result is the or of the operands' bits.
    https://onnx.ai/onnx/operators/onnx__BitwiseOr.html

    ```mlir
    %c = onnx.BitwiseOr %a, %b : (tensor<2x?xi32>, tensor<i32>) -> tensor<2x?xi32>
    ```
  }];
}

def Onnx_BitwiseXorOp : Onnx_BinaryOp<"BitwiseXor", Onnx_IntTensor> {
  let summary = "Combines bits by exclusive or";
  let description = [{
    Each bit of the result is the exclusive or of the operands' bits.
    https://onnx.ai/onnx/operators/onnx__BitwiseXor.html

    ```mlir
    %c = onnx.BitwiseXor %a, %b : (tensor<2x?xi32>, tensor<i32>) -> tensor<2x?xi32>
    ```
  }];
}

def Onnx_BitwiseNotOp : Onnx_UnaryOp<"BitwiseNot", Onnx_IntTensor> {
  let summary = "Inverts bits";
  let description = [{
    Each bit of the result is the opposite of that of `X`.
    https://onnx.ai/onnx/operators/onnx__BitwiseNot.html

    ```mlir
    %y = onnx.BitwiseNot %x : (tensor<2x?xi32>) -> tensor<2x?xi32>
    ```
  }];
}

def Onnx_BitShiftOp
    : Onnx_BinaryOp<"BitShift", Onnx_IntTensor, (ins Onnx_Word<["LEFT", "RIGHT"]>:$direction)> {
  let summary = "Shifts bits";
  let description = [{
    Shifts `a` by `b` places, to the left or to the right, filling with zeros
    (for signed integers and to the right, with the sign).
    https://onnx.ai/onnx/operators/onnx__BitShift.html

    ```mlir
    %c = onnx.BitShift %a, %b {direction = "LEFT"} : (tensor<2x?xui32>, tensor<ui32>) -> tensor<2x?xui32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Running along an axis
//===----------------------------------------------------------------------===//

def Onnx_CumSumOp
    : Onnx_Op<"CumSum", "sameShapeAlongOperand(ctx, 1)"> {
  let summary = "Computes running sums";
  let description = [{
    `y[i] = x[0] + ... + x[i]` along `axis`, a scalar; without `x[i]` if
    `exclusive`, from the end if `reverse`.
    https://onnx.ai/onnx/operators/onnx__CumSum.html

    ```mlir
    %y = onnx.CumSum %x, %axis : (tensor<2x?xf32>, tensor<i64>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_WideNumberTensor:$x,
                       Onnx_IndexTensor:$axis,
                       Onnx_Flag<"0">:$exclusive,
                       Onnx_Flag<"0">:$reverse);
  let results = (outs Onnx_WideNumberTensor:$y);
}

def Onnx_CumProdOp
    : Onnx_Op<"CumProd", "sameShapeAlongOperand(ctx, 1)"> {
  let summary = "Computes running products";
  let description = [{
    `y[i] = x[0] * ... * x[i]` along `axis`, a scalar; without `x[i]` if
    `exclusive`, from the end if `reverse`.
    https://onnx.ai/onnx/operators/onnx__CumProd.html

    ```mlir
    %y = onnx.CumProd %x, %axis : (tensor<2x?xf32>, tensor<i64>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_WideNumberTensor:$x,
                       Onnx_IndexTensor:$axis,
                       Onnx_Flag<"0">:$exclusive,
                       Onnx_Flag<"0">:$reverse);
  let results = (outs Onnx_WideNumberTensor:$y);
}

def Onnx_DetOp : Onnx_Op<"Det"> {
  let summary = "Takes determinants";
  let description = [{
    Of the square matrices in the last two dimensions.
    https://onnx.ai/onnx/operators/onnx__Det.html

    ```mlir
    %y = onnx.Det %x : (tensor<2x3x3xf32>) -> tensor<2xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X);
  let results = (outs Onnx_FloatTensor:$Y);
}

#endif // LATHE_DIALECT_ONNX_IR_MATH_TD
