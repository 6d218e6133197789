// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized operators of com.microsoft.

#ifndef LATHE_DIALECT_ONNX_IR_CONTRIBQUANT_TD
#define LATHE_DIALECT_ONNX_IR_CONTRIBQUANT_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_MsByteTensor : Onnx_TensorOf<[I8, UI8]>;

class Onnx_MsQLinearBinaryOp<string mnemonic> : Onnx_MsOp<mnemonic> {
  let arguments = (ins Onnx_MsByteTensor:$A,
                       Onnx_TensorOf<[F32]>:$A_scale,
                       Onnx_Optional<Onnx_MsByteTensor>:$A_zero_point,
                       Onnx_MsByteTensor:$B,
                       Onnx_TensorOf<[F32]>:$B_scale,
                       Onnx_Optional<Onnx_MsByteTensor>:$B_zero_point,
                       Onnx_TensorOf<[F32]>:$C_scale,
                       Onnx_Optional<Onnx_MsByteTensor>:$C_zero_point);
  let results = (outs Onnx_MsByteTensor:$C);
}

def Onnx_MsQLinearAddOp : Onnx_MsQLinearBinaryOp<"QLinearAdd"> {
  let summary = "Adds quantized numbers into quantized ones";
  let description = [{
    The sum of both operands, dequantized, quantized again; `A` and `B`
    broadcast. [C1] Scales and zero points are one number each.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearAdd

    ```mlir
    %c = onnx.ms.QLinearAdd %a, %as, %az, %b, %bs, %bz, %cs, %cz : (tensor<?x8xui8>, tensor<f32>, tensor<ui8>, tensor<8xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8xui8>
    ```
  }];
}

