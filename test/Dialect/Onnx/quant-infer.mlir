// RUN: lathe-opt %s --onnx-infer-shapes | FileCheck %s

// The zero point gives the type.
// CHECK-LABEL: @type_of_zero_point
// CHECK: -> tensor<2x?xi4>
func.func @type_of_zero_point(%x: tensor<2x?xf32> {lathe.dims = ["", "N"]}, %s: tensor<f32>, %z: tensor<i4>) -> tensor<*x!onnx.unknown> {
  %y = onnx.QuantizeLinear %x, %s, %z : (tensor<2x?xf32>, tensor<f32>, tensor<i4>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: @type_by_default
// CHECK: -> tensor<3xui8>
func.func @type_by_default(%x: tensor<3xf32>, %s: tensor<f32>, %none: none) -> tensor<*x!onnx.unknown> {
  %y = onnx.QuantizeLinear %x, %s, %none : (tensor<3xf32>, tensor<f32>, none) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: @type_by_attribute
// CHECK: -> tensor<3xf8E5M2>
func.func @type_by_attribute(%x: tensor<3xf32>, %s: tensor<f32>, %none: none) -> tensor<*x!onnx.unknown> {
  %y = onnx.QuantizeLinear %x, %s, %none {output_dtype = 19 : i64} : (tensor<3xf32>, tensor<f32>, none) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: @blocks_with_a_rest
// CHECK: onnx.DequantizeLinear {{.*}} -> tensor<5x4xf16>
func.func @blocks_with_a_rest(%x: tensor<5x4xui4>, %s: tensor<3x4xf16>, %none: none) -> tensor<*x!onnx.unknown> {
  %y = onnx.DequantizeLinear %x, %s, %none {axis = 0 : i64, block_size = 2 : i64} : (tensor<5x4xui4>, tensor<3x4xf16>, none) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: @rows_and_columns
// CHECK: -> tensor<2x3x5xi32>
func.func @rows_and_columns(%a: tensor<2x3x4xui8>, %b: tensor<4x5xi8>, %za: tensor<2x3x1xui8>, %zb: tensor<5xi8>) -> tensor<*x!onnx.unknown> {
  %y = onnx.MatMulInteger %a, %b, %za, %zb : (tensor<2x3x4xui8>, tensor<4x5xi8>, tensor<2x3x1xui8>, tensor<5xi8>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: @convolution
// CHECK: -> tensor<1x4x8x8xui8>
func.func @convolution(%x: tensor<1x3x8x8xi8>, %s: tensor<f32>, %z: tensor<i8>, %w: tensor<4x3x3x3xi8>, %ws: tensor<4xf32>, %wz: tensor<4xi8>, %yz: tensor<ui8>, %none: none) -> tensor<*x!onnx.unknown> {
  %y = onnx.QLinearConv %x, %s, %z, %w, %ws, %wz, %s, %yz, %none {pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x3x8x8xi8>, tensor<f32>, tensor<i8>, tensor<4x3x3x3xi8>, tensor<4xf32>, tensor<4xi8>, tensor<f32>, tensor<ui8>, none) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}
