// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @string_concat(
// CHECK: onnx.StringConcat
func.func @string_concat(%x: tensor<2x!onnx.string>, %y: tensor<!onnx.string>) {
  %z = onnx.StringConcat %x, %y : (tensor<2x!onnx.string>, tensor<!onnx.string>) -> tensor<2x!onnx.string>
  return
}

// CHECK-LABEL: func @string_split(
// CHECK: onnx.StringSplit
func.func @string_split(%x: tensor<2x!onnx.string>) {
  %y, %z = onnx.StringSplit %x {delimiter = ",", maxsplit = 2 : i64} : (tensor<2x!onnx.string>) -> (tensor<2x?x!onnx.string>, tensor<2xi64>)
  return
}

// CHECK-LABEL: func @regex_full_match(
// CHECK: onnx.RegexFullMatch
func.func @regex_full_match(%x: tensor<2x!onnx.string>) {
  %y = onnx.RegexFullMatch %x {pattern = "a+"} : (tensor<2x!onnx.string>) -> tensor<2xi1>
  return
}

// CHECK-LABEL: func @string_normalizer(
// CHECK: onnx.StringNormalizer
func.func @string_normalizer(%x: tensor<2x!onnx.string>) {
  %y = onnx.StringNormalizer %x {case_change_action = "UPPER", stopwords = ["the"]} : (tensor<2x!onnx.string>) -> tensor<?x!onnx.string>
  return
}

// CHECK-LABEL: func @tf_idf_vectorizer(
// CHECK: onnx.TfIdfVectorizer
func.func @tf_idf_vectorizer(%x: tensor<5xi64>) {
  %y = onnx.TfIdfVectorizer %x {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0, 1>, pool_int64s = array<i64: 2, 3>} : (tensor<5xi64>) -> tensor<2xf32>
  return
}
