// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @zip_map(
// CHECK: onnx.ml.ZipMap
func.func @zip_map(%x: tensor<?x2xf32>) {
  %z = onnx.ml.ZipMap %x {classlabels_int64s = array<i64: 0, 1>} : (tensor<?x2xf32>) -> !onnx.seq<!onnx.map<i64, tensor<f32>>>
  return
}

// CHECK-LABEL: func @cast_map(
// CHECK: onnx.ml.CastMap
func.func @cast_map(%x: !onnx.map<i64, tensor<f32>>) {
  %y = onnx.ml.CastMap %x {map_form = "SPARSE", max_map = 4 : i64} : (!onnx.map<i64, tensor<f32>>) -> tensor<1x4xf32>
  return
}

// CHECK-LABEL: func @dict_vectorizer(
// CHECK: onnx.ml.DictVectorizer
func.func @dict_vectorizer(%x: !onnx.map<!onnx.string, tensor<i64>>) {
  %y = onnx.ml.DictVectorizer %x {string_vocabulary = ["a", "b"]} : (!onnx.map<!onnx.string, tensor<i64>>) -> tensor<1x2xi64>
  return
}

// CHECK-LABEL: func @category_mapper(
// CHECK: onnx.ml.CategoryMapper
func.func @category_mapper(%x: tensor<3x!onnx.string>) {
  %y = onnx.ml.CategoryMapper %x {cats_int64s = array<i64: 1, 2>, cats_strings = ["a", "b"]} : (tensor<3x!onnx.string>) -> tensor<3xi64>
  return
}

// CHECK-LABEL: func @label_encoder(
// CHECK: onnx.ml.LabelEncoder
func.func @label_encoder(%x: tensor<3x!onnx.string>) {
  %y = onnx.ml.LabelEncoder %x {keys_strings = ["a", "b"], values_int64s = array<i64: 1, 2>} : (tensor<3x!onnx.string>) -> tensor<3xi64>
  return
}
