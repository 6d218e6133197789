// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// Positions that nobody reads are not computed.
// CHECK-LABEL: @max
// CHECK: %[[LEAST:.+]] = arith.constant 0xFF800000 : f32
// CHECK: tensor.pad %{{.+}} low[0, 0, 1, 1] high[0, 0, 0, 0]
// CHECK: %[[WINDOW:.+]] = tensor.empty() : tensor<3x3xf32>
// CHECK: linalg.generic {{.*}}ins(%{{.+}}, %[[WINDOW]] : {{.+}}) outs(%{{.+}} : tensor<1x2x4x4xf32>)
// CHECK: arith.maximumf
// CHECK-NOT: i64
func.func @max(%x: tensor<1x2x8x8xf32>) -> tensor<1x2x4x4xf32> {
  %0, %1 = onnx.MaxPool %x {kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x2x8x8xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xi64>)
  return %0 : tensor<1x2x4x4xf32>
}

// -----

// Without padding the count is the kernel's size.
// CHECK-LABEL: @average
// CHECK: arith.addf
// CHECK: %[[N:.+]] = arith.constant 4.000000e+00 : f32
// CHECK: arith.divf %{{.+}}, %[[N]]
func.func @average(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> {
  %0 = onnx.AveragePool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  return %0 : tensor<1x2x2x2xf32>
}

// -----

// CHECK-LABEL: @average_padded
// CHECK: arith.addf
// CHECK: linalg.index 2
// CHECK: arith.sitofp
// CHECK: arith.divf
func.func @average_padded(%x: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %0 = onnx.AveragePool %x {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  return %0 : tensor<1x2x4xf32>
}

// -----

// CHECK-LABEL: @global_average
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction", "reduction"]
// CHECK: lathe.view %{{.+}} : tensor<1x2xf32> to tensor<1x2x1x1xf32>
func.func @global_average(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32> {
  %0 = onnx.GlobalAveragePool %x : (tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32>
  return %0 : tensor<1x2x1x1xf32>
}
