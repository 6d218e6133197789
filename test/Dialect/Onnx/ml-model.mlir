// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @ml_tree_ensemble(
// CHECK: onnx.ml.TreeEnsemble
func.func @ml_tree_ensemble(%x: tensor<?x2xf32>) {
  %y = onnx.ml.TreeEnsemble %x {leaf_targetids = array<i64: 0, 0>, leaf_weights = dense<[1.0, 2.0]> : tensor<2xf32>, nodes_falseleafs = array<i64: 1>, nodes_falsenodeids = array<i64: 1>, nodes_featureids = array<i64: 0>, nodes_modes = dense<0> : tensor<1xui8>, nodes_splits = dense<0.5> : tensor<1xf32>, nodes_trueleafs = array<i64: 1>, nodes_truenodeids = array<i64: 0>, tree_roots = array<i64: 0>, n_targets = 1 : i64} : (tensor<?x2xf32>) -> tensor<?x1xf32>
  return
}

// CHECK-LABEL: func @ml_tree_ensemble_regressor(
// CHECK: onnx.ml.TreeEnsembleRegressor
func.func @ml_tree_ensemble_regressor(%x: tensor<?x2xf32>) {
  %y = onnx.ml.TreeEnsembleRegressor %x {n_targets = 1 : i64, nodes_falsenodeids = array<i64: 0>, nodes_featureids = array<i64: 0>, nodes_modes = ["LEAF"], nodes_nodeids = array<i64: 0>, nodes_treeids = array<i64: 0>, nodes_truenodeids = array<i64: 0>, nodes_values = array<f32: 0.0>, target_ids = array<i64: 0>, target_nodeids = array<i64: 0>, target_treeids = array<i64: 0>, target_weights = array<f32: 1.0>} : (tensor<?x2xf32>) -> tensor<?x1xf32>
  return
}

// CHECK-LABEL: func @ml_tree_ensemble_classifier(
// CHECK: onnx.ml.TreeEnsembleClassifier
func.func @ml_tree_ensemble_classifier(%x: tensor<?x2xf32>) {
  %y, %z = onnx.ml.TreeEnsembleClassifier %x {class_ids = array<i64: 0, 1>, class_nodeids = array<i64: 0, 0>, class_treeids = array<i64: 0, 0>, class_weights = array<f32: 1.0, 2.0>, classlabels_int64s = array<i64: 5, 6>, nodes_falsenodeids = array<i64: 0>, nodes_featureids = array<i64: 0>, nodes_modes = ["LEAF"], nodes_nodeids = array<i64: 0>, nodes_treeids = array<i64: 0>, nodes_truenodeids = array<i64: 0>, nodes_values = array<f32: 0.0>} : (tensor<?x2xf32>) -> (tensor<?xi64>, tensor<?x2xf32>)
  return
}

// CHECK-LABEL: func @ml_svmregressor(
// CHECK: onnx.ml.SVMRegressor
func.func @ml_svmregressor(%x: tensor<?x2xf32>) {
  %y = onnx.ml.SVMRegressor %x {coefficients = array<f32: 1.0, 2.0>, rho = array<f32: 0.5>} : (tensor<?x2xf32>) -> tensor<?x1xf32>
  return
}

// CHECK-LABEL: func @ml_svmclassifier(
// CHECK: onnx.ml.SVMClassifier
func.func @ml_svmclassifier(%x: tensor<?x2xf32>) {
  %y, %z = onnx.ml.SVMClassifier %x {classlabels_ints = array<i64: 0, 1>, coefficients = array<f32: 1.0, -1.0>, kernel_params = array<f32: 0.5, 0.0, 3.0>, kernel_type = "RBF", rho = array<f32: 0.5>, support_vectors = array<f32: 1.0, 2.0, 3.0, 4.0>, vectors_per_class = array<i64: 1, 1>} : (tensor<?x2xf32>) -> (tensor<?xi64>, tensor<?x2xf32>)
  return
}