def Onnx_MsQGemmOp : Onnx_MsOp<"QGemm"> {
  let summary = "Multiplies quantized matrices and adds";
  let description = [{
    `alpha * a_scale * b_scale * (A' * B' + C)`, where zero points are taken off
    first; quantized by `y_scale` and `y_zero_point` where these are there, else a
    float. `C` is added as 32-bit integers. [C1] Scales and zero points are one
    number; those of `B` may be one per column. [C2] `y_scale` and `y_zero_point`
    are both there or not.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QGemm

    ```mlir
    %y = onnx.ms.QGemm %a, %as, %az, %b, %bs, %bz, %none, %none, %none : (tensor<?x64xui8>, tensor<f32>, tensor<ui8>, tensor<64x10xi8>, tensor<f32>, tensor<i8>, none, none, none) -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Onnx_MsByteTensor:$A,
                       Onnx_TensorOf<[F32]>:$a_scale,
                       Onnx_MsByteTensor:$a_zero_point,
                       Onnx_MsByteTensor:$B,
                       Onnx_TensorOf<[F32]>:$b_scale,
                       Onnx_MsByteTensor:$b_zero_point,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$C,
                       Onnx_Optional<Onnx_TensorOf<[F32]>>:$y_scale,
                       Onnx_Optional<Onnx_MsByteTensor>:$y_zero_point,
                       Onnx_Float<"1.0f">:$alpha,
                       Onnx_Flag<"0">:$transA,
                       Onnx_Flag<"0">:$transB);
  let results = (outs Onnx_TensorOf<[I8, UI8, F32]>:$Y);
}

def Onnx_MsMatMulNBitsOp : Onnx_MsOp<"MatMulNBits"> {
  let summary = "Multiplies by a matrix of few bits";
  let description = [{
    `A * W' + bias`, where row `n` of `W` [N, K] lies in `B` [N, blocks, bytes]:
    elements of `bits` bits, from the lowest bits of a byte on, in blocks of
    `block_size`. An element of block `k` is worth
    `(element - zero_points[n, k]) * scales[n, k]`. Zero points are packed like
    elements, each row from a byte of its own on, or numbers of the type of `A`;
    without them they are `2^(bits - 1)`. [C1] Scales are [N, blocks] in any
    shape. `accuracy_level` allows less accuracy than `A` has, of which no use is
    made. `g_idx` and weights that are packed otherwise are not supported.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits

    ```mlir
    %y = onnx.ms.MatMulNBits %a, %b, %s, %none, %none, %none {K = 64 : i64, N = 10 : i64, block_size = 32 : i64} : (tensor<?x64xf32>, tensor<10x2x16xui8>, tensor<20xf32>, none, none, none) -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$A,
                       Onnx_TensorOf<[UI8]>:$B,
                       Onnx_FloatTensor:$scales,
                       Onnx_Optional<Onnx_TensorOf<[UI8, F16, BF16, F32]>>:$zero_points,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$g_idx,
                       Onnx_Optional<Onnx_FloatTensor>:$bias,
                       ConfinedAttr<I64Attr, [IntPositive]>:$K,
                       ConfinedAttr<I64Attr, [IntPositive]>:$N,
                       Onnx_Int<"0">:$accuracy_level,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive, IntMaxValue<8>]>, "4">:$bits,
                       ConfinedAttr<I64Attr, [IntPositive]>:$block_size,
                       Onnx_Int<"0">:$weight_prepacked);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MsMatMulIntegerToFloatOp : Onnx_MsOp<"MatMulIntegerToFloat"> {
  let summary = "Multiplies matrices of 8-bit integers and scales";
  let description = [{
    The sums of `onnx.MatMulInteger`, times `a_scale * b_scale`, plus `bias`. [C1]
    `a_scale` and `a_zero_point` are one number, those of `B` one or one per
    column. [C2] `bias` has one number per column.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulIntegerToFloat

    ```mlir
    %y = onnx.ms.MatMulIntegerToFloat %a, %b, %as, %bs, %none, %none, %none : (tensor<?x64xui8>, tensor<64x10xi8>, tensor<f32>, tensor<f32>, none, none, none) -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Onnx_MsByteTensor:$A,
                       Onnx_MsByteTensor:$B,
                       Onnx_TensorOf<[F32]>:$a_scale,
                       Onnx_TensorOf<[F32]>:$b_scale,
                       Onnx_Optional<Onnx_MsByteTensor>:$a_zero_point,
                       Onnx_Optional<Onnx_MsByteTensor>:$b_zero_point,
                       Onnx_Optional<Onnx_TensorOf<[F32]>>:$bias);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

def Onnx_MsDynamicQuantizeMatMulOp : Onnx_MsOp<"DynamicQuantizeMatMul"> {
  let summary = "Quantizes a matrix by its range and multiplies";
  let description = [{
    `A`, quantized as by `onnx.DynamicQuantizeLinear`, times `B`, as
    `onnx.ms.MatMulIntegerToFloat`. [C1] and [C2] as there.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.DynamicQuantizeMatMul

    ```mlir
    %y = onnx.ms.DynamicQuantizeMatMul %a, %b, %bs, %none, %none : (tensor<?x64xf32>, tensor<64x10xi8>, tensor<f32>, none, none) -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32]>:$A,
                       Onnx_MsByteTensor:$B,
                       Onnx_TensorOf<[F32]>:$b_scale,
                       Onnx_Optional<Onnx_MsByteTensor>:$b_zero_point,
                       Onnx_Optional<Onnx_TensorOf<[F32]>>:$bias);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

def Onnx_MsQLinearMulOp : Onnx_MsQLinearBinaryOp<"QLinearMul"> {
  let summary = "Multiplies quantized numbers into quantized ones";
  let description = [{
    The product of both operands, dequantized, quantized again; `A` and `B`
    broadcast. [C1] Scales and zero points are one number each.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearMul

    ```mlir
    %c = onnx.ms.QLinearMul %a, %as, %az, %b, %bs, %bz, %cs, %cz : (tensor<?x8xui8>, tensor<f32>, tensor<ui8>, tensor<8xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8xui8>
    ```
  }];
}

def Onnx_MsQLinearGlobalAveragePoolOp
    : Onnx_MsOp<"QLinearGlobalAveragePool"> {
  let summary = "Averages quantized numbers over space";
  let description = [{
    The mean over all dimensions of space, quantized again. `X` is [batch,
    channels, space...], or, with `channels_last`, [batch, space..., channels].
    [C1] Scales and zero points are one number each.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QLinearGlobalAveragePool

    ```mlir
    %y = onnx.ms.QLinearGlobalAveragePool %x, %xs, %xz, %ys, %yz : (tensor<?x8x7x7xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8x1x1xui8>
    ```
  }];
  let arguments = (ins Onnx_MsByteTensor:$X,
                       Onnx_TensorOf<[F32]>:$x_scale,
                       Onnx_MsByteTensor:$x_zero_point,
                       Onnx_TensorOf<[F32]>:$y_scale,
                       Onnx_MsByteTensor:$y_zero_point,
                       Onnx_Flag<"0">:$channels_last);
  let results = (outs Onnx_MsByteTensor:$Y);
}

#endif // LATHE_DIALECT_ONNX_IR_CONTRIBQUANT_TD
