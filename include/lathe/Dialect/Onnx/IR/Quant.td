// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear quantization, and sums of products of 8-bit integers.

#ifndef LATHE_DIALECT_ONNX_IR_QUANT_TD
#define LATHE_DIALECT_ONNX_IR_QUANT_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_UI2 : UI<2>;
def Onnx_UI4 : UI<4>;
def Onnx_I2 : I<2>;
def Onnx_I4 : I<4>;
defvar Onnx_QuantizedTypes = [
  I8, UI8, I16, UI16, Onnx_I4, Onnx_UI4, Onnx_I2, Onnx_UI2, F8E4M3FN,
  F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F4E2M1FN, F6E2M3FN, F6E3M2FN
];
defvar Onnx_ShortFloats = [F16, BF16, F32];

def Onnx_QuantizedTensor : Onnx_TensorOf<Onnx_QuantizedTypes>;
def Onnx_DequantizableTensor
    : Onnx_TensorOf<!listconcat(Onnx_QuantizedTypes, [I32])>;
def Onnx_QuantizableTensor : Onnx_TensorOf<!listconcat(Onnx_ShortFloats, [I32])>;
def Onnx_ShortFloatTensor : Onnx_TensorOf<Onnx_ShortFloats>;
def Onnx_QuantizeScale
    : Onnx_TensorOf<!listconcat(Onnx_ShortFloats, [I32, F8E8M0FNU])>;
def Onnx_DequantizeScale
    : Onnx_TensorOf<!listconcat(Onnx_ShortFloats, [F8E8M0FNU])>;
def Onnx_ByteTensor : Onnx_TensorOf<[I8, UI8]>;
def Onnx_MultipliableByteTensor
    : Onnx_TensorOf<[I8, UI8, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ]>;
def Onnx_I32Tensor : Onnx_TensorOf<[I32]>;
def Onnx_F32Tensor : Onnx_TensorOf<[F32]>;

//===----------------------------------------------------------------------===//
// To and from quantized numbers
//===----------------------------------------------------------------------===//

def Onnx_QuantizeLinearOp : Onnx_Op<"QuantizeLinear"> {
  let summary = "Divides by a scale and rounds";
  let description = [{
    `saturate(round(x / y_scale) + y_zero_point)`, where ties go to the even
    number. One scale is for all elements; a vector has one for each index of
    `axis`; as many dimensions as `x` has mean blocks: element `i` along `axis`
    has scale `i / block_size`. [C1] `y_zero_point` has the shape of `y_scale`.
    [C2] Scales of blocks have the sizes of `x` but for `axis`, where there are
    as many as blocks. [C3] `output_dtype` is the type of `y_zero_point`, where
    both are given. The division is made in the type `precision`, by default that
    of the scale. `saturate` is for floats of 8 bits.
    https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html

    ```mlir
    %y = onnx.QuantizeLinear %x, %s, %z : (tensor<2x?xf32>, tensor<f32>, tensor<ui8>) -> tensor<2x?xui8>
    ```
  }];
  let arguments = (ins Onnx_QuantizableTensor:$x,
                       Onnx_QuantizeScale:$y_scale,
                       Onnx_Optional<Onnx_QuantizedTensor>:$y_zero_point,
                       Onnx_Int<"1">:$axis,
                       Onnx_Int<"0">:$block_size,
                       Onnx_Int<"0">:$output_dtype,
                       Onnx_Int<"0">:$precision,
                       Onnx_Flag<"1">:$saturate);
  let results = (outs Onnx_QuantizedTensor:$y);
}

def Onnx_DequantizeLinearOp : Onnx_Op<"DequantizeLinear"> {
  let summary = "Multiplies quantized numbers by their scale";
  let description = [{
    `(x - x_zero_point) * x_scale`; scales and zero points are as in
    `onnx.QuantizeLinear`, with [C1] and [C2]. The result has the type
    `output_dtype`, by default that of the scale.
    https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html

    ```mlir
    %y = onnx.DequantizeLinear %x, %s, %z : (tensor<2x?xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x?xf32>
    ```
  }];
  let arguments = (ins Onnx_DequantizableTensor:$x,
                       Onnx_DequantizeScale:$x_scale,
                       Onnx_Optional<Onnx_DequantizableTensor>:$x_zero_point,
                       Onnx_Int<"1">:$axis,
                       Onnx_Int<"0">:$block_size,
                       Onnx_Int<"0">:$output_dtype);
  let results = (outs Onnx_ShortFloatTensor:$y);
}

//===----------------------------------------------------------------------===//
// Sums of products
//===----------------------------------------------------------------------===//

