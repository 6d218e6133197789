// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-infer-shapes))' --split-input-file --verify-diagnostics

func.func @det_of_a_rectangle(%x: tensor<2x3xf32>) {
  // expected-error @below {{expects square matrices, got 2 by 3}}
  %y = onnx.Det %x : (tensor<2x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @sum_along_an_axis_outside(%x: tensor<2x3xf32>) {
  %axis = onnx.Constant {value = dense<2> : tensor<i64>} : () -> tensor<i64>
  // expected-error @below {{expects axis in [-2, 2), got 2}}
  %y = onnx.CumSum %x, %axis : (tensor<2x3xf32>, tensor<i64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @product_along_two_axes(%x: tensor<2x3xf32>, %axes: tensor<2xi64>) {
  // expected-error @below {{expects one element in operand #1, got 2}}
  %y = onnx.CumProd %x, %axes : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return
}
