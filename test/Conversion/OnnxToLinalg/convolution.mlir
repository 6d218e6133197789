// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-DAG: #[[X:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 2 + d5, d3 * 2 + d6)>
// CHECK-DAG: #[[W:.+]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>
// CHECK-DAG: #[[CHANNEL:.+]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK-LABEL: @strides_and_bias
// The last window ends before the padding at the end.
// CHECK: tensor.pad %{{.+}} low[0, 0, 1, 1] high[0, 0, 0, 0]
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]], #{{.+}}], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
// CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[CHANNEL]], #{{.+}}]
func.func @strides_and_bias(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>) -> tensor<1x4x4x4xf32> {
  %0 = onnx.Conv %x, %w, %b {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

// -----

// CHECK-DAG: affine_map<(d0, d1, d2, d3) -> (d0, d1, d2 + d3 * 2)>
// CHECK-DAG: affine_map<(d0, d1, d2, d3) -> (d1, d3)>
// CHECK-LABEL: @depthwise
// CHECK-NOT: tensor.pad
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction"]
func.func @depthwise(%x: tensor<1x3x9xf32>, %w: tensor<3x1x3xf32>) -> tensor<1x3x5xf32> {
  %n = onnx.None : () -> none
  %0 = onnx.Conv %x, %w, %n {group = 3 : i64, dilations = array<i64: 2>} : (tensor<1x3x9xf32>, tensor<3x1x3xf32>, none) -> tensor<1x3x5xf32>
  return %0 : tensor<1x3x5xf32>
}

// -----

// CHECK-LABEL: @groups
// CHECK: lathe.view %{{.+}} : tensor<6x2x3xf32> to tensor<2x3x2x3xf32>
// CHECK: lathe.view %{{.+}} : tensor<1x4x8xf32> to tensor<1x2x2x8xf32>
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
// CHECK: lathe.view %{{.+}} : tensor<1x2x3x6xf32> to tensor<1x6x6xf32>
func.func @groups(%x: tensor<1x4x8xf32>, %w: tensor<6x2x3xf32>) -> tensor<1x6x6xf32> {
  %n = onnx.None : () -> none
  %0 = onnx.Conv %x, %w, %n {group = 2 : i64} : (tensor<1x4x8xf32>, tensor<6x2x3xf32>, none) -> tensor<1x6x6xf32>
  return %0 : tensor<1x6x6xf32>
}

// -----

// Spread by the strides, then convolved with the turned kernel.
// CHECK-LABEL: @transposed
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<1x2x9xf32>)
// CHECK: arith.remsi
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<3x2x3xf32>)
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]
func.func @transposed(%x: tensor<1x2x3xf32>, %w: tensor<2x3x3xf32>) -> tensor<1x3x7xf32> {
  %n = onnx.None : () -> none
  %0 = onnx.ConvTranspose %x, %w, %n {strides = array<i64: 2>} : (tensor<1x2x3xf32>, tensor<2x3x3xf32>, none) -> tensor<1x3x7xf32>
  return %0 : tensor<1x3x7xf32>
}

// -----

// With constant weights, one convolution per phase: even outputs see taps 2 and
// 0, odd ones tap 1.
// CHECK-LABEL: func @transposed_by_phases(
// CHECK: lathe.weight {{.*}} recipe [#lathe.permute<[1, 0, 2]>, #lathe.stride<2, 2, -2, 2>] {{.*}}tensor<3x2x2xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 0] [1, 3, 4] [1, 1, 2]
// CHECK: lathe.weight {{.*}} recipe [#lathe.permute<[1, 0, 2]>, #lathe.stride<2, 1, -2, 1>] {{.*}}tensor<3x2x1xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 1] [1, 3, 3] [1, 1, 2]
func.func @transposed_by_phases(%x: tensor<1x2x3xf32>) -> tensor<1x3x7xf32> {
  %n = onnx.None : () -> none
  %w = onnx.Constant {value = dense<[[[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0], [4.0, 5.0, 6.0], [4.0, 5.0, 6.0]]]> : tensor<2x3x3xf32>} : () -> tensor<2x3x3xf32>
  %0 = onnx.ConvTranspose %x, %w, %n {strides = array<i64: 2>} : (tensor<1x2x3xf32>, tensor<2x3x3xf32>, none) -> tensor<1x3x7xf32>
  return %0 : tensor<1x3x7xf32>
}
