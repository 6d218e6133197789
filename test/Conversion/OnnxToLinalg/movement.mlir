// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK: #[[P:.+]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: @transpose
// CHECK: linalg.generic {indexing_maps = [#[[P]], #{{.+}}]
func.func @transpose(%x: tensor<2x4xf32>) -> tensor<4x2xf32> {
  %0 = onnx.Transpose %x : (tensor<2x4xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// A weight is permuted when it is written.
// CHECK-LABEL: @transpose_of_weight
// CHECK: lathe.weight dense<{{.+}}> : tensor<1x2x3xf32> recipe [#lathe.permute<[2, 0, 1]>] : tensor<3x1x2xf32>
// CHECK-NOT: linalg.generic
func.func @transpose_of_weight() -> tensor<3x1x2xf32> {
  %w = onnx.Constant {value = dense<[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]> : tensor<1x2x3xf32>} : () -> tensor<1x2x3xf32>
  %0 = onnx.Transpose %w {perm = array<i64: 2, 0, 1>} : (tensor<1x2x3xf32>) -> tensor<3x1x2xf32>
  return %0 : tensor<3x1x2xf32>
}

// -----

// Moving a dimension of size 1 moves no element.
// CHECK-LABEL: @transpose_of_one
// CHECK-NEXT: lathe.view
// CHECK-NEXT: return
func.func @transpose_of_one(%x: tensor<1x4xf32>) -> tensor<4x1xf32> {
  %0 = onnx.Transpose %x : (tensor<1x4xf32>) -> tensor<4x1xf32>
  return %0 : tensor<4x1xf32>
}

// -----

// CHECK-LABEL: @concat
// CHECK: %[[A:.+]] = tensor.insert_slice %{{.+}} into %{{.+}}[0, 0] [2, 3] [1, 1]
// CHECK: tensor.insert_slice %{{.+}} into %[[A]][0, 3] [2, 4] [1, 1]
func.func @concat(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) -> tensor<2x7xf32> {
  %0 = onnx.Concat %x, %y {axis = -1 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x7xf32>
  return %0 : tensor<2x7xf32>
}

// -----

// CHECK-LABEL: @split
// CHECK: tensor.extract_slice %{{.+}}[0, 0] [2, 3] [1, 1]
// CHECK: tensor.extract_slice %{{.+}}[0, 3] [2, 1] [1, 1]
func.func @split(%x: tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<2x1xf32>) {
  %s = onnx.Constant {value = dense<[3, 1]> : tensor<2xi64>} : () -> tensor<2xi64>
  %0:2 = onnx.Split %x, %s {axis = 1 : i64} : (tensor<2x4xf32>, tensor<2xi64>) -> (tensor<2x3xf32>, tensor<2x1xf32>)
  return %0#0, %0#1 : tensor<2x3xf32>, tensor<2x1xf32>
}

// -----

// CHECK-LABEL: @slice_forward
// CHECK: tensor.extract_slice %{{.+}}[0, 6] [2, 2] [1, 1]
func.func @slice_forward(%x: tensor<2x8xf32>) -> tensor<2x2xf32> {
  %s = onnx.Constant {value = dense<-2> : tensor<1xi64>} : () -> tensor<1xi64>
  %e = onnx.Constant {value = dense<100> : tensor<1xi64>} : () -> tensor<1xi64>
  %a = onnx.Constant {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
  %n = onnx.None : () -> none
  %0 = onnx.Slice %x, %s, %e, %a, %n : (tensor<2x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

// CHECK-LABEL: @slice_backward
// CHECK: linalg.generic
// CHECK: tensor.extract
func.func @slice_backward(%x: tensor<8xf32>) -> tensor<8xf32> {
  %s = onnx.Constant {value = dense<-1> : tensor<1xi64>} : () -> tensor<1xi64>
  %e = onnx.Constant {value = dense<-100> : tensor<1xi64>} : () -> tensor<1xi64>
  %n = onnx.None : () -> none
  %0 = onnx.Slice %x, %s, %e, %n, %s : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, none, tensor<1xi64>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// CHECK-LABEL: @pad
// CHECK: tensor.pad %{{.+}} low[1, 0] high[0, 2]
func.func @pad(%x: tensor<2x3xf32>) -> tensor<3x5xf32> {
  %p = onnx.Constant {value = dense<[1, 0, 0, 2]> : tensor<4xi64>} : () -> tensor<4xi64>
  %n = onnx.None : () -> none
  %0 = onnx.Pad %x, %p, %n, %n : (tensor<2x3xf32>, tensor<4xi64>, none, none) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// -----

// Nothing is computed for a result without elements.
// CHECK-LABEL: @empty
// CHECK-NEXT: %[[E:.+]] = tensor.empty() : tensor<0x3xf32>
// CHECK-NEXT: return %[[E]]
func.func @empty(%x: tensor<2x3xf32>) -> tensor<0x3xf32> {
  %s = onnx.Constant {value = dense<2> : tensor<1xi64>} : () -> tensor<1xi64>
  %n = onnx.None : () -> none
  %0 = onnx.Slice %x, %s, %s, %n, %n : (tensor<2x3xf32>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<0x3xf32>
  return %0 : tensor<0x3xf32>
}

// -----

// CHECK-LABEL: @concat_of_many_in_steps
// CHECK: tensor.empty() : tensor<32xf32>
// CHECK-COUNT-32: tensor.insert_slice {{.+}} into tensor<32xf32>
// CHECK: tensor.empty() : tensor<8xf32>
// CHECK-COUNT-8: tensor.insert_slice {{.+}} into tensor<8xf32>
// CHECK: tensor.insert_slice {{.+}}[0] [32] [1] : tensor<32xf32> into tensor<40xf32>
// CHECK: tensor.insert_slice {{.+}}[32] [8] [1] : tensor<8xf32> into tensor<40xf32>
func.func @concat_of_many_in_steps(%x: tensor<1xf32>) -> tensor<40xf32> {
  %0 = onnx.Concat %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x {axis = 0 : i64} : (tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<40xf32>
  return %0 : tensor<40xf32>
}
