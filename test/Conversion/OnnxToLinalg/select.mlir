// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @reverse_sequence
// CHECK: lathe.check %{{.+}}, "expects sequence_lens from 0 to the size of dimension 0"
// CHECK: linalg.generic
// CHECK: tensor.extract
func.func @reverse_sequence(%x: tensor<4x3xf32>, %l: tensor<3xi64>) -> tensor<4x3xf32> {
  %y = onnx.ReverseSequence %x, %l : (tensor<4x3xf32>, tensor<3xi64>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

// CHECK-LABEL: @tensor_scatter
// CHECK: lathe.check %{{.+}}, "expects write_indices whose steps lie in dimension 2 of the cache"
func.func @tensor_scatter(%c: tensor<2x1x4x5xf32>, %u: tensor<2x1x1x5xf32>, %i: tensor<2xi64>) -> tensor<2x1x4x5xf32> {
  %y = onnx.TensorScatter %c, %u, %i : (tensor<2x1x4x5xf32>, tensor<2x1x1x5xf32>, tensor<2xi64>) -> tensor<2x1x4x5xf32>
  return %y : tensor<2x1x4x5xf32>
}
