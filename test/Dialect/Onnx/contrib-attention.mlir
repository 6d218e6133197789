// RUN: lathe-opt %s --split-input-file | lathe-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @rotary_embedding
// CHECK: onnx.ms.RotaryEmbedding
// CHECK-SAME: : (tensor<?x?x8xf32>, tensor<1xi64>, tensor<64x2xf32>, tensor<64x2xf32>) -> tensor<?x?x8xf32>
func.func @rotary_embedding(%x: tensor<?x?x8xf32>, %p: tensor<1xi64>, %c: tensor<64x2xf32>, %s: tensor<64x2xf32>) {
  %y = onnx.ms.RotaryEmbedding %x, %p, %c, %s : (tensor<?x?x8xf32>, tensor<1xi64>, tensor<64x2xf32>, tensor<64x2xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

// CHECK-LABEL: func.func @multi_head_attention
// CHECK: onnx.ms.MultiHeadAttention
// CHECK-SAME: : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, none, none, none, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>)
func.func @multi_head_attention(%q: tensor<?x?x8xf32>, %none: none) {
  %y, %k, %v, %s = onnx.ms.MultiHeadAttention %q, %q, %q, %none, %none, %none, %none, %none, %none, %none {num_heads = 2 : i64} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, none, none, none, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @group_query_attention
// CHECK: onnx.ms.GroupQueryAttention
// CHECK-SAME: : (tensor<?x?x8xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>, none, none, tensor<?xi32>, tensor<i32>, none, none, none, none, none, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>, tensor<*xf32>)
func.func @group_query_attention(%q: tensor<?x?x8xf32>, %x: tensor<?x?x4xf32>, %none: none, %l: tensor<?xi32>, %t: tensor<i32>) {
  %y, %k, %v, %s = onnx.ms.GroupQueryAttention %q, %x, %x, %none, %none, %l, %t, %none, %none, %none, %none, %none, %none, %none, %none, %none {kv_num_heads = 1 : i64, num_heads = 2 : i64} : (tensor<?x?x8xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>, none, none, tensor<?xi32>, tensor<i32>, none, none, none, none, none, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>, tensor<*xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @attention
// CHECK: onnx.ms.Attention
// CHECK-SAME: : (tensor<?x?x8xf32>, tensor<8x24xf32>, tensor<24xf32>, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<2x?x2x?x4xf32>)
func.func @attention(%x: tensor<?x?x8xf32>, %w: tensor<8x24xf32>, %b: tensor<24xf32>, %none: none) {
  %y, %p = onnx.ms.Attention %x, %w, %b, %none, %none, %none, %none {num_heads = 2 : i64} : (tensor<?x?x8xf32>, tensor<8x24xf32>, tensor<24xf32>, none, none, none, none) -> (tensor<?x?x8xf32>, tensor<2x?x2x?x4xf32>)
  return
}
