// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @mat_mul(
// CHECK: onnx.MatMul 
func.func @mat_mul(%a: tensor<?x64xf32>, %b: tensor<64x10xf32>) {
  %y = onnx.MatMul %a, %b
      : (tensor<?x64xf32>, tensor<64x10xf32>)
     -> tensor<?x10xf32>
  return
}

// CHECK-LABEL: func @gemm(
// CHECK: onnx.Gemm 
func.func @gemm(%a: tensor<?x64xf32>, %b: tensor<64x10xf32>, %c: tensor<10xf32>) {
  %y = onnx.Gemm %a, %b, %c
      : (tensor<?x64xf32>, tensor<64x10xf32>, tensor<10xf32>)
     -> tensor<?x10xf32>
  return
}

// CHECK-LABEL: func @einsum(
// CHECK: onnx.Einsum 
func.func @einsum(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) {
  %y = onnx.Einsum %a, %b {equation = "ij,jk->ik"}
      : (tensor<2x3xf32>, tensor<3x4xf32>)
     -> tensor<2x4xf32>
  return
}

// CHECK-LABEL: func @conv(
// CHECK: onnx.Conv 
func.func @conv(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %none: none) {
  %y = onnx.Conv %x, %w, %none
      : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, none)
     -> tensor<?x4x6x6xf32>
  return
}

// CHECK-LABEL: func @conv_transpose(
// CHECK: onnx.ConvTranspose 
func.func @conv_transpose(%x: tensor<1x3x4x4xf32>, %w: tensor<3x2x2x2xf32>, %none: none) {
  %y = onnx.ConvTranspose %x, %w, %none
      : (tensor<1x3x4x4xf32>, tensor<3x2x2x2xf32>, none)
     -> tensor<1x2x5x5xf32>
  return
}

// CHECK-LABEL: func @average_pool(
// CHECK: onnx.AveragePool 
func.func @average_pool(%x: tensor<1x3x8x8xf32>) {
  %y = onnx.AveragePool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x3x8x8xf32>)
     -> tensor<1x3x4x4xf32>
  return
}

// CHECK-LABEL: func @lp_pool(
// CHECK: onnx.LpPool 
func.func @lp_pool(%x: tensor<1x3x8x8xf32>) {
  %y = onnx.LpPool %x {kernel_shape = array<i64: 2, 2>}
      : (tensor<1x3x8x8xf32>)
     -> tensor<1x3x7x7xf32>
  return
}

// CHECK-LABEL: func @max_pool(
// CHECK: onnx.MaxPool 
func.func @max_pool(%x: tensor<1x3x8x8xf32>) {
  %y, %i = onnx.MaxPool %x {kernel_shape = array<i64: 2, 2>}
      : (tensor<1x3x8x8xf32>)
     -> (tensor<1x3x7x7xf32>, tensor<1x3x7x7xi64>)
  return
}

// CHECK-LABEL: func @global_average_pool(
// CHECK: onnx.GlobalAveragePool 
func.func @global_average_pool(%x: tensor<1x3x8x8xf32>) {
  %y = onnx.GlobalAveragePool %x
      : (tensor<1x3x8x8xf32>)
     -> tensor<1x3x1x1xf32>
  return
}

// CHECK-LABEL: func @global_lp_pool(
// CHECK: onnx.GlobalLpPool 
func.func @global_lp_pool(%x: tensor<1x3x8x8xf32>) {
  %y = onnx.GlobalLpPool %x
      : (tensor<1x3x8x8xf32>)
     -> tensor<1x3x1x1xf32>
  return
}

// CHECK-LABEL: func @global_max_pool(
// CHECK: onnx.GlobalMaxPool 
func.func @global_max_pool(%x: tensor<1x3x8x8xf32>) {
  %y = onnx.GlobalMaxPool %x
      : (tensor<1x3x8x8xf32>)
     -> tensor<1x3x1x1xf32>
  return
}

// CHECK-LABEL: func @batch_normalization(
// CHECK: onnx.BatchNormalization 
func.func @batch_normalization(%x: tensor<?x3x8xf32>, %scale: tensor<3xf32>, %b: tensor<3xf32>, %mean: tensor<3xf32>, %var: tensor<3xf32>) {
  %y, %m, %v = onnx.BatchNormalization %x, %scale, %b, %mean, %var
      : (tensor<?x3x8xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
     -> (tensor<?x3x8xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// CHECK-LABEL: func @group_normalization(
// CHECK: onnx.GroupNormalization 
func.func @group_normalization(%x: tensor<?x4x8xf32>, %scale: tensor<4xf32>, %bias: tensor<4xf32>) {
  %y = onnx.GroupNormalization %x, %scale, %bias {num_groups = 2 : i64}
      : (tensor<?x4x8xf32>, tensor<4xf32>, tensor<4xf32>)
     -> tensor<?x4x8xf32>
  return
}

// CHECK-LABEL: func @instance_normalization(
// CHECK: onnx.InstanceNormalization 
func.func @instance_normalization(%x: tensor<?x3x8xf32>, %scale: tensor<3xf32>, %b: tensor<3xf32>) {
  %y = onnx.InstanceNormalization %x, %scale, %b
      : (tensor<?x3x8xf32>, tensor<3xf32>, tensor<3xf32>)
     -> tensor<?x3x8xf32>
  return
}

// CHECK-LABEL: func @layer_normalization(
// CHECK: onnx.LayerNormalization 
func.func @layer_normalization(%x: tensor<?x8xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) {
  %y, %m, %d = onnx.LayerNormalization %x, %s, %b
      : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>)
     -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>)
  return
}

// CHECK-LABEL: func @rms_normalization(
// CHECK: onnx.RMSNormalization 
func.func @rms_normalization(%x: tensor<?x8xf32>, %scale: tensor<8xf32>) {
  %y = onnx.RMSNormalization %x, %scale
      : (tensor<?x8xf32>, tensor<8xf32>)
     -> tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @lrn(
// CHECK: onnx.LRN 
func.func @lrn(%x: tensor<1x8x4x4xf32>) {
  %y = onnx.LRN %x {size = 3 : i64}
      : (tensor<1x8x4x4xf32>)
     -> tensor<1x8x4x4xf32>
  return
}

// CHECK-LABEL: func @lp_normalization(
// CHECK: onnx.LpNormalization 
func.func @lp_normalization(%x: tensor<2x?xf32>) {
  %y = onnx.LpNormalization %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @mean_variance_normalization(
// CHECK: onnx.MeanVarianceNormalization 
func.func @mean_variance_normalization(%x: tensor<2x3x4x4xf32>) {
  %y = onnx.MeanVarianceNormalization %x
      : (tensor<2x3x4x4xf32>)
     -> tensor<2x3x4x4xf32>
  return
}

// CHECK-LABEL: func @softmax(
// CHECK: onnx.Softmax 
func.func @softmax(%x: tensor<2x?xf32>) {
  %y = onnx.Softmax %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @log_softmax(
// CHECK: onnx.LogSoftmax 
func.func @log_softmax(%x: tensor<2x?xf32>) {
  %y = onnx.LogSoftmax %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @hardmax(
// CHECK: onnx.Hardmax 
func.func @hardmax(%x: tensor<2x?xf32>) {
  %y = onnx.Hardmax %x
      : (tensor<2x?xf32>)
     -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @dropout(
// CHECK: onnx.Dropout 
func.func @dropout(%x: tensor<2x?xf32>, %none: none) {
  %y, %mask = onnx.Dropout %x, %none, %none
      : (tensor<2x?xf32>, none, none)
     -> (tensor<2x?xf32>, tensor<2x?xi1>)
  return
}
