// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' --verify-diagnostics

func.func @branches_of_two_shapes(%c: tensor<i1>, %x: tensor<3xf32>, %y: tensor<2xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{(If): expected branches that give output 0 one rank}}
  %0 = onnx.If %c : (tensor<i1>) -> tensor<?xf32> {
    onnx.Yield %x : (tensor<3xf32>) -> ()
  }, {
    onnx.Yield %y : (tensor<2xf32>) -> ()
  }
  return %0 : tensor<?xf32>
}

// -----

func.func @unknown_activation(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> tensor<1x2x4xf32> {
  %n = onnx.None : () -> none
  // expected-error @+1 {{(RNN): expected an activation that ONNX defines, got 'Cube'}}
  %0, %1 = onnx.RNN %x, %w, %r, %n, %n, %n {activations = ["Cube"]} : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, none, none, none) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return %1 : tensor<1x2x4xf32>
}
