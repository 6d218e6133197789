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

// CHECK-LABEL: func @ml_array_feature_extractor(
// CHECK: onnx.ml.ArrayFeatureExtractor
func.func @ml_array_feature_extractor(%x: tensor<?x4xf32>, %y: tensor<2xi64>) {
  %z = onnx.ml.ArrayFeatureExtractor %x, %y : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x2xf32>
  return
}

// CHECK-LABEL: func @ml_binarizer(
// CHECK: onnx.ml.Binarizer
func.func @ml_binarizer(%x: tensor<?x4xf32>) {
  %y = onnx.ml.Binarizer %x {threshold = 1.0 : f32} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// CHECK-LABEL: func @ml_feature_vectorizer(
// CHECK: onnx.ml.FeatureVectorizer
func.func @ml_feature_vectorizer(%a: tensor<?x2xf32>, %b: tensor<?x1xi64>) {
  %y = onnx.ml.FeatureVectorizer %a, %b {inputdimensions = array<i64: 2, 1>} : (tensor<?x2xf32>, tensor<?x1xi64>) -> tensor<?x3xf32>
  return
}

// CHECK-LABEL: func @ml_imputer(
// CHECK: onnx.ml.Imputer
func.func @ml_imputer(%x: tensor<?x4xf32>) {
  %y = onnx.ml.Imputer %x {imputed_value_floats = array<f32: 1.0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// CHECK-LABEL: func @ml_one_hot_encoder(
// CHECK: onnx.ml.OneHotEncoder
func.func @ml_one_hot_encoder(%x: tensor<?x4xi64>) {
  %y = onnx.ml.OneHotEncoder %x {cats_int64s = array<i64: 1, 2>} : (tensor<?x4xi64>) -> tensor<?x4x2xf32>
  return
}
