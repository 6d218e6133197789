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

def Onnx_CompressOp : Onnx_Op<"Compress"> {
  let summary = "Keeps what a condition marks";
  let description = [{
    The slices along `axis` (the elements of the flattened operand if it is
    omitted) at which `condition` is true; what is past its end is left out.
    https://onnx.ai/onnx/operators/onnx__Compress.html

    ```mlir
    %y = onnx.Compress %x, %c {axis = 0 : i64} : (tensor<3x2xf32>, tensor<3xi1>) -> tensor<?x2xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input, Onnx_BoolTensor:$condition,
                       OptionalAttr<I64Attr>:$axis);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_UniqueOp : Onnx_Op<"Unique"> {
  let summary = "Keeps each element or slice once";
  let description = [{
    The distinct slices along `axis` (elements of the flattened operand if it is
    omitted), in ascending order or, unless `sorted`, in that of their first
    occurrence; where they first occur; which of them each is; and how often it
    occurs. NaN equals NaN and comes last.
    https://onnx.ai/onnx/operators/onnx__Unique.html

    ```mlir
    %y, %i, %v, %n = onnx.Unique %x : (tensor<6xf32>) -> (tensor<?xf32>, tensor<?xi64>, tensor<6xi64>, tensor<?xi64>)
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$X, OptionalAttr<I64Attr>:$axis,
                       Onnx_Flag<"1">:$sorted);
  let results = (outs Onnx_AnyTensor:$Y, Onnx_I64Tensor:$indices,
                      Onnx_I64Tensor:$inverse_indices, Onnx_I64Tensor:$counts);
}

def Onnx_NonMaxSuppressionOp : Onnx_Op<"NonMaxSuppression"> {
  let summary = "Selects boxes that overlap little";
  let description = [{
    Per batch and class, by descending score: a box is selected unless its
    intersection over union with one that is selected exceeds `iou_threshold`.
    Rows of the result are batch, class and box. `boxes` are [batch, boxes, 4],
    `scores` [batch, classes, boxes].
    https://onnx.ai/onnx/operators/onnx__NonMaxSuppression.html

    ```mlir
    %s = onnx.NonMaxSuppression %boxes, %scores, %most, %none, %none : (tensor<1x6x4xf32>, tensor<1x1x6xf32>, tensor<1xi64>, none, none) -> tensor<?x3xi64>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32]>:$boxes, Onnx_TensorOf<[F32]>:$scores,
                       Onnx_Optional<Onnx_I64Tensor>:$max_output_boxes_per_class,
                       Onnx_Optional<Onnx_TensorOf<[F32]>>:$iou_threshold,
                       Onnx_Optional<Onnx_TensorOf<[F32]>>:$score_threshold,
                       Onnx_Flag<"0">:$center_point_box);
  let results = (outs Onnx_I64Tensor:$selected_indices);
}

#endif // LATHE_DIALECT_ONNX_IR_SELECT_TD