def Onnx_MatMulIntegerOp : Onnx_Op<"MatMulInteger"> {
  let summary = "Multiplies matrices of 8-bit integers";
  let description = [{
    As `onnx.MatMul` on `A - a_zero_point` and `B - b_zero_point`, exactly, into
    32 bits. [C1] A zero point is one number, or one per row of `A` or column of
    `B`: a vector, or a tensor that broadcasts.
    https://onnx.ai/onnx/operators/onnx__MatMulInteger.html

    ```mlir
    %y = onnx.MatMulInteger %a, %b, %z, %none : (tensor<?x64xui8>, tensor<64x10xi8>, tensor<ui8>, none) -> tensor<?x10xi32>
    ```
  }];
  let arguments = (ins Onnx_ByteTensor:$A,
                       Onnx_ByteTensor:$B,
                       Onnx_Optional<Onnx_ByteTensor>:$a_zero_point,
                       Onnx_Optional<Onnx_ByteTensor>:$b_zero_point);
  let results = (outs Onnx_I32Tensor:$Y);
}

def Onnx_QLinearMatMulOp : Onnx_Op<"QLinearMatMul"> {
  let summary = "Multiplies quantized matrices into a quantized one";
  let description = [{
    The sums of `onnx.MatMulInteger`, times `a_scale * b_scale / y_scale`, rounded
    to even, and `y_zero_point` added with saturation. [C1] as there, for scales,
    too.
    https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html

    ```mlir
    %y = onnx.QLinearMatMul %a, %as, %az, %b, %bs, %bz, %ys, %yz
       : (tensor<?x64xui8>, tensor<f32>, tensor<ui8>, tensor<64x10xi8>, tensor<f32>, tensor<i8>, tensor<f32>, tensor<ui8>) -> tensor<?x10xui8>
    ```
  }];
  let arguments = (ins Onnx_MultipliableByteTensor:$a,
                       Onnx_ShortFloatTensor:$a_scale,
                       Onnx_MultipliableByteTensor:$a_zero_point,
                       Onnx_MultipliableByteTensor:$b,
                       Onnx_ShortFloatTensor:$b_scale,
                       Onnx_MultipliableByteTensor:$b_zero_point,
                       Onnx_ShortFloatTensor:$y_scale,
                       Onnx_MultipliableByteTensor:$y_zero_point);
  let results = (outs Onnx_MultipliableByteTensor:$y);
}

def Onnx_ConvIntegerOp : Onnx_Op<"ConvInteger"> {
  let summary = "Convolves 8-bit integers";
  let description = [{
    As `onnx.Conv` on `x - x_zero_point` and `w - w_zero_point`, exactly, into 32
    bits. The padding is worth zero. [C1] `x_zero_point` is one number,
    `w_zero_point` one or one per output channel.
    https://onnx.ai/onnx/operators/onnx__ConvInteger.html

    ```mlir
    %y = onnx.ConvInteger %x, %w, %z, %none : (tensor<?x3x8x8xui8>, tensor<4x3x3x3xi8>, tensor<ui8>, none) -> tensor<?x4x6x6xi32>
    ```
  }];
  let arguments = (ins Onnx_ByteTensor:$x,
                       Onnx_ByteTensor:$w,
                       Onnx_Optional<Onnx_ByteTensor>:$x_zero_point,
                       Onnx_Optional<Onnx_ByteTensor>:$w_zero_point,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_OptInts:$dilations,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$group,
                       Onnx_OptInts:$kernel_shape,
                       Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_I32Tensor:$y);
}

def Onnx_QLinearConvOp : Onnx_Op<"QLinearConv"> {
  let summary = "Convolves quantized numbers into quantized ones";
  let description = [{
    The sums of `onnx.ConvInteger` plus `B`, times `x_scale * w_scale / y_scale`,
    rounded to even, and `y_zero_point` added with saturation. [C1] `w_scale` and
    `w_zero_point` are one number or one per output channel, the other scales and
    zero points one.
    https://onnx.ai/onnx/operators/onnx__QLinearConv.html

    ```mlir
    %y = onnx.QLinearConv %x, %xs, %xz, %w, %ws, %wz, %ys, %yz, %none
       : (tensor<?x3x8x8xui8>, tensor<f32>, tensor<ui8>, tensor<4x3x3x3xi8>, tensor<4xf32>, tensor<4xi8>, tensor<f32>, tensor<ui8>, none) -> tensor<?x4x6x6xui8>
    ```
  }];
  let arguments = (ins Onnx_ByteTensor:$x,
                       Onnx_F32Tensor:$x_scale,
                       Onnx_ByteTensor:$x_zero_point,
                       Onnx_ByteTensor:$w,
                       Onnx_F32Tensor:$w_scale,
                       Onnx_ByteTensor:$w_zero_point,
                       Onnx_F32Tensor:$y_scale,
                       Onnx_ByteTensor:$y_zero_point,
                       Onnx_Optional<Onnx_I32Tensor>:$B,
                       Onnx_AutoPad:$auto_pad,
                       Onnx_OptInts:$dilations,
                       DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$group,
                       Onnx_OptInts:$kernel_shape,
                       Onnx_OptInts:$pads,
                       Onnx_OptInts:$strides);
  let results = (outs Onnx_ByteTensor:$y);
}

#endif // LATHE_DIALECT_ONNX_IR_QUANT_TD
