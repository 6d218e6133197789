// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sampling of images: grids, regions, patches and their inverses.

#ifndef LATHE_DIALECT_ONNX_IR_SPATIAL_TD
#define LATHE_DIALECT_ONNX_IR_SPATIAL_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_AffineGridOp : Onnx_Op<"AffineGrid"> {
  let summary = "Makes a grid of sampling positions from affine maps";
  let description = [{
    Positions in [-1, 1] over images of `size` (N, C, then space), mapped by
    `theta` [N, s, s + 1]: the result is [N, space..., s], the last dimension in
    the order x, y, z. With `align_corners` -1 and 1 are the centres of the
    corner elements, else their outer edges.
    https://onnx.ai/onnx/operators/onnx__AffineGrid.html

    ```mlir
    %g = onnx.AffineGrid %theta, %size : (tensor<2x2x3xf32>, tensor<4xi64>) -> tensor<2x5x6x2xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$theta, Onnx_I64Tensor:$size,
                       Onnx_Flag<"0">:$align_corners);
  let results = (outs Onnx_FloatTensor:$grid);
}

def Onnx_GridSampleOp : Onnx_Op<"GridSample"> {
  let summary = "Samples images at the positions of a grid";
  let description = [{
    `X` is [N, C, space...] of two or three dimensions of space, `grid` [N, out
    space..., s] with positions as `onnx.AffineGrid` makes them. [C1] Cubic
    interpolation is for two dimensions of space.
    https://onnx.ai/onnx/operators/onnx__GridSample.html

    ```mlir
    %y = onnx.GridSample %x, %grid : (tensor<1x3x4x4xf32>, tensor<1x6x6x2xf32>) -> tensor<1x3x6x6xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<!listconcat(Onnx_Numbers, [I1])>:$X,
                       Onnx_FloatTensor:$grid,
                       Onnx_Flag<"0">:$align_corners,
                       Onnx_DefaultWord<["linear", "nearest", "cubic"], "linear">:$mode,
                       Onnx_DefaultWord<["zeros", "border", "reflection"], "zeros">:$padding_mode);
  let results = (outs Onnx_TensorOf<!listconcat(Onnx_Numbers, [I1])>:$Y);
}

def Onnx_Col2ImOp : Onnx_Op<"Col2Im"> {
  let summary = "Adds up patches into images";
  let description = [{
    `input` is [N, C * product(block_shape), number of blocks]; the result is
    [N, C, image_shape...]. The inverse of cutting images into patches, but that
    where patches overlap their elements are added.
    https://onnx.ai/onnx/operators/onnx__Col2Im.html

    ```mlir
    %y = onnx.Col2Im %x, %image, %block : (tensor<1x5x5xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x1x5x5xf32>
    ```
  }];
  let arguments = (ins Onnx_NumberTensor:$input, Onnx_I64Tensor:$image_shape,
                       Onnx_I64Tensor:$block_shape, Onnx_OptInts:$dilations,
                       Onnx_OptInts:$pads, Onnx_OptInts:$strides);
  let results = (outs Onnx_NumberTensor:$output);
}

def Onnx_RoiAlignOp : Onnx_Op<"RoiAlign"> {
  let summary = "Pools regions at exact positions";
  let description = [{
    Cuts each of `rois` [R, 4] (x1, y1, x2, y2, times `spatial_scale`) into
    `output_height` by `output_width` bins, samples each bin at `sampling_ratio`
    squared positions (as many as elements lie in it if 0) and takes their mean
    or greatest. `batch_indices` says which image a region lies in.
    https://onnx.ai/onnx/operators/onnx__RoiAlign.html

    ```mlir
    %y = onnx.RoiAlign %x, %rois, %batch {output_height = 5 : i64, output_width = 5 : i64} : (tensor<1x3x10x10xf32>, tensor<7x4xf32>, tensor<7xi64>) -> tensor<7x3x5x5xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$rois,
                       Onnx_I64Tensor:$batch_indices,
                       Onnx_DefaultWord<["half_pixel", "output_half_pixel"], "half_pixel">:$coordinate_transformation_mode,
                       Onnx_DefaultWord<["avg", "max"], "avg">:$mode,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$output_height,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$output_width,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntNonNegative]>, "0">:$sampling_ratio,
                       Onnx_Float<"1.0f">:$spatial_scale);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MaxRoiPoolOp : Onnx_Op<"MaxRoiPool"> {
  let summary = "Takes the greatest of the bins of regions";
  let description = [{
    `rois` [R, 5] are batch index, x1, y1, x2, y2; each region, times
    `spatial_scale` and rounded, is cut into `pooled_shape` bins.
    https://onnx.ai/onnx/operators/onnx__MaxRoiPool.html

    ```mlir
    %y = onnx.MaxRoiPool %x, %rois {pooled_shape = array<i64: 2, 2>} : (tensor<1x3x10x10xf32>, tensor<7x5xf32>) -> tensor<7x3x2x2xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$rois,
                       DenseI64ArrayAttr:$pooled_shape,
                       Onnx_Float<"1.0f">:$spatial_scale);
  let results = (outs Onnx_FloatTensor:$Y);
}

def Onnx_MaxUnpoolOp : Onnx_Op<"MaxUnpool"> {
  let summary = "Puts the greatest of windows back where they were";
  let description = [{
    Zeros but for the elements of `X` at the positions `I` that `onnx.MaxPool`
    gave, which count in the flattened tensor of the size that the windows imply.
    `output_shape` is a larger size to pad the result to.
    https://onnx.ai/onnx/operators/onnx__MaxUnpool.html

    ```mlir
    %y = onnx.MaxUnpool %x, %i, %none {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xi64>, none) -> tensor<1x1x4x4xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X, Onnx_I64Tensor:$I,
                       Onnx_Optional<Onnx_I64Tensor>:$output_shape,
                       DenseI64ArrayAttr:$kernel_shape, Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_FloatTensor:$output);
}

def Onnx_DeformConvOp : Onnx_Op<"DeformConv"> {
  let summary = "Convolves at positions that are moved";
  let description = [{
    As `onnx.Conv` of two dimensions of space, but each element of a window is
    read, bilinearly, where `offset` [N, offset_group * 2 * kernel, out space]
    moves it, and scaled by `mask` [N, offset_group * kernel, out space].
    https://onnx.ai/onnx/operators/onnx__DeformConv.html

    ```mlir
    %y = onnx.DeformConv %x, %w, %offset, %none, %none : (tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>, tensor<1x8x2x2xf32>, none, none) -> tensor<1x1x2x2xf32>
    ```
  }];
  let arguments = (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$W,
                       Onnx_FloatTensor:$offset,
                       Onnx_Optional<Onnx_FloatTensor>:$B,
                       Onnx_Optional<Onnx_FloatTensor>:$mask,
                       Onnx_OptInts:$dilations,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$group,
                       Onnx_OptInts:$kernel_shape,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$offset_group,
                       Onnx_OptInts:$pads, Onnx_OptInts:$strides);
  let results = (outs Onnx_FloatTensor:$Y);
}

#endif // LATHE_DIALECT_ONNX_IR_SPATIAL_TD
