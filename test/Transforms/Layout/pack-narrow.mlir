// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(pack-weights{panel-width=32}))' -mlir-print-local-scope | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// Three columns do not fill a vector: the reduction lies innermost.
// CHECK-LABEL: @narrow
// CHECK: recipe [#lathe.permute<[1, 0]>] : tensor<3x64xf32>
// CHECK: affine_map<(d0, d1, d2) -> (d1, d2)>
func.func @narrow(%x: tensor<2x64xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = lathe.weight dense<1.0> : tensor<64x3xf32> : tensor<64x3xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x64xf32>, tensor<64x3xf32>) outs(%o : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Neither do seven steps of a reduction.
// CHECK-LABEL: @narrow_and_short
// CHECK: lathe.weight dense<1.0{{.*}}> : tensor<7x3xf32> : tensor<7x3xf32>
func.func @narrow_and_short(%x: tensor<2x7xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = lathe.weight dense<1.0> : tensor<7x3xf32> : tensor<7x3xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x7xf32>, tensor<7x3xf32>) outs(%o : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
