// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @regressor
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: arith.addf
// CHECK: iterator_types = ["parallel", "parallel"]
func.func @regressor(%x: tensor<3x2xf32>) -> tensor<3x1xf32> {
  %0 = onnx.ml.LinearRegressor %x {coefficients = array<f32: 1.0, 2.0>, intercepts = array<f32: 0.5>} : (tensor<3x2xf32>) -> tensor<3x1xf32>
  return %0 : tensor<3x1xf32>
}

// -----

// CHECK-LABEL: @scaler
// CHECK: arith.subf
// CHECK: arith.mulf
func.func @scaler(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %0 = onnx.ml.Scaler %x {offset = array<f32: 1.0, 2.0>, scale = array<f32: 3.0>} : (tensor<3x2xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: @classifier
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: math.exp
// CHECK: arith.constant dense<[7, 9]> : tensor<2xi64>
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: arith.cmpf olt
func.func @classifier(%x: tensor<3x2xf32>) -> (tensor<3xi64>, tensor<3x2xf32>) {
  %0, %1 = onnx.ml.LinearClassifier %x {coefficients = array<f32: 1.0, 2.0, 3.0, 4.0>, classlabels_ints = array<i64: 7, 9>, post_transform = "LOGISTIC"} : (tensor<3x2xf32>) -> (tensor<3xi64>, tensor<3x2xf32>)
  return %0, %1 : tensor<3xi64>, tensor<3x2xf32>
}
