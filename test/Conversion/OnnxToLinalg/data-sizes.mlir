// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(onnx-infer-shapes,annotate-shapes,convert-onnx-to-linalg))' | FileCheck %s

// What stays is found and counted, the count bound, and the result read from
// there.
// CHECK-LABEL: @compress
// CHECK: %[[FOUND:.+]]:2 = lathe.grid
// CHECK: lathe.bind "{{.+}}" = %{{.+}} max %{{.+}}
// CHECK: linalg.generic
func.func @compress(%x: tensor<3x2xf32>, %c: tensor<3xi1>) -> tensor<?x2xf32> {
  %y = onnx.Compress %x, %c {axis = 0 : i64} : (tensor<3x2xf32>, tensor<3xi1>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: @unique
// CHECK: %[[FOUND:.+]]:4 = lathe.grid
// CHECK: lathe.bind
// CHECK-COUNT-3: linalg.generic
func.func @unique(%x: tensor<6xf32>) -> (tensor<?xf32>, tensor<?xi64>, tensor<6xi64>, tensor<?xi64>) {
  %y, %i, %v, %n = onnx.Unique %x : (tensor<6xf32>) -> (tensor<?xf32>, tensor<?xi64>, tensor<6xi64>, tensor<?xi64>)
  return %y, %i, %v, %n : tensor<?xf32>, tensor<?xi64>, tensor<6xi64>, tensor<?xi64>
}

// -----

// CHECK-LABEL: @nms
// CHECK: lathe.grid
// CHECK: lathe.grid
// CHECK: lathe.bind
func.func @nms(%b: tensor<1x6x4xf32>, %s: tensor<1x1x6xf32>, %m: tensor<1xi64>) -> tensor<?x3xi64> {
  %none = onnx.None : () -> none
  %y = onnx.NonMaxSuppression %b, %s, %m, %none, %none : (tensor<1x6x4xf32>, tensor<1x1x6xf32>, tensor<1xi64>, none, none) -> tensor<?x3xi64>
  return %y : tensor<?x3xi64>
}

// -----

// A shape that is known when the program runs has to fit, and gives the sizes.
// CHECK-LABEL: @reshape
// CHECK: lathe.grid
// CHECK: lathe.check %{{.+}}, "expects a shape of as many elements as its data has"
// CHECK-COUNT-2: lathe.bind
// CHECK: lathe.view
func.func @reshape(%x: tensor<2x6xf32>, %s: tensor<2xi64>) -> tensor<?x?xf32> {
  %y = onnx.Reshape %x, %s : (tensor<2x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// -----

// Axes that are known when the program runs: a point per element of the result.
// CHECK-LABEL: @reduce
// CHECK: lathe.check %{{.+}}, "expects indices in [-2, 2)"
// CHECK: lathe.grid
// CHECK: lathe.bind
// CHECK: lathe.grid
// CHECK: scf.for
// CHECK: arith.addf
func.func @reduce(%x: tensor<2x6xf32>, %a: tensor<1xi64>) -> tensor<?xf32> {
  %y = onnx.ReduceSum %x, %a {keepdims = 0 : i64} : (tensor<2x6xf32>, tensor<1xi64>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// CHECK-LABEL: @slice
// CHECK: lathe.grid
// CHECK: lathe.bind "{{.+}}" = %{{.+}} max
func.func @slice(%x: tensor<8xf32>, %s: tensor<1xi64>, %e: tensor<1xi64>, %a: tensor<1xi64>) -> tensor<?xf32> {
  %none = onnx.None : () -> none
  %y = onnx.Slice %x, %s, %e, %a, %none : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// CHECK-LABEL: @dft
// CHECK: lathe.check %{{.+}}, "expects indices in [-3, 3)"
// CHECK: lathe.bind
// CHECK: lathe.grid
// CHECK: math.cos
func.func @dft(%x: tensor<1x4x2xf32>, %a: tensor<i64>) -> tensor<?x?x2xf32> {
  %none = onnx.None : () -> none
  %y = onnx.DFT %x, %none, %a : (tensor<1x4x2xf32>, none, tensor<i64>) -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

// -----

// CHECK-LABEL: @col2im
// CHECK: lathe.bind
// CHECK: lathe.grid
// CHECK: scf.for
func.func @col2im(%x: tensor<1x5x5xf32>, %i: tensor<2xi64>, %b: tensor<2xi64>) -> tensor<1x?x?x?xf32> {
  %y = onnx.Col2Im %x, %i, %b : (tensor<1x5x5xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x?x?x?xf32>
  return %y : tensor<1x?x?x?xf32>
}
