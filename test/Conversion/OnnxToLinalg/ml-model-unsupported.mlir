// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' --verify-diagnostics

func.func @lists_of_unequal_length(%x: tensor<3x2xf32>) -> tensor<3x1xf32> {
  // expected-error @below {{expected 1 elements in nodes_truenodeids, got 2}}
  %y = onnx.ml.TreeEnsemble %x {leaf_targetids = array<i64: 0, 0>, leaf_weights = dense<[1.0, 2.0]> : tensor<2xf32>, nodes_falseleafs = array<i64: 1>, nodes_falsenodeids = array<i64: 1>, nodes_featureids = array<i64: 0>, nodes_modes = dense<0> : tensor<1xui8>, nodes_splits = dense<0.5> : tensor<1xf32>, nodes_trueleafs = array<i64: 1>, nodes_truenodeids = array<i64: 0, 1>, tree_roots = array<i64: 0>, n_targets = 1 : i64} : (tensor<3x2xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// -----

func.func @leaf_out_of_range(%x: tensor<3x2xf32>) -> tensor<3x1xf32> {
  // expected-error @below {{expected numbers of leaves in [0, 2), got 7}}
  %y = onnx.ml.TreeEnsemble %x {leaf_targetids = array<i64: 0, 0>, leaf_weights = dense<[1.0, 2.0]> : tensor<2xf32>, nodes_falseleafs = array<i64: 1>, nodes_falsenodeids = array<i64: 7>, nodes_featureids = array<i64: 0>, nodes_modes = dense<0> : tensor<1xui8>, nodes_splits = dense<0.5> : tensor<1xf32>, nodes_trueleafs = array<i64: 1>, nodes_truenodeids = array<i64: 0>, tree_roots = array<i64: 0>, n_targets = 1 : i64} : (tensor<3x2xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// -----

func.func @feature_out_of_range(%x: tensor<3x2xf32>) -> tensor<3x1xf32> {
  // expected-error @below {{expected nodes_featureids in [0, 2), got 2}}
  %y = onnx.ml.TreeEnsemble %x {leaf_targetids = array<i64: 0, 0>, leaf_weights = dense<[1.0, 2.0]> : tensor<2xf32>, nodes_falseleafs = array<i64: 1>, nodes_falsenodeids = array<i64: 1>, nodes_featureids = array<i64: 2>, nodes_modes = dense<0> : tensor<1xui8>, nodes_splits = dense<0.5> : tensor<1xf32>, nodes_trueleafs = array<i64: 1>, nodes_truenodeids = array<i64: 0>, tree_roots = array<i64: 0>, n_targets = 1 : i64} : (tensor<3x2xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// -----

func.func @node_in_a_circle(%x: tensor<3x2xf32>) -> tensor<3x1xf32> {
  // expected-error @below {{expected trees, got node 0 with two parents}}
  %y = onnx.ml.TreeEnsemble %x {leaf_targetids = array<i64: 0, 0>, leaf_weights = dense<[1.0, 2.0]> : tensor<2xf32>, nodes_falseleafs = array<i64: 1>, nodes_falsenodeids = array<i64: 1>, nodes_featureids = array<i64: 0>, nodes_modes = dense<0> : tensor<1xui8>, nodes_splits = dense<0.5> : tensor<1xf32>, nodes_trueleafs = array<i64: 0>, nodes_truenodeids = array<i64: 0>, tree_roots = array<i64: 0>, n_targets = 1 : i64} : (tensor<3x2xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// -----

func.func @membership_without_end(%x: tensor<3x2xf32>) -> tensor<3x1xf32> {
  // expected-error @below {{expected membership_values with an end for each membership test, got too few}}
  %y = onnx.ml.TreeEnsemble %x {leaf_targetids = array<i64: 0, 0>, leaf_weights = dense<[1.0, 2.0]> : tensor<2xf32>, nodes_falseleafs = array<i64: 1>, nodes_falsenodeids = array<i64: 1>, nodes_featureids = array<i64: 0>, nodes_modes = dense<6> : tensor<1xui8>, nodes_splits = dense<0.5> : tensor<1xf32>, nodes_trueleafs = array<i64: 1>, nodes_truenodeids = array<i64: 0>, tree_roots = array<i64: 0>, n_targets = 1 : i64} : (tensor<3x2xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// -----

func.func @svm_coefficients(%x: tensor<3x2xf32>) -> tensor<3x1xf32> {
  // expected-error @below {{expected 2 coefficients, got 1}}
  %y = onnx.ml.SVMRegressor %x {coefficients = array<f32: 1.0>, rho = array<f32: 0.5>} : (tensor<3x2xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// -----

func.func @normalizer_of_a_scalar(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @below {{(Normalizer): expected rows of features as input 0, got a scalar}}
  %y = onnx.ml.Normalizer %x : (tensor<f32>) -> tensor<f32>
  return %y : tensor<f32>
}
