// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @reverse_sequence(
// CHECK: onnx.ReverseSequence
func.func @reverse_sequence(%x: tensor<4x3xf32>, %lens: tensor<3xi64>) {
  %y = onnx.ReverseSequence %x, %lens : (tensor<4x3xf32>, tensor<3xi64>) -> tensor<4x3xf32>
  return
}

// CHECK-LABEL: func @tensor_scatter(
// CHECK: onnx.TensorScatter
func.func @tensor_scatter(%cache: tensor<2x1x4x5xf32>, %new: tensor<2x1x1x5xf32>, %at: tensor<2xi64>) {
  %y = onnx.TensorScatter %cache, %new, %at : (tensor<2x1x4x5xf32>, tensor<2x1x1x5xf32>, tensor<2xi64>) -> tensor<2x1x4x5xf32>
  return
}
