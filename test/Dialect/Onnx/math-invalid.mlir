// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-infer-shapes))' --split-input-file --verify-diagnostics

func.func @det_of_a_rectangle(%x: tensor<2x3xf32>) {
  // expected-error @below {{expects square matrices, got 2 by 3}}
  %y = onnx.Det %x : (tensor<2x3xf32>) -> tensor<*xf32>
  return
}
