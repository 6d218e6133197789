// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions, convolution, pooling and normalization.

#ifndef LATHE_DIALECT_ONNX_IR_NN_TD
#define LATHE_DIALECT_ONNX_IR_NN_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

def Onnx_MatMulOp : Onnx_Op<"MatMul"> {
  let summary = "Multiplies matrices";
  let description = [{
    As `numpy.matmul`: the last two dimensions are matrices, those before
    broadcast; a vector is a row on the left and a column on the right.
    https://onnx.ai/onnx/operators/onnx__MatMul.html

    ```mlir
    %y = onnx.MatMul %a, %b : (tensor<?x64xf32>, tensor<64x10xf32>) -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Onnx_WideNumberTensor:$A, Onnx_WideNumberTensor:$B);
  let results = (outs Onnx_WideNumberTensor:$Y);
}

def Onnx_GemmOp : Onnx_Op<"Gemm"> {
  let summary = "Multiplies matrices and adds";
  let description = [{
    `alpha * A' * B' + beta * C`, where the quote transposes if asked; `C`
    broadcasts.
    https://onnx.ai/onnx/operators/onnx__Gemm.html

    ```mlir
    %y = onnx.Gemm %a, %b, %c : (tensor<?x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Onnx_WideNumberTensor:$A,
                       Onnx_WideNumberTensor:$B,
                       Onnx_Optional<Onnx_WideNumberTensor>:$C,
                       Onnx_Float<"1.0f">:$alpha,
                       Onnx_Float<"1.0f">:$beta,
                       Onnx_Flag<"0">:$transA,
                       Onnx_Flag<"0">:$transB);
  let results = (outs Onnx_WideNumberTensor:$Y);
}

def Onnx_EinsumOp : Onnx_Op<"Einsum"> {
  let summary = "Sums products by a formula";
  let description = [{
    `equation` in Einstein's notation, as in `numpy.einsum`, with or without
    `->`, with ellipses.
    https://onnx.ai/onnx/operators/onnx__Einsum.html

    ```mlir
    %y = onnx.Einsum %a, %b {equation = "ij,jk->ik"} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Variadic<Onnx_NumberTensor>:$Inputs, StrAttr:$equation);
  let results = (outs Onnx_NumberTensor:$Output);
}

//===----------------------------------------------------------------------===//
// Convolution and pooling
//===----------------------------------------------------------------------===//

def Onnx_ConvOp : Onnx_Op<"Conv"> {
  let summary = "Convolves";
  let description = [{
    `X` is batch, channels and then space; `W` is output channels, channels per
    group and the kernel. [C1] The channels of `X` are `group` times those of
    `W`.
    https://onnx.ai/onnx/operators/onnx__Conv.html

    ```mlir
    %y = onnx.Conv %x, %w, %none : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, none) -> tensor<?x4x6x6xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$W,
                       Onnx_Optional<Onnx_FloatTensor>:$B,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_OptInts:$dilations,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$group,
                       Onnx_OptInts:$kernel_shape,
                       Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_ConvTransposeOp : Onnx_Op<"ConvTranspose"> {
  let summary = "Convolves, transposed";
  let description = [{
    The gradient of `onnx.Conv` with regard to its operand: `W` is channels,
    output channels per group and the kernel.
    https://onnx.ai/onnx/operators/onnx__ConvTranspose.html

    ```mlir
    %y = onnx.ConvTranspose %x, %w, %none : (tensor<1x3x4x4xf32>, tensor<3x2x2x2xf32>, none) -> tensor<1x2x5x5xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$W,
                       Onnx_Optional<Onnx_FloatTensor>:$B,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_OptInts:$dilations,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$group,
                       Onnx_OptInts:$kernel_shape,
                       Onnx_OptInts:$output_padding,
                       Onnx_OptInts:$output_shape,
                       Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_AveragePoolOp : Onnx_Op<"AveragePool"> {
  let summary = "Averages over windows";
  let description = [{
    The mean over each window; with `count_include_pad` the padding counts as
    zeros.
    https://onnx.ai/onnx/operators/onnx__AveragePool.html

    ```mlir
    %y = onnx.AveragePool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_Flag<"0">:$ceil_mode,
                       Onnx_Flag<"0">:$count_include_pad,
                       Onnx_OptInts:$dilations,
                       DenseI64ArrayAttr:$kernel_shape,
                       Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_LpPoolOp : Onnx_Op<"LpPool"> {
  let summary = "Takes norms over windows";
  let description = [{
    The `p` norm of each window.
    https://onnx.ai/onnx/operators/onnx__LpPool.html

    ```mlir
    %y = onnx.LpPool %x {kernel_shape = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x7x7xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_Flag<"0">:$ceil_mode,
                       Onnx_OptInts:$dilations,
                       DenseI64ArrayAttr:$kernel_shape,
                       Onnx_Int<"2">:$p,
                       Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MaxPoolOp : Onnx_Op<"MaxPool"> {
  let summary = "Takes the greatest of windows";
  let description = [{
    The greatest of each window, and its position in the flattened operand
    (column-major if `storage_order`).
    https://onnx.ai/onnx/operators/onnx__MaxPool.html

    ```mlir
    %y, %i = onnx.MaxPool %x {kernel_shape = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>) -> (tensor<1x3x7x7xf32>, tensor<1x3x7x7xi64>)
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, F16, BF16, I8, UI8]>:$X,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_Flag<"0">:$ceil_mode,
                       Onnx_OptInts:$dilations,
                       DenseI64ArrayAttr:$kernel_shape,
                       Onnx_OptInts:$pads,
                       Onnx_Flag<"0">:$storage_order,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_TensorOf<[F32, F64, F16, BF16, I8, UI8]>:$Y,
                      Onnx_I64Tensor:$Indices);
}

def Onnx_GlobalAveragePoolOp : Onnx_Op<"GlobalAveragePool", "globalPool(ctx)"> {
  let summary = "Takes the mean of each channel";
  let description = [{
    The mean over all dimensions but the first two, which stay with size 1.
    https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html

    ```mlir
    %y = onnx.GlobalAveragePool %x : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_GlobalLpPoolOp : Onnx_Op<"GlobalLpPool", "globalPool(ctx)"> {
  let summary = "Takes the p norm of each channel";
  let description = [{
    The `p` norm over all dimensions but the first two, which stay with size 1.
    https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html

    ```mlir
    %y = onnx.GlobalLpPool %x : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X, Onnx_Int<"2">:$p);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_GlobalMaxPoolOp : Onnx_Op<"GlobalMaxPool", "globalPool(ctx)"> {
  let summary = "Takes the greatest of each channel";
  let description = [{
    The greatest over all dimensions but the first two, which stay with size 1.
    https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html

    ```mlir
    %y = onnx.GlobalMaxPool %x : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X);
  let results = (outs Onnx_FloatTensor:$Y);
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

def Onnx_BatchNormalizationOp : Onnx_Op<"BatchNormalization"> {
  let summary = "Normalizes by statistics of the batch";
  let description = [{
    `(X - mean) / sqrt(var + epsilon) * scale + B` per channel. In training the
    statistics are those of `X`, and the running ones are results.
    https://onnx.ai/onnx/operators/onnx__BatchNormalization.html

    ```mlir
    %y, %m, %v = onnx.BatchNormalization %x, %scale, %b, %mean, %var : (tensor<?x3x8xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<?x3x8xf32>, tensor<3xf32>, tensor<3xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$scale,
                       Onnx_FloatTensor:$B,
                       Onnx_FloatTensor:$input_mean,
                       Onnx_FloatTensor:$input_var,
                       Onnx_Float<"0.00001f">:$epsilon,
                       Onnx_Float<"0.9f">:$momentum,
                       Onnx_Flag<"0">:$training_mode);
  let results = (outs Onnx_FloatTensor:$Y,
                      Onnx_FloatTensor:$running_mean,
                      Onnx_FloatTensor:$running_var);
}

def Onnx_GroupNormalizationOp : Onnx_Op<"GroupNormalization"> {
  let summary = "Normalizes groups of channels";
  let description = [{
    Normalizes over each of `num_groups` groups of channels, then scales and
    shifts each channel.
    https://onnx.ai/onnx/operators/onnx__GroupNormalization.html

    ```mlir
    %y = onnx.GroupNormalization %x, %scale, %bias {num_groups = 2 : i64} : (tensor<?x4x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$scale,
                       Onnx_FloatTensor:$bias,
                       Onnx_Float<"0.00001f">:$epsilon,
                       ConfinedAttr<I64Attr, [IntPositive]>:$num_groups,
                       Onnx_Int<"1">:$stash_type);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_InstanceNormalizationOp : Onnx_Op<"InstanceNormalization"> {
  let summary = "Normalizes each channel of each instance";
  let description = [{
    Normalizes over space, then scales and shifts each channel.
    https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html

    ```mlir
    %y = onnx.InstanceNormalization %x, %scale, %b : (tensor<?x3x8xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<?x3x8xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input,
                       Onnx_FloatTensor:$scale,
                       Onnx_FloatTensor:$B,
                       Onnx_Float<"0.00001f">:$epsilon);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_LayerNormalizationOp : Onnx_Op<"LayerNormalization"> {
  let summary = "Normalizes the last dimensions";
  let description = [{
    Normalizes over the dimensions from `axis` on, in the type with number
    `stash_type`, then scales and shifts.
    https://onnx.ai/onnx/operators/onnx__LayerNormalization.html

    ```mlir
    %y, %m, %d = onnx.LayerNormalization %x, %s, %b : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>)
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$Scale,
                       Onnx_Optional<Onnx_FloatTensor>:$B,
                       Onnx_Int<"-1">:$axis,
                       Onnx_Float<"0.00001f">:$epsilon,
                       Onnx_Int<"1">:$stash_type);
  let results = (outs Onnx_FloatTensor:$Y,
                      Onnx_TensorOf<[F32, BF16]>:$Mean,
                      Onnx_TensorOf<[F32, BF16]>:$InvStdDev);
}

def Onnx_RMSNormalizationOp : Onnx_Op<"RMSNormalization"> {
  let summary = "Divides by the root mean square";
  let description = [{
    Divides by the root mean square over the dimensions from `axis` on, then
    scales.
    https://onnx.ai/onnx/operators/onnx__RMSNormalization.html

    ```mlir
    %y = onnx.RMSNormalization %x, %scale : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_FloatTensor:$scale,
                       Onnx_Int<"-1">:$axis,
                       Onnx_Float<"0.00001f">:$epsilon,
                       Onnx_Int<"1">:$stash_type);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_LRNOp : Onnx_Op<"LRN"> {
  let summary = "Normalizes across channels";
  let description = [{
    `x / (bias + alpha / size * s)^beta`, `s` the sum of squares over `size`
    channels around.
    https://onnx.ai/onnx/operators/onnx__LRN.html

    ```mlir
    %y = onnx.LRN %x {size = 3 : i64} : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       Onnx_Float<"0.0001f">:$alpha,
                       Onnx_Float<"0.75f">:$beta,
                       Onnx_Float<"1.0f">:$bias,
                       ConfinedAttr<I64Attr, [IntPositive, IntMaxValue<2147483647>]>:$size);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_LpNormalizationOp
    : Onnx_Op<"LpNormalization", "sameShapeAlong(ctx, getAxis())"> {
  let summary = "Divides by a norm";
  let description = [{
    Divides by the `p` norm along `axis`. [C1] `p` is 1 or 2.
    https://onnx.ai/onnx/operators/onnx__LpNormalization.html

    ```mlir
    %y = onnx.LpNormalization %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input,
                       Onnx_Int<"-1">:$axis,
                       Onnx_Int<"2">:$p);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_MeanVarianceNormalizationOp : Onnx_Op<"MeanVarianceNormalization"> {
  let summary = "Normalizes over axes";
  let description = [{
    `(x - mean) / sqrt(variance)`, both over `axes`.
    https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html

    ```mlir
    %y = onnx.MeanVarianceNormalization %x : (tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 2, 3}">:$axes);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_SoftmaxOp : Onnx_Op<"Softmax", "sameShapeAlong(ctx, getAxis())"> {
  let summary = "Computes softmax";
  let description = [{
    Along `axis`: exponentials, normalized to the sum 1.
    https://onnx.ai/onnx/operators/onnx__Softmax.html

    ```mlir
    %y = onnx.Softmax %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input, Onnx_Int<"-1">:$axis);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_LogSoftmaxOp
    : Onnx_Op<"LogSoftmax", "sameShapeAlong(ctx, getAxis())"> {
  let summary = "Computes the logarithm of softmax";
  let description = [{
    Along `axis`: logarithms of softmax.
    https://onnx.ai/onnx/operators/onnx__LogSoftmax.html

    ```mlir
    %y = onnx.LogSoftmax %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input, Onnx_Int<"-1">:$axis);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_HardmaxOp : Onnx_Op<"Hardmax", "sameShapeAlong(ctx, getAxis())"> {
  let summary = "Marks the greatest";
  let description = [{
    Along `axis`: 1 at the first greatest element, else 0.
    https://onnx.ai/onnx/operators/onnx__Hardmax.html

    ```mlir
    %y = onnx.Hardmax %x : (tensor<2x?xf32>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$input, Onnx_Int<"-1">:$axis);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_DropoutOp : Onnx_Op<"Dropout"> {
  let summary = "Drops elements in training";
  let description = [{
    Gives `data` and a mask of ones, unless `training_mode` is true: then sets
    elements to zero with probability `ratio` (0.5 if omitted) and scales the
    others.
    https://onnx.ai/onnx/operators/onnx__Dropout.html

    ```mlir
    %y, %mask = onnx.Dropout %x, %none, %none : (tensor<2x?xf32>, none, none) -> (tensor<2x?xf32>, tensor<2x?xi1>)
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, F16, BF16, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ]>:$data,
                       Onnx_Optional<Onnx_TensorOf<[F32, F64, F16, BF16, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ]>>:$ratio,
                       Onnx_Optional<Onnx_BoolTensor>:$training_mode,
                       OptionalAttr<I64Attr>:$seed);
  let results = (outs Onnx_TensorOf<[F32, F64, F16, BF16, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ]>:$output,
                      Onnx_BoolTensor:$mask);
}

#endif // LATHE_DIALECT_ONNX_IR_NN_TD
