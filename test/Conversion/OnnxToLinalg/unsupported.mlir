// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' --verify-diagnostics

// All that cannot be lowered is reported, each once.
func.func @several(%x: tensor<3xf32>, %u: tensor<?xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  // expected-error @+1 {{(Imputer): expected one imputed value, or one per feature, got 0}}
  %0 = onnx.ml.Imputer %x : (tensor<3xf32>) -> tensor<3xf32>
  // expected-error @+1 {{(Relu): expected known sizes of input 0, got tensor<?xf32>}}
  %2 = onnx.Relu %u : (tensor<?xf32>) -> tensor<?xf32>
  %3 = onnx.Relu %0 : (tensor<3xf32>) -> tensor<3xf32>
  // expected-error @+1 {{(Add): expected known sizes of input 0, got tensor<?xf32>}}
  %4 = onnx.Add %2, %3 : (tensor<?xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %3, %4 : tensor<3xf32>, tensor<3xf32>
}
