// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-apply-states{states=past=present:max=8,h=n}))' | FileCheck %s

// The steps come first in the state; who reads it in the model's order reads a
// transposed view. The other state is written over at the end.
// CHECK: func.func @main(%[[PAST:[a-z0-9]+]]: tensor<?x2x4xf32>
// CHECK-SAME: lathe.dims = ["past", "", ""]
// CHECK-SAME: lathe.state = {axis = 1 : i64, input = 0 : i64, max = 8 : i64, output = 0 : i64}
// CHECK-SAME: %[[H:[a-z0-9]+]]: tensor<4xf32>
// CHECK-SAME: -> (tensor<?x2x4xf32>
// CHECK: %[[STEPS:.+]] = onnx.Transpose %{{.+}} {perm = array<i64: 1, 0, 2>}
// CHECK: %[[NEXT:.+]] = onnx.UpdateState %[[PAST]], %[[STEPS]] {appends = true}
// CHECK: %[[SEEN:.+]] = onnx.Transpose %[[NEXT]] {perm = array<i64: 1, 0, 2>}
// CHECK: onnx.Relu %[[SEEN]]
// CHECK: %[[N:.+]] = onnx.Tanh %[[H]]
// CHECK: %[[OVER:.+]] = onnx.UpdateState %[[H]], %[[N]] {appends = false}
// CHECK: return %[[NEXT]], %{{.+}}, %[[OVER]]
func.func @main(%past: tensor<2x?x4xf32> {lathe.dims = ["", "past", ""], lathe.name = "past"},
                %new: tensor<2x1x4xf32> {lathe.dims = ["", "", ""], lathe.name = "new"},
                %h: tensor<4xf32> {lathe.dims = [""], lathe.name = "h"})
    -> (tensor<2x?x4xf32> {lathe.name = "present"}, tensor<2x?x4xf32> {lathe.name = "y"}, tensor<4xf32> {lathe.name = "n"}) {
  %0 = onnx.Concat %past, %new {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
  %1 = onnx.Relu %0 : (tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  %2 = onnx.Tanh %h : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1, %2 : tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<4xf32>
}
