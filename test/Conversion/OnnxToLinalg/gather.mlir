// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// Indices may count from the end, and are limited to the range.
// CHECK-LABEL: @gather
// CHECK-SAME: %[[X:[^:]+]]: tensor<5x2xf32>
// CHECK: arith.select
// CHECK: arith.minsi
// CHECK: arith.maxsi
// CHECK: tensor.extract %[[X]]
func.func @gather(%x: tensor<5x2xf32>, %i: tensor<3xi64>) -> tensor<3x2xf32> {
  %0 = onnx.Gather %x, %i : (tensor<5x2xf32>, tensor<3xi64>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: @gather_constant
// CHECK: %[[S:.+]] = tensor.extract_slice %{{.+}}[4, 0] [1, 2] [1, 1]
// CHECK: lathe.view %[[S]] : tensor<1x2xf32> to tensor<2xf32>
func.func @gather_constant(%x: tensor<5x2xf32>) -> tensor<2xf32> {
  %i = onnx.Constant {value = dense<-1> : tensor<i64>} : () -> tensor<i64>
  %0 = onnx.Gather %x, %i : (tensor<5x2xf32>, tensor<i64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// A copy, into which the updates are put in order.
// CHECK-LABEL: @scatter
// CHECK: lathe.grid
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK: arith.addf
// CHECK: tensor.insert
func.func @scatter(%x: tensor<5xf32>, %i: tensor<3xi64>, %u: tensor<3xf32>) -> tensor<5xf32> {
  %0 = onnx.ScatterElements %x, %i, %u {reduction = "add"} : (tensor<5xf32>, tensor<3xi64>, tensor<3xf32>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

// A heap per row.
// CHECK-LABEL: @topk
// CHECK: lathe.grid
// CHECK: scf.while
// CHECK: : tensor<2x3xf32>, tensor<2x3xi64>
func.func @topk(%x: tensor<2x9xf32>) -> (tensor<2x3xf32>, tensor<2x3xi64>) {
  %k = onnx.Constant {value = dense<3> : tensor<1xi64>} : () -> tensor<1xi64>
  %0, %1 = onnx.TopK %x, %k : (tensor<2x9xf32>, tensor<1xi64>) -> (tensor<2x3xf32>, tensor<2x3xi64>)
  return %0, %1 : tensor<2x3xf32>, tensor<2x3xi64>
}
