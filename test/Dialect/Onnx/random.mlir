// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @random_uniform(
// CHECK: onnx.RandomUniform
func.func @random_uniform() {
  %y = onnx.RandomUniform {shape = array<i64: 2, 3>} : () -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func @random_uniform_like(
// CHECK: onnx.RandomUniformLike
func.func @random_uniform_like(%x: tensor<2x3xf32>) {
  %y = onnx.RandomUniformLike %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func @random_normal(
// CHECK: onnx.RandomNormal
func.func @random_normal() {
  %y = onnx.RandomNormal {shape = array<i64: 2, 3>} : () -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func @random_normal_like(
// CHECK: onnx.RandomNormalLike
func.func @random_normal_like(%x: tensor<2x3xf32>) {
  %y = onnx.RandomNormalLike %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func @multinomial(
// CHECK: onnx.Multinomial
func.func @multinomial(%x: tensor<2x4xf32>) {
  %y = onnx.Multinomial %x {sample_size = 3 : i64} : (tensor<2x4xf32>) -> tensor<2x3xi32>
  return
}
