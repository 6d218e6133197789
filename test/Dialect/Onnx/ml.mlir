// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @ml__linear_regressor(
// CHECK: onnx.ml.LinearRegressor 
func.func @ml__linear_regressor(%x: tensor<?x2xf32>) {
  %y = onnx.ml.LinearRegressor %x {coefficients = array<f32: 1.0, 2.0>}
      : (tensor<?x2xf32>)
     -> tensor<?x1xf32>
  return
}

// CHECK-LABEL: func @ml__linear_classifier(
// CHECK: onnx.ml.LinearClassifier 
func.func @ml__linear_classifier(%x: tensor<?x2xf32>) {
  %y, %z = onnx.ml.LinearClassifier %x {coefficients = array<f32: 1.0, 2.0, 3.0, 4.0>, classlabels_ints = array<i64: 0, 1>}
      : (tensor<?x2xf32>)
     -> (tensor<?xi64>, tensor<?x2xf32>)
  return
}

// CHECK-LABEL: func @ml__scaler(
// CHECK: onnx.ml.Scaler 
func.func @ml__scaler(%x: tensor<?x2xf32>) {
  %y = onnx.ml.Scaler %x {offset = array<f32: 1.0>, scale = array<f32: 2.0>}
      : (tensor<?x2xf32>)
     -> tensor<?x2xf32>
  return
}

// CHECK-LABEL: func @ml__normalizer(
// CHECK: onnx.ml.Normalizer 
func.func @ml__normalizer(%x: tensor<?x2xf32>) {
  %y = onnx.ml.Normalizer %x
      : (tensor<?x2xf32>)
     -> tensor<?x2xf32>
  return
}
