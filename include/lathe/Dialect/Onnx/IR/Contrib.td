// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators of com.microsoft that ONNX Runtime's optimizer and exporters make:
// normalizations, activations, products and windows with what surrounds them.

#ifndef LATHE_DIALECT_ONNX_IR_CONTRIB_TD
#define LATHE_DIALECT_ONNX_IR_CONTRIB_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_MsSkipLayerNormalizationOp : Onnx_MsOp<"SkipLayerNormalization"> {
  let summary = "Adds a skip connection and normalizes the last dimension";
  let description = [{
    `s = input + skip + bias`, normalized along the last dimension as
    `onnx.LayerNormalization`, times `gamma`, plus `beta`; the last result is
    `s`. [C1] `skip` broadcasts to `input`. [C2] `gamma`, `beta` and `bias` are
    vectors over the last dimension. The statistics, results 1 and 2, are not
    made.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.SkipLayerNormalization

    ```mlir
    %y, %m, %i, %s = onnx.ms.SkipLayerNormalization %x, %z, %g, %none, %none : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<8xf32>, none, none) -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x8xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input,
                       Onnx_FloatTensor:$skip,
                       Onnx_FloatTensor:$gamma,
                       Onnx_Optional<Onnx_FloatTensor>:$beta,
                       Onnx_Optional<Onnx_FloatTensor>:$bias,
                       Onnx_Float<"1e-12f">:$epsilon);
  let results = (outs Onnx_FloatTensor:$output, Onnx_FloatTensor:$mean,
                      Onnx_FloatTensor:$inv_std_var,
                      Onnx_FloatTensor:$input_skip_bias_sum);
}

def Onnx_SimplifiedLayerNormalizationOp
    : Onnx_OwnSchemaOp<"SimplifiedLayerNormalization"> {
  let summary = "Divides by the root mean square of the last dimensions";
  let description = [{
    `X / sqrt(mean(X * X) + epsilon) * scale`, the mean being over the dimensions
    from `axis` on; `inv_std_var` is the factor without `scale`. It is
    `onnx.RMSNormalization` as ONNX Runtime names it, in the domain `ai.onnx`.
    [C1] `scale` broadcasts to `X`.

    ```mlir
    %y, %i = onnx.SimplifiedLayerNormalization %x, %s : (tensor<?x8xf32>, tensor<8xf32>) -> (tensor<?x8xf32>, tensor<?x1xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$scale,
                       Onnx_Int<"-1">:$axis,
                       Onnx_Float<"1e-05f">:$epsilon,
                       Onnx_Int<"1">:$stash_type);
  let results = (outs Onnx_FloatTensor:$Y, Onnx_FloatTensor:$inv_std_var);
}

def Onnx_MsSkipSimplifiedLayerNormalizationOp
    : Onnx_MsOp<"SkipSimplifiedLayerNormalization"> {
  let summary = "Adds a skip connection and divides by the root mean square";
  let description = [{
    `s = input + skip + bias`, divided by its root mean square along the last
    dimension, times `gamma`; the last result is `s`. [C1] and [C2] as for
    `onnx.ms.SkipLayerNormalization`; the statistics are not made.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.SkipSimplifiedLayerNormalization

    ```mlir
    %y, %m, %i, %s = onnx.ms.SkipSimplifiedLayerNormalization %x, %z, %g, %none : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<8xf32>, none) -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x8xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input,
                       Onnx_FloatTensor:$skip,
                       Onnx_FloatTensor:$gamma,
                       Onnx_Optional<Onnx_FloatTensor>:$bias,
                       Onnx_Float<"1e-12f">:$epsilon);
  let results = (outs Onnx_FloatTensor:$output, Onnx_FloatTensor:$mean,
                      Onnx_FloatTensor:$inv_std_var,
                      Onnx_FloatTensor:$input_skip_bias_sum);
}

def Onnx_MsBiasGeluOp
    : Onnx_MsOp<"BiasGelu", "sameShapeBroadcast(ctx)"> {
  let summary = "Adds a bias and applies the Gaussian error linear unit";
  let description = [{
    `x * (1 + erf(x / sqrt(2))) / 2` with `x = A + B`. [C1] `B` broadcasts to `A`.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.BiasGelu

    ```mlir
    %c = onnx.ms.BiasGelu %a, %b : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$A, Onnx_FloatTensor:$B);
  let results = (outs Onnx_FloatTensor:$C);
}

def Onnx_MsFastGeluOp
    : Onnx_MsOp<"FastGelu", "sameShapeBroadcast(ctx)"> {
  let summary = "Applies the Gaussian error linear unit by its approximation";
  let description = [{
    `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2` with
    `x = X + bias`. [C1] `bias` broadcasts to `X`.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.FastGelu

    ```mlir
    %y = onnx.ms.FastGelu %x, %none : (tensor<?x8xf32>, none) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_Optional<Onnx_FloatTensor>:$bias);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MsQuickGeluOp : Onnx_MsOp<"QuickGelu", "sameShape(ctx)"> {
  let summary = "Multiplies by a sigmoid of itself";
  let description = [{
    `X * sigmoid(alpha * X)`
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QuickGelu

    ```mlir
    %y = onnx.ms.QuickGelu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X, Onnx_Float<"1.702f">:$alpha);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MsGeluOp : Onnx_MsOp<"Gelu", "sameShape(ctx)"> {
  let summary = "Applies the Gaussian error linear unit";
  let description = [{
    `X * (1 + erf(X / sqrt(2))) / 2`
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.Gelu

    ```mlir
    %y = onnx.ms.Gelu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MsFusedMatMulOp : Onnx_MsOp<"FusedMatMul"> {
  let summary = "Multiplies matrices that may be transposed";
  let description = [{
    `alpha * A' * B'` as `onnx.MatMul`. `transBatchA` moves the first dimension
    of `A` behind the others but the last; `transA` then swaps the last two; so
    for `B`. [C1] What is transposed has rank 2 at least.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.FusedMatMul

    ```mlir
    %y = onnx.ms.FusedMatMul %a, %b {transB = 1 : i64} : (tensor<?x64xf32>, tensor<10x64xf32>) -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$A,
                       Onnx_FloatTensor:$B,
                       Onnx_Float<"1.0f">:$alpha,
                       Onnx_Flag<"0">:$transA,
                       Onnx_Flag<"0">:$transB,
                       Onnx_Flag<"0">:$transBatchA,
                       Onnx_Flag<"0">:$transBatchB);
  let results = (outs Onnx_FloatTensor:$Y);
  let extraClassDeclaration = [{
    /// Dimension `i` of factor `factor`, as it is multiplied, is dimension
    /// `getPerm(...)[i]` of the operand, which has rank `rank`.
    ::llvm::SmallVector<int64_t> getPerm(unsigned factor, int64_t rank);
  }];
}

def Onnx_MsFusedGemmOp : Onnx_MsOp<"FusedGemm"> {
  let summary = "Multiplies matrices, adds, and applies an activation";
  let description = [{
    `activation(alpha * A' * B' + beta * C)` as `onnx.Gemm`. The activation has up
    to two parameters, `activation_alpha` and `activation_beta`;
    `activation_gamma` is that of Selu. Without a name there is none.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.FusedGemm

    ```mlir
    %y = onnx.ms.FusedGemm %a, %b, %c {activation = "Tanh"} : (tensor<?x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$A,
                       Onnx_FloatTensor:$B,
                       Onnx_Optional<Onnx_FloatTensor>:$C,
                       DefaultValuedStrAttr<StrAttr, "">:$activation,
                       OptionalAttr<F32Attr>:$activation_alpha,
                       OptionalAttr<F32Attr>:$activation_beta,
                       OptionalAttr<F32Attr>:$activation_gamma,
                       Onnx_Float<"1.0f">:$alpha,
                       Onnx_Float<"1.0f">:$beta,
                       Onnx_Flag<"0">:$transA,
                       Onnx_Flag<"0">:$transB);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MsFusedConvOp : Onnx_MsOp<"FusedConv"> {
  let summary = "Convolves, adds, and applies an activation";
  let description = [{
    `activation(conv(X, W) + B + Z)` as `onnx.Conv`; [C1] `Z` has the shape of the
    result. `activation_params` are in the order of the activation's own
    attributes, those of Clip its bounds. Without a name there is none.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.FusedConv

    ```mlir
    %y = onnx.ms.FusedConv %x, %w, %b, %none {activation = "Relu"} : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>, none) -> tensor<?x4x6x6xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$W,
                       Onnx_Optional<Onnx_FloatTensor>:$B,
                       Onnx_Optional<Onnx_FloatTensor>:$Z,
                       DefaultValuedStrAttr<StrAttr, "">:$activation,
                       Onnx_OptFloats:$activation_params,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_OptInts:$dilations,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$group,
                       Onnx_OptInts:$kernel_shape,
                       Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MsEmbedLayerNormalizationOp : Onnx_MsOp<"EmbedLayerNormalization"> {
  let summary = "Adds up embeddings and normalizes";
  let description = [{
    The sum of the rows of `word_embedding` at `input_ids` [batch, steps], of
    `position_embedding` at `position_ids` (by default 0, 1, ...) and, where it is
    there, of `segment_embedding` at `segment_ids`, normalized as by
    `onnx.LayerNormalization`. Result 1 counts the ones of each batch of `mask`
    (none: 0), the last is the sum. [C1] Rows have one length, which `gamma` and
    `beta` have. [C2] Segments are given with their embedding.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.EmbedLayerNormalization

    ```mlir
    %y, %m, %s = onnx.ms.EmbedLayerNormalization %i, %none, %w, %p, %none, %g, %b, %none, %none : (tensor<?x?xi32>, none, tensor<99x8xf32>, tensor<64x8xf32>, none, tensor<8xf32>, tensor<8xf32>, none, none) -> (tensor<?x?x8xf32>, tensor<?xi32>, tensor<?x?x8xf32>)
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[I32]>:$input_ids,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$segment_ids,
                       Onnx_FloatTensor:$word_embedding,
                       Onnx_FloatTensor:$position_embedding,
                       Onnx_Optional<Onnx_FloatTensor>:$segment_embedding,
                       Onnx_FloatTensor:$gamma,
                       Onnx_FloatTensor:$beta,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$mask,
                       Onnx_Optional<Onnx_TensorOf<[I32]>>:$position_ids,
                       Onnx_Float<"1e-12f">:$epsilon,
                       Onnx_Int<"0">:$mask_index_type);
  let results = (outs Onnx_FloatTensor:$output,
                      Onnx_TensorOf<[I32]>:$mask_index,
                      Onnx_FloatTensor:$embedding_sum);
}

def Onnx_MsNhwcMaxPoolOp : Onnx_MsOp<"NhwcMaxPool"> {
  let summary = "Takes the greatest byte of each window, channels last";
  let description = [{
    As `onnx.MaxPool`, of [batch, space..., channels].
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.NhwcMaxPool

    ```mlir
    %y = onnx.ms.NhwcMaxPool %x {kernel_shape = array<i64: 2, 2>} : (tensor<?x8x8x3xui8>) -> tensor<?x7x7x3xui8>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[I8, UI8]>:$x,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_Flag<"0">:$ceil_mode,
                       Onnx_OptInts:$dilations,
                       DenseI64ArrayAttr:$kernel_shape,
                       Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_TensorOf<[I8, UI8]>:$y);
}

#endif // LATHE_DIALECT_ONNX_IR_CONTRIB_TD
