// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-infer-shapes))' --split-input-file --verify-diagnostics

func.func @dft_of_triples(%x: tensor<1x16x3xf32>) {
  %none = onnx.None : () -> none
  // expected-error @below {{expects real or complex numbers in the last dimension of operand #0, got size 3}}
  %y = onnx.DFT %x, %none, %none : (tensor<1x16x3xf32>, none, none) -> tensor<*xf32>
  return
}

// -----

func.func @dft_along_the_parts(%x: tensor<1x16x2xf32>) {
  %none = onnx.None : () -> none
  %a = onnx.Constant {value = dense<-1> : tensor<i64>} : () -> tensor<i64>
  // expected-error @below {{expects an axis before the last, got -1}}
  %y = onnx.DFT %x, %none, %a : (tensor<1x16x2xf32>, none, tensor<i64>) -> tensor<*xf32>
  return
}

// -----

func.func @stft_without_length(%x: tensor<1x128x1xf32>, %s: tensor<i64>) {
  %none = onnx.None : () -> none
  // expected-error @below {{expects a window or a frame_length, got neither}}
  %y = onnx.STFT %x, %s, %none, %none : (tensor<1x128x1xf32>, tensor<i64>, none, none) -> tensor<*xf32>
  return
}

// -----

func.func @mel_of_bools(%n: tensor<i64>, %f: tensor<f32>) {
  // expected-error @below {{expects the number of a type of numbers as output_datatype, got 9}}
  %y = onnx.MelWeightMatrix %n, %n, %n, %f, %f {output_datatype = 9 : i64} : (tensor<i64>, tensor<i64>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  return
}
