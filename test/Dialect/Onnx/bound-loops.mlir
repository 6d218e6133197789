// RUN: lathe-opt %s --onnx-infer-shapes --onnx-bound-loops | FileCheck %s

// The counter goes 0, 1, 2 and the condition `counter + 1 < 3` ends the third step.

// CHECK-LABEL: @counts_a_while_loop
// CHECK: %[[M:.+]] = onnx.Constant {value = dense<3> : tensor<i64>}
// CHECK-NEXT: %[[TRUE:.+]] = onnx.Constant {value = dense<true> : tensor<i1>}
// CHECK: onnx.Loop %[[M]], %[[TRUE]]
// CHECK: onnx.Yield %[[TRUE]]
func.func @counts_a_while_loop(%x: tensor<2xf32>) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  %true = onnx.Constant {value = dense<true> : tensor<i1>} : () -> tensor<i1>
  %zero = onnx.Constant {value = dense<0> : tensor<i32>} : () -> tensor<i32>
  %one = onnx.Constant {value = dense<1> : tensor<i32>} : () -> tensor<i32>
  %three = onnx.Constant {value = dense<3> : tensor<i32>} : () -> tensor<i32>
  %r:2 = onnx.Loop %none, %true, %zero, %x : (none, tensor<i1>, tensor<i32>, tensor<2xf32>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) {
  ^bb0(%i: tensor<*x!onnx.unknown>, %go: tensor<*x!onnx.unknown>, %n: tensor<*x!onnx.unknown>, %v: tensor<*x!onnx.unknown>):
    %next = onnx.Add %n, %one : (tensor<*x!onnx.unknown>, tensor<i32>) -> tensor<*x!onnx.unknown>
    %again = onnx.Less %next, %three : (tensor<*x!onnx.unknown>, tensor<i32>) -> tensor<*x!onnx.unknown>
    %w = onnx.Add %v, %v : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
    onnx.Yield %again, %next, %w : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) -> ()
  }
  return %r#1 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: @not_where_data_decides
// CHECK: onnx.Loop %{{.+}}, %{{.+}}, %arg0
// CHECK: %[[AGAIN:.+]] = onnx.Less
// CHECK: onnx.Yield %[[AGAIN]]
func.func @not_where_data_decides(%x: tensor<f32>) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  %true = onnx.Constant {value = dense<true> : tensor<i1>} : () -> tensor<i1>
  %ten = onnx.Constant {value = dense<10.0> : tensor<f32>} : () -> tensor<f32>
  %r = onnx.Loop %none, %true, %x : (none, tensor<i1>, tensor<f32>) -> tensor<*x!onnx.unknown> {
  ^bb0(%i: tensor<*x!onnx.unknown>, %go: tensor<*x!onnx.unknown>, %v: tensor<*x!onnx.unknown>):
    %w = onnx.Add %v, %v : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
    %again = onnx.Less %w, %ten : (tensor<*x!onnx.unknown>, tensor<f32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %again, %w : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) -> ()
  }
  return %r : tensor<*x!onnx.unknown>
}
