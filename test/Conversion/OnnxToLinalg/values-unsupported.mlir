// RUN: lathe-opt %s --split-input-file --annotate-shapes --convert-onnx-to-linalg --verify-diagnostics

func.func @regex_class(%x: tensor<2x!onnx.string>) -> tensor<2xi1> {
  // expected-error @+1 {{(RegexFullMatch): expected a supported escape, got '\p', in the pattern '\pL'}}
  %y = onnx.RegexFullMatch %x {pattern = "\\pL"} : (tensor<2x!onnx.string>) -> tensor<2xi1>
  return %y : tensor<2xi1>
}

// -----

func.func @regex_group(%x: tensor<2x!onnx.string>) -> tensor<2xi1> {
  // expected-error @+1 {{expected ')' to end a group, in the pattern '(a|b'}}
  %y = onnx.RegexFullMatch %x {pattern = "(a|b"} : (tensor<2x!onnx.string>) -> tensor<2xi1>
  return %y : tensor<2xi1>
}

// -----

func.func @regex_repetition(%x: tensor<2x!onnx.string>) -> tensor<2xi1> {
  // expected-error @+1 {{expected a repetition of up to 1000 in order, in the pattern 'a{1001}'}}
  %y = onnx.RegexFullMatch %x {pattern = "a{1001}"} : (tensor<2x!onnx.string>) -> tensor<2xi1>
  return %y : tensor<2xi1>
}

// -----

func.func @regex_size(%x: tensor<2x!onnx.string>) -> tensor<2xi1> {
  // expected-error @+1 {{expected a pattern of at most 20000 instructions}}
  %y = onnx.RegexFullMatch %x {pattern = "((a{100}){100}){100}"} : (tensor<2x!onnx.string>) -> tensor<2xi1>
  return %y : tensor<2xi1>
}

// -----

func.func @cast_map_keys(%x: !onnx.map<!onnx.string, tensor<f32>>) -> tensor<1x?xf32> {
  // expected-error @+1 {{(CastMap): expected a map with keys of int64}}
  %y = onnx.ml.CastMap %x : (!onnx.map<!onnx.string, tensor<f32>>) -> tensor<1x?xf32>
  return %y : tensor<1x?xf32>
}

// -----

func.func @unranked(%x: tensor<*xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{(Relu): expected a tensor of known rank as input 0, got tensor<*xf32>}}
  %y = onnx.Relu %x : (tensor<*xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Text is moved by an op on positions, which is refused in its place.
func.func @text_at_an_index_outside(%x: tensor<4x!onnx.string>) -> tensor<1x!onnx.string> {
  %i = onnx.Constant {value = dense<7> : tensor<1xi64>} : () -> tensor<1xi64>
  // expected-error @+1 {{(Gather): expected an index in [-4, 4), got 7}}
  %y = onnx.Gather %x, %i : (tensor<4x!onnx.string>, tensor<1xi64>) -> tensor<1x!onnx.string>
  return %y : tensor<1x!onnx.string>
}

// -----

func.func @text_in_a_branch(%x: tensor<4x!onnx.string>, %z: tensor<1x!onnx.string>, %c: tensor<i1>) -> tensor<1x!onnx.string> {
  %i = onnx.Constant {value = dense<7> : tensor<1xi64>} : () -> tensor<1xi64>
  %y = onnx.If %c : (tensor<i1>) -> tensor<1x!onnx.string> {
    // expected-error @+1 {{(Gather): expected an index in [-4, 4), got 7}}
    %a = onnx.Gather %x, %i : (tensor<4x!onnx.string>, tensor<1xi64>) -> tensor<1x!onnx.string>
    onnx.Yield %a : (tensor<1x!onnx.string>) -> ()
  }, {
    onnx.Yield %z : (tensor<1x!onnx.string>) -> ()
  }
  return %y : tensor<1x!onnx.string>
}

// -----

// So are classifiers with text as labels by those with numbers.
func.func @labels_of_a_model_that_is_refused(%x: tensor<2x3xf32>) -> (tensor<2x!onnx.string>, tensor<2x2xf32>) {
  // expected-error @+1 {{(LinearClassifier): expected 2 coefficients per feature, got 5}}
  %y, %z = onnx.ml.LinearClassifier %x {classlabels_strings = ["a", "b"], coefficients = array<f32: 1.0, 2.0, 3.0, 4.0, 5.0>} : (tensor<2x3xf32>) -> (tensor<2x!onnx.string>, tensor<2x2xf32>)
  return %y, %z : tensor<2x!onnx.string>, tensor<2x2xf32>
}
