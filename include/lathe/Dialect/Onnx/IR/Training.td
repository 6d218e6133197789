// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Steps of optimizers, of the domain ai.onnx.preview.training. Each takes n tensors,
// their n gradients and n states of each kind, and gives the new ones.

#ifndef LATHE_DIALECT_ONNX_IR_TRAINING_TD
#define LATHE_DIALECT_ONNX_IR_TRAINING_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

class Onnx_TrainingOp<string mnemonic> : Onnx_Op<"training." # mnemonic>;

def Onnx_TrainingAdagradOp : Onnx_TrainingOp<"Adagrad"> {
  let summary = "Takes a step of Adagrad";
  let description = [{
    `inputs` are X..., G..., H...; the results X_new..., H_new....
    https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adagrad.html

    ```mlir
    %x, %h = onnx.training.Adagrad %r, %t, %x0, %g, %h0 : (tensor<f32>, tensor<i64>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64]>:$R, Onnx_I64Tensor:$T,
                       Variadic<Onnx_TensorOf<[F32, F64]>>:$inputs,
                       Onnx_Float<"0.0f">:$decay_factor,
                       Onnx_Float<"1e-06f">:$epsilon,
                       Onnx_Float<"0.0f">:$norm_coefficient);
  let results = (outs Variadic<Onnx_TensorOf<[F32, F64]>>:$outputs);
}

def Onnx_TrainingAdamOp : Onnx_TrainingOp<"Adam"> {
  let summary = "Takes a step of Adam";
  let description = [{
    `inputs` are X..., G..., V..., H...; the results X_new..., V_new...,
    H_new....
    https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html

    ```mlir
    %x, %v, %h = onnx.training.Adam %r, %t, %x0, %g, %v0, %h0 : (tensor<f32>, tensor<i64>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>)
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64]>:$R, Onnx_I64Tensor:$T,
                       Variadic<Onnx_TensorOf<[F32, F64]>>:$inputs,
                       Onnx_Float<"0.9f">:$alpha, Onnx_Float<"0.999f">:$beta,
                       Onnx_Float<"1e-06f">:$epsilon,
                       Onnx_Float<"0.0f">:$norm_coefficient,
                       Onnx_Float<"0.0f">:$norm_coefficient_post);
  let results = (outs Variadic<Onnx_TensorOf<[F32, F64]>>:$outputs);
}

def Onnx_TrainingMomentumOp : Onnx_TrainingOp<"Momentum"> {
  let summary = "Takes a step of gradient descent with momentum";
  let description = [{
    `inputs` are X..., G..., V...; the results X_new..., V_new....
    https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html

    ```mlir
    %x, %v = onnx.training.Momentum %r, %t, %x0, %g, %v0 {alpha = 0.9 : f32, beta = 1.0 : f32, mode = "standard", norm_coefficient = 0.0 : f32} : (tensor<f32>, tensor<i64>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64]>:$R, Onnx_I64Tensor:$T,
                       Variadic<Onnx_TensorOf<[F32, F64]>>:$inputs,
                       F32Attr:$alpha, F32Attr:$beta,
                       Onnx_Word<["standard", "nesterov"]>:$mode,
                       F32Attr:$norm_coefficient);
  let results = (outs Variadic<Onnx_TensorOf<[F32, F64]>>:$outputs);
}

#endif // LATHE_DIALECT_ONNX_IR_TRAINING_TD
