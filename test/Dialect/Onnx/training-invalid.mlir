// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-infer-shapes))' --split-input-file --verify-diagnostics

func.func @adam_lists(%r: tensor<f32>, %t: tensor<i64>, %x: tensor<2xf32>) {
  // expected-error @below {{expects 4 lists of tensors and 3 lists of results, got 3 and 1}}
  %0 = onnx.training.Adam %r, %t, %x, %x, %x : (tensor<f32>, tensor<i64>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}
