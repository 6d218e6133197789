// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// Sizes come from the program's symbols, one value each, never from a tensor.
// CHECK-LABEL: @flatten
// CHECK-NEXT: %[[B:.+]] = lathe.symbol "batch"
// CHECK-NEXT: lathe.view %{{.+}}[%[[B]]] : tensor<?x4x4xf32> to tensor<?x16xf32>
// CHECK-NOT: tensor.dim
func.func @flatten(%x: tensor<?x4x4xf32>) -> tensor<?x16xf32> attributes {lathe.symbols = ["batch"]} {
  %0 = onnx.Flatten %x {lathe.shapes = {contents = [unit], operands = [affine_map<()[s0] -> (s0, 4, 4)>], results = [affine_map<()[s0] -> (s0, 16)>]}} : (tensor<?x4x4xf32>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// -----

// CHECK-LABEL: @concat
// CHECK-DAG: %[[N:.+]] = lathe.symbol "n"
// CHECK-DAG: %[[SUM:.+]] = affine.apply #{{.+}}()[%[[N]]]
// CHECK: tensor.empty(%[[SUM]])
// CHECK: tensor.insert_slice %{{.+}}[%[[N]]] [3] [1]
func.func @concat(%x: tensor<?xf32>, %y: tensor<3xf32>) -> tensor<?xf32> attributes {lathe.symbols = ["n"]} {
  %0 = onnx.Concat %x, %y {axis = 0 : i64, lathe.shapes = {contents = [unit, unit], operands = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (3)>], results = [affine_map<()[s0] -> (s0 + 3)>]}} : (tensor<?xf32>, tensor<3xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// CHECK-LABEL: @shape
// CHECK: %[[N:.+]] = lathe.symbol "n"
// CHECK: arith.select %{{.+}}, %[[N]], %{{.+}} : index
func.func @shape(%x: tensor<?x3xf32>) -> tensor<2xi64> attributes {lathe.symbols = ["n"]} {
  %0 = onnx.Shape %x {lathe.shapes = {contents = [unit], operands = [affine_map<()[s0] -> (s0, 3)>], results = [affine_map<()[s0] -> (2)>]}} : (tensor<?x3xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}
