// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cuda-tile-kernel))' | FileCheck %s

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 64, k, n mod 64)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// A block multiplies 64 rows with one panel of 64 columns.
// CHECK: #[[GRID:.+]] = affine_map<()[s0] -> ((s0 ceildiv 64) * 8)>
// CHECK: lathe.kernel @matmul
// CHECK-SAME: lathe.grid = #[[GRID]]
// CHECK: scf.forall
// CHECK-SAME: step (64, 64)
lathe.kernel @matmul(%a: tensor<?x512xf32>, %b: tensor<8x512x64xf32>, %s: index)
    -> (tensor<?x512xf32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<?x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x512xf32>) -> tensor<?x512xf32>
  %0 = linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x512xf32>, tensor<8x512x64xf32>)
      outs(%f : tensor<?x512xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %q = arith.addf %o, %p : f32
    linalg.yield %q : f32
  } -> tensor<?x512xf32>
  lathe.yield %0 : tensor<?x512xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// Rows stay whole: short ones go to the warps of a block.
// CHECK: #[[GRID:.+]] = affine_map<()[s0] -> (s0 ceildiv 8)>
// CHECK: lathe.kernel @rows
// CHECK-SAME: lathe.grid = #[[GRID]]
// CHECK: scf.forall (%{{.+}}) =
// CHECK: linalg.generic
// CHECK: linalg.generic
lathe.kernel @rows(%x: tensor<?x100xf32>, %s: index) -> (tensor<?x100xf32>)
    input_dims [[0]] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %er = tensor.empty(%s) : tensor<?xf32>
  %e = tensor.empty(%s) : tensor<?x100xf32>
  %f = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x100xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row, #id],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<?x100xf32>, tensor<?xf32>) outs(%e : tensor<?x100xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.divf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x100xf32>
  lathe.yield %0 : tensor<?x100xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>
// CHECK: #[[GRID:.+]] = affine_map<()[s0] -> (s0 ceildiv 2048)>
// CHECK: lathe.kernel @elementwise
// CHECK-SAME: lathe.grid = #[[GRID]]
lathe.kernel @elementwise(%x: tensor<?xf32>, %s: index) -> (tensor<?xf32>)
    input_dims [[0]] result_dims [[0]] {
  %e = tensor.empty(%s) : tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  lathe.yield %0 : tensor<?xf32>
}

// -----

#map_a = affine_map<(n, k) -> (k)>
#map_b = affine_map<(n, k) -> (k, n)>
#map_c = affine_map<(n, k) -> (n)>
// A product of one row is a reduction; its block takes a cache line of columns.
// CHECK: #[[GRID:.+]] = affine_map<() -> (64)>
// CHECK: lathe.kernel @one_row
// CHECK-SAME: lathe.grid = #[[GRID]]
lathe.kernel @one_row(%a: tensor<64xf32>, %b: tensor<64x2048xf32>) -> (tensor<2048xf32>)
    input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2048xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2048xf32>) -> tensor<2048xf32>
  %0 = linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "reduction"]}
      ins(%a, %b : tensor<64xf32>, tensor<64x2048xf32>) outs(%f : tensor<2048xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %q = arith.addf %o, %p : f32
    linalg.yield %q : f32
  } -> tensor<2048xf32>
  lathe.yield %0 : tensor<2048xf32>
}
