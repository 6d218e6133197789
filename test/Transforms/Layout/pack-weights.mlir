// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(pack-weights{panel-width=4}))' -mlir-print-local-scope | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#t = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @panels
// CHECK: lathe.weight dense<1.0{{.*}}> : tensor<3x8xf32> recipe [#lathe.panel<4>] : tensor<2x3x4xf32>
// CHECK: affine_map<(d0, d1, d2) -> (d1 floordiv 4, d2, d1 mod 4)>
func.func @panels(%x: tensor<2x3xf32>, %o: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = lathe.weight dense<1.0> : tensor<3x8xf32> : tensor<3x8xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x3xf32>, tensor<3x8xf32>) outs(%o : tensor<2x8xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// A transposed weight gets a permutation first.
// CHECK-LABEL: @transposed
// CHECK: recipe [#lathe.permute<[1, 0]>, #lathe.panel<4>] : tensor<2x3x4xf32>
func.func @transposed(%x: tensor<2x3xf32>, %o: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x3xf32> : tensor<8x3xf32>
  %0 = linalg.generic {indexing_maps = [#a, #t, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x3xf32>, tensor<8x3xf32>) outs(%o : tensor<2x8xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// Columns that no panel divides: the last one is filled with zeros.
// CHECK-LABEL: @ragged
// CHECK: recipe [#lathe.panel<4>] : tensor<2x3x4xf32>
func.func @ragged(%x: tensor<2x3xf32>, %o: tensor<2x7xf32>) -> tensor<2x7xf32> {
  %w = lathe.weight dense<1.0> : tensor<3x7xf32> : tensor<3x7xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x3xf32>, tensor<3x7xf32>) outs(%o : tensor<2x7xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x7xf32>
  return %0 : tensor<2x7xf32>
}

// CHECK-LABEL: @no_panel_of_few_columns
// CHECK-NOT: recipe
func.func @no_panel_of_few_columns(%x: tensor<2x3xf32>, %o: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = lathe.weight dense<1.0> : tensor<3x4xf32> : tensor<3x4xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x3xf32>, tensor<3x4xf32>) outs(%o : tensor<2x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: @no_weight
// CHECK-NOT: floordiv
func.func @no_weight(%x: tensor<2x3xf32>, %w: tensor<3x8xf32>, %o: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x3xf32>, tensor<3x8xf32>) outs(%o : tensor<2x8xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}
