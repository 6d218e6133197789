// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sequences and optionals.

#ifndef LATHE_DIALECT_ONNX_IR_SEQUENCE_TD
#define LATHE_DIALECT_ONNX_IR_SEQUENCE_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

def Onnx_SequenceConstructOp : Onnx_Op<"SequenceConstruct"> {
  let summary = "Makes a sequence of tensors";
  let description = [{
    The operands in their order.
    [C1] The operands have one element type.
    https://onnx.ai/onnx/operators/onnx__SequenceConstruct.html

    ```mlir
    %s = onnx.SequenceConstruct %a, %b : (tensor<2xf32>, tensor<2xf32>) -> !onnx.seq<tensor<2xf32>, 2>
    ```
  }];
  let arguments = (ins Variadic<Onnx_AnyTensor>:$inputs);
  let results = (outs Onnx_Sequence:$output_sequence);
}

def Onnx_SequenceEmptyOp : Onnx_Op<"SequenceEmpty"> {
  let summary = "Makes a sequence of no tensors";
  let description = [{
    `dtype` is the number of the tensors' element type.
    [C1] `dtype` is the number of an element type.
    https://onnx.ai/onnx/operators/onnx__SequenceEmpty.html

    ```mlir
    %s = onnx.SequenceEmpty : () -> !onnx.seq<tensor<*xf32>, 0>
    ```
  }];
  let arguments = (ins Onnx_Int<"1">:$dtype);
  let results = (outs Onnx_Sequence:$output);
}

def Onnx_SequenceInsertOp : Onnx_Op<"SequenceInsert"> {
  let summary = "Adds a tensor to a sequence";
  let description = [{
    Before the element at `position`, which counts from the end if negative; at
    the end without one. A position out of range ends the run with an error.
    https://onnx.ai/onnx/operators/onnx__SequenceInsert.html

    ```mlir
    %r = onnx.SequenceInsert %s, %t, %none : (!onnx.seq<tensor<2xf32>>, tensor<2xf32>, none) -> !onnx.seq<tensor<2xf32>>
    ```
  }];
  let arguments = (ins Onnx_Sequence:$input_sequence, Onnx_AnyTensor:$tensor,
                       Onnx_Optional<Onnx_IndexTensor>:$position);
  let results = (outs Onnx_Sequence:$output_sequence);
}

def Onnx_SequenceEraseOp : Onnx_Op<"SequenceErase"> {
  let summary = "Removes a tensor from a sequence";
  let description = [{
    The element at `position`, which counts from the end if negative; the last
    one without it. A position out of range ends the run with an error.
    https://onnx.ai/onnx/operators/onnx__SequenceErase.html

    ```mlir
    %r = onnx.SequenceErase %s, %p : (!onnx.seq<tensor<2xf32>>, tensor<i64>) -> !onnx.seq<tensor<2xf32>>
    ```
  }];
  let arguments = (ins Onnx_Sequence:$input_sequence,
                       Onnx_Optional<Onnx_IndexTensor>:$position);
  let results = (outs Onnx_Sequence:$output_sequence);
}

def Onnx_SequenceAtOp : Onnx_Op<"SequenceAt"> {
  let summary = "Takes a tensor out of a sequence";
  let description = [{
    The element at `position`, which counts from the end if negative. A position
    out of range ends the run with an error.
    https://onnx.ai/onnx/operators/onnx__SequenceAt.html

    ```mlir
    %t = onnx.SequenceAt %s, %p : (!onnx.seq<tensor<2xf32>>, tensor<i64>) -> tensor<2xf32>
    ```
  }];
  let arguments = (ins Onnx_Sequence:$input_sequence,
                       Onnx_IndexTensor:$position);
  let results = (outs Onnx_AnyTensor:$tensor);
  let hasCanonicalizer = 1;
}

