// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Trees and support vectors of the domain ai.onnx.ml.

#ifndef LATHE_DIALECT_ONNX_IR_MLMODEL_TD
#define LATHE_DIALECT_ONNX_IR_MLMODEL_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_MlFeatures : Onnx_TensorOf<[F32, F64, I32, I64]>;
def Onnx_PostTransform
    : Onnx_DefaultWord<["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"], "NONE">;
def Onnx_SvmKernel
    : Onnx_DefaultWord<["LINEAR", "POLY", "RBF", "SIGMOID"], "LINEAR">;
def Onnx_Aggregate
    : Onnx_DefaultWord<["SUM", "AVERAGE", "MIN", "MAX"], "SUM">;
def Onnx_OptWords : OptionalAttr<StrArrayAttr>;
def Onnx_OptElements : OptionalAttr<ElementsAttr>;

// The nodes of the older forms: one list entry per node, leaves among them.
defvar Onnx_TreeNodes = (ins
    Onnx_OptFloats:$base_values, Onnx_OptElements:$base_values_as_tensor,
    Onnx_OptInts:$nodes_falsenodeids, Onnx_OptInts:$nodes_featureids,
    Onnx_OptFloats:$nodes_hitrates, Onnx_OptElements:$nodes_hitrates_as_tensor,
    Onnx_OptInts:$nodes_missing_value_tracks_true,
    Onnx_OptWords:$nodes_modes, Onnx_OptInts:$nodes_nodeids,
    Onnx_OptInts:$nodes_treeids, Onnx_OptInts:$nodes_truenodeids,
    Onnx_OptFloats:$nodes_values, Onnx_OptElements:$nodes_values_as_tensor,
    Onnx_PostTransform:$post_transform);

