// RUN: lathe-opt %s --split-input-file --verify-diagnostics

func.func @word_out_of_the_list(%x: tensor<2xf32>) {
  // expected-error @below {{attribute 'approximate' failed to satisfy constraint: string attribute one of none, tanh}}
  %0 = onnx.Gelu %x {approximate = "erf"} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @element_type_out_of_the_list(%x: tensor<2xi64>) {
  // expected-error @below {{operand #0 must be tensor of}}
  %0 = onnx.Exp %x : (tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @flag_of_two(%x: tensor<2xf32>, %axes: none) {
  // expected-error @below {{attribute 'keepdims' failed to satisfy constraint}}
  %0 = onnx.ReduceSum %x, %axes {keepdims = 2 : i64} : (tensor<2xf32>, none) -> tensor<1xf32>
  return
}

// -----

func.func @required_operand_omitted(%x: tensor<2xf32>, %none: none) {
  // expected-error @below {{operand #1 must be tensor of}}
  %0 = onnx.Add %x, %none : (tensor<2xf32>, none) -> tensor<2xf32>
  return
}

// -----

func.func @branch_yields_too_few(%c: tensor<i1>, %x: tensor<2xf32>) {
  // expected-error @below {{expects a sub-graph that yields 1 values, got 0}}
  %0 = onnx.If %c : (tensor<i1>) -> tensor<2xf32> {
    onnx.Yield : () -> ()
  }, {
    onnx.Yield %x : (tensor<2xf32>) -> ()
  }
  return
}

// -----

func.func @body_of_too_few_arguments(%m: tensor<i64>, %c: none, %x: tensor<2xf32>) {
  // expected-error @below {{expects a sub-graph of 3 arguments, got 2}}
  %0 = onnx.Loop %m, %c, %x : (tensor<i64>, none, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>, %d: tensor<i1>):
    onnx.Yield %d, %x : (tensor<i1>, tensor<2xf32>) -> ()
  }
  return
}
