// RUN: lathe-opt %s --split-input-file --onnx-infer-shapes --verify-diagnostics

// Operands that are lists have one dimension, those that are numbers have one
// element.

func.func @start_of_a_slice(%x: tensor<5xf32>, %start: tensor<i64>, %end: tensor<1xi64>, %none: none) {
  // expected-error @below {{expects operand #1 of rank 1, got rank 0}}
  %0 = onnx.Slice %x, %start, %end, %none, %none : (tensor<5xf32>, tensor<i64>, tensor<1xi64>, none, none) -> tensor<?xf32>
  return
}

// -----

func.func @repeats_of_a_tile(%x: tensor<5xf32>, %repeats: tensor<1x?xi64>) {
  // expected-error @below {{expects operand #1 of rank 1, got rank 2}}
  %0 = onnx.Tile %x, %repeats : (tensor<5xf32>, tensor<1x?xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @filler_of_a_pad(%x: tensor<5xf32>, %pads: tensor<2xi64>, %filler: tensor<3xf32>, %none: none) {
  // expected-error @below {{expects one element in operand #2, got 3}}
  %0 = onnx.Pad %x, %pads, %filler, %none : (tensor<5xf32>, tensor<2xi64>, tensor<3xf32>, none) -> tensor<?xf32>
  return
}

// -----

func.func @start_of_a_range(%start: tensor<0xi64>, %limit: tensor<i64>) {
  // expected-error @below {{expects one element in operand #0, got 0}}
  %0 = onnx.Range %start, %limit, %limit : (tensor<0xi64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return
}

// -----

func.func @values_of_one_hot(%i: tensor<5xi64>, %depth: tensor<i64>, %values: tensor<3xf32>) {
  // expected-error @below {{expects two elements in operand #2, got 3}}
  %0 = onnx.OneHot %i, %depth, %values : (tensor<5xi64>, tensor<i64>, tensor<3xf32>) -> tensor<5x?xf32>
  return
}

// -----

func.func @condition_of_nothing(%c: tensor<0xi1>, %x: tensor<5xf32>) {
  // expected-error @below {{expects one element in operand #0, got 0}}
  %0 = onnx.If %c : (tensor<0xi1>) -> tensor<5xf32> {
    onnx.Yield %x : (tensor<5xf32>) -> ()
  }, {
    onnx.Yield %x : (tensor<5xf32>) -> ()
  }
  return
}

// -----

func.func @triangle_of_a_vector(%x: tensor<5xf32>, %none: none) {
  // expected-error @below {{expects operand #0 of rank at least 2, got rank 1}}
  %0 = onnx.Trilu %x, %none : (tensor<5xf32>, none) -> tensor<5xf32>
  return
}

// -----

func.func @bias_of_a_gru(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>, %b: tensor<1x12xf32>, %none: none) {
  // expected-error @below {{expects size 24 in dimension 1 of operand #3, got 12}}
  %0, %1 = onnx.GRU %x, %w, %r, %b, %none, %none {hidden_size = 4 : i64} : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>, tensor<1x12xf32>, none, none) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @state_of_an_rnn(%x: tensor<5x?x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %h: tensor<1x?x5xf32>, %none: none) {
  // expected-error @below {{expects size 4 in dimension 2 of operand #5, got 5}}
  %0, %1 = onnx.RNN %x, %w, %r, %none, %none, %h {hidden_size = 4 : i64} : (tensor<5x?x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, none, none, tensor<1x?x5xf32>) -> (tensor<5x1x?x4xf32>, tensor<1x?x4xf32>)
  return
}

// -----

func.func @axes_of_a_reduction(%x: tensor<5xf32>, %axes: tensor<i64>) {
  // expected-error @below {{expects operand #1 of rank 1, got rank 0}}
  %0 = onnx.ReduceMin %x, %axes : (tensor<5xf32>, tensor<i64>) -> tensor<1xf32>
  return
}

// -----

func.func @tile_too_often(%x: tensor<4xf32>) {
  %repeats = onnx.Constant {value = dense<4611686018427387904> : tensor<1xi64>} : () -> tensor<1xi64>
  // expected-error @below {{expects a size below 2^56, got 4 times 4611686018427387904}}
  %0 = onnx.Tile %x, %repeats : (tensor<4xf32>, tensor<1xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @pad_too_far(%x: tensor<?xf32>, %none: none) {
  %pads = onnx.Constant {value = dense<4611686018427387904> : tensor<2xi64>} : () -> tensor<2xi64>
  // expected-error @below {{expects pads below 2^56, got 4611686018427387904}}
  %0 = onnx.Pad %x, %pads, %none, %none : (tensor<?xf32>, tensor<2xi64>, none, none) -> tensor<?xf32>
  return
}

// -----

func.func @range_of_all_numbers() {
  %start = onnx.Constant {value = dense<-9223372036854775808> : tensor<i64>} : () -> tensor<i64>
  %limit = onnx.Constant {value = dense<9223372036854775807> : tensor<i64>} : () -> tensor<i64>
  %delta = onnx.Constant {value = dense<1> : tensor<i64>} : () -> tensor<i64>
  // expected-error @below {{expects fewer than 2^56 elements, got those from -9223372036854775808 to 9223372036854775807}}
  %0 = onnx.Range %start, %limit, %delta : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return
}
