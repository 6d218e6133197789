// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers. They are counter-based, so that a run does not depend on threads:
// element i of a node is a function of i and of the node's seed (Salmon et al.,
// "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).

#ifndef LATHE_DIALECT_ONNX_IR_RANDOM_TD
#define LATHE_DIALECT_ONNX_IR_RANDOM_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

// Not pure: equal nodes give different numbers, and no constant is made of one.
class Onnx_RandomOp<string mnemonic> : Onnx_BaseOp<mnemonic, "">;

def Onnx_RandomUniformOp : Onnx_RandomOp<"RandomUniform"> {
  let summary = "Makes uniform random numbers";
  let description = [{
    In [low, high), of `shape` and the type with ONNX's number `dtype`. The same
    in each run; without `seed` it follows from the node's place in the model.
    https://onnx.ai/onnx/operators/onnx__RandomUniform.html

    ```mlir
    %y = onnx.RandomUniform {shape = array<i64: 2, 3>} : () -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Onnx_Int<"1">:$dtype, Onnx_Float<"1.0f">:$high,
                       Onnx_Float<"0.0f">:$low, OptionalAttr<F32Attr>:$seed,
                       DenseI64ArrayAttr:$shape);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_RandomUniformLikeOp : Onnx_RandomOp<"RandomUniformLike"> {
  let summary = "Makes uniform random numbers in the shape of a tensor";
  let description = [{
    As `onnx.RandomUniform`; without `dtype` of the type of `input`.
    https://onnx.ai/onnx/operators/onnx__RandomUniformLike.html

    ```mlir
    %y = onnx.RandomUniformLike %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input, OptionalAttr<I64Attr>:$dtype,
                       Onnx_Float<"1.0f">:$high, Onnx_Float<"0.0f">:$low,
                       OptionalAttr<F32Attr>:$seed);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_RandomNormalOp : Onnx_RandomOp<"RandomNormal"> {
  let summary = "Makes normal random numbers";
  let description = [{
    With `mean` and standard deviation `scale`, else as `onnx.RandomUniform`.
    https://onnx.ai/onnx/operators/onnx__RandomNormal.html

    ```mlir
    %y = onnx.RandomNormal {shape = array<i64: 2, 3>} : () -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Onnx_Int<"1">:$dtype, Onnx_Float<"0.0f">:$mean,
                       Onnx_Float<"1.0f">:$scale, OptionalAttr<F32Attr>:$seed,
                       DenseI64ArrayAttr:$shape);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_RandomNormalLikeOp : Onnx_RandomOp<"RandomNormalLike"> {
  let summary = "Makes normal random numbers in the shape of a tensor";
  let description = [{
    As `onnx.RandomNormal`; without `dtype` of the type of `input`.
    https://onnx.ai/onnx/operators/onnx__RandomNormalLike.html

    ```mlir
    %y = onnx.RandomNormalLike %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input, OptionalAttr<I64Attr>:$dtype,
                       Onnx_Float<"0.0f">:$mean, Onnx_Float<"1.0f">:$scale,
                       OptionalAttr<F32Attr>:$seed);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_MultinomialOp : Onnx_RandomOp<"Multinomial"> {
  let summary = "Draws classes by their probabilities";
  let description = [{
    `sample_size` draws per row of `input` [batch, classes], the logarithms of
    probabilities that need not add up to one.
    https://onnx.ai/onnx/operators/onnx__Multinomial.html

    ```mlir
    %y = onnx.Multinomial %x {sample_size = 3 : i64} : (tensor<2x4xf32>) -> tensor<2x3xi32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input, Onnx_Int<"6">:$dtype,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntNonNegative]>, "1">:$sample_size,
                       OptionalAttr<F32Attr>:$seed);
  let results = (outs Onnx_IndexTensor:$output);
}

#endif // LATHE_DIALECT_ONNX_IR_RANDOM_TD
