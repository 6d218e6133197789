// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @softmax
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: arith.addf
// CHECK: arith.divf
func.func @softmax(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = onnx.Softmax %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// Two passes: the mean, then the squared differences.
// CHECK-LABEL: @layer
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: arith.addf
// CHECK: arith.divf
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: %[[D:.+]] = arith.subf
// CHECK: arith.mulf %[[D]], %[[D]]
// CHECK: math.sqrt
// CHECK: iterator_types = ["parallel", "parallel"]
// CHECK-NOT: lathe.view
func.func @layer(%x: tensor<2x4xf32>, %s: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<2x4xf32> {
  %0, %1, %2 = onnx.LayerNormalization %x, %s, %b : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<2x4xf32>, tensor<2x1xf32>, tensor<2x1xf32>)
  return %0 : tensor<2x4xf32>
}

// -----

// Factor and offset are made once per channel.
// CHECK-LABEL: @batch
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<3xf32>)
// CHECK: math.sqrt
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<3xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<1x3x2xf32>)
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @batch(%x: tensor<1x3x2xf32>, %c: tensor<3xf32>) -> tensor<1x3x2xf32> {
  %0, %1, %2 = onnx.BatchNormalization %x, %c, %c, %c, %c : (tensor<1x3x2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<1x3x2xf32>, tensor<3xf32>, tensor<3xf32>)
  return %0 : tensor<1x3x2xf32>
}
