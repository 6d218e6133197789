// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// Two elements per dimension, weighted; zeros outside.
// CHECK-LABEL: @grid_sample
// CHECK: linalg.generic
// CHECK-COUNT-4: tensor.extract
// CHECK-NOT: tensor.extract
func.func @grid_sample(%x: tensor<1x3x4x4xf32>, %g: tensor<1x6x6x2xf32>) -> tensor<1x3x6x6xf32> {
  %y = onnx.GridSample %x, %g : (tensor<1x3x4x4xf32>, tensor<1x6x6x2xf32>) -> tensor<1x3x6x6xf32>
  return %y : tensor<1x3x6x6xf32>
}

// -----

// CHECK-LABEL: @affine_grid
// CHECK: linalg.generic
// CHECK-NOT: tensor.extract
func.func @affine_grid(%t: tensor<2x2x3xf32>) -> tensor<2x5x6x2xf32> {
  %s = onnx.Constant {value = dense<[2, 3, 5, 6]> : tensor<4xi64>} : () -> tensor<4xi64>
  %g = onnx.AffineGrid %t, %s : (tensor<2x2x3xf32>, tensor<4xi64>) -> tensor<2x5x6x2xf32>
  return %g : tensor<2x5x6x2xf32>
}

// -----

// Samples once, then contracts.
// CHECK-LABEL: @deform_conv
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<1x1x2x2x2x2xf32>)
// CHECK: linalg.generic {{.*}}"reduction", "reduction", "reduction"
func.func @deform_conv(%x: tensor<1x1x3x3xf32>, %w: tensor<1x1x2x2xf32>, %o: tensor<1x8x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %n = onnx.None : () -> none
  %y = onnx.DeformConv %x, %w, %o, %n, %n : (tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>, tensor<1x8x2x2xf32>, none, none) -> tensor<1x1x2x2xf32>
  return %y : tensor<1x1x2x2xf32>
}
