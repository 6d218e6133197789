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

// CHECK-LABEL: func @compress(
// CHECK: onnx.Compress
func.func @compress(%x: tensor<3x2xf32>, %c: tensor<3xi1>) {
  %y = onnx.Compress %x, %c {axis = 0 : i64} : (tensor<3x2xf32>, tensor<3xi1>) -> tensor<?x2xf32>
  return
}

// CHECK-LABEL: func @unique(
// CHECK: onnx.Unique
func.func @unique(%x: tensor<6xf32>) {
  %y, %i, %v, %n = onnx.Unique %x : (tensor<6xf32>) -> (tensor<?xf32>, tensor<?xi64>, tensor<6xi64>, tensor<?xi64>)
  return
}

// CHECK-LABEL: func @non_max_suppression(
// CHECK: onnx.NonMaxSuppression
func.func @non_max_suppression(%boxes: tensor<1x6x4xf32>, %scores: tensor<1x1x6xf32>, %most: tensor<1xi64>) {
  %none = onnx.None : () -> none
  %s = onnx.NonMaxSuppression %boxes, %scores, %most, %none, %none : (tensor<1x6x4xf32>, tensor<1x1x6xf32>, tensor<1xi64>, none, none) -> tensor<?x3xi64>
  return
}

