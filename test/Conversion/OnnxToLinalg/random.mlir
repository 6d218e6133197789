// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// Ten rounds of two multiplications, some of which are of zero or for nobody.
// CHECK-LABEL: @uniform
// CHECK: linalg.generic
// CHECK-COUNT-18: arith.muli %{{.+}}, %{{.+}} : i64
func.func @uniform() -> tensor<2x3xf32> {
  %y = onnx.RandomUniform {shape = array<i64: 2, 3>, seed = 1.0 : f32} : () -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

// CHECK-LABEL: @multinomial
// CHECK: lathe.grid
func.func @multinomial(%x: tensor<2x4xf32>) -> tensor<2x3xi32> {
  %y = onnx.Multinomial %x {sample_size = 3 : i64} : (tensor<2x4xf32>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// CHECK-LABEL: @dropout_in_inference
// CHECK-SAME: %[[X:.+]]: tensor<2xf32>
// CHECK: return %[[X]]
func.func @dropout_in_inference(%x: tensor<2xf32>) -> tensor<2xf32> {
  %n = onnx.None : () -> none
  %y, %m = onnx.Dropout %x, %n, %n : (tensor<2xf32>, none, none) -> (tensor<2xf32>, tensor<2xi1>)
  return %y : tensor<2xf32>
}
