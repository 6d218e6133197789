// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @bools
// CHECK: lathe.weight dense<[1, 0, 1]> : tensor<3xi8> : tensor<3xi8>
func.func @bools() -> tensor<3xi1> {
  %0 = onnx.Constant {value = dense<[true, false, true]> : tensor<3xi1>} : () -> tensor<3xi1>
  return %0 : tensor<3xi1>
}

// -----

// CHECK-LABEL: @splat
// CHECK: arith.constant dense<1.000000e+00> : tensor<100x100xf32>
func.func @splat() -> tensor<100x100xf32> {
  %0 = onnx.Constant {value = dense<1.0> : tensor<100x100xf32>} : () -> tensor<100x100xf32>
  return %0 : tensor<100x100xf32>
}

// -----

// CHECK-LABEL: @unsigned
// CHECK: lathe.weight {{.+}} : tensor<3x3xi64> : tensor<3x3xi64>
func.func @unsigned() -> tensor<3x3xui64> {
  %0 = onnx.Constant {value = dense<[[1, 2, 3], [4, 5, 6], [7, 8, 9]]> : tensor<3x3xui64>} : () -> tensor<3x3xui64>
  return %0 : tensor<3x3xui64>
}

// -----

// What only says a shape vanishes.
// CHECK-LABEL: @reshape
// CHECK-NEXT: lathe.view
// CHECK-NEXT: return
func.func @reshape(%x: tensor<2x3xf32>) -> tensor<6xf32> {
  %s = onnx.Constant {value = dense<-1> : tensor<1xi64>} : () -> tensor<1xi64>
  %0 = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<6xf32>
  return %0 : tensor<6xf32>
}
