// RUN: lathe-opt %s --split-input-file --onnx-raise-quantized | FileCheck %s

// CHECK-LABEL: @convolution
// CHECK-SAME: (%[[X:.+]]: tensor<?x3x8x8xui8>, %[[SX:.+]]: tensor<f32>, %[[ZX:.+]]: tensor<ui8>, %[[W:.+]]: tensor<4x3x3x3xi8>, %[[SW:.+]]: tensor<4xf32>, %[[ZW:.+]]: tensor<4xi8>, %[[B:.+]]: tensor<4xf32>)
// CHECK: %[[SUMS:.+]] = onnx.ConvInteger %[[X]], %[[W]], %[[ZX]], %[[ZW]] {strides = array<i64: 2, 2>}
// CHECK: %[[S:.+]] = onnx.Mul %[[SX]], %[[SW]]
// CHECK: %[[S3:.+]] = onnx.Reshape %[[S]], %{{.+}} -> tensor<4x1x1xf32>
// CHECK: %[[B3:.+]] = onnx.Reshape %[[B]], %{{.+}} -> tensor<4x1x1xf32>
// CHECK: %[[F:.+]] = onnx.Cast %[[SUMS]]
// CHECK: %[[P:.+]] = onnx.Mul %[[F]], %[[S3]]
// CHECK: %[[Y:.+]] = onnx.Add %[[P]], %[[B3]]
// CHECK: return %[[Y]]
func.func @convolution(%x: tensor<?x3x8x8xui8>, %sx: tensor<f32>, %zx: tensor<ui8>, %w: tensor<4x3x3x3xi8>, %sw: tensor<4xf32>, %zw: tensor<4xi8>, %b: tensor<4xf32>) -> tensor<?x4x3x3xf32> {
  %0 = onnx.DequantizeLinear %x, %sx, %zx : (tensor<?x3x8x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<?x3x8x8xf32>
  %1 = onnx.DequantizeLinear %w, %sw, %zw {axis = 0 : i64} : (tensor<4x3x3x3xi8>, tensor<4xf32>, tensor<4xi8>) -> tensor<4x3x3x3xf32>
  %2 = onnx.Conv %0, %1, %b {strides = array<i64: 2, 2>} : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<?x4x3x3xf32>
  return %2 : tensor<?x4x3x3xf32>
}

// -----

// CHECK-LABEL: @matrices
// CHECK: onnx.MatMulInteger
// CHECK-NOT: onnx.MatMul %
func.func @matrices(%a: tensor<?x8xui8>, %sa: tensor<f32>, %za: tensor<ui8>, %b: tensor<8x4xi8>, %sb: tensor<4xf32>, %none: none) -> tensor<?x4xf32> {
  %0 = onnx.DequantizeLinear %a, %sa, %za : (tensor<?x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8xf32>
  %1 = onnx.DequantizeLinear %b, %sb, %none {axis = 1 : i64} : (tensor<8x4xi8>, tensor<4xf32>, none) -> tensor<8x4xf32>
  %2 = onnx.MatMul %0, %1 : (tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: @gemm_of_rows
// CHECK: %[[T:.+]] = onnx.Transpose
// CHECK: onnx.MatMulInteger %{{.+}}, %[[T]]
// CHECK: onnx.Add
func.func @gemm_of_rows(%a: tensor<?x8xui8>, %s: tensor<f32>, %za: tensor<ui8>, %b: tensor<4x8xi8>, %sb: tensor<4xf32>, %c: tensor<4xf32>, %none: none) -> tensor<?x4xf32> {
  %0 = onnx.DequantizeLinear %a, %s, %za : (tensor<?x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8xf32>
  %1 = onnx.DequantizeLinear %b, %sb, %none {axis = 0 : i64} : (tensor<4x8xi8>, tensor<4xf32>, none) -> tensor<4x8xf32>
  %2 = onnx.Gemm %0, %1, %c {transB = 1 : i64} : (tensor<?x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: @not_where_scales_change_along_the_sum
// CHECK: onnx.MatMul %
func.func @not_where_scales_change_along_the_sum(%a: tensor<2x8xui8>, %sa: tensor<f32>, %b: tensor<8x4xi8>, %sb: tensor<8xf32>, %none: none) -> tensor<2x4xf32> {
  %0 = onnx.DequantizeLinear %a, %sa, %none : (tensor<2x8xui8>, tensor<f32>, none) -> tensor<2x8xf32>
  %1 = onnx.DequantizeLinear %b, %sb, %none {axis = 0 : i64} : (tensor<8x4xi8>, tensor<8xf32>, none) -> tensor<8x4xf32>
  %2 = onnx.MatMul %0, %1 : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @not_where_the_sum_may_overflow
// CHECK: onnx.MatMul %
func.func @not_where_the_sum_may_overflow(%a: tensor<2x40000xui8>, %s: tensor<f32>, %b: tensor<40000x4xi8>, %none: none) -> tensor<2x4xf32> {
  %0 = onnx.DequantizeLinear %a, %s, %none : (tensor<2x40000xui8>, tensor<f32>, none) -> tensor<2x40000xf32>
  %1 = onnx.DequantizeLinear %b, %s, %none : (tensor<40000x4xi8>, tensor<f32>, none) -> tensor<40000x4xf32>
  %2 = onnx.MatMul %0, %1 : (tensor<2x40000xf32>, tensor<40000x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @not_of_unknown_length
// CHECK: onnx.MatMul %
func.func @not_of_unknown_length(%a: tensor<2x?xui8>, %s: tensor<f32>, %b: tensor<?x4xi8>, %none: none) -> tensor<2x4xf32> {
  %0 = onnx.DequantizeLinear %a, %s, %none : (tensor<2x?xui8>, tensor<f32>, none) -> tensor<2x?xf32>
  %1 = onnx.DequantizeLinear %b, %s, %none : (tensor<?x4xi8>, tensor<f32>, none) -> tensor<?x4xf32>
  %2 = onnx.MatMul %0, %1 : (tensor<2x?xf32>, tensor<?x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @not_of_wider_integers
// CHECK: onnx.MatMul %
func.func @not_of_wider_integers(%a: tensor<2x8xi16>, %s: tensor<f32>, %b: tensor<8x4xi16>, %none: none) -> tensor<2x4xf32> {
  %0 = onnx.DequantizeLinear %a, %s, %none : (tensor<2x8xi16>, tensor<f32>, none) -> tensor<2x8xf32>
  %1 = onnx.DequantizeLinear %b, %s, %none : (tensor<8x4xi16>, tensor<f32>, none) -> tensor<8x4xf32>
  %2 = onnx.MatMul %0, %1 : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @not_gemm_with_factors
// CHECK: onnx.Gemm %
func.func @not_gemm_with_factors(%a: tensor<2x8xui8>, %s: tensor<f32>, %b: tensor<8x4xi8>, %none: none) -> tensor<2x4xf32> {
  %0 = onnx.DequantizeLinear %a, %s, %none : (tensor<2x8xui8>, tensor<f32>, none) -> tensor<2x8xf32>
  %1 = onnx.DequantizeLinear %b, %s, %none : (tensor<8x4xi8>, tensor<f32>, none) -> tensor<8x4xf32>
  %2 = onnx.Gemm %0, %1, %none {alpha = 0.5 : f32} : (tensor<2x8xf32>, tensor<8x4xf32>, none) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @quantized_again
// CHECK-SAME: (%[[X:.+]]: tensor<4xui8>
// CHECK: return %[[X]]
func.func @quantized_again(%x: tensor<4xui8>, %s: tensor<f32>, %z: tensor<ui8>) -> tensor<4xui8> {
  %0 = onnx.DequantizeLinear %x, %s, %z : (tensor<4xui8>, tensor<f32>, tensor<ui8>) -> tensor<4xf32>
  %1 = onnx.QuantizeLinear %0, %s, %z : (tensor<4xf32>, tensor<f32>, tensor<ui8>) -> tensor<4xui8>
  return %1 : tensor<4xui8>
}

// -----

// CHECK-LABEL: @not_with_another_scale
// CHECK: onnx.QuantizeLinear
func.func @not_with_another_scale(%x: tensor<4xui8>, %s: tensor<f32>, %t: tensor<f32>, %z: tensor<ui8>) -> tensor<4xui8> {
  %0 = onnx.DequantizeLinear %x, %s, %z : (tensor<4xui8>, tensor<f32>, tensor<ui8>) -> tensor<4xf32>
  %1 = onnx.QuantizeLinear %0, %t, %z : (tensor<4xf32>, tensor<f32>, tensor<ui8>) -> tensor<4xui8>
  return %1 : tensor<4xui8>
}

// -----

// CHECK-LABEL: @moved_between
// CHECK: onnx.Flatten %{{.+}} : (tensor<?x2x3xui8>) -> tensor<?x6xui8>
// CHECK-NOT: onnx.QuantizeLinear
func.func @moved_between(%x: tensor<?x2x3xui8>, %s: tensor<f32>, %z: tensor<ui8>) -> tensor<?x6xui8> {
  %0 = onnx.DequantizeLinear %x, %s, %z : (tensor<?x2x3xui8>, tensor<f32>, tensor<ui8>) -> tensor<?x2x3xf32>
  %1 = onnx.Flatten %0 : (tensor<?x2x3xf32>) -> tensor<?x6xf32>
  %2 = onnx.QuantizeLinear %1, %s, %z : (tensor<?x6xf32>, tensor<f32>, tensor<ui8>) -> tensor<?x6xui8>
  return %2 : tensor<?x6xui8>
}

// -----

// CHECK-LABEL: @maximum_with_positive_scale
// CHECK: onnx.MaxPool %{{.+}} : (tensor<1x2x4x4xui8>) -> (tensor<1x2x2x2xui8>, tensor<1x2x2x2xi64>)
// CHECK-NOT: onnx.QuantizeLinear
func.func @maximum_with_positive_scale(%x: tensor<1x2x4x4xui8>, %z: tensor<ui8>) -> tensor<1x2x2x2xui8> {
  %s = onnx.Constant {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.DequantizeLinear %x, %s, %z : (tensor<1x2x4x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x2x4x4xf32>
  %1, %i = onnx.MaxPool %0 {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xi64>)
  %2 = onnx.QuantizeLinear %1, %s, %z : (tensor<1x2x2x2xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x2x2x2xui8>
  return %2 : tensor<1x2x2x2xui8>
}

// -----

// CHECK-LABEL: @not_maximum_with_unknown_scale
// CHECK: onnx.QuantizeLinear
func.func @not_maximum_with_unknown_scale(%x: tensor<1x2x4x4xui8>, %s: tensor<f32>, %z: tensor<ui8>) -> tensor<1x2x2x2xui8> {
  %0 = onnx.DequantizeLinear %x, %s, %z : (tensor<1x2x4x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x2x4x4xf32>
  %1, %i = onnx.MaxPool %0 {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xi64>)
  %2 = onnx.QuantizeLinear %1, %s, %z : (tensor<1x2x2x2xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x2x2x2xui8>
  return %2 : tensor<1x2x2x2xui8>
}
