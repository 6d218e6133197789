// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @quantize_linear(
// CHECK: onnx.QuantizeLinear
func.func @quantize_linear(%x: tensor<2x?xf32>, %s: tensor<f32>, %z: tensor<ui8>) {
  %y = onnx.QuantizeLinear %x, %s, %z
      : (tensor<2x?xf32>, tensor<f32>, tensor<ui8>) -> tensor<2x?xui8>
  return
}

// CHECK-LABEL: func @dequantize_linear(
// CHECK: onnx.DequantizeLinear
func.func @dequantize_linear(%x: tensor<6x4xi4>, %s: tensor<3x4xf16>, %none: none) {
  %y = onnx.DequantizeLinear %x, %s, %none {axis = 0 : i64, block_size = 2 : i64}
      : (tensor<6x4xi4>, tensor<3x4xf16>, none) -> tensor<6x4xf16>
  return
}

// CHECK-LABEL: func @narrow_types(
// CHECK: tensor<2xf4E2M1FN>, tensor<2xf8E8M0FNU>, none) -> tensor<2xf32>
func.func @narrow_types(%x: tensor<2xf4E2M1FN>, %s: tensor<2xf8E8M0FNU>, %none: none) {
  %y = onnx.DequantizeLinear %x, %s, %none {axis = 0 : i64, output_dtype = 1 : i64}
      : (tensor<2xf4E2M1FN>, tensor<2xf8E8M0FNU>, none) -> tensor<2xf32>
  return
}

// CHECK-LABEL: func @mat_mul_integer(
// CHECK: onnx.MatMulInteger
func.func @mat_mul_integer(%a: tensor<?x64xui8>, %b: tensor<64x10xi8>, %z: tensor<ui8>, %none: none) {
  %y = onnx.MatMulInteger %a, %b, %z, %none
      : (tensor<?x64xui8>, tensor<64x10xi8>, tensor<ui8>, none) -> tensor<?x10xi32>
  return
}

// CHECK-LABEL: func @q_linear_mat_mul(
// CHECK: onnx.QLinearMatMul
func.func @q_linear_mat_mul(%a: tensor<?x64xui8>, %s: tensor<f32>, %z: tensor<ui8>, %b: tensor<64x10xi8>, %bs: tensor<10xf32>, %bz: tensor<10xi8>) {
  %y = onnx.QLinearMatMul %a, %s, %z, %b, %bs, %bz, %s, %z
      : (tensor<?x64xui8>, tensor<f32>, tensor<ui8>, tensor<64x10xi8>, tensor<10xf32>, tensor<10xi8>, tensor<f32>, tensor<ui8>) -> tensor<?x10xui8>
  return
}

// CHECK-LABEL: func @conv_integer(
// CHECK: onnx.ConvInteger
func.func @conv_integer(%x: tensor<?x3x8x8xui8>, %w: tensor<4x3x3x3xi8>, %z: tensor<ui8>, %none: none) {
  %y = onnx.ConvInteger %x, %w, %z, %none
      : (tensor<?x3x8x8xui8>, tensor<4x3x3x3xi8>, tensor<ui8>, none) -> tensor<?x4x6x6xi32>
  return
}

// CHECK-LABEL: func @q_linear_conv(
// CHECK: onnx.QLinearConv
func.func @q_linear_conv(%x: tensor<?x3x8x8xui8>, %s: tensor<f32>, %z: tensor<ui8>, %w: tensor<4x3x3x3xi8>, %ws: tensor<4xf32>, %wz: tensor<4xi8>, %b: tensor<4xi32>) {
  %y = onnx.QLinearConv %x, %s, %z, %w, %ws, %wz, %s, %z, %b
      : (tensor<?x3x8x8xui8>, tensor<f32>, tensor<ui8>, tensor<4x3x3x3xi8>, tensor<4xf32>, tensor<4xi8>, tensor<f32>, tensor<ui8>, tensor<4xi32>) -> tensor<?x4x6x6xui8>
  return
}
