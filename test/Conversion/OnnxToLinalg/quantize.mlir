// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(onnx-infer-shapes,annotate-shapes,convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @per_tensor
// CHECK: linalg.generic
// CHECK: arith.divf
// CHECK: math.roundeven
// CHECK: arith.fptosi %{{.+}} : f32 to i32
// CHECK: arith.trunci %{{.+}} : i32 to i8
func.func @per_tensor(%x: tensor<4xf32>, %s: tensor<f32>, %z: tensor<ui8>) -> tensor<4xui8> {
  %0 = onnx.QuantizeLinear %x, %s, %z : (tensor<4xf32>, tensor<f32>, tensor<ui8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// -----

// CHECK: #[[AXIS:.+]] = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: @per_axis
// CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[AXIS]], #[[AXIS]], #{{.+}}]
func.func @per_axis(%x: tensor<2x3xi8>, %s: tensor<2xf32>, %z: tensor<2xi8>) -> tensor<2x3xf32> {
  %0 = onnx.DequantizeLinear %x, %s, %z {axis = 0 : i64} : (tensor<2x3xi8>, tensor<2xf32>, tensor<2xi8>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// CHECK-LABEL: @symbolic
// CHECK-NOT: lathe.view
// CHECK: return
func.func @symbolic(%x: tensor<?x3xf32> {lathe.dims = ["N", ""]}, %s: tensor<f32>, %z: tensor<ui8>) -> tensor<?x3xui8> {
  %0 = onnx.QuantizeLinear %x, %s, %z : (tensor<?x3xf32>, tensor<f32>, tensor<ui8>) -> tensor<?x3xui8>
  return %0 : tensor<?x3xui8>
}

// -----

// Blocks are a dimension of their own.
// CHECK: #[[BLOCKS:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: @blocks
// CHECK: lathe.view %{{.+}} : tensor<6x4xi8> to tensor<3x2x4xi8>
// CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[BLOCKS]], #{{.+}}]
func.func @blocks(%x: tensor<6x4xi4>, %s: tensor<3x4xf32>, %none: none) -> tensor<6x4xf32> {
  %0 = onnx.DequantizeLinear %x, %s, %none {axis = 0 : i64, block_size = 2 : i64} : (tensor<6x4xi4>, tensor<3x4xf32>, none) -> tensor<6x4xf32>
  return %0 : tensor<6x4xf32>
}

// -----

// A division in f16 is rounded to it.
// CHECK-LABEL: @precision
// CHECK: arith.divf %{{.+}}, %{{.+}} : f32
// CHECK-NEXT: arith.truncf %{{.+}} : f32 to f16
func.func @precision(%x: tensor<4xf32>, %s: tensor<f32>, %none: none) -> tensor<4xui8> {
  %0 = onnx.QuantizeLinear %x, %s, %none {precision = 10 : i64} : (tensor<4xf32>, tensor<f32>, none) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// -----

// Narrow floats are bytes; nothing is left of their types.
// CHECK-LABEL: @narrow_floats
// CHECK-SAME: tensor<4xf32>
// CHECK-SAME: -> (tensor<4xi8> {{.*}}f8E4M3FN
// CHECK-NOT: f8E4M3FN
// CHECK: arith.bitcast %{{.+}} : f32 to i32
// CHECK: arith.trunci %{{.+}} : i32 to i8
func.func @narrow_floats(%x: tensor<4xf32>) -> tensor<4xf8E4M3FN> {
  %0 = onnx.Cast %x {to = 17 : i64} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return %0 : tensor<4xf8E4M3FN>
}

// -----

// A byte is extended as its new type is.
// CHECK-LABEL: @bits_of_another_type
// CHECK: %[[MASK:.+]] = arith.constant 15 : i8
// CHECK: arith.andi %{{.+}}, %[[MASK]] : i8
func.func @bits_of_another_type(%x: tensor<4xi4>) -> tensor<4xui4> {
  %0 = onnx.BitCast %x {to = 21 : i64} : (tensor<4xi4>) -> tensor<4xui4>
  return %0 : tensor<4xui4>
}

// -----

// What is moved is not converted.
// CHECK-LABEL: @moved
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0(%[[X:.+]]: i8, %{{.+}}: i8):
// CHECK-NEXT: linalg.yield %[[X]] : i8
func.func @moved(%x: tensor<2x3xf8E5M2>) -> tensor<3x2xf8E5M2> {
  %0 = onnx.Transpose %x : (tensor<2x3xf8E5M2>) -> tensor<3x2xf8E5M2>
  return %0 : tensor<3x2xf8E5M2>
}

// -----

// CHECK-LABEL: @small_constant
// CHECK: lathe.weight dense<[-8, 7, -1]> : tensor<3xi8> : tensor<3xi8>
func.func @small_constant() -> tensor<3xi4> {
  %0 = onnx.Constant {value = dense<[-8, 7, -1]> : tensor<3xi4>} : () -> tensor<3xi4>
  return %0 : tensor<3xi4>
}

// -----

// The zero point of the left factor times the sums of the columns, 4 and 6,
// is a constant, and the loops multiply bytes.
// CHECK-LABEL: @zero_point_taken_out
// CHECK: lathe.weight dense<[-12, -18]> : tensor<2xi32>
// CHECK: linalg.generic
// CHECK: arith.extui %{{.+}} : i8 to i32
// CHECK-NEXT: arith.extsi %{{.+}} : i8 to i32
// CHECK-NEXT: arith.muli
// CHECK-NEXT: arith.addi
func.func @zero_point_taken_out(%a: tensor<3x2xui8>) -> tensor<3x2xi32> {
  %none = onnx.None : () -> none
  %b = onnx.Constant {value = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>} : () -> tensor<2x2xi8>
  %z = onnx.Constant {value = dense<3> : tensor<ui8>} : () -> tensor<ui8>
  %0 = onnx.MatMulInteger %a, %b, %z, %none : (tensor<3x2xui8>, tensor<2x2xi8>, tensor<ui8>, none) -> tensor<3x2xi32>
  return %0 : tensor<3x2xi32>
}

// -----

// Signed bytes are moved up by 128, and so is their zero point.
// CHECK-LABEL: @signed_bytes
// CHECK: lathe.weight dense<[-508, -762]> : tensor<2xi32>
// CHECK: arith.xori %{{.+}}, %{{.+}} : i8
// CHECK-NEXT: arith.extui
func.func @signed_bytes(%a: tensor<3x2xi8>) -> tensor<3x2xi32> {
  %none = onnx.None : () -> none
  %b = onnx.Constant {value = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>} : () -> tensor<2x2xi8>
  %z = onnx.Constant {value = dense<-1> : tensor<i8>} : () -> tensor<i8>
  %0 = onnx.MatMulInteger %a, %b, %z, %none : (tensor<3x2xi8>, tensor<2x2xi8>, tensor<i8>, none) -> tensor<3x2xi32>
  return %0 : tensor<3x2xi32>
}

// -----

// CHECK-LABEL: @zero_points_as_elements_are_read
// CHECK: linalg.generic
// CHECK: arith.subi
// CHECK: arith.subi
// CHECK: arith.muli
func.func @zero_points_as_elements_are_read(%a: tensor<3x2xui8>, %b: tensor<2x4xui8>, %za: tensor<3xui8>, %zb: tensor<4xui8>) -> tensor<3x4xi32> {
  %0 = onnx.MatMulInteger %a, %b, %za, %zb : (tensor<3x2xui8>, tensor<2x4xui8>, tensor<3xui8>, tensor<4xui8>) -> tensor<3x4xi32>
  return %0 : tensor<3x4xi32>
}

// -----

// The padding is the zero point.
// CHECK-LABEL: @padding
// CHECK: %[[Z:.+]] = arith.constant -126 : i8
// CHECK: tensor.pad
// CHECK: tensor.yield %[[Z]]
func.func @padding(%x: tensor<1x1x4x4xui8>, %w: tensor<1x1x3x3xui8>) -> tensor<1x1x4x4xi32> {
  %none = onnx.None : () -> none
  %z = onnx.Constant {value = dense<130> : tensor<ui8>} : () -> tensor<ui8>
  %0 = onnx.ConvInteger %x, %w, %z, %none {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x1x4x4xui8>, tensor<1x1x3x3xui8>, tensor<ui8>, none) -> tensor<1x1x4x4xi32>
  return %0 : tensor<1x1x4x4xi32>
}

// -----

// Three channels are filled up to four.
// CHECK-LABEL: @channels
// CHECK: lathe.weight dense_resource<filled> : tensor<1x4x1x2xi8>
// CHECK: tensor.pad %{{.+}} low[0, 0, 0, 0] high[0, 1, 0, 0]
// CHECK: linalg.generic
func.func @channels(%x: tensor<1x3x4x4xui8>) -> tensor<1x1x4x3xi32> {
  %none = onnx.None : () -> none
  %w = onnx.Constant {value = dense<[[[[1, 2]], [[3, 4]], [[5, 6]]]]> : tensor<1x3x1x2xi8>} : () -> tensor<1x3x1x2xi8>
  %0 = onnx.ConvInteger %x, %w, %none, %none : (tensor<1x3x4x4xui8>, tensor<1x3x1x2xi8>, none, none) -> tensor<1x1x4x3xi32>
  return %0 : tensor<1x1x4x3xi32>
}

// -----

// Zero points are known to be none, however many.
// CHECK-LABEL: @zeros_of_many_channels
// CHECK-NOT: arith.subi
// CHECK: arith.muli
func.func @zeros_of_many_channels(%a: tensor<3x2xui8>) -> tensor<3x4xi32> {
  %none = onnx.None : () -> none
  %b = onnx.Constant {value = dense<[[1, 2, 3, 4], [3, 4, 5, 6]]> : tensor<2x4xi8>} : () -> tensor<2x4xi8>
  %z = onnx.Constant {value = dense_resource<zeros> : tensor<4xi8>} : () -> tensor<4xi8>
  %0 = onnx.MatMulInteger %a, %b, %none, %z : (tensor<3x2xui8>, tensor<2x4xi8>, none, tensor<4xi8>) -> tensor<3x4xi32>
  return %0 : tensor<3x4xi32>
}

{-#
  dialect_resources: {
    builtin: {
      zeros: "0x0100000000000000"
    }
  }
#-}
