// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' --verify-diagnostics

// All that cannot be lowered is reported, each once.
func.func @several(%x: tensor<3xf32>, %m: tensor<i1>, %u: tensor<?xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %n = onnx.None : () -> none
  // expected-error @+1 {{(Dropout): expected training_mode to be false}}
  %0, %1 = onnx.Dropout %x, %n, %m : (tensor<3xf32>, none, tensor<i1>) -> (tensor<3xf32>, tensor<3xi1>)
  // expected-error @+1 {{(Relu): expected known sizes of input 0, got tensor<?xf32>}}
  %2 = onnx.Relu %u : (tensor<?xf32>) -> tensor<?xf32>
  %3 = onnx.Relu %0 : (tensor<3xf32>) -> tensor<3xf32>
  // expected-error @+1 {{(Add): expected known sizes of input 0, got tensor<?xf32>}}
  %4 = onnx.Add %2, %3 : (tensor<?xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %3, %4 : tensor<3xf32>, tensor<3xf32>
}
