// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK: #[[ID:.+]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK: #[[ROW:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: @broadcasts
// CHECK-SAME: %[[X:[^:]+]]: tensor<2x4xf32>, %[[Y:[^:]+]]: tensor<4xf32>
// CHECK: %[[E:.+]] = tensor.empty() : tensor<2x4xf32>
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ID]]], iterator_types = ["parallel", "parallel"]}
// CHECK-SAME: ins(%[[X]], %[[Y]] : {{.+}}) outs(%[[E]] : {{.+}}) attrs = {lathe.node = 3 : i64}
// CHECK: arith.addf
func.func @broadcasts(%x: tensor<2x4xf32>, %y: tensor<4xf32>) -> tensor<2x4xf32> {
  %0 = onnx.Add %x, %y {lathe.node = 3 : i64} : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// A size that is known to be 1 is read at 0.
// CHECK: #[[ZERO:.+]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: @size_one
// CHECK: indexing_maps = [{{.+}}, #[[ZERO]], {{.+}}]
func.func @size_one(%x: tensor<2x4xf32>, %y: tensor<2x1xf32>) -> tensor<2x4xf32> {
  %0 = onnx.Mul %x, %y : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// Splat constants become part of the body.
// CHECK-LABEL: @splat
// CHECK-SAME: %[[X:[^:]+]]: tensor<4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[X]] : tensor<4xf32>)
// CHECK: %[[TWO:.+]] = arith.constant 2.000000e+00 : f32
// CHECK: arith.divf %{{.+}}, %[[TWO]]
func.func @splat(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = onnx.Constant {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %0 = onnx.Div %x, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Short floats are computed with in f32.
// CHECK-LABEL: @half
// CHECK: %[[A:.+]] = arith.extf %{{.+}} : f16 to f32
// CHECK: %[[B:.+]] = math.exp %[[A]] : f32
// CHECK: arith.truncf %[[B]] : f32 to f16
func.func @half(%x: tensor<4xf16>) -> tensor<4xf16> {
  %0 = onnx.Exp %x : (tensor<4xf16>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

// Bools are stored as bytes; the signature keeps their type.
// CHECK-LABEL: @bools
// CHECK-SAME: tensor<4xi8> {lathe.type = tensor<4xi1>}
// CHECK-SAME: -> (tensor<4xi8> {lathe.type = tensor<4xi1>})
// CHECK: arith.cmpi ne, %{{.+}}, %{{.+}} : i8
// CHECK: arith.xori {{.+}} : i1
// CHECK: arith.extui {{.+}} : i1 to i8
func.func @bools(%x: tensor<4xi1>) -> tensor<4xi1> {
  %0 = onnx.Not %x : (tensor<4xi1>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}

// -----

// Signedness chooses the operation and is gone from the types.
// CHECK-LABEL: @unsigned
// CHECK-SAME: %{{[^:]+}}: tensor<4xi8> {lathe.type = tensor<4xui8>}
// CHECK: arith.maxui
func.func @unsigned(%x: tensor<4xui8>, %y: tensor<4xui8>) -> tensor<4xui8> {
  %0 = onnx.Max %x, %y : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// -----

// Neither zero nor -1 reaches the division.
// CHECK-LABEL: @int_div
// CHECK: %[[SAFE:.+]] = arith.select
// CHECK: arith.divsi %{{.+}}, %[[SAFE]]
func.func @int_div(%x: tensor<4xi32>, %y: tensor<4xi32>) -> tensor<4xi32> {
  %0 = onnx.Div %x, %y : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// An omitted limit takes no part.
// CHECK-LABEL: @clip_above
// CHECK: arith.cmpf olt
// CHECK: arith.select
// CHECK-NOT: arith.select
// CHECK: linalg.yield
func.func @clip_above(%x: tensor<4xf32>, %hi: tensor<f32>) -> tensor<4xf32> {
  %n = onnx.None : () -> none
  %0 = onnx.Clip %x, %n, %hi : (tensor<4xf32>, none, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @cast_to_int
// CHECK: %[[WIDE:.+]] = arith.fptosi %{{.+}} : f32 to i32
// CHECK: arith.trunci %[[WIDE]] : i32 to i8
func.func @cast_to_int(%x: tensor<4xf32>) -> tensor<4xui8> {
  %0 = onnx.Cast %x {to = 2 : i64} : (tensor<4xf32>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}
