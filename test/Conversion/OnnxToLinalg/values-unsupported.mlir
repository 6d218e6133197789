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
