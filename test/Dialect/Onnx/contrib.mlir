// RUN: lathe-opt %s --split-input-file | lathe-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @skip_layer_normalization
// CHECK: onnx.ms.SkipLayerNormalization
// CHECK-SAME: : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<8xf32>, none, none) -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x8xf32>)
func.func @skip_layer_normalization(%x: tensor<?x8xf32>, %z: tensor<?x8xf32>, %g: tensor<8xf32>, %none: none) {
  %y, %m, %i, %s = onnx.ms.SkipLayerNormalization %x, %z, %g, %none, %none : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<8xf32>, none, none) -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x8xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @simplified_layer_normalization
// CHECK: onnx.SimplifiedLayerNormalization
// CHECK-SAME: : (tensor<?x8xf32>, tensor<8xf32>) -> (tensor<?x8xf32>, tensor<?x1xf32>)
func.func @simplified_layer_normalization(%x: tensor<?x8xf32>, %s: tensor<8xf32>) {
  %y, %i = onnx.SimplifiedLayerNormalization %x, %s : (tensor<?x8xf32>, tensor<8xf32>) -> (tensor<?x8xf32>, tensor<?x1xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @skip_simplified_layer_normalization
// CHECK: onnx.ms.SkipSimplifiedLayerNormalization
// CHECK-SAME: : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<8xf32>, none) -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x8xf32>)
func.func @skip_simplified_layer_normalization(%x: tensor<?x8xf32>, %z: tensor<?x8xf32>, %g: tensor<8xf32>, %none: none) {
  %y, %m, %i, %s = onnx.ms.SkipSimplifiedLayerNormalization %x, %z, %g, %none : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<8xf32>, none) -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x8xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @bias_gelu
// CHECK: onnx.ms.BiasGelu
// CHECK-SAME: : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
func.func @bias_gelu(%a: tensor<?x8xf32>, %b: tensor<8xf32>) {
  %c = onnx.ms.BiasGelu %a, %b : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return
}

// -----

// CHECK-LABEL: func.func @fast_gelu
// CHECK: onnx.ms.FastGelu
// CHECK-SAME: : (tensor<?x8xf32>, none) -> tensor<?x8xf32>
func.func @fast_gelu(%x: tensor<?x8xf32>, %none: none) {
  %y = onnx.ms.FastGelu %x, %none : (tensor<?x8xf32>, none) -> tensor<?x8xf32>
  return
}

// -----

// CHECK-LABEL: func.func @quick_gelu
// CHECK: onnx.ms.QuickGelu
// CHECK-SAME: : (tensor<?x8xf32>) -> tensor<?x8xf32>
func.func @quick_gelu(%x: tensor<?x8xf32>) {
  %y = onnx.ms.QuickGelu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

// CHECK-LABEL: func.func @gelu
// CHECK: onnx.ms.Gelu
// CHECK-SAME: : (tensor<?x8xf32>) -> tensor<?x8xf32>
func.func @gelu(%x: tensor<?x8xf32>) {
  %y = onnx.ms.Gelu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

// CHECK-LABEL: func.func @fused_mat_mul
// CHECK: onnx.ms.FusedMatMul
// CHECK-SAME: : (tensor<?x64xf32>, tensor<10x64xf32>) -> tensor<?x10xf32>
func.func @fused_mat_mul(%a: tensor<?x64xf32>, %b: tensor<10x64xf32>) {
  %y = onnx.ms.FusedMatMul %a, %b {transB = 1 : i64} : (tensor<?x64xf32>, tensor<10x64xf32>) -> tensor<?x10xf32>
  return
}

// -----

// CHECK-LABEL: func.func @fused_gemm
// CHECK: onnx.ms.FusedGemm
// CHECK-SAME: : (tensor<?x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<?x10xf32>
func.func @fused_gemm(%a: tensor<?x64xf32>, %b: tensor<64x10xf32>, %c: tensor<10xf32>) {
  %y = onnx.ms.FusedGemm %a, %b, %c {activation = "Tanh"} : (tensor<?x64xf32>, tensor<64x10xf32>, tensor<10xf32>) -> tensor<?x10xf32>
  return
}

// -----

// CHECK-LABEL: func.func @fused_conv
// CHECK: onnx.ms.FusedConv
// CHECK-SAME: : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>, none) -> tensor<?x4x6x6xf32>
func.func @fused_conv(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>, %none: none) {
  %y = onnx.ms.FusedConv %x, %w, %b, %none {activation = "Relu"} : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>, none) -> tensor<?x4x6x6xf32>
  return
}

// -----

// CHECK-LABEL: func.func @embed_layer_normalization
// CHECK: onnx.ms.EmbedLayerNormalization
// CHECK-SAME: : (tensor<?x?xi32>, none, tensor<99x8xf32>, tensor<64x8xf32>, none, tensor<8xf32>, tensor<8xf32>, none, none) -> (tensor<?x?x8xf32>, tensor<?xi32>, tensor<?x?x8xf32>)
func.func @embed_layer_normalization(%i: tensor<?x?xi32>, %none: none, %w: tensor<99x8xf32>, %p: tensor<64x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) {
  %y, %m, %s = onnx.ms.EmbedLayerNormalization %i, %none, %w, %p, %none, %g, %b, %none, %none : (tensor<?x?xi32>, none, tensor<99x8xf32>, tensor<64x8xf32>, none, tensor<8xf32>, tensor<8xf32>, none, none) -> (tensor<?x?x8xf32>, tensor<?xi32>, tensor<?x?x8xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @nhwc_max_pool
// CHECK: onnx.ms.NhwcMaxPool
// CHECK-SAME: : (tensor<?x8x8x3xui8>) -> tensor<?x7x7x3xui8>
func.func @nhwc_max_pool(%x: tensor<?x8x8x3xui8>) {
  %y = onnx.ms.NhwcMaxPool %x {kernel_shape = array<i64: 2, 2>} : (tensor<?x8x8x3xui8>) -> tensor<?x7x7x3xui8>
  return
}
