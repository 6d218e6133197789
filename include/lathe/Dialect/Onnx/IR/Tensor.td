// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants, shapes, and movement of data.

#ifndef LATHE_DIALECT_ONNX_IR_TENSOR_TD
#define LATHE_DIALECT_ONNX_IR_TENSOR_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

def Onnx_ConstantOp : Onnx_Op<"Constant", "", [ConstantLike]> {
  let summary = "Holds a constant tensor";
  let description = [{
    The forms of ONNX's attributes (`value_float`, `value_ints`, ...) all become
    `value`: dense elements, or a `dense_resource` where they are large.
    https://onnx.ai/onnx/operators/onnx__Constant.html

    ```mlir
    %0 = onnx.Constant {value = dense<[1, 2]> : tensor<2xi64>} : () -> tensor<2xi64>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Onnx_AnyTensor:$output);
  let hasFolder = 1;
}

def Onnx_NoneOp : Onnx_Op<"None", "none(ctx)"> {
  let summary = "Stands for an omitted optional operand";
  let description = [{
    ```mlir
    %none = onnx.None : () -> none
    ```
  }];
  let results = (outs NoneType:$none);
}

def Onnx_ConstantOfShapeOp : Onnx_Op<"ConstantOfShape"> {
  let summary = "Fills a tensor with one value";
  let description = [{
    `input` holds the shape, `value` (one element, zero of f32 if omitted) the
    value and element type.
    https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html

    ```mlir
    %y = onnx.ConstantOfShape %x : (tensor<2xi64>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Onnx_I64Tensor:$input,
                       OptionalAttr<ElementsAttr>:$value);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_EyeLikeOp : Onnx_Op<"EyeLike"> {
  let summary = "Makes ones on a diagonal";
  let description = [{
    Ones where column - row is `k`, else zeros, in the shape of `input`, of the
    type with ONNX's number `dtype` (that of `input` if omitted).
    https://onnx.ai/onnx/operators/onnx__EyeLike.html

    ```mlir
    %y = onnx.EyeLike %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, F16, BF16, I8, I16, I32, I64, UI8, UI16, UI32, UI64, I1]>:$input,
                       OptionalAttr<I64Attr>:$dtype,
                       Onnx_Int<"0">:$k);
  let results = (outs Onnx_TensorOf<[F32, F64, F16, BF16, I8, I16, I32, I64, UI8, UI16, UI32, UI64, I1]>:$output);
}

def Onnx_RangeOp : Onnx_Op<"Range"> {
  let summary = "Counts";
  let description = [{
    `start, start + delta, ...` up to but without `limit`: `max(ceil((limit -
    start) / delta), 0)` elements. The operands are scalars.
    https://onnx.ai/onnx/operators/onnx__Range.html

    ```mlir
    %y = onnx.Range %start, %limit, %delta : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, F16, BF16, I16, I32, I64]>:$start,
                       Onnx_TensorOf<[F32, F64, F16, BF16, I16, I32, I64]>:$limit,
                       Onnx_TensorOf<[F32, F64, F16, BF16, I16, I32, I64]>:$delta,
                       Onnx_Int<"1">:$stash_type);
  let results = (outs Onnx_TensorOf<[F32, F64, F16, BF16, I16, I32, I64]>:$output);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

def Onnx_ShapeOp : Onnx_Op<"Shape"> {
  let summary = "Takes the shape";
  let description = [{
    The sizes of dimensions `start` to `end`, without `end`; both are counted
    from the end if negative and limited to [0, rank].
    https://onnx.ai/onnx/operators/onnx__Shape.html

    ```mlir
    %y = onnx.Shape %x : (tensor<2x?xf32>) -> tensor<2xi64>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       OptionalAttr<I64Attr>:$end,
                       Onnx_Int<"0">:$start);
  let results = (outs Onnx_I64Tensor:$shape);
}

def Onnx_SizeOp : Onnx_Op<"Size"> {
  let summary = "Counts the elements";
  let description = [{
    The number of elements, a scalar.
    https://onnx.ai/onnx/operators/onnx__Size.html

    ```mlir
    %y = onnx.Size %x : (tensor<2x?xf32>) -> tensor<i64>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data);
  let results = (outs Onnx_I64Tensor:$size);
}

def Onnx_ReshapeOp
    : Onnx_Op<"Reshape", "", [Onnx_RearrangesOperand]> {
  let summary = "Gives another shape";
  let description = [{
    The elements stay in row-major order. A size 0 in `shape` means the size of
    the operand there, unless `allowzero`; one size may be -1, which is what is
    left.
    https://onnx.ai/onnx/operators/onnx__Reshape.html

    ```mlir
    %y = onnx.Reshape %x, %shape : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<6xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_I64Tensor:$shape,
                       Onnx_Flag<"0">:$allowzero);
  let results = (outs Onnx_AnyTensor:$reshaped);
}

def Onnx_FlattenOp
    : Onnx_Op<"Flatten", "", [Onnx_RearrangesOperand]> {
  let summary = "Makes a matrix";
  let description = [{
    The dimensions before `axis` become the first, the others the second.
    https://onnx.ai/onnx/operators/onnx__Flatten.html

    ```mlir
    %y = onnx.Flatten %x : (tensor<2x3x4xf32>) -> tensor<2x12xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input, Onnx_Int<"1">:$axis);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_SqueezeOp
    : Onnx_Op<"Squeeze", "", [Onnx_RearrangesOperand]> {
  let summary = "Removes dimensions of size 1";
  let description = [{
    Removes `axes`, or all dimensions of size 1 if they are omitted. [C1] The
    sizes are 1.
    https://onnx.ai/onnx/operators/onnx__Squeeze.html

    ```mlir
    %y = onnx.Squeeze %x, %axes : (tensor<2x1xf32>, tensor<1xi64>) -> tensor<2xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_Optional<Onnx_I64Tensor>:$axes);
  let results = (outs Onnx_AnyTensor:$squeezed);
}

def Onnx_UnsqueezeOp
    : Onnx_Op<"Unsqueeze", "", [Onnx_RearrangesOperand]> {
  let summary = "Inserts dimensions of size 1";
  let description = [{
    `axes` are positions in the result. [C1] They are distinct.
    https://onnx.ai/onnx/operators/onnx__Unsqueeze.html

    ```mlir
    %y = onnx.Unsqueeze %x, %axes : (tensor<2xf32>, tensor<1xi64>) -> tensor<2x1xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data, Onnx_I64Tensor:$axes);
  let results = (outs Onnx_AnyTensor:$expanded);
}

def Onnx_ExpandOp : Onnx_Op<"Expand"> {
  let summary = "Broadcasts to a shape";
  let description = [{
    The result has the broadcast of the operand's shape and `shape`.
    https://onnx.ai/onnx/operators/onnx__Expand.html

    ```mlir
    %y = onnx.Expand %x, %shape : (tensor<2x1xf32>, tensor<2xi64>) -> tensor<2x5xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input, Onnx_I64Tensor:$shape);
  let results = (outs Onnx_AnyTensor:$output);
}

//===----------------------------------------------------------------------===//
// Moving
//===----------------------------------------------------------------------===//

def Onnx_TransposeOp
    : Onnx_Op<"Transpose", "", [Onnx_RearrangesOperand]> {
  let summary = "Permutes dimensions";
  let description = [{
    Dimension `i` of the result is dimension `perm[i]` of the operand; in
    reverse if `perm` is omitted. [C1] `perm` is a permutation.
    https://onnx.ai/onnx/operators/onnx__Transpose.html

    ```mlir
    %y = onnx.Transpose %x {perm = array<i64: 1, 0>} : (tensor<2x?xf32>) -> tensor<?x2xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data, Onnx_OptInts:$perm);
  let results = (outs Onnx_AnyTensor:$transposed);
}

def Onnx_ConcatOp : Onnx_Op<"Concat"> {
  let summary = "Joins along an axis";
  let description = [{
    The operands one after the other along `axis`. [C1] The other dimensions are
    equal.
    https://onnx.ai/onnx/operators/onnx__Concat.html

    ```mlir
    %y = onnx.Concat %a, %b {axis = 0 : i64} : (tensor<2x?xf32>, tensor<3x?xf32>) -> tensor<5x?xf32>
    ```
  }];
  let arguments = (ins Variadic<Onnx_AnyTensor>:$inputs, I64Attr:$axis);
  let results = (outs Onnx_AnyTensor:$concat_result);
}

def Onnx_SplitOp : Onnx_Op<"Split"> {
  let summary = "Cuts along an axis";
  let description = [{
    Results of the sizes that `split` holds, or of equal sizes (the last may be
    smaller) if it is omitted.
    https://onnx.ai/onnx/operators/onnx__Split.html

    ```mlir
    %y:2 = onnx.Split %x, %none {axis = 1 : i64, num_outputs = 2 : i64} : (tensor<2x4xf32>, none) -> (tensor<2x2xf32>, tensor<2x2xf32>)
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input,
                       Onnx_Optional<Onnx_I64Tensor>:$split,
                       Onnx_Int<"0">:$axis,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$num_outputs);
  let results = (outs Variadic<Onnx_AnyTensor>:$outputs);
}

def Onnx_SliceOp : Onnx_Op<"Slice"> {
  let summary = "Takes a range of each axis";
  let description = [{
    From `starts` to `ends`, without the end, in steps. Both are counted from
    the end if negative, and limited to the dimension.
    https://onnx.ai/onnx/operators/onnx__Slice.html

    ```mlir
    %y = onnx.Slice %x, %starts, %ends, %axes, %none : (tensor<2x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_IndexTensor:$starts,
                       Onnx_IndexTensor:$ends,
                       Onnx_Optional<Onnx_IndexTensor>:$axes,
                       Onnx_Optional<Onnx_IndexTensor>:$steps);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_TileOp : Onnx_Op<"Tile"> {
  let summary = "Repeats";
  let description = [{
    Dimension `i` is repeated `repeats[i]` times.
    https://onnx.ai/onnx/operators/onnx__Tile.html

    ```mlir
    %y = onnx.Tile %x, %repeats : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input, Onnx_I64Tensor:$repeats);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_PadOp : Onnx_Op<"Pad"> {
  let summary = "Puts elements around";
  let description = [{
    `pads` holds the numbers before and then those after, for each of `axes`
    (all if omitted); negative ones remove. `mode` says what is put there;
    `constant_value` is zero if omitted.
    https://onnx.ai/onnx/operators/onnx__Pad.html

    ```mlir
    %y = onnx.Pad %x, %pads, %none, %none : (tensor<2x3xf32>, tensor<4xi64>, none, none) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_I64Tensor:$pads,
                       Onnx_Optional<Onnx_AnyTensor>:$constant_value,
                       Onnx_Optional<Onnx_IndexTensor>:$axes,
                       Onnx_DefaultWord<["constant", "reflect", "edge", "wrap"], "constant">:$mode);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_TriluOp : Onnx_Op<"Trilu"> {
  let summary = "Keeps a triangle";
  let description = [{
    Keeps the upper or lower triangle of the last two dimensions, from diagonal
    `k` on, and sets the rest to zero.
    https://onnx.ai/onnx/operators/onnx__Trilu.html

    ```mlir
    %y = onnx.Trilu %x, %none : (tensor<3x3xf32>, none) -> tensor<3x3xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input,
                       Onnx_Optional<Onnx_I64Tensor>:$k,
                       Onnx_Flag<"1">:$upper);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_DepthToSpaceOp : Onnx_Op<"DepthToSpace"> {
  let summary = "Moves channels into the picture";
  let description = [{
    Each `blocksize * blocksize` channels become a block of the two last
    dimensions.
    https://onnx.ai/onnx/operators/onnx__DepthToSpace.html

    ```mlir
    %y = onnx.DepthToSpace %x {blocksize = 2 : i64} : (tensor<1x8x2x3xf32>) -> tensor<1x2x4x6xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input,
                       ConfinedAttr<I64Attr, [IntPositive]>:$blocksize,
                       Onnx_DefaultWord<["DCR", "CRD"], "DCR">:$mode);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_SpaceToDepthOp : Onnx_Op<"SpaceToDepth"> {
  let summary = "Moves blocks of the picture into channels";
  let description = [{
    The opposite of `onnx.DepthToSpace`.
    https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html

    ```mlir
    %y = onnx.SpaceToDepth %x {blocksize = 2 : i64} : (tensor<1x2x4x6xf32>) -> tensor<1x8x2x3xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$input,
                       ConfinedAttr<I64Attr, [IntPositive]>:$blocksize,
                       Onnx_DefaultWord<["DCR", "CRD"], "DCR">:$mode);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_ResizeOp : Onnx_Op<"Resize"> {
  let summary = "Resamples";
  let description = [{
    Samples at `scales` times the size, or to `sizes`; one of the two is
    omitted. `roi` is used by `tf_crop_and_resize` only.
    https://onnx.ai/onnx/operators/onnx__Resize.html

    ```mlir
    %y = onnx.Resize %x, %none, %scales, %none : (tensor<1x1x2x2xf32>, none, tensor<4xf32>, none) -> tensor<1x1x4x4xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$X,
                       Onnx_Optional<Onnx_TensorOf<[F32, F64, F16]>>:$roi,
                       Onnx_Optional<Onnx_TensorOf<[F32]>>:$scales,
                       Onnx_Optional<Onnx_I64Tensor>:$sizes,
                       Onnx_Flag<"0">:$antialias,
                       Onnx_OptInts:$axes,
                       Onnx_DefaultWord<["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"], "half_pixel">:$coordinate_transformation_mode,
                       Onnx_Float<"-0.75f">:$cubic_coeff_a,
                       Onnx_Flag<"0">:$exclude_outside,
                       Onnx_Float<"0.0f">:$extrapolation_value,
                       Onnx_DefaultWord<["stretch", "not_larger", "not_smaller"], "stretch">:$keep_aspect_ratio_policy,
                       Onnx_DefaultWord<["nearest", "linear", "cubic"], "nearest">:$mode,
                       Onnx_DefaultWord<["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"], "round_prefer_floor">:$nearest_mode);
  let results = (outs Onnx_AnyTensor:$Y);
}

//===----------------------------------------------------------------------===//
// By indices
//===----------------------------------------------------------------------===//

def Onnx_GatherOp : Onnx_Op<"Gather"> {
  let summary = "Takes slices by index";
  let description = [{
    `y[i, k, j] = data[i, indices[k], j]` where `i` runs over the dimensions
    before `axis`. Negative indices count from the end.
    https://onnx.ai/onnx/operators/onnx__Gather.html

    ```mlir
    %y = onnx.Gather %x, %i : (tensor<5x?xf32>, tensor<3xi64>) -> tensor<3x?xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_IndexTensor:$indices,
                       Onnx_Int<"0">:$axis);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_GatherElementsOp : Onnx_Op<"GatherElements"> {
  let summary = "Takes elements by index";
  let description = [{
    Each element of `indices` says where along `axis` the element of the result
    comes from.
    https://onnx.ai/onnx/operators/onnx__GatherElements.html

    ```mlir
    %y = onnx.GatherElements %x, %i : (tensor<5x2xf32>, tensor<3x2xi64>) -> tensor<3x2xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_IndexTensor:$indices,
                       Onnx_Int<"0">:$axis);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_GatherNDOp : Onnx_Op<"GatherND"> {
  let summary = "Takes slices by index tuples";
  let description = [{
    The last dimension of `indices` holds tuples of positions in the dimensions
    after the `batch_dims` first.
    https://onnx.ai/onnx/operators/onnx__GatherND.html

    ```mlir
    %y = onnx.GatherND %x, %i : (tensor<5x2xf32>, tensor<3x1xi64>) -> tensor<3x2xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_I64Tensor:$indices,
                       Onnx_Int<"0">:$batch_dims);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_ScatterElementsOp : Onnx_Op<"ScatterElements"> {
  let summary = "Puts elements by index";
  let description = [{
    A copy of `data` in which the elements that `indices` names along `axis` are
    replaced by, or combined with, `updates`.
    https://onnx.ai/onnx/operators/onnx__ScatterElements.html

    ```mlir
    %y = onnx.ScatterElements %x, %i, %u : (tensor<5x2xf32>, tensor<3x2xi64>, tensor<3x2xf32>) -> tensor<5x2xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_IndexTensor:$indices,
                       Onnx_AnyTensor:$updates,
                       Onnx_Int<"0">:$axis,
                       Onnx_DefaultWord<["none", "add", "mul", "min", "max"], "none">:$reduction);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_ScatterNDOp : Onnx_Op<"ScatterND"> {
  let summary = "Puts slices by index tuples";
  let description = [{
    A copy of `data` in which the slices that the tuples in `indices` name are
    replaced by, or combined with, `updates`.
    https://onnx.ai/onnx/operators/onnx__ScatterND.html

    ```mlir
    %y = onnx.ScatterND %x, %i, %u : (tensor<5x2xf32>, tensor<3x1xi64>, tensor<3x2xf32>) -> tensor<5x2xf32>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$data,
                       Onnx_I64Tensor:$indices,
                       Onnx_AnyTensor:$updates,
                       Onnx_DefaultWord<["none", "add", "mul", "min", "max"], "none">:$reduction);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_OneHotOp : Onnx_Op<"OneHot"> {
  let summary = "Marks positions";
  let description = [{
    A new dimension `axis` of size `depth` holds `values[1]` at the index and
    `values[0]` elsewhere.
    https://onnx.ai/onnx/operators/onnx__OneHot.html

    ```mlir
    %y = onnx.OneHot %i, %depth, %values : (tensor<3xi64>, tensor<i64>, tensor<2xf32>) -> tensor<3x?xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, F16, I8, I16, I32, I64, UI8, UI16, UI32, UI64]>:$indices,
                       Onnx_TensorOf<[F32, F64, F16, I8, I16, I32, I64, UI8, UI16, UI32, UI64]>:$depth,
                       Onnx_AnyTensor:$values,
                       Onnx_Int<"-1">:$axis);
  let results = (outs Onnx_AnyTensor:$output);
}

def Onnx_TopKOp : Onnx_Op<"TopK"> {
  let summary = "Takes the greatest elements";
  let description = [{
    The `K` greatest (or least) elements along `axis` and their positions.
    https://onnx.ai/onnx/operators/onnx__TopK.html

    ```mlir
    %v, %i = onnx.TopK %x, %k : (tensor<2x9xf32>, tensor<1xi64>) -> (tensor<2x?xf32>, tensor<2x?xi64>)
    ```
  }];
  let arguments = (ins Onnx_NumberTensor:$X,
                       Onnx_I64Tensor:$K,
                       Onnx_Int<"-1">:$axis,
                       Onnx_Flag<"1">:$largest,
                       Onnx_Flag<"1">:$sorted);
  let results = (outs Onnx_NumberTensor:$Values, Onnx_I64Tensor:$Indices);
}

def Onnx_NonZeroOp : Onnx_Op<"NonZero"> {
  let summary = "Finds the elements that are not zero";
  let description = [{
    A column of positions for each such element, in row-major order.
    https://onnx.ai/onnx/operators/onnx__NonZero.html

    ```mlir
    %y = onnx.NonZero %x : (tensor<2x3xf32>) -> tensor<2x?xi64>
    ```
  }];
  let arguments = (ins Onnx_AnyTensor:$X);
  let results = (outs Onnx_I64Tensor:$Y);
}

#endif // LATHE_DIALECT_ONNX_IR_TENSOR_TD
