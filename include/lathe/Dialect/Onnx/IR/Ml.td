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

defvar Onnx_MlNumbers = [F32, F64, I32, I64];

def Onnx_MlArrayFeatureExtractorOp : Onnx_Op<"ml.ArrayFeatureExtractor"> {
  let summary = "Takes columns by index";
  let description = [{
    The elements of the last dimension of `X` at the positions `Y`, all of whose
    elements count. A vector becomes a matrix of one row.
    https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html

    ```mlir
    %z = onnx.ml.ArrayFeatureExtractor %x, %y : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x2xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<!listconcat(Onnx_MlNumbers, [Onnx_StringType])>:$X,
                       Onnx_I64Tensor:$Y);
  let results = (outs Onnx_TensorOf<!listconcat(Onnx_MlNumbers, [Onnx_StringType])>:$Z);
}

def Onnx_MlBinarizerOp : Onnx_UnaryOp<"ml.Binarizer", Onnx_TensorOf<Onnx_MlNumbers>,
                            (ins Onnx_Float<"0.0f">:$threshold)> {
  let summary = "Gives one above a threshold";
  let description = [{
    1 where `X` is greater than `threshold`, else 0.
    https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html

    ```mlir
    %y = onnx.ml.Binarizer %x {threshold = 1.0 : f32} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
}

def Onnx_MlFeatureVectorizerOp : Onnx_Op<"ml.FeatureVectorizer"> {
  let summary = "Puts columns of several tensors side by side";
  let description = [{
    The first `inputdimensions[i]` columns of input `i`, as f32; all columns
    where the attribute is omitted. A vector is a matrix of one row.
    https://onnx.ai/onnx/operators/onnx_aionnxml_FeatureVectorizer.html

    ```mlir
    %y = onnx.ml.FeatureVectorizer %a, %b {inputdimensions = array<i64: 2, 1>} : (tensor<?x2xf32>, tensor<?x1xi64>) -> tensor<?x3xf32>
    ```
  }];
  let arguments = (ins Variadic<Onnx_TensorOf<Onnx_MlNumbers>>:$X,
                       Onnx_OptInts:$inputdimensions);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

def Onnx_MlImputerOp : Onnx_UnaryOp<"ml.Imputer", Onnx_TensorOf<Onnx_MlNumbers>,
    (ins Onnx_OptFloats:$imputed_value_floats,
         Onnx_OptInts:$imputed_value_int64s,
         Onnx_Float<"0.0f">:$replaced_value_float,
         Onnx_Int<"0">:$replaced_value_int64)> {
  let summary = "Replaces one value by others";
  let description = [{
    Where an element equals `replaced_value` (NaN equals NaN) it becomes the
    imputed value, one number or one per feature.
    https://onnx.ai/onnx/operators/onnx_aionnxml_Imputer.html

    ```mlir
    %y = onnx.ml.Imputer %x {imputed_value_floats = array<f32: 1.0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
}

def Onnx_MlOneHotEncoderOp : Onnx_Op<"ml.OneHotEncoder"> {
  let summary = "Marks categories";
  let description = [{
    A new last dimension holds 1 at the category that the element equals and 0
    elsewhere. An element of no category is an error unless `zeros`.
    https://onnx.ai/onnx/operators/onnx_aionnxml_OneHotEncoder.html

    ```mlir
    %y = onnx.ml.OneHotEncoder %x {cats_int64s = array<i64: 1, 2>} : (tensor<?x4xi64>) -> tensor<?x4x2xf32>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<!listconcat(Onnx_MlNumbers, [Onnx_StringType])>:$X,
                       Onnx_OptInts:$cats_int64s,
                       OptionalAttr<StrArrayAttr>:$cats_strings,
                       Onnx_Flag<"1">:$zeros);
  let results = (outs Onnx_TensorOf<[F32]>:$Y);
}

#endif // LATHE_DIALECT_ONNX_IR_ML_TD
