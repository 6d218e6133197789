// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @dft(
// CHECK: onnx.DFT
func.func @dft(%x: tensor<1x16x1xf32>) {
  %none = onnx.None : () -> none
  %y = onnx.DFT %x, %none, %none : (tensor<1x16x1xf32>, none, none) -> tensor<1x16x2xf32>
  return
}

// CHECK-LABEL: func @stft(
// CHECK: onnx.STFT
func.func @stft(%x: tensor<1x128x1xf32>, %step: tensor<i64>, %length: tensor<i64>) {
  %none = onnx.None : () -> none
  %y = onnx.STFT %x, %step, %none, %length : (tensor<1x128x1xf32>, tensor<i64>, none, tensor<i64>) -> tensor<1x15x9x2xf32>
  return
}

// CHECK-LABEL: func @mel_weight_matrix(
// CHECK: onnx.MelWeightMatrix
func.func @mel_weight_matrix(%bins: tensor<i64>, %length: tensor<i64>, %rate: tensor<i64>, %low: tensor<f32>, %high: tensor<f32>) {
  %y = onnx.MelWeightMatrix %bins, %length, %rate, %low, %high : (tensor<i64>, tensor<i64>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<9x8xf32>
  return
}