def Onnx_SequenceLengthOp : Onnx_Op<"SequenceLength"> {
  let summary = "Counts the tensors of a sequence";
  let description = [{
    https://onnx.ai/onnx/operators/onnx__SequenceLength.html

    ```mlir
    %n = onnx.SequenceLength %s : (!onnx.seq<tensor<2xf32>>) -> tensor<i64>
    ```
  }];
  let arguments = (ins Onnx_Sequence:$input_sequence);
  let results = (outs Onnx_I64Tensor:$length);
}

def Onnx_SplitToSequenceOp : Onnx_Op<"SplitToSequence"> {
  let summary = "Cuts a tensor into a sequence";
  let description = [{
    Along `axis`: into parts of the sizes in `split`; into parts of one size, the
    last perhaps smaller, if it is a scalar; into parts of size one without it,
    whose `axis` then vanishes unless `keepdims`.
    [C1] `axis` is an axis of the input.
    https://onnx.ai/onnx/operators/onnx__SplitToSequence.html

    ```mlir
    %s = onnx.SplitToSequence %x, %none : (tensor<2x3xf32>, none) -> !onnx.seq<tensor<1x3xf32>, 2>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input,
                       Onnx_Optional<Onnx_IndexTensor>:$split,
                       Onnx_Int<"0">:$axis, Onnx_Flag<"1">:$keepdims);
  let results = (outs Onnx_Sequence:$output_sequence);
}

def Onnx_ConcatFromSequenceOp : Onnx_Op<"ConcatFromSequence"> {
  let summary = "Joins the tensors of a sequence";
  let description = [{
    Along `axis`, or, with `new_axis`, along an axis that is inserted there.
    [C1] `axis` is an axis of the result.
    https://onnx.ai/onnx/operators/onnx__ConcatFromSequence.html

    ```mlir
    %y = onnx.ConcatFromSequence %s {axis = 0 : i64} : (!onnx.seq<tensor<1x3xf32>, 2>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Onnx_Sequence:$input_sequence, I64Attr:$axis,
                       Onnx_Flag<"0">:$new_axis);
  let results = (outs Onnx_AnyTensor:$concat_result);
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

def Onnx_OptionalOp : Onnx_Op<"Optional"> {
  let summary = "Makes an optional";
  let description = [{
    Of its operand; without one an empty optional of `type`.
    [C1] There is an operand or a type.
    https://onnx.ai/onnx/operators/onnx__Optional.html

    ```mlir
    %o = onnx.Optional %x : (tensor<2xf32>) -> !onnx.opt<tensor<2xf32>>
    ```
  }];
  let arguments = (ins Onnx_Optional<Onnx_AnyValue>:$input,
                       OptionalAttr<TypeAttr>:$type);
  let results = (outs AnyTypeOf<[Onnx_OptionalType, Onnx_TensorOf<[]>]>:$output);
}

def Onnx_OptionalHasElementOp : Onnx_Op<"OptionalHasElement"> {
  let summary = "Tells whether an optional holds something";
  let description = [{
    False for an empty optional and without an operand, true for what is no
    optional.
    https://onnx.ai/onnx/operators/onnx__OptionalHasElement.html

    ```mlir
    %b = onnx.OptionalHasElement %o : (!onnx.opt<tensor<2xf32>>) -> tensor<i1>
    ```
  }];
  let arguments = (ins Onnx_Optional<Onnx_AnyValue>:$input);
  let results = (outs Onnx_BoolTensor:$output);
}

def Onnx_OptionalGetElementOp : Onnx_Op<"OptionalGetElement"> {
  let summary = "Takes a value out of an optional";
  let description = [{
    Gives what is no optional as it is. An empty optional ends the run with an
    error.
    https://onnx.ai/onnx/operators/onnx__OptionalGetElement.html

    ```mlir
    %x = onnx.OptionalGetElement %o : (!onnx.opt<tensor<2xf32>>) -> tensor<2xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyValue:$input);
  let results = (outs Onnx_AnyValue:$output);
}

#endif // LATHE_DIALECT_ONNX_IR_SEQUENCE_TD
