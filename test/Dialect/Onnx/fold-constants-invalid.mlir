// RUN: lathe-opt %s --verify-diagnostics --onnx-fold-constants

// A computation that always fails fails at once, and names the node.

func.func @index_out_of_range() -> tensor<1xf32> {
  %data = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %two = onnx.Constant {value = dense<2.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %exp = onnx.Exp %two : (tensor<1xf32>) -> tensor<1xf32>
  %seven = onnx.Cast %exp {to = 7 : i64} : (tensor<1xf32>) -> tensor<1xi64>
  // expected-error @unknown {{node 'lookup': expects indices in [-2, 2)}}
  %0 = onnx.Gather %data, %seven : (tensor<2xf32>, tensor<1xi64>) -> tensor<1xf32> loc("lookup")
  return %0 : tensor<1xf32>
}
