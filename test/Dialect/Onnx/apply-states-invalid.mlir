// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-apply-states{states=h=n}))' --split-input-file --verify-diagnostics

// Bytes hold two of these outside, and one inside.
// expected-error @+1 {{expects elements of at least a byte in the state 'h=n', got 'i4'}}
func.func @main(%h: tensor<4xi4> {lathe.dims = [""], lathe.name = "h"}) -> (tensor<4xi4> {lathe.name = "n"}) {
  %0 = onnx.Identity %h : (tensor<4xi4>) -> tensor<4xi4>
  return %0 : tensor<4xi4>
}

// -----

// expected-error @+1 {{there is no output 'n'}}
func.func @main(%h: tensor<4xf32> {lathe.dims = [""], lathe.name = "h"}) -> (tensor<4xf32> {lathe.name = "m"}) {
  return %h : tensor<4xf32>
}
