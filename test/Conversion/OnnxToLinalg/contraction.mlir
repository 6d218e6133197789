// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-DAG: #[[A:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[W:.+]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-DAG: #[[Y:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-LABEL: @batched_by_matrix
// CHECK: %[[F:.+]] = linalg.fill
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[W]], #[[Y]]], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
// CHECK-SAME: outs(%[[F]] : tensor<2x3x5xf32>)
func.func @batched_by_matrix(%a: tensor<2x3x4xf32>, %w: tensor<4x5xf32>) -> tensor<2x3x5xf32> {
  %0 = onnx.MatMul %a, %w : (tensor<2x3x4xf32>, tensor<4x5xf32>) -> tensor<2x3x5xf32>
  return %0 : tensor<2x3x5xf32>
}

// -----

// A batch of size 1 is read at 0.
// CHECK: affine_map<(d0, d1, d2, d3) -> (0, d1, d3)>
// CHECK-LABEL: @batch_of_one
func.func @batch_of_one(%a: tensor<1x3x4xf32>, %b: tensor<2x4x5xf32>) -> tensor<2x3x5xf32> {
  %0 = onnx.MatMul %a, %b : (tensor<1x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  return %0 : tensor<2x3x5xf32>
}

// -----

// CHECK: affine_map<(d0) -> ()>
// CHECK-LABEL: @vectors
// CHECK: iterator_types = ["reduction"]
func.func @vectors(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<f32> {
  %0 = onnx.MatMul %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// f16 accumulates in f32 and is cut once.
// CHECK-LABEL: @half
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<2x5xf32>)
// CHECK: arith.addf %{{.+}}, %{{.+}} : f32
// CHECK: arith.truncf %{{.+}} : f32 to f16
func.func @half(%a: tensor<2x4xf16>, %b: tensor<4x5xf16>) -> tensor<2x5xf16> {
  %0 = onnx.MatMul %a, %b : (tensor<2x4xf16>, tensor<4x5xf16>) -> tensor<2x5xf16>
  return %0 : tensor<2x5xf16>
}

// -----

// A constant is transposed by its recipe, so that it reads [k, n]; the bias is an
// op after the product.
// CHECK-DAG: #[[B:.+]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-LABEL: @gemm
// CHECK: %[[W:.+]] = lathe.weight {{.+}} : tensor<2x9xf32> recipe [#lathe.permute<[1, 0]>] : tensor<9x2xf32>
// CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[B]], #{{.+}}], iterator_types = ["parallel", "parallel", "reduction"]} ins(%{{.+}}, %[[W]]
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
// CHECK: arith.addf
func.func @gemm(%a: tensor<3x9xf32>, %c: tensor<2xf32>) -> tensor<3x2xf32> {
  %w = onnx.Constant {value = dense<[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0]]> : tensor<2x9xf32>} : () -> tensor<2x9xf32>
  %0 = onnx.Gemm %a, %w, %c {transB = 1 : i64} : (tensor<3x9xf32>, tensor<2x9xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// CHECK-DAG: affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-LABEL: @einsum_implicit
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]
func.func @einsum_implicit(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) -> tensor<4x2xf32> {
  %0 = onnx.Einsum %a, %b {equation = "bj, ja"} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
