// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @roi_align
// CHECK: lathe.check %{{.+}}, "expects indices in [0, 1)"
// CHECK: lathe.grid
func.func @roi_align(%x: tensor<1x3x10x10xf32>, %r: tensor<7x4xf32>, %b: tensor<7xi64>) -> tensor<7x3x5x5xf32> {
  %y = onnx.RoiAlign %x, %r, %b {output_height = 5 : i64, output_width = 5 : i64} : (tensor<1x3x10x10xf32>, tensor<7x4xf32>, tensor<7xi64>) -> tensor<7x3x5x5xf32>
  return %y : tensor<7x3x5x5xf32>
}

// -----

// Loops over the image, then over the places of a patch.
// CHECK-LABEL: @col2im
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
func.func @col2im(%x: tensor<1x5x5xf32>) -> tensor<1x1x5x5xf32> {
  %i = onnx.Constant {value = dense<5> : tensor<2xi64>} : () -> tensor<2xi64>
  %b = onnx.Constant {value = dense<[1, 5]> : tensor<2xi64>} : () -> tensor<2xi64>
  %y = onnx.Col2Im %x, %i, %b : (tensor<1x5x5xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x1x5x5xf32>
  return %y : tensor<1x1x5x5xf32>
}

// -----

// CHECK-LABEL: @max_unpool
// CHECK: lathe.check %{{.+}}, "expects indices in [0, 16)"
// CHECK: lathe.grid
func.func @max_unpool(%x: tensor<1x1x2x2xf32>, %i: tensor<1x1x2x2xi64>) -> tensor<1x1x4x4xf32> {
  %n = onnx.None : () -> none
  %y = onnx.MaxUnpool %x, %i, %n {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xi64>, none) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}
