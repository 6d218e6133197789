// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// What only repeats elements reads at quotients.
// CHECK: #[[READ:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2 floordiv 2, d3 floordiv 2)>
// CHECK-LABEL: @repeats
// CHECK: linalg.generic {indexing_maps = [#[[READ]], #{{.+}}]{{.*}} outs(%{{.+}} : tensor<1x1x4x6xf32>)
func.func @repeats(%x: tensor<1x1x2x3xf32>) -> tensor<1x1x4x6xf32> {
  %s = onnx.Constant {value = dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>} : () -> tensor<4xf32>
  %n = onnx.None : () -> none
  %0 = onnx.Resize %x, %n, %s, %n {coordinate_transformation_mode = "asymmetric", mode = "nearest", nearest_mode = "floor"} : (tensor<1x1x2x3xf32>, none, tensor<4xf32>, none) -> tensor<1x1x4x6xf32>
  return %0 : tensor<1x1x4x6xf32>
}

// -----

// One pass per axis, over two taps whose elements and weights are tables.
// CHECK-LABEL: @linear
// CHECK: arith.constant dense<{{\[\[}}0, 0], [0, 1], [0, 1], [1, 1]]> : tensor<4x2xi64>
// CHECK: arith.constant dense<{{\[\[}}2.500000e-01, 7.500000e-01], [7.500000e-01, 2.500000e-01]
// CHECK: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK: tensor.extract
func.func @linear(%x: tensor<1x1x2xf32>) -> tensor<1x1x4xf32> {
  %s = onnx.Constant {value = dense<[1.0, 1.0, 2.0]> : tensor<3xf32>} : () -> tensor<3xf32>
  %n = onnx.None : () -> none
  %0 = onnx.Resize %x, %n, %s, %n {mode = "linear"} : (tensor<1x1x2xf32>, none, tensor<3xf32>, none) -> tensor<1x1x4xf32>
  return %0 : tensor<1x1x4xf32>
}

// -----

// Sizes that are not known make the tables at run time.
// CHECK-LABEL: @symbolic
// CHECK-DAG: lathe.symbol "n"
// CHECK: outs(%{{.+}} : tensor<?x2xi64>)
// CHECK: math.floor
// CHECK: outs(%{{.+}} : tensor<?x2xf32>)
func.func @symbolic(%x: tensor<1x1x?xf32>) -> tensor<1x1x?xf32> attributes {lathe.symbols = ["n"]} {
  %s = onnx.Constant {value = dense<[1.0, 1.0, 2.0]> : tensor<3xf32>} : () -> tensor<3xf32>
  %n = onnx.None : () -> none
  %0 = onnx.Resize %x, %n, %s, %n {mode = "linear", lathe.shapes = {contents = [unit, unit, unit, unit], operands = [affine_map<()[s0] -> (1, 1, s0)>, unit, affine_map<()[s0] -> (3)>, unit], results = [affine_map<()[s0] -> (1, 1, s0 * 2)>]}} : (tensor<1x1x?xf32>, none, tensor<3xf32>, none) -> tensor<1x1x?xf32>
  return %0 : tensor<1x1x?xf32>
}
