// RUN: lathe-opt %s --onnx-infer-shapes --onnx-fold-shapes | FileCheck %s

// CHECK-LABEL: func @static_shape(
// CHECK-NEXT: %[[C:.+]] = onnx.Constant {{.*}}dense<[2, 3]>
// CHECK-NEXT: return %[[C]]
func.func @static_shape(%x: tensor<2x3xf32>) -> tensor<*x!onnx.unknown> {
  %0 = onnx.Shape %x : (tensor<2x3xf32>) -> tensor<*x!onnx.unknown>
  return %0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @symbolic_shape_stays(
// CHECK: onnx.Shape
func.func @symbolic_shape_stays(%x: tensor<?x3xf32>) -> tensor<*x!onnx.unknown> {
  %0 = onnx.Shape %x : (tensor<?x3xf32>) -> tensor<*x!onnx.unknown>
  return %0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @known_element_of_a_symbolic_shape(
// CHECK-NEXT: %[[C:.+]] = onnx.Constant {{.*}}dense<3>
// CHECK-NEXT: return %[[C]]
func.func @known_element_of_a_symbolic_shape(%x: tensor<?x3xf32>) -> tensor<*x!onnx.unknown> {
  %i = onnx.Constant {value = dense<-1> : tensor<i64>} : () -> tensor<i64>
  %0 = onnx.Shape %x : (tensor<?x3xf32>) -> tensor<*x!onnx.unknown>
  %1 = onnx.Gather %0, %i : (tensor<*x!onnx.unknown>, tensor<i64>) -> tensor<*x!onnx.unknown>
  return %1 : tensor<*x!onnx.unknown>
}

// The branch for another rank contradicts itself and is never looked at.
// CHECK-LABEL: func @known_branch(
// CHECK-NEXT: %[[R:.+]] = onnx.Relu
// CHECK-NEXT: return %[[R]]
func.func @known_branch(%x: tensor<?x3xf32>) -> tensor<*x!onnx.unknown> {
  %two = onnx.Constant {value = dense<2> : tensor<i64>} : () -> tensor<i64>
  %shape = onnx.Shape %x : (tensor<?x3xf32>) -> tensor<*x!onnx.unknown>
  %rank = onnx.Size %shape : (tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
  %c = onnx.Equal %rank, %two : (tensor<*x!onnx.unknown>, tensor<i64>) -> tensor<*x!onnx.unknown>
  %0 = onnx.If %c : (tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown> {
    %1 = onnx.Transpose %x {perm = array<i64: 0, 2, 1>} : (tensor<?x3xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }, {
    %1 = onnx.Relu %x : (tensor<?x3xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }
  return %0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @float_that_is_not_exact_stays(
// CHECK: onnx.Cast
func.func @float_that_is_not_exact_stays() -> tensor<*x!onnx.unknown> {
  %0 = onnx.Constant {value = dense<16777217> : tensor<i64>} : () -> tensor<i64>
  %1 = onnx.Cast %0 {to = 1 : i64} : (tensor<i64>) -> tensor<*x!onnx.unknown>
  return %1 : tensor<*x!onnx.unknown>
}
