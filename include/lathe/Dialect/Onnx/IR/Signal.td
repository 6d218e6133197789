// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fourier transforms and what belongs to them.

#ifndef LATHE_DIALECT_ONNX_IR_SIGNAL_TD
#define LATHE_DIALECT_ONNX_IR_SIGNAL_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_DFTOp : Onnx_Op<"DFT"> {
  let summary = "Transforms by Fourier";
  let description = [{
    The last dimension holds real (size 1) or complex (size 2) numbers; `axis`
    (-2 if omitted) is transformed after it was cut or padded with zeros to
    `dft_length`. `onesided` keeps the first half and one, or, where `inverse`,
    takes such a half and gives real numbers.
    https://onnx.ai/onnx/operators/onnx__DFT.html

    ```mlir
    %y = onnx.DFT %x, %none, %none : (tensor<1x16x1xf32>, none, none) -> tensor<1x16x2xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input,
                       Onnx_Optional<Onnx_IndexTensor>:$dft_length,
                       Onnx_Optional<Onnx_IndexTensor>:$axis,
                       Onnx_Flag<"0">:$inverse, Onnx_Flag<"0">:$onesided);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_STFTOp : Onnx_Op<"STFT"> {
  let summary = "Transforms windows of a signal by Fourier";
  let description = [{
    `signal` is [batch, length] or [batch, length, 1 or 2]; each `frame_step` a
    frame of `frame_length` (the size of `window` if omitted) is multiplied by
    `window` and transformed: [batch, frames, bins, 2].
    https://onnx.ai/onnx/operators/onnx__STFT.html

    ```mlir
    %y = onnx.STFT %x, %step, %none, %length : (tensor<1x128x1xf32>, tensor<i64>, none, tensor<i64>) -> tensor<1x15x9x2xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$signal, Onnx_IndexTensor:$frame_step,
                       Onnx_Optional<Onnx_FloatTensor>:$window,
                       Onnx_Optional<Onnx_IndexTensor>:$frame_length,
                       Onnx_Flag<"1">:$onesided);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_MelWeightMatrixOp : Onnx_Op<"MelWeightMatrix"> {
  let summary = "Makes the matrix from frequencies to mel bins";
  let description = [{
    [dft_length / 2 + 1, num_mel_bins] weights, triangles over the bins of a
    transform; `output_datatype` is ONNX's number of the element type.
    https://onnx.ai/onnx/operators/onnx__MelWeightMatrix.html

    ```mlir
    %y = onnx.MelWeightMatrix %bins, %length, %rate, %low, %high : (tensor<i64>, tensor<i64>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<9x8xf32>
    ```
  }];
  let arguments = (ins Onnx_IndexTensor:$num_mel_bins,
                       Onnx_IndexTensor:$dft_length,
                       Onnx_IndexTensor:$sample_rate,
                       Onnx_FloatTensor:$lower_edge_hertz,
                       Onnx_FloatTensor:$upper_edge_hertz,
                       Onnx_Int<"1">:$output_datatype);
  let results = (outs Onnx_NumberTensor:$output);
}

#endif // LATHE_DIALECT_ONNX_IR_SIGNAL_TD
