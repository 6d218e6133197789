// RUN: lathe-opt %s --split-input-file --onnx-fold-batch-norm | FileCheck %s

// s = scale / sqrt(var + 0) = [1, 2]; bias = b - s * mean = [0.5, -2].

// CHECK-LABEL: @into_convolution
// CHECK: %[[W:.+]] = onnx.Constant {lathe.recipe
// CHECK-SAME: = [#lathe.scale<0, dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>>]
// CHECK: %[[B:.+]] = onnx.Constant {{.*}}value = dense<[5.000000e-01, -2.000000e+00]>
// CHECK: %[[Y:.+]] = onnx.Conv %{{.+}}, %[[W]], %[[B]]
// CHECK-NOT: onnx.BatchNormalization
// CHECK: return %[[Y]]
func.func @into_convolution(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %none = onnx.None : () -> none
  %w = onnx.Constant {value = dense<[[[[1.0]]], [[[3.0]]]]> : tensor<2x1x1x1xf32>} : () -> tensor<2x1x1x1xf32>
  %scale = onnx.Constant {value = dense<[2.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = onnx.Constant {value = dense<[0.5, 0.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %mean = onnx.Constant {value = dense<[0.0, 1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %var = onnx.Constant {value = dense<[4.0, 1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %c = onnx.Conv %x, %w, %none : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, none) -> tensor<1x2x4x4xf32>
  %y, %m, %v = onnx.BatchNormalization %c, %scale, %b, %mean, %var {epsilon = 0.0 : f32} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>)
  return %y : tensor<1x2x4x4xf32>
}

// -----

// CHECK-LABEL: @not_where_the_convolution_is_read_elsewhere
// CHECK: onnx.BatchNormalization
func.func @not_where_the_convolution_is_read_elsewhere(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
  %none = onnx.None : () -> none
  %w = onnx.Constant {value = dense<1.0> : tensor<1x1x1x1xf32>} : () -> tensor<1x1x1x1xf32>
  %one = onnx.Constant {value = dense<1.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %c = onnx.Conv %x, %w, %none : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>, none) -> tensor<1x1x4x4xf32>
  %y, %m, %v = onnx.BatchNormalization %c, %one, %one, %one, %one : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>)
  return %y, %c : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
}

// -----

// CHECK-LABEL: @not_with_statistics_of_the_input
// CHECK: onnx.BatchNormalization
func.func @not_with_statistics_of_the_input(%x: tensor<1x1x4x4xf32>, %mean: tensor<1xf32>) -> tensor<1x1x4x4xf32> {
  %none = onnx.None : () -> none
  %w = onnx.Constant {value = dense<1.0> : tensor<1x1x1x1xf32>} : () -> tensor<1x1x1x1xf32>
  %one = onnx.Constant {value = dense<1.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %c = onnx.Conv %x, %w, %none : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>, none) -> tensor<1x1x4x4xf32>
  %y, %m, %v = onnx.BatchNormalization %c, %one, %one, %mean, %one : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>)
  return %y : tensor<1x1x4x4xf32>
}

// -----

// CHECK-LABEL: @into_transposed_convolution
// CHECK: onnx.Constant {lathe.recipe
// CHECK-SAME: = [#lathe.scale<1, dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>>]
// CHECK: onnx.ConvTranspose
// CHECK-NOT: onnx.BatchNormalization
func.func @into_transposed_convolution(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %none = onnx.None : () -> none
  %w = onnx.Constant {value = dense<[[[[1.0]], [[3.0]]]]> : tensor<1x2x1x1xf32>} : () -> tensor<1x2x1x1xf32>
  %scale = onnx.Constant {value = dense<[2.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = onnx.Constant {value = dense<[0.5, 0.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %mean = onnx.Constant {value = dense<[0.0, 1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %var = onnx.Constant {value = dense<[4.0, 1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %c = onnx.ConvTranspose %x, %w, %none : (tensor<1x1x4x4xf32>, tensor<1x2x1x1xf32>, none) -> tensor<1x2x4x4xf32>
  %y, %m, %v = onnx.BatchNormalization %c, %scale, %b, %mean, %var {epsilon = 0.0 : f32} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>)
  return %y : tensor<1x2x4x4xf32>
}

// -----

// CHECK-LABEL: @into_transposed_convolution_by_channel
// CHECK: onnx.Constant {lathe.recipe
// CHECK-SAME: = [#lathe.reshape<[2, 1, 1]>, #lathe.scale<0, dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>>, #lathe.reshape<[2, 1, 1, 1]>]
// CHECK-NOT: onnx.BatchNormalization
func.func @into_transposed_convolution_by_channel(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %none = onnx.None : () -> none
  %w = onnx.Constant {value = dense<[[[[1.0]]], [[[3.0]]]]> : tensor<2x1x1x1xf32>} : () -> tensor<2x1x1x1xf32>
  %scale = onnx.Constant {value = dense<[2.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = onnx.Constant {value = dense<[0.5, 0.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %mean = onnx.Constant {value = dense<[0.0, 1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %var = onnx.Constant {value = dense<[4.0, 1.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %c = onnx.ConvTranspose %x, %w, %none {group = 2 : i64} : (tensor<1x2x4x4xf32>, tensor<2x1x1x1xf32>, none) -> tensor<1x2x4x4xf32>
  %y, %m, %v = onnx.BatchNormalization %c, %scale, %b, %mean, %var {epsilon = 0.0 : f32} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>)
  return %y : tensor<1x2x4x4xf32>
}

// -----

// CHECK-LABEL: @not_into_groups_of_several_channels
// CHECK: onnx.BatchNormalization
func.func @not_into_groups_of_several_channels(%x: tensor<1x4x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %none = onnx.None : () -> none
  %w = onnx.Constant {value = dense<1.0> : tensor<4x1x1x1xf32>} : () -> tensor<4x1x1x1xf32>
  %one = onnx.Constant {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %c = onnx.ConvTranspose %x, %w, %none {group = 2 : i64} : (tensor<1x4x4x4xf32>, tensor<4x1x1x1xf32>, none) -> tensor<1x2x4x4xf32>
  %y, %m, %v = onnx.BatchNormalization %c, %one, %one, %one, %one : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>)
  return %y : tensor<1x2x4x4xf32>
}
