// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activation functions: non-linear functions of one element.

#ifndef LATHE_DIALECT_ONNX_IR_ACTIVATION_TD
#define LATHE_DIALECT_ONNX_IR_ACTIVATION_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_CeluOp
    : Onnx_UnaryOp<"Celu", Onnx_FloatTensor, (ins Onnx_Float<"1.0f">:$alpha)> {
  let summary = "Applies the continuously differentiable exponential linear unit";
  let description = [{
    `y = max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`.
    https://onnx.ai/onnx/operators/onnx__Celu.html

    ```mlir
    %y = onnx.Celu %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_EluOp
    : Onnx_UnaryOp<"Elu", Onnx_FloatTensor, (ins Onnx_Float<"1.0f">:$alpha)> {
  let summary = "Applies the exponential linear unit";
  let description = [{
    `y = x` for `x >= 0`, else `alpha * (exp(x) - 1)`.
    https://onnx.ai/onnx/operators/onnx__Elu.html

    ```mlir
    %y = onnx.Elu %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_GeluOp
    : Onnx_UnaryOp<"Gelu", Onnx_FloatTensor, (ins Onnx_DefaultWord<["none", "tanh"], "none">:$approximate)> {
  let summary = "Applies the Gaussian error linear unit";
  let description = [{
    `y = 0.5 * x * (1 + erf(x / sqrt(2)))`; with `approximate = "tanh"`, `y =
    0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`.
    https://onnx.ai/onnx/operators/onnx__Gelu.html

    ```mlir
    %y = onnx.Gelu %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_HardSigmoidOp
    : Onnx_UnaryOp<"HardSigmoid", Onnx_FloatTensor, (ins Onnx_Float<"0.2f">:$alpha,
                      Onnx_Float<"0.5f">:$beta)> {
  let summary = "Applies a piecewise linear sigmoid";
  let description = [{
    `y = max(0, min(1, alpha * x + beta))`.
    https://onnx.ai/onnx/operators/onnx__HardSigmoid.html

    ```mlir
    %y = onnx.HardSigmoid %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_HardSwishOp : Onnx_UnaryOp<"HardSwish", Onnx_FloatTensor> {
  let summary = "Applies a piecewise approximation of swish";
  let description = [{
    `y = x * max(0, min(1, x / 6 + 0.5))`.
    https://onnx.ai/onnx/operators/onnx__HardSwish.html

    ```mlir
    %y = onnx.HardSwish %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_LeakyReluOp
    : Onnx_UnaryOp<"LeakyRelu", Onnx_FloatTensor, (ins Onnx_Float<"0.01f">:$alpha)> {
  let summary = "Applies a rectifier with a slope below zero";
  let description = [{
    `y = x` for `x >= 0`, else `alpha * x`.
    https://onnx.ai/onnx/operators/onnx__LeakyRelu.html

    ```mlir
    %y = onnx.LeakyRelu %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_MishOp : Onnx_UnaryOp<"Mish", Onnx_FloatTensor> {
  let summary = "Applies mish";
  let description = [{
    `y = x * tanh(softplus(x))`.
    https://onnx.ai/onnx/operators/onnx__Mish.html

    ```mlir
    %y = onnx.Mish %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_ReluOp : Onnx_UnaryOp<"Relu", Onnx_SignedNumberTensor> {
  let summary = "Applies the rectifier";
  let description = [{
    `y = max(0, x)`.
    https://onnx.ai/onnx/operators/onnx__Relu.html

    ```mlir
    %y = onnx.Relu %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SeluOp
    : Onnx_UnaryOp<"Selu", Onnx_FloatTensor, (ins Onnx_Float<"1.6732632f">:$alpha,
                      Onnx_Float<"1.050701f">:$gamma)> {
  let summary = "Applies the scaled exponential linear unit";
  let description = [{
    `y = gamma * x` for `x > 0`, else `gamma * (alpha * exp(x) - alpha)`.
    https://onnx.ai/onnx/operators/onnx__Selu.html

    ```mlir
    %y = onnx.Selu %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_ShrinkOp
    : Onnx_UnaryOp<"Shrink", Onnx_NumberTensor, (ins Onnx_Float<"0.0f">:$bias,
                      Onnx_Float<"0.5f">:$lambd)> {
  let summary = "Shrinks towards zero";
  let description = [{
    `y = x + bias` below `-lambd`, `x - bias` above `lambd`, else 0.
    https://onnx.ai/onnx/operators/onnx__Shrink.html

    ```mlir
    %y = onnx.Shrink %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SigmoidOp : Onnx_UnaryOp<"Sigmoid", Onnx_FloatTensor> {
  let summary = "Applies the logistic function";
  let description = [{
    `y = 1 / (1 + exp(-x))`.
    https://onnx.ai/onnx/operators/onnx__Sigmoid.html

    ```mlir
    %y = onnx.Sigmoid %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SoftplusOp : Onnx_UnaryOp<"Softplus", Onnx_FloatTensor> {
  let summary = "Applies softplus";
  let description = [{
    `y = ln(exp(x) + 1)`.
    https://onnx.ai/onnx/operators/onnx__Softplus.html

    ```mlir
    %y = onnx.Softplus %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SoftsignOp : Onnx_UnaryOp<"Softsign", Onnx_FloatTensor> {
  let summary = "Applies softsign";
  let description = [{
    `y = x / (1 + |x|)`.
    https://onnx.ai/onnx/operators/onnx__Softsign.html

    ```mlir
    %y = onnx.Softsign %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SwishOp
    : Onnx_UnaryOp<"Swish", Onnx_FloatTensor, (ins Onnx_Float<"1.0f">:$alpha)> {
  let summary = "Applies swish";
  let description = [{
    `y = x * sigmoid(alpha * x)`.
    https://onnx.ai/onnx/operators/onnx__Swish.html

    ```mlir
    %y = onnx.Swish %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_ThresholdedReluOp
    : Onnx_UnaryOp<"ThresholdedRelu", Onnx_FloatTensor, (ins Onnx_Float<"1.0f">:$alpha)> {
  let summary = "Applies a rectifier with a threshold";
  let description = [{
    `y = x` for `x > alpha`, else 0.
    https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html

    ```mlir
    %y = onnx.ThresholdedRelu %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_PReluOp : Onnx_BinaryOp<"PRelu", Onnx_WideNumberTensor, (ins),
                  "sameShapeBroadcast(ctx)"> {
  let summary = "Applies a rectifier with a slope per element";
  let description = [{
    `c = a` for `a >= 0`, else `b * a`. [C1] `b` broadcasts to the shape of `a`.
    https://onnx.ai/onnx/operators/onnx__PRelu.html

    ```mlir
    %c = onnx.PRelu %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

def Onnx_SwiGLUOp
    : Onnx_BinaryOp<"SwiGLU", Onnx_FloatTensor, (ins Onnx_Float<"1.0f">:$alpha)> {
  let summary = "Gates with swish";
  let description = [{
    `c = a * sigmoid(alpha * a) * b`.
    https://onnx.ai/onnx/operators/onnx__SwiGLU.html

    ```mlir
    %c = onnx.SwiGLU %a, %b : (tensor<2x?xf32>, tensor<f32>) -> tensor<2x?xf32>
    ```
  }];
}

#endif // LATHE_DIALECT_ONNX_IR_ACTIVATION_TD
