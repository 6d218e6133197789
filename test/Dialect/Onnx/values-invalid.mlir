// RUN: lathe-opt %s --onnx-infer-shapes --split-input-file --verify-diagnostics

func.func @construct_c1(%a: tensor<2xf32>, %b: tensor<2xf64>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects operands of one element type, got 'f32' and 'f64' (operand #1)}}
  %s = onnx.SequenceConstruct %a, %b : (tensor<2xf32>, tensor<2xf64>) -> tensor<*x!onnx.unknown>
  return %s : tensor<*x!onnx.unknown>
}

// -----

func.func @empty_c1() -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects the number of an element type, got 99}}
  %s = onnx.SequenceEmpty {dtype = 99 : i64} : () -> tensor<*x!onnx.unknown>
  return %s : tensor<*x!onnx.unknown>
}

// -----

func.func @insert_type(%s: !onnx.seq<tensor<2xf32>>, %b: tensor<2xf64>) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  // expected-error @+1 {{expects a tensor of the sequence's type, got 'tensor<2xf64>'}}
  %r = onnx.SequenceInsert %s, %b, %none : (!onnx.seq<tensor<2xf32>>, tensor<2xf64>, none) -> tensor<*x!onnx.unknown>
  return %r : tensor<*x!onnx.unknown>
}

// -----

func.func @at_of_tensor(%x: tensor<2xf32>, %p: tensor<i64>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{operand #0 must be sequence}}
  %r = onnx.SequenceAt %x, %p : (tensor<2xf32>, tensor<i64>) -> tensor<*x!onnx.unknown>
  return %r : tensor<*x!onnx.unknown>
}

// -----

func.func @split_c1(%x: tensor<2x3xf32>) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  // expected-error @+1 {{expects axis in [-2, 2), got 2}}
  %s = onnx.SplitToSequence %x, %none {axis = 2 : i64} : (tensor<2x3xf32>, none) -> tensor<*x!onnx.unknown>
  return %s : tensor<*x!onnx.unknown>
}

// -----

func.func @concat_c1(%s: !onnx.seq<tensor<2xf32>>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects axis in [-2, 2), got 2}}
  %y = onnx.ConcatFromSequence %s {axis = 2 : i64, new_axis = 1 : i64} : (!onnx.seq<tensor<2xf32>>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// -----

func.func @optional_c1() -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  // expected-error @+1 {{expects an operand or a type, got neither}}
  %o = onnx.Optional %none : (none) -> tensor<*x!onnx.unknown>
  return %o : tensor<*x!onnx.unknown>
}

// -----

func.func @normalizer_c1(%x: tensor<!onnx.string>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects operand #0 of rank 1 or 2, got rank 0}}
  %y = onnx.StringNormalizer %x : (tensor<!onnx.string>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// -----

func.func @tf_idf_c2(%x: tensor<5x!onnx.string>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects a pool of the operand's type, got numbers for '!onnx.string'}}
  %y = onnx.TfIdfVectorizer %x {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0>, pool_int64s = array<i64: 2>} : (tensor<5x!onnx.string>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// -----

func.func @tf_idf_c3(%x: tensor<5xi64>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects ngram_counts to be rising positions of whole n-grams in a pool of 3, got 2 for length 2}}
  %y = onnx.TfIdfVectorizer %x {max_gram_length = 2 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0, 2>, ngram_indexes = array<i64: 0, 1>, pool_int64s = array<i64: 2, 3, 4>} : (tensor<5xi64>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// -----

func.func @tf_idf_c4(%x: tensor<5xi64>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects 2 ngram_indexes, got 1}}
  %y = onnx.TfIdfVectorizer %x {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF", ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0>, pool_int64s = array<i64: 2, 3>} : (tensor<5xi64>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// -----

func.func @zip_map_c1(%x: tensor<4x2xf32>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects 3 columns, got 2}}
  %z = onnx.ml.ZipMap %x {classlabels_int64s = array<i64: 0, 1, 2>} : (tensor<4x2xf32>) -> tensor<*x!onnx.unknown>
  return %z : tensor<*x!onnx.unknown>
}

// -----

func.func @zip_map_labels(%x: tensor<4x2xf32>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects class labels as numbers or as strings, got neither}}
  %z = onnx.ml.ZipMap %x : (tensor<4x2xf32>) -> tensor<*x!onnx.unknown>
  return %z : tensor<*x!onnx.unknown>
}

// -----

func.func @dict_vectorizer_c1(%m: !onnx.map<i64, tensor<f64>>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects a vocabulary of the keys' kind, got strings for 'i64'}}
  %y = onnx.ml.DictVectorizer %m {string_vocabulary = ["a"]} : (!onnx.map<i64, tensor<f64>>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// -----

func.func @category_mapper_c1(%x: tensor<3x!onnx.string>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects lists of one length, got 2 numbers and 1 strings}}
  %y = onnx.ml.CategoryMapper %x {cats_int64s = array<i64: 1, 2>, cats_strings = ["a"]} : (tensor<3x!onnx.string>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}

// -----

func.func @label_encoder_c1(%x: tensor<3x!onnx.string>) -> tensor<*x!onnx.unknown> {
  // expected-error @+1 {{expects lists of one length, got 2 keys and 1 values}}
  %y = onnx.ml.LabelEncoder %x {keys_strings = ["a", "b"], values_int64s = array<i64: 1>} : (tensor<3x!onnx.string>) -> tensor<*x!onnx.unknown>
  return %y : tensor<*x!onnx.unknown>
}
