// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @mean_keeps_dims
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]{{.*}} outs(%{{.+}} : tensor<2xf32>)
// CHECK: %[[N:.+]] = arith.constant 4.000000e+00
// CHECK: arith.divf %{{.+}}, %[[N]]
// CHECK: lathe.view %{{.+}} : tensor<2xf32> to tensor<2x1xf32>
func.func @mean_keeps_dims(%x: tensor<2x4xf32>) -> tensor<2x1xf32> {
  %a = onnx.Constant {value = dense<-1> : tensor<1xi64>} : () -> tensor<1xi64>
  %0 = onnx.ReduceMean %x, %a : (tensor<2x4xf32>, tensor<1xi64>) -> tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}

// -----

// CHECK-LABEL: @all_axes
// CHECK: iterator_types = ["reduction", "reduction"]
// CHECK-NOT: lathe.view
func.func @all_axes(%x: tensor<2x4xf32>) -> tensor<f32> {
  %n = onnx.None : () -> none
  %0 = onnx.ReduceSum %x, %n {keepdims = 0 : i64} : (tensor<2x4xf32>, none) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// The first of several: a later one has to be greater.
// CHECK-LABEL: @argmax
// CHECK: arith.cmpf olt
// CHECK: linalg.index 1
func.func @argmax(%x: tensor<2x4xf32>) -> tensor<2x1xi64> {
  %0 = onnx.ArgMax %x {axis = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x1xi64>
  return %0 : tensor<2x1xi64>
}
