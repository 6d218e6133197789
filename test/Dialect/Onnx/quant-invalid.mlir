// RUN: lathe-opt %s --split-input-file --onnx-infer-shapes --verify-diagnostics

func.func @zero_point_of_another_shape(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %z: tensor<2xui8>) {
  // expected-error @below {{expects operand #2 of the sizes of operand #1, got size 2 for 3}}
  %y = onnx.QuantizeLinear %x, %s, %z : (tensor<2x3xf32>, tensor<3xf32>, tensor<2xui8>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @scales_that_do_not_fit_the_axis(%x: tensor<2x3xf32>, %s: tensor<4xf32>, %none: none) {
  // expected-error @below {{expects one scale, or 3 along axis 1, got 4}}
  %y = onnx.QuantizeLinear %x, %s, %none : (tensor<2x3xf32>, tensor<4xf32>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @axis_out_of_range(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %none: none) {
  // expected-error @below {{expects axis in [-2, 2), got 2}}
  %y = onnx.QuantizeLinear %x, %s, %none {axis = 2 : i64} : (tensor<2x3xf32>, tensor<3xf32>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @another_number_of_blocks(%x: tensor<6x3xf32>, %s: tensor<2x3xf32>, %none: none) {
  // expected-error @below {{expects 3 scales in dimension 0, got 2}}
  %y = onnx.QuantizeLinear %x, %s, %none {axis = 0 : i64, block_size = 2 : i64} : (tensor<6x3xf32>, tensor<2x3xf32>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @negative_blocks(%x: tensor<6x3xf32>, %s: tensor<2x3xf32>, %none: none) {
  // expected-error @below {{expects block_size of at least 0, got -1}}
  %y = onnx.QuantizeLinear %x, %s, %none {block_size = -1 : i64} : (tensor<6x3xf32>, tensor<2x3xf32>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @two_result_types(%x: tensor<3xf32>, %s: tensor<f32>, %z: tensor<i8>) {
  // expected-error @below {{expects output_dtype to be the type of operand #2, 'i8', got 'ui8'}}
  %y = onnx.QuantizeLinear %x, %s, %z {output_dtype = 2 : i64} : (tensor<3xf32>, tensor<f32>, tensor<i8>) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @no_such_type(%x: tensor<3xf32>, %s: tensor<f32>, %none: none) {
  // expected-error @below {{expects output_dtype to be the number of an element type, got 99}}
  %y = onnx.QuantizeLinear %x, %s, %none {output_dtype = 99 : i64} : (tensor<3xf32>, tensor<f32>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @precision_of_integers(%x: tensor<3xf32>, %s: tensor<f32>, %none: none) {
  // expected-error @below {{expects precision to be the number of a float type, got 'i32'}}
  %y = onnx.QuantizeLinear %x, %s, %none {precision = 6 : i64} : (tensor<3xf32>, tensor<f32>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @result_of_exponents(%x: tensor<3xi8>, %s: tensor<f8E8M0FNU>, %none: none) {
  // expected-error @below {{expects output_dtype where the scale is 'f8E8M0FNU', got none}}
  %y = onnx.DequantizeLinear %x, %s, %none : (tensor<3xi8>, tensor<f8E8M0FNU>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @zero_points_along_the_sum(%a: tensor<2x3xui8>, %b: tensor<3x4xui8>, %z: tensor<1x3xui8>, %none: none) {
  // expected-error @below {{expects size 1 in dimension 1 of operand #2, got 3}}
  %y = onnx.MatMulInteger %a, %b, %z, %none : (tensor<2x3xui8>, tensor<3x4xui8>, tensor<1x3xui8>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @zero_points_of_rows(%a: tensor<2x3xui8>, %b: tensor<3x4xui8>, %z: tensor<3xui8>, %none: none) {
  // expected-error @below {{expects one element or 2 in operand #2, got 3}}
  %y = onnx.MatMulInteger %a, %b, %z, %none : (tensor<2x3xui8>, tensor<3x4xui8>, tensor<3xui8>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @zero_point_of_another_type(%a: tensor<2x3xui8>, %b: tensor<3x4xui8>, %z: tensor<i8>, %none: none) {
  // expected-error @below {{expects operands of one element type, got 'ui8' and 'i8' (operand #2)}}
  %y = onnx.MatMulInteger %a, %b, %z, %none : (tensor<2x3xui8>, tensor<3x4xui8>, tensor<i8>, none) -> tensor<*x!onnx.unknown>
  return
}

// -----

func.func @scales_of_channels(%x: tensor<1x3x8x8xui8>, %s: tensor<f32>, %z: tensor<ui8>, %w: tensor<4x3x3x3xui8>, %ws: tensor<3xf32>, %none: none) {
  // expected-error @below {{expects 4 elements in operand #4, got 3}}
  %y = onnx.QLinearConv %x, %s, %z, %w, %ws, %z, %s, %z, %none
      : (tensor<1x3x8x8xui8>, tensor<f32>, tensor<ui8>, tensor<4x3x3x3xui8>, tensor<3xf32>, tensor<ui8>, tensor<f32>, tensor<ui8>, none) -> tensor<*x!onnx.unknown>
  return
}
