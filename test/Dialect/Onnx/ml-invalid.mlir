// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-infer-shapes))' --split-input-file --verify-diagnostics

func.func @one_hot_without_categories(%x: tensor<2xi64>) {
  // expected-error @below {{expects either cats_int64s or cats_strings, got neither}}
  %y = onnx.ml.OneHotEncoder %x : (tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @feature_vectorizer_widths(%a: tensor<?x2xf32>) {
  // expected-error @below {{expects inputdimensions in [0, 2] for operand #0, got 3}}
  %y = onnx.ml.FeatureVectorizer %a {inputdimensions = array<i64: 3>} : (tensor<?x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @regressor_without_targets(%x: tensor<?x2xf32>) {
  // expected-error @below {{expects n_targets in [1, 2^31), got none}}
  %y = onnx.ml.TreeEnsembleRegressor %x : (tensor<?x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @classifier_without_labels(%x: tensor<?x2xf32>) {
  // expected-error @below {{expects class labels that are either integers or strings, got neither}}
  %y, %z = onnx.ml.TreeEnsembleClassifier %x : (tensor<?x2xf32>) -> (tensor<*xi64>, tensor<*xf32>)
  return
}
