// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choosing and placing parts of tensors as data say.

#ifndef LATHE_DIALECT_ONNX_IR_SELECT_TD
#define LATHE_DIALECT_ONNX_IR_SELECT_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_ReverseSequenceOp : Onnx_Op<"ReverseSequence"> {
  let summary = "Reverses the beginnings of sequences";
  let description = [{
    The first `sequence_lens[b]` steps of sequence `b` are turned round. [C1]
    `batch_axis` and `time_axis` are 0 and 1, in either order.
    https://onnx.ai/onnx/operators/onnx__ReverseSequence.html

    ```mlir
    %y = onnx.ReverseSequence %x, %lens : (tensor<4x3xf32>, tensor<3xi64>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input, Onnx_I64Tensor:$sequence_lens,
                       Onnx_Int<"1">:$batch_axis, Onnx_Int<"0">:$time_axis);
  let results = (outs Onnx_AnyTensor:$Y);
}

def Onnx_TensorScatterOp : Onnx_Op<"TensorScatter"> {
  let summary = "Writes new steps into a cache";
  let description = [{
    `past_cache` with `update` written along `axis` from `write_indices[b]` on
    (0 if omitted), round the end if `mode` is circular. The first dimension is
    the batch. [C1] `axis` is not 0.
    https://onnx.ai/onnx/operators/onnx__TensorScatter.html

    ```mlir
    %y = onnx.TensorScatter %cache, %new, %at : (tensor<2x1x4x5xf32>, tensor<2x1x1x5xf32>, tensor<2xi64>) -> tensor<2x1x4x5xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$past_cache, Onnx_AnyTensor:$update,
                       Onnx_Optional<Onnx_I64Tensor>:$write_indices,
                       Onnx_Int<"-2">:$axis,
                       Onnx_DefaultWord<["linear", "circular"], "linear">:$mode);
  let results = (outs Onnx_AnyTensor:$present_cache);
}

#endif // LATHE_DIALECT_ONNX_IR_SELECT_TD
