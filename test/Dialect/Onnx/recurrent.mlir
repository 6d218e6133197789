// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @lstm(
// CHECK: onnx.LSTM 
func.func @lstm(%x: tensor<5x?x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x32xf32>, %n: none) {
  %y, %h, %c = onnx.LSTM %x, %w, %r, %b, %n, %n, %n, %n {hidden_size = 4 : i64}
      : (tensor<5x?x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x32xf32>, none, none, none, none)
     -> (tensor<5x1x?x4xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>)
  return
}

// CHECK-LABEL: func @gru(
// CHECK: onnx.GRU 
func.func @gru(%x: tensor<5x?x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>, %n: none) {
  %y, %h = onnx.GRU %x, %w, %r, %n, %n, %n {hidden_size = 4 : i64}
      : (tensor<5x?x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>, none, none, none)
     -> (tensor<5x1x?x4xf32>, tensor<1x?x4xf32>)
  return
}

// CHECK-LABEL: func @rnn(
// CHECK: onnx.RNN 
func.func @rnn(%x: tensor<5x?x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %n: none) {
  %y, %h = onnx.RNN %x, %w, %r, %n, %n, %n {hidden_size = 4 : i64}
      : (tensor<5x?x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, none, none, none)
     -> (tensor<5x1x?x4xf32>, tensor<1x?x4xf32>)
  return
}
