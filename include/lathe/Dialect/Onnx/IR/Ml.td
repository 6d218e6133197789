// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operators of the domain ai.onnx.ml.

#ifndef LATHE_DIALECT_ONNX_IR_ML_TD
#define LATHE_DIALECT_ONNX_IR_ML_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_MlLinearRegressorOp : Onnx_Op<"ml.LinearRegressor"> {
  let summary = "Applies a linear regression";
  let description = [{
    `X * coefficients' + intercepts` for `targets` targets, then
    `post_transform`.
    https://onnx.ai/onnx/operators/onnx_aionnxml_LinearRegressor.html

    ```mlir
    %y = onnx.ml.LinearRegressor %x {coefficients = array<f32: 1.0, 2.0>} : (tensor<?x2xf32>) -> tensor<?x1xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, I32, I64]>:$X,
                       Onnx_OptFloats:$coefficients,
                       Onnx_OptFloats:$intercepts,
                       Onnx_DefaultWord<["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"], "NONE">:$post_transform,
                       Onnx_Int<"1">:$targets);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

def Onnx_MlLinearClassifierOp : Onnx_Op<"ml.LinearClassifier"> {
  let summary = "Applies a linear classifier";
  let description = [{
    Scores per class, `X * coefficients' + intercepts`, and the label of the
    greatest.
    https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html

    ```mlir
    %y, %z = onnx.ml.LinearClassifier %x {coefficients = array<f32: 1.0, 2.0, 3.0, 4.0>, classlabels_ints = array<i64: 0, 1>} : (tensor<?x2xf32>) -> (tensor<?xi64>, tensor<?x2xf32>)
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, I32, I64]>:$X,
                       Onnx_OptInts:$classlabels_ints,
                       OptionalAttr<StrArrayAttr>:$classlabels_strings,
                       DenseF32ArrayAttr:$coefficients,
                       Onnx_OptFloats:$intercepts,
                       Onnx_Int<"0">:$multi_class,
                       Onnx_DefaultWord<["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"], "NONE">:$post_transform);
  let results = (outs Onnx_TensorOf<[I64, Onnx_StringType]>:$Y,
                      Onnx_TensorOf<[F32]>:$Z);
}

def Onnx_MlScalerOp : Onnx_Op<"ml.Scaler", "sameShapeF32(ctx)"> {
  let summary = "Shifts and scales features";
  let description = [{
    `(X - offset) * scale`, each with one number or one per feature.
    https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html

    ```mlir
    %y = onnx.ml.Scaler %x {offset = array<f32: 1.0>, scale = array<f32: 2.0>} : (tensor<?x2xf32>) -> tensor<?x2xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, I32, I64]>:$X,
                       Onnx_OptFloats:$offset,
                       Onnx_OptFloats:$scale);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

def Onnx_MlNormalizerOp : Onnx_Op<"ml.Normalizer", "sameShapeF32(ctx)"> {
  let summary = "Normalizes rows";
  let description = [{
    Divides each row by its greatest, its sum or its Euclidean norm.
    https://onnx.ai/onnx/operators/onnx_aionnxml_Normalizer.html

    ```mlir
    %y = onnx.ml.Normalizer %x : (tensor<?x2xf32>) -> tensor<?x2xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32, F64, I32, I64]>:$X,
                       Onnx_DefaultWord<["MAX", "L1", "L2"], "MAX">:$norm);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

#endif // LATHE_DIALECT_ONNX_IR_ML_TD
