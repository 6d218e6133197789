// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-infer-shapes))' --split-input-file --verify-diagnostics

func.func @random_integers() {
  // expected-error @below {{expects the number of a float type as dtype, got 7}}
  %y = onnx.RandomUniform {dtype = 7 : i64, shape = array<i64: 2>} : () -> tensor<*xf32>
  return
}

// -----

func.func @random_like_integers(%x: tensor<2xi64>) {
  // expected-error @below {{expects dtype where the operand has no float type, got 'i64'}}
  %y = onnx.RandomNormalLike %x : (tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @multinomial_of_floats(%x: tensor<2x3xf32>) {
  // expected-error @below {{expects dtype 6 (int32) or 7 (int64), got 1}}
  %y = onnx.Multinomial %x {dtype = 1 : i64} : (tensor<2x3xf32>) -> tensor<*xi32>
  return
}
