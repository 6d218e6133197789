// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cuda-inline-reads))' | FileCheck %s

#id = affine_map<(n, c) -> (n, c)>
#in = affine_map<(n, c, k) -> (n, c + k)>
#w = affine_map<(n, c, k) -> (k)>
#out = affine_map<(n, c, k) -> (n, c)>
// A window reads the tensor itself, where it is inside.
// CHECK-LABEL: lathe.kernel @padding
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-SAME: ins(%arg1
// CHECK: tensor.extract %arg0
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
lathe.kernel @padding(%x: tensor<4x8xf32>, %w: tensor<3xf32>) -> (tensor<4x8xf32>)
    input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %e = tensor.empty() : tensor<4x10xf32>
  %pad = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<4x10xf32>) {
  ^bb0(%o: f32):
    %n = linalg.index 0 : index
    %c = linalg.index 1 : index
    %at = arith.subi %c, %c1 : index
    %inside = arith.cmpi ult, %at, %c8 : index
    %safe = arith.select %inside, %at, %c0 : index
    %v = tensor.extract %x[%n, %safe] : tensor<4x8xf32>
    %r = arith.select %inside, %v, %zero : f32
    linalg.yield %r : f32
  } -> tensor<4x10xf32>
  %init = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [#in, #w, #out],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%pad, %w : tensor<4x10xf32>, tensor<3xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  lathe.yield %0 : tensor<4x8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// What is computed is not computed twice.
// CHECK-LABEL: lathe.kernel @arithmetic_stays
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK: arith.addf
lathe.kernel @arithmetic_stays(%x: tensor<4x8xf32>) -> (tensor<4xf32>)
    input_dims [[]] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %init = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  lathe.yield %1 : tensor<4xf32>
}
