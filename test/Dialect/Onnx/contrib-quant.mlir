// RUN: lathe-opt %s --split-input-file | lathe-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @q_linear_add
// CHECK: onnx.ms.QLinearAdd
// CHECK-SAME: : (tensor<?x8xui8>, tensor<f32>, tensor<ui8>, tensor<8xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8xui8>
func.func @q_linear_add(%a: tensor<?x8xui8>, %as: tensor<f32>, %az: tensor<ui8>, %b: tensor<8xui8>, %bs: tensor<f32>, %bz: tensor<ui8>, %cs: tensor<f32>, %cz: tensor<ui8>) {
  %c = onnx.ms.QLinearAdd %a, %as, %az, %b, %bs, %bz, %cs, %cz : (tensor<?x8xui8>, tensor<f32>, tensor<ui8>, tensor<8xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8xui8>
  return
}

// -----

// CHECK-LABEL: func.func @q_gemm
// CHECK: onnx.ms.QGemm
// CHECK-SAME: : (tensor<?x64xui8>, tensor<f32>, tensor<ui8>, tensor<64x10xi8>, tensor<f32>, tensor<i8>, none, none, none) -> tensor<?x10xf32>
func.func @q_gemm(%a: tensor<?x64xui8>, %as: tensor<f32>, %az: tensor<ui8>, %b: tensor<64x10xi8>, %bs: tensor<f32>, %bz: tensor<i8>, %none: none) {
  %y = onnx.ms.QGemm %a, %as, %az, %b, %bs, %bz, %none, %none, %none : (tensor<?x64xui8>, tensor<f32>, tensor<ui8>, tensor<64x10xi8>, tensor<f32>, tensor<i8>, none, none, none) -> tensor<?x10xf32>
  return
}

// -----

// CHECK-LABEL: func.func @mat_muln_bits
// CHECK: onnx.ms.MatMulNBits
// CHECK-SAME: : (tensor<?x64xf32>, tensor<10x2x16xui8>, tensor<20xf32>, none, none, none) -> tensor<?x10xf32>
func.func @mat_muln_bits(%a: tensor<?x64xf32>, %b: tensor<10x2x16xui8>, %s: tensor<20xf32>, %none: none) {
  %y = onnx.ms.MatMulNBits %a, %b, %s, %none, %none, %none {K = 64 : i64, N = 10 : i64, block_size = 32 : i64} : (tensor<?x64xf32>, tensor<10x2x16xui8>, tensor<20xf32>, none, none, none) -> tensor<?x10xf32>
  return
}

// -----

// CHECK-LABEL: func.func @mat_mul_integer_to_float
// CHECK: onnx.ms.MatMulIntegerToFloat
// CHECK-SAME: : (tensor<?x64xui8>, tensor<64x10xi8>, tensor<f32>, tensor<f32>, none, none, none) -> tensor<?x10xf32>
func.func @mat_mul_integer_to_float(%a: tensor<?x64xui8>, %b: tensor<64x10xi8>, %as: tensor<f32>, %bs: tensor<f32>, %none: none) {
  %y = onnx.ms.MatMulIntegerToFloat %a, %b, %as, %bs, %none, %none, %none : (tensor<?x64xui8>, tensor<64x10xi8>, tensor<f32>, tensor<f32>, none, none, none) -> tensor<?x10xf32>
  return
}

// -----

// CHECK-LABEL: func.func @dynamic_quantize_mat_mul
// CHECK: onnx.ms.DynamicQuantizeMatMul
// CHECK-SAME: : (tensor<?x64xf32>, tensor<64x10xi8>, tensor<f32>, none, none) -> tensor<?x10xf32>
func.func @dynamic_quantize_mat_mul(%a: tensor<?x64xf32>, %b: tensor<64x10xi8>, %bs: tensor<f32>, %none: none) {
  %y = onnx.ms.DynamicQuantizeMatMul %a, %b, %bs, %none, %none : (tensor<?x64xf32>, tensor<64x10xi8>, tensor<f32>, none, none) -> tensor<?x10xf32>
  return
}

// -----

// CHECK-LABEL: func.func @q_linear_mul
// CHECK: onnx.ms.QLinearMul
// CHECK-SAME: : (tensor<?x8xui8>, tensor<f32>, tensor<ui8>, tensor<8xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8xui8>
func.func @q_linear_mul(%a: tensor<?x8xui8>, %as: tensor<f32>, %az: tensor<ui8>, %b: tensor<8xui8>, %bs: tensor<f32>, %bz: tensor<ui8>, %cs: tensor<f32>, %cz: tensor<ui8>) {
  %c = onnx.ms.QLinearMul %a, %as, %az, %b, %bs, %bz, %cs, %cz : (tensor<?x8xui8>, tensor<f32>, tensor<ui8>, tensor<8xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8xui8>
  return
}

// -----

// CHECK-LABEL: func.func @q_linear_global_average_pool
// CHECK: onnx.ms.QLinearGlobalAveragePool
// CHECK-SAME: : (tensor<?x8x7x7xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8x1x1xui8>
func.func @q_linear_global_average_pool(%x: tensor<?x8x7x7xui8>, %xs: tensor<f32>, %xz: tensor<ui8>, %ys: tensor<f32>, %yz: tensor<ui8>) {
  %y = onnx.ms.QLinearGlobalAveragePool %x, %xs, %xz, %ys, %yz : (tensor<?x8x7x7xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<?x8x1x1xui8>
  return
}
