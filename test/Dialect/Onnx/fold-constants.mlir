// RUN: lathe-opt %s --split-input-file --onnx-fold-constants | FileCheck %s
// RUN: lathe-opt %s --split-input-file --onnx-fold-constants="free-bytes=16" | FileCheck %s --check-prefix=LARGE

// CHECK-LABEL: @chain
// CHECK: %[[C:.+]] = onnx.Constant {value = dense<[2.000000e+00, 5.000000e+00]> : tensor<2xf32>}
// CHECK-NEXT: onnx.Mul %{{.+}}, %[[C]]
// CHECK-NOT: onnx.Sqrt
func.func @chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = onnx.Constant {value = dense<[1.0, 16.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %1 = onnx.Constant {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %2 = onnx.Sqrt %0 : (tensor<2xf32>) -> tensor<2xf32>
  %3 = onnx.Add %2, %1 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %4 = onnx.Mul %x, %3 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %4 : tensor<2xf32>
}

// -----

// CHECK-LABEL: @several_at_once
// CHECK-DAG: onnx.Constant {value = dense<[true, false, true]> : tensor<3xi1>}
// CHECK-DAG: onnx.Constant {value = dense<[-1, 2, -3]> : tensor<3xi64>}
// CHECK: return
func.func @several_at_once() -> (tensor<3xi1>, tensor<3xi64>) {
  %0 = onnx.Constant {value = dense<[1, -2, 3]> : tensor<3xi64>} : () -> tensor<3xi64>
  %1 = onnx.Constant {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %2 = onnx.Greater %0, %1 : (tensor<3xi64>, tensor<i64>) -> tensor<3xi1>
  %3 = onnx.Neg %0 : (tensor<3xi64>) -> tensor<3xi64>
  return %2, %3 : tensor<3xi1>, tensor<3xi64>
}

// -----

// CHECK-LABEL: @equal_elements_are_one
// CHECK: onnx.Constant {value = dense<3.000000e+00> : tensor<100x100xf32>}
func.func @equal_elements_are_one() -> tensor<100x100xf32> {
  %0 = onnx.Constant {value = dense<1.0> : tensor<100x100xf32>} : () -> tensor<100x100xf32>
  %1 = onnx.Constant {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %2 = onnx.Add %0, %1 : (tensor<100x100xf32>, tensor<f32>) -> tensor<100x100xf32>
  return %2 : tensor<100x100xf32>
}

// -----

// LARGE-LABEL: @not_what_grows
// LARGE: %[[C:.+]] = onnx.Constant {value = dense<[-1.000000e+00, {{.+}}> : tensor<4xf32>}
// LARGE-NEXT: onnx.Expand %[[C]]
// CHECK-LABEL: @not_what_grows
// CHECK-NOT: onnx.Expand
func.func @not_what_grows() -> tensor<8x4xf32> {
  %0 = onnx.Constant {value = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  %shape = onnx.Constant {value = dense<[8, 4]> : tensor<2xi64>} : () -> tensor<2xi64>
  %1 = onnx.Neg %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = onnx.Expand %1, %shape : (tensor<4xf32>, tensor<2xi64>) -> tensor<8x4xf32>
  return %2 : tensor<8x4xf32>
}

// -----

// LARGE-LABEL: @weights_of_half_the_width
// LARGE: onnx.Constant {value = dense<[1.000000e+00, {{.+}}]> : tensor<8xf32>}
// LARGE-NOT: onnx.Cast
// LARGE: onnx.Mul
func.func @weights_of_half_the_width(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = onnx.Constant {value = dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf16>} : () -> tensor<8xf16>
  %1 = onnx.Cast %0 {to = 1 : i64} : (tensor<8xf16>) -> tensor<8xf32>
  %2 = onnx.Mul %x, %1 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %2 : tensor<8xf32>
}

// -----

// LARGE-LABEL: @not_what_a_recipe_serves
// LARGE: %[[C:.+]] = onnx.Constant {value = dense<{{\[\[}}-1.000000e+00, {{.+}}> : tensor<2x3xf32>}
// LARGE-NEXT: onnx.Transpose %[[C]]
// CHECK-LABEL: @not_what_a_recipe_serves
// CHECK-NOT: onnx.Transpose
func.func @not_what_a_recipe_serves() -> tensor<3x2xf32> {
  %0 = onnx.Constant {value = dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>} : () -> tensor<2x3xf32>
  %1 = onnx.Neg %0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = onnx.Transpose %1 {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %2 : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: @not_with_an_input
// CHECK: onnx.Add
func.func @not_with_an_input(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = onnx.Constant {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %1 = onnx.Add %x, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

// CHECK-LABEL: @not_where_the_size_depends_on_data
// CHECK: onnx.NonZero
func.func @not_where_the_size_depends_on_data() -> tensor<1x?xi64> {
  %0 = onnx.Constant {value = dense<[1.0, 0.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %1 = onnx.NonZero %0 : (tensor<2xf32>) -> tensor<1x?xi64>
  return %1 : tensor<1x?xi64>
}
