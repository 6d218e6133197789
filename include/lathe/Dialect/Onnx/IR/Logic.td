// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparison, logic, selection and conversion of elements.

#ifndef LATHE_DIALECT_ONNX_IR_LOGIC_TD
#define LATHE_DIALECT_ONNX_IR_LOGIC_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

// Two operands that broadcast, a result of bools.
class Onnx_CompareOp<string mnemonic, Type type,
                     string rule = "compare(ctx)"> : Onnx_Op<mnemonic, rule> {
  let arguments = (ins type:$A, type:$B);
  let results = (outs Onnx_BoolTensor:$C);
}

// One operand, a result of bools.
class Onnx_TestOp<string mnemonic, Type type, dag attrs = (ins),
                  string rule = "test(ctx)"> : Onnx_Op<mnemonic, rule> {
  let arguments = !con((ins type:$X), attrs);
  let results = (outs Onnx_BoolTensor:$Y);
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

def Onnx_EqualOp : Onnx_CompareOp<"Equal", Onnx_AnyTensor,
                   "compare(ctx, content::equal)"> {
  let summary = "Compares for equality";
  let description = [{
    `c = (a == b)`; NaN equals nothing.
    https://onnx.ai/onnx/operators/onnx__Equal.html

    ```mlir
    %c = onnx.Equal %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_GreaterOp : Onnx_CompareOp<"Greater", Onnx_NumberTensor,
                   "compare(ctx, content::greater)"> {
  let summary = "Compares for greater";
  let description = [{
    `c = (a > b)`.
    https://onnx.ai/onnx/operators/onnx__Greater.html

    ```mlir
    %c = onnx.Greater %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_GreaterOrEqualOp : Onnx_CompareOp<"GreaterOrEqual", Onnx_NumberTensor,
                   "compare(ctx, content::greaterOrEqual)"> {
  let summary = "Compares for greater or equal";
  let description = [{
    `c = (a >= b)`.
    https://onnx.ai/onnx/operators/onnx__GreaterOrEqual.html

    ```mlir
    %c = onnx.GreaterOrEqual %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_LessOp : Onnx_CompareOp<"Less", Onnx_NumberTensor,
                   "compare(ctx, content::less)"> {
  let summary = "Compares for less";
  let description = [{
    `c = (a < b)`.
    https://onnx.ai/onnx/operators/onnx__Less.html

    ```mlir
    %c = onnx.Less %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_LessOrEqualOp : Onnx_CompareOp<"LessOrEqual", Onnx_NumberTensor,
                   "compare(ctx, content::lessOrEqual)"> {
  let summary = "Compares for less or equal";
  let description = [{
    `c = (a <= b)`.
    https://onnx.ai/onnx/operators/onnx__LessOrEqual.html

    ```mlir
    %c = onnx.LessOrEqual %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xi1>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Logic
//===----------------------------------------------------------------------===//

def Onnx_AndOp : Onnx_CompareOp<"And", Onnx_BoolTensor,
                   "compare(ctx, content::logicalAnd)"> {
  let summary = "Computes the logical and";
  let description = [{
    `c = a and b`.
    https://onnx.ai/onnx/operators/onnx__And.html

    ```mlir
    %c = onnx.And %a, %b : (tensor<2x?xi1>, tensor<i1>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_OrOp : Onnx_CompareOp<"Or", Onnx_BoolTensor,
                   "compare(ctx, content::logicalOr)"> {
  let summary = "Computes the logical or";
  let description = [{
    `c = a or b`.
    https://onnx.ai/onnx/operators/onnx__Or.html

    ```mlir
    %c = onnx.Or %a, %b : (tensor<2x?xi1>, tensor<i1>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_XorOp : Onnx_CompareOp<"Xor", Onnx_BoolTensor,
                   "compare(ctx, content::logicalXor)"> {
  let summary = "Computes the logical exclusive or";
  let description = [{
    `c = a xor b`.
    https://onnx.ai/onnx/operators/onnx__Xor.html

    ```mlir
    %c = onnx.Xor %a, %b : (tensor<2x?xi1>, tensor<i1>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_NotOp : Onnx_TestOp<"Not", Onnx_BoolTensor, (ins),
                "test(ctx, content::logicalNot)"> {
  let summary = "Negates bools";
  let description = [{
    `y = not x`.
    https://onnx.ai/onnx/operators/onnx__Not.html

    ```mlir
    %y = onnx.Not %x : (tensor<2x?xi1>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_IsInfOp
    : Onnx_TestOp<"IsInf", Onnx_TensorOf<!listconcat(Onnx_Floats, [F8E4M3FN, F8E4M3FNUZ, F8E5M2,
                                          F8E5M2FNUZ])>,
                (ins Onnx_Flag<"1">:$detect_negative,
                     Onnx_Flag<"1">:$detect_positive)> {
  let summary = "Tests for infinity";
  let description = [{
    True for the infinities whose sign is asked for.
    https://onnx.ai/onnx/operators/onnx__IsInf.html

    ```mlir
    %y = onnx.IsInf %x : (tensor<2x?xf32>) -> tensor<2x?xi1>
    ```
  }];
}

def Onnx_IsNaNOp
    : Onnx_TestOp<"IsNaN", Onnx_TensorOf<!listconcat(Onnx_Floats, [F8E4M3FN, F8E4M3FNUZ, F8E5M2,
                                          F8E5M2FNUZ])>> {
  let summary = "Tests for NaN";
  let description = [{
    True where `x` is not a number.
    https://onnx.ai/onnx/operators/onnx__IsNaN.html

    ```mlir
    %y = onnx.IsNaN %x : (tensor<2x?xf32>) -> tensor<2x?xi1>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Selection and conversion
//===----------------------------------------------------------------------===//

def Onnx_WhereOp : Onnx_Op<"Where", "where(ctx)"> {
  let summary = "Selects elements";
  let description = [{
    `X` where `condition` is true, else `Y`; all three broadcast.
    https://onnx.ai/onnx/operators/onnx__Where.html

    ```mlir
    %r = onnx.Where %c, %x, %y : (tensor<2x?xi1>, tensor<f32>, tensor<2x1xf32>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_BoolTensor:$condition,
                       Onnx_AnyTensor:$X,
                       Onnx_AnyTensor:$Y);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_CastOp : Onnx_Op<"Cast", "cast(ctx, getTo())"> {
  let summary = "Converts the element type";
  let description = [{
    Converts to the type with ONNX's number `to`. Floats become integers by
    cutting towards zero, numbers become bools by comparing with zero.
    `saturate` and `round_mode` are for floats of 8 bits. [C1] `to` is the
    number of a type.
    https://onnx.ai/onnx/operators/onnx__Cast.html

    ```mlir
    %y = onnx.Cast %x {to = 1 : i64} : (tensor<2x?xi64>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input,
                       Onnx_DefaultWord<["up", "down", "nearest"], "up">:$round_mode,
                       Onnx_Flag<"1">:$saturate,
                       I64Attr:$to);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_CastLikeOp : Onnx_Op<"CastLike", "castLike(ctx)"> {
  let summary = "Converts to the element type of another tensor";
  let description = [{
    As `onnx.Cast`, to the element type of `target_type`.
    https://onnx.ai/onnx/operators/onnx__CastLike.html

    ```mlir
    %y = onnx.CastLike %x, %t : (tensor<2x?xi64>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input,
                       Onnx_AnyTensor:$target_type,
                       Onnx_DefaultWord<["up", "down", "nearest"], "up">:$round_mode,
                       Onnx_Flag<"1">:$saturate);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_BitCastOp : Onnx_Op<"BitCast", "bitCast(ctx, getTo())"> {
  let summary = "Reads the bits as another type";
  let description = [{
    The bits stay, the element type becomes the one with ONNX's number `to`.
    [C1] Both types have as many bits.
    https://onnx.ai/onnx/operators/onnx__BitCast.html

    ```mlir
    %y = onnx.BitCast %x {to = 6 : i64} : (tensor<2x?xf32>) -> tensor<2x?xi32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input, I64Attr:$to);
  let results = (outs Onnx_AnyTensor:$output);
}

#endif // LATHE_DIALECT_ONNX_IR_LOGIC_TD
