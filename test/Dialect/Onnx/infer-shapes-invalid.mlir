// RUN: lathe-opt %s --split-input-file --onnx-infer-shapes --verify-diagnostics

func.func @sizes_that_do_not_broadcast(%a: tensor<2xf32>, %b: tensor<3xf32>) {
  // expected-error @below {{expects shapes that broadcast, got sizes 2 and 3 in dimension 0}}
  %0 = onnx.Add %a, %b : (tensor<2xf32>, tensor<3xf32>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @two_element_types(%a: tensor<2xf32>, %b: tensor<2xi64>) {
  // expected-error @below {{expects operands of one element type, got 'f32' and 'i64' (operand #1)}}
  %0 = onnx.Add %a, %b : (tensor<2xf32>, tensor<2xi64>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @inner_sizes_differ(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error @below {{expects equal inner sizes, got 3 and 4}}
  %0 = onnx.MatMul %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @axis_out_of_range(%a: tensor<2x3xf32>) {
  // expected-error @below {{expects axis in [-2, 2), got 2}}
  %0 = onnx.Softmax %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @perm_repeats(%a: tensor<2x3xf32>) {
  // expected-error @below {{expects perm to permute 2 dimensions, got [0, 0]}}
  %0 = onnx.Transpose %a {perm = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @reshape_of_another_size(%a: tensor<2x3xf32>) {
  %shape = onnx.Constant {value = dense<[4, 2]> : tensor<2xi64>} : () -> tensor<2xi64>
  // expected-error @below {{expects a shape of 6 elements, got one of 8}}
  %0 = onnx.Reshape %a, %shape : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @reshape_that_does_not_divide(%a: tensor<2x3xf32>) {
  %shape = onnx.Constant {value = dense<[4, -1]> : tensor<2xi64>} : () -> tensor<2xi64>
  // expected-error @below {{expects a shape that divides 6 elements, got sizes with product 4}}
  %0 = onnx.Reshape %a, %shape : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @channels_differ(%x: tensor<1x3x8x8xf32>, %w: tensor<4x2x3x3xf32>, %b: none) {
  // expected-error @below {{expects 2 channels in operand #0, got 3}}
  %0 = onnx.Conv %x, %w, %b : (tensor<1x3x8x8xf32>, tensor<4x2x3x3xf32>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @squeeze_of_another_size(%a: tensor<2x3xf32>) {
  %axes = onnx.Constant {value = dense<0> : tensor<1xi64>} : () -> tensor<1xi64>
  // expected-error @below {{expects size 1 in the squeezed dimension 0, got 2}}
  %0 = onnx.Squeeze %a, %axes : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @window_larger_than_the_operand(%x: tensor<1x1x2x2xf32>) {
  // expected-error @below {{expects no negative size, got -1 in dimension 2 of result #0}}
  %0:2 = onnx.MaxPool %x {kernel_shape = array<i64: 4, 4>} : (tensor<1x1x2x2xf32>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>)
  return
}

// -----

func.func @cast_to_no_type(%x: tensor<2xf32>) {
  // expected-error @below {{expects the number of an element type, got 99}}
  %0 = onnx.Cast %x {to = 99 : i64} : (tensor<2xf32>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @declared_size_contradicts(%x: tensor<2xf32>) {
  // expected-error @below {{expects dimension 0 of result #0 to be 2, got 3}}
  %0 = onnx.Relu %x : (tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @branches_of_two_types(%c: tensor<i1>, %x: tensor<2xf32>, %y: tensor<2xi64>) {
  // expected-error @below {{expects one element type of result #0 in both branches, got 'i64' and 'f32'}}
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*x!onnx.unknown> {
    onnx.Yield %x : (tensor<2xf32>) -> ()
  }, {
    onnx.Yield %y : (tensor<2xi64>) -> ()
  }
  return
}
