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

#endif // LATHE_DIALECT_ONNX_IR_CONTRIBQUANT_TD