def Onnx_MlTreeEnsembleOp : Onnx_Op<"ml.TreeEnsemble"> {
  let summary = "Applies decision trees";
  let description = [{
    Each row of `X` walks down each tree; the weights of the leaves that it comes
    to are aggregated per target, then transformed. `nodes_modes` are the numbers
    of <=, <, >=, >, ==, != and set membership.
    https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html

    ```mlir
    %y = onnx.ml.TreeEnsemble %x {leaf_targetids = array<i64: 0, 0>, leaf_weights = dense<[1.0, 2.0]> : tensor<2xf32>, nodes_falseleafs = array<i64: 1>, nodes_falsenodeids = array<i64: 1>, nodes_featureids = array<i64: 0>, nodes_modes = dense<0> : tensor<1xui8>, nodes_splits = dense<0.5> : tensor<1xf32>, nodes_trueleafs = array<i64: 1>, nodes_truenodeids = array<i64: 0>, tree_roots = array<i64: 0>, n_targets = 1 : i64} : (tensor<?x2xf32>) -> tensor<?x1xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F16, F32, F64]>:$X,
      DefaultValuedAttr<ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<3>]>, "1">:$aggregate_function,
      DenseI64ArrayAttr:$leaf_targetids, ElementsAttr:$leaf_weights,
      Onnx_OptElements:$membership_values, OptionalAttr<I64Attr>:$n_targets,
      DenseI64ArrayAttr:$nodes_falseleafs,
      DenseI64ArrayAttr:$nodes_falsenodeids,
      DenseI64ArrayAttr:$nodes_featureids, Onnx_OptElements:$nodes_hitrates,
      Onnx_OptInts:$nodes_missing_value_tracks_true,
      ElementsAttr:$nodes_modes, ElementsAttr:$nodes_splits,
      DenseI64ArrayAttr:$nodes_trueleafs, DenseI64ArrayAttr:$nodes_truenodeids,
      DefaultValuedAttr<ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<4>]>, "0">:$post_transform,
      DenseI64ArrayAttr:$tree_roots);
  let results = (outs Onnx_TensorOf<[F16, F32, F64]>:$Y);
}

def Onnx_MlTreeEnsembleRegressorOp : Onnx_Op<"ml.TreeEnsembleRegressor"> {
  let summary = "Applies decision trees for regression";
  let description = [{
    As `onnx.ml.TreeEnsemble`, with nodes named by tree and number and the
    weights in `target_*`.
    https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html

    ```mlir
    %y = onnx.ml.TreeEnsembleRegressor %x {n_targets = 1 : i64, nodes_falsenodeids = array<i64: 0>, nodes_featureids = array<i64: 0>, nodes_modes = ["LEAF"], nodes_nodeids = array<i64: 0>, nodes_treeids = array<i64: 0>, nodes_truenodeids = array<i64: 0>, nodes_values = array<f32: 0.0>, target_ids = array<i64: 0>, target_nodeids = array<i64: 0>, target_treeids = array<i64: 0>, target_weights = array<f32: 1.0>} : (tensor<?x2xf32>) -> tensor<?x1xf32>
    ```
  }];
  let arguments = !con((ins Onnx_MlFeatures:$X,
                            Onnx_Aggregate:$aggregate_function,
                            OptionalAttr<I64Attr>:$n_targets,
                            Onnx_OptInts:$target_ids,
                            Onnx_OptInts:$target_nodeids,
                            Onnx_OptInts:$target_treeids,
                            Onnx_OptFloats:$target_weights,
                            Onnx_OptElements:$target_weights_as_tensor),
                       Onnx_TreeNodes);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

def Onnx_MlTreeEnsembleClassifierOp : Onnx_Op<"ml.TreeEnsembleClassifier"> {
  let summary = "Applies decision trees for classification";
  let description = [{
    Sums the weights in `class_*` of the leaves that a row comes to; `Y` is the
    label of the greatest score, `Z` are the scores. With one kind of weight only
    the two classes are its two sides.
    https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html

    ```mlir
    %y, %z = onnx.ml.TreeEnsembleClassifier %x {class_ids = array<i64: 0, 1>, class_nodeids = array<i64: 0, 0>, class_treeids = array<i64: 0, 0>, class_weights = array<f32: 1.0, 2.0>, classlabels_int64s = array<i64: 5, 6>, nodes_falsenodeids = array<i64: 0>, nodes_featureids = array<i64: 0>, nodes_modes = ["LEAF"], nodes_nodeids = array<i64: 0>, nodes_treeids = array<i64: 0>, nodes_truenodeids = array<i64: 0>, nodes_values = array<f32: 0.0>} : (tensor<?x2xf32>) -> (tensor<?xi64>, tensor<?x2xf32>)
    ```
  }];
  let arguments = !con((ins Onnx_MlFeatures:$X, Onnx_OptInts:$class_ids,
                            Onnx_OptInts:$class_nodeids,
                            Onnx_OptInts:$class_treeids,
                            Onnx_OptFloats:$class_weights,
                            Onnx_OptElements:$class_weights_as_tensor,
                            Onnx_OptInts:$classlabels_int64s,
                            Onnx_OptWords:$classlabels_strings),
                       Onnx_TreeNodes);
  let results = (outs Onnx_TensorOf<[I64, Onnx_StringType]>:$Y,
                      Onnx_TensorOf<[F32]>:$Z);
}

def Onnx_MlSVMRegressorOp : Onnx_Op<"ml.SVMRegressor"> {
  let summary = "Applies a support vector regression";
  let description = [{
    The kernels of `X` and the `n_supports` support vectors, times
    `coefficients`, plus `rho`; one linear function if there are no support
    vectors. `one_class` gives the sign.
    https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html

    ```mlir
    %y = onnx.ml.SVMRegressor %x {coefficients = array<f32: 1.0, 2.0>, rho = array<f32: 0.5>} : (tensor<?x2xf32>) -> tensor<?x1xf32>
    ```
  }];
  let arguments = (ins Onnx_MlFeatures:$X, Onnx_OptFloats:$coefficients,
                       Onnx_OptFloats:$kernel_params,
                       Onnx_SvmKernel:$kernel_type,
                       Onnx_Int<"0">:$n_supports, Onnx_Flag<"0">:$one_class,
                       Onnx_PostTransform:$post_transform, Onnx_OptFloats:$rho,
                       Onnx_OptFloats:$support_vectors);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

def Onnx_MlSVMClassifierOp : Onnx_Op<"ml.SVMClassifier"> {
  let summary = "Applies a support vector classifier";
  let description = [{
    One decision per pair of classes, by the support vectors of both; `Y` is the
    label with most votes or, with `prob_a` and `prob_b`, of the greatest
    probability (Wu, Lin and Weng, JMLR 5, 2004).
    https://onnx.ai/onnx/operators/onnx_aionnxml_SVMClassifier.html

    ```mlir
    %y, %z = onnx.ml.SVMClassifier %x {classlabels_ints = array<i64: 0, 1>, coefficients = array<f32: 1.0, -1.0>, kernel_params = array<f32: 0.5, 0.0, 3.0>, kernel_type = "RBF", rho = array<f32: 0.5>, support_vectors = array<f32: 1.0, 2.0, 3.0, 4.0>, vectors_per_class = array<i64: 1, 1>} : (tensor<?x2xf32>) -> (tensor<?xi64>, tensor<?x2xf32>)
    ```
  }];
  let arguments = (ins Onnx_MlFeatures:$X, Onnx_OptInts:$classlabels_ints,
                       Onnx_OptWords:$classlabels_strings,
                       Onnx_OptFloats:$coefficients,
                       Onnx_OptFloats:$kernel_params,
                       Onnx_SvmKernel:$kernel_type,
                       Onnx_PostTransform:$post_transform,
                       Onnx_OptFloats:$prob_a, Onnx_OptFloats:$prob_b,
                       Onnx_OptFloats:$rho, Onnx_OptFloats:$support_vectors,
                       Onnx_OptInts:$vectors_per_class);
  let results = (outs Onnx_TensorOf<[I64, Onnx_StringType]>:$Y,
                      Onnx_TensorOf<[F32]>:$Z);
}

#endif // LATHE_DIALECT_ONNX_IR_MLMODEL_TD
