// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operators of ai.onnx.ml for maps, categories and labels.

#ifndef LATHE_DIALECT_ONNX_IR_MLMAP_TD
#define LATHE_DIALECT_ONNX_IR_MLMAP_TD

include "lathe/Dialect/Onnx/IR/OnnxBase.td"

def Onnx_MlZipMapOp : Onnx_Op<"ml.ZipMap"> {
  let summary = "Makes maps of rows";
  let description = [{
    One per row of `X`: from the class labels to the row's elements.
    [C1] There are labels of one kind, as many as columns.
    [C2] `X` has one or two dimensions.
    https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html

    ```mlir
    %z = onnx.ml.ZipMap %x {classlabels_int64s = array<i64: 0, 1>} : (tensor<?x2xf32>) -> !onnx.seq<!onnx.map<i64, tensor<f32>>>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[F32]>:$X,
                       Onnx_OptInts:$classlabels_int64s,
                       OptionalAttr<StrArrayAttr>:$classlabels_strings);
  let results = (outs Onnx_Sequence:$Z);
}

def Onnx_MlCastMapOp : Onnx_Op<"ml.CastMap"> {
  let summary = "Makes a tensor of a map's values";
  let description = [{
    In the order of the keys with `map_form` DENSE; else at the places that the
    keys name, among `max_map`, with zeros elsewhere.
    [C1] A `SPARSE` form has a positive `max_map`.
    https://onnx.ai/onnx/operators/onnx_aionnxml_CastMap.html

    ```mlir
    %y = onnx.ml.CastMap %x {map_form = "SPARSE", max_map = 4 : i64} : (!onnx.map<i64, tensor<f32>>) -> tensor<1x4xf32>
    ```
  }];
  let arguments = (ins Onnx_Map:$X,
      Onnx_DefaultWord<["TO_FLOAT", "TO_STRING", "TO_INT64"], "TO_FLOAT">:$cast_to,
      Onnx_DefaultWord<["DENSE", "SPARSE"], "DENSE">:$map_form,
      Onnx_Int<"1">:$max_map);
  let results = (outs Onnx_TensorOf<[F32, I64, Onnx_StringType]>:$Y);
}

def Onnx_MlDictVectorizerOp : Onnx_Op<"ml.DictVectorizer"> {
  let summary = "Makes a tensor of a map's values by a vocabulary";
  let description = [{
    Element `i` is the value of the vocabulary's key `i`, or zero.
    [C1] There is one vocabulary, of the keys' kind.
    https://onnx.ai/onnx/operators/onnx_aionnxml_DictVectorizer.html

    ```mlir
    %y = onnx.ml.DictVectorizer %x {int64_vocabulary = array<i64: 3, 5>} : (!onnx.map<i64, tensor<f32>>) -> tensor<1x2xf32>
    ```
  }];
  let arguments = (ins Onnx_Map:$X, Onnx_OptInts:$int64_vocabulary,
                       OptionalAttr<StrArrayAttr>:$string_vocabulary);
  let results = (outs Onnx_TensorOf<[F32, F64, I64, Onnx_StringType]>:$Y);
}

def Onnx_MlCategoryMapperOp : Onnx_Op<"ml.CategoryMapper"> {
  let summary = "Turns text into numbers or back";
  let description = [{
    By two lists of the same length; what is not found becomes the default.
    [C1] Both lists have one length.
    https://onnx.ai/onnx/operators/onnx_aionnxml_CategoryMapper.html

    ```mlir
    %y = onnx.ml.CategoryMapper %x {cats_int64s = array<i64: 1, 2>, cats_strings = ["a", "b"]} : (tensor<3x!onnx.string>) -> tensor<3xi64>
    ```
  }];
  let arguments = (ins Onnx_TensorOf<[I64, Onnx_StringType]>:$X,
                       Onnx_OptInts:$cats_int64s,
                       OptionalAttr<StrArrayAttr>:$cats_strings,
                       Onnx_Int<"-1">:$default_int64,
                       DefaultValuedStrAttr<StrAttr, "_Unused">:$default_string);
  let results = (outs Onnx_TensorOf<[I64, Onnx_StringType]>:$Y);
}

def Onnx_MlLabelEncoderOp : Onnx_Op<"ml.LabelEncoder"> {
  let summary = "Replaces elements by a table";
  let description = [{
    By lists of keys and values of the same length; what is not found becomes the
    default. A NaN among the keys is found by a NaN.
    [C1] There is one list of keys and one of values, of one length.
    https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html

    ```mlir
    %y = onnx.ml.LabelEncoder %x {keys_strings = ["a", "b"], values_int64s = array<i64: 1, 2>} : (tensor<3x!onnx.string>) -> tensor<3xi64>
    ```
  }];
  let arguments = (ins
      Onnx_TensorOf<[F32, F64, I16, I32, I64, Onnx_StringType]>:$X,
      OptionalAttr<F32Attr>:$default_float, OptionalAttr<I64Attr>:$default_int64,
      OptionalAttr<StrAttr>:$default_string,
      OptionalAttr<ElementsAttr>:$default_tensor,
      Onnx_OptFloats:$keys_floats, Onnx_OptInts:$keys_int64s,
      OptionalAttr<StrArrayAttr>:$keys_strings,
      OptionalAttr<ElementsAttr>:$keys_tensor,
      Onnx_OptFloats:$values_floats, Onnx_OptInts:$values_int64s,
      OptionalAttr<StrArrayAttr>:$values_strings,
      OptionalAttr<ElementsAttr>:$values_tensor);
  let results = (outs Onnx_TensorOf<[F32, F64, I16, I32, I64, Onnx_StringType]>:$Y);
}

#endif // LATHE_DIALECT_ONNX_IR_MLMAP_TD
