// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(onnx-infer-shapes))' --split-input-file --verify-diagnostics

func.func @reverse_sequence_axes(%x: tensor<4x3xf32>, %l: tensor<3xi64>) {
  // expected-error @below {{expects batch_axis and time_axis to be 0 and 1, got 1 and 1}}
  %y = onnx.ReverseSequence %x, %l {time_axis = 1 : i64} : (tensor<4x3xf32>, tensor<3xi64>) -> tensor<4x3xf32>
  return
}

// -----

func.func @tensor_scatter_along_the_batch(%x: tensor<2x3xf32>) {
  %none = onnx.None : () -> none
  // expected-error @below {{expects an axis after the first, got 0}}
  %y = onnx.TensorScatter %x, %x, %none {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>, none) -> tensor<2x3xf32>
  return
}

// -----

func.func @boxes_of_five_numbers(%b: tensor<1x6x5xf32>, %s: tensor<1x1x6xf32>) {
  %none = onnx.None : () -> none
  // expected-error @below {{expects boxes of 4 numbers, got 5}}
  %y = onnx.NonMaxSuppression %b, %s, %none, %none, %none : (tensor<1x6x5xf32>, tensor<1x1x6xf32>, none, none, none) -> tensor<*xi64>
  return
}
