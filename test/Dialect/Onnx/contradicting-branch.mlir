// RUN: lathe-opt %s --split-input-file --verify-diagnostics --onnx-infer-shapes --onnx-fold-shapes | FileCheck %s

// Which branch is taken is known at run time only, and one of them is for other
// sizes: taking it is an error of the run.

// CHECK-LABEL: func @for_other_sizes(
// CHECK-SAME: %[[X:.+]]: tensor<2x3xf32>, %[[C:.+]]: tensor<i1>
// CHECK-NEXT: onnx.Require %[[C]], "expects sizes for which its condition is true: the other branch contradicts the sizes: {{.*}}(Add): expects shapes that broadcast, got sizes 3 and 4 in dimension 1" is true
// CHECK-NEXT: %[[R:.+]] = onnx.Relu %[[X]]
// CHECK-NEXT: return %[[R]]
func.func @for_other_sizes(%x: tensor<2x3xf32>, %c: tensor<i1>) -> tensor<*x!onnx.unknown> {
  %four = onnx.Constant {value = dense<1.0> : tensor<4xf32>} : () -> tensor<4xf32>
  // expected-warning @+1 {{'onnx.If' op its else branch contradicts the sizes and is an error when it is taken: (Add): expects shapes that broadcast, got sizes 3 and 4 in dimension 1}}
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*x!onnx.unknown> {
    %1 = onnx.Add %x, %four : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }, {
    %1 = onnx.Relu %x : (tensor<2x3xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }
  return %0 : tensor<*x!onnx.unknown>
}

// -----

// What a branch supposed before it contradicted itself constrains nothing.

// CHECK-LABEL: func @inside_of_a_branch(
// CHECK-NEXT: onnx.If
// CHECK-NEXT: onnx.Require {{.*}} is false
// CHECK-NEXT: onnx.Relu
// CHECK-NEXT: onnx.Yield
func.func @inside_of_a_branch(%x: tensor<?x3xf32>, %y: tensor<?x3xf32>, %c: tensor<i1>, %d: tensor<i1>) -> tensor<*x!onnx.unknown> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*x!onnx.unknown> {
    // expected-warning @+1 {{its then branch contradicts the sizes}}
    %1 = onnx.If %d : (tensor<i1>) -> tensor<*x!onnx.unknown> {
      %2 = onnx.Relu %x : (tensor<?x3xf32>) -> tensor<*x!onnx.unknown>
      onnx.Yield %2 : (tensor<*x!onnx.unknown>) -> ()
    }, {
      %2 = onnx.Add %x, %y : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<*x!onnx.unknown>
      %3 = onnx.Transpose %2 {perm = array<i64: 0, 2, 1>} : (tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
      onnx.Yield %3 : (tensor<*x!onnx.unknown>) -> ()
    }
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }, {
    %1 = onnx.Neg %x : (tensor<?x3xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }
  return %0 : tensor<*x!onnx.unknown>
}

// -----

func.func @neither(%x: tensor<2x3xf32>, %c: tensor<i1>) -> tensor<*x!onnx.unknown> {
  %four = onnx.Constant {value = dense<1.0> : tensor<4xf32>} : () -> tensor<4xf32>
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*x!onnx.unknown> {
    // expected-error @+1 {{expects shapes that broadcast, got sizes 3 and 4}}
    %1 = onnx.Add %x, %four : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }, {
    // expected-error @+1 {{expects shapes that broadcast, got sizes 3 and 4}}
    %1 = onnx.Mul %x, %four : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }
  return %0 : tensor<*x!onnx.unknown>
}
