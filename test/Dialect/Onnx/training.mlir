// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @training_adagrad(
// CHECK: onnx.training.Adagrad
func.func @training_adagrad(%r: tensor<f32>, %t: tensor<i64>, %x0: tensor<2xf32>, %g: tensor<2xf32>, %h0: tensor<2xf32>) {
  %x, %h = onnx.training.Adagrad %r, %t, %x0, %g, %h0 : (tensor<f32>, tensor<i64>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  return
}

// CHECK-LABEL: func @training_adam(
// CHECK: onnx.training.Adam
func.func @training_adam(%r: tensor<f32>, %t: tensor<i64>, %x0: tensor<2xf32>, %g: tensor<2xf32>, %v0: tensor<2xf32>, %h0: tensor<2xf32>) {
  %x, %v, %h = onnx.training.Adam %r, %t, %x0, %g, %v0, %h0 : (tensor<f32>, tensor<i64>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>)
  return
}

// CHECK-LABEL: func @training_momentum(
// CHECK: onnx.training.Momentum
func.func @training_momentum(%r: tensor<f32>, %t: tensor<i64>, %x0: tensor<2xf32>, %g: tensor<2xf32>, %v0: tensor<2xf32>) {
  %x, %v = onnx.training.Momentum %r, %t, %x0, %g, %v0 {alpha = 0.9 : f32, beta = 1.0 : f32, mode = "standard", norm_coefficient = 0.0 : f32} : (tensor<f32>, tensor<i64>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  return
}
