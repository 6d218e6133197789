// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(fold-moves))' -split-input-file | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(fold-moves{cross-node=false}))' -split-input-file | FileCheck %s --check-prefix=NODE

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#swap = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
#q = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#k = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
#s = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>

// Heads move before rows: the product reads them where they were.
// CHECK: #[[MOVED:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d3)>
// CHECK-LABEL: @product
// CHECK-SAME: %[[X:.*]]: tensor<?x4x8xf32>, %[[Y:.*]]: tensor<4x?x8xf32>
// CHECK-NOT: linalg.yield %in : f32
// CHECK: linalg.generic {indexing_maps = [#[[MOVED]],
// CHECK-SAME: ins(%[[X]], %[[Y]] :
// CHECK-SAME: lathe.moved = array<i64: 0>
// NODE-LABEL: @product
// NODE-COUNT-2: linalg.generic
func.func @product(%x: tensor<?x4x8xf32>, %y: tensor<4x?x8xf32>, %m: index, %n: index) -> tensor<4x?x?xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%m) : tensor<4x?x8xf32>
  %t = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x4x8xf32>) outs(%e : tensor<4x?x8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<4x?x8xf32>
  %o = tensor.empty(%m, %n) : tensor<4x?x?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%o : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %0 = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%t, %y : tensor<4x?x8xf32>, tensor<4x?x8xf32>) outs(%f : tensor<4x?x?xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %r = arith.addf %c, %p : f32
    linalg.yield %r : f32
  } -> tensor<4x?x?xf32>
  return %0 : tensor<4x?x?xf32>
}

// -----

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#swap = affine_map<(d0, d1, d2) -> (d1, d0, d2)>

// A chain there and back within one node; all readers follow, and what is saved
// counts once.
// CHECK-LABEL: @chain
// CHECK-SAME: %[[X:.*]]: tensor<6x4x8xf32>
// CHECK: linalg.generic {{.*}} ins(%[[X]] : {{.*}} {
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} ins(%[[X]] :
// CHECK-NOT: lathe.moved
// NODE-LABEL: @chain
// NODE-COUNT-2: linalg.generic
// NODE-NOT: linalg.generic
func.func @chain(%x: tensor<6x4x8xf32>) -> (tensor<6x4x8xf32>, tensor<6x4x8xf32>) {
  %e = tensor.empty() : tensor<4x6x8xf32>
  %g = tensor.empty() : tensor<6x4x8xf32>
  %t = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<6x4x8xf32>) outs(%e : tensor<4x6x8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<4x6x8xf32>
  %u = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t : tensor<4x6x8xf32>) outs(%g : tensor<6x4x8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<6x4x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%u : tensor<6x4x8xf32>) outs(%g : tensor<6x4x8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<6x4x8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%u : tensor<6x4x8xf32>) outs(%g : tensor<6x4x8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<6x4x8xf32>
  return %0, %1 : tensor<6x4x8xf32>, tensor<6x4x8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>

// A real transpose is made once; what is returned has to be made.
// NODE-LABEL: @stays
// CHECK-LABEL: @stays
// CHECK-COUNT-3: linalg.generic
func.func @stays(%x: tensor<4x8xf32>) -> (tensor<8x4xf32>, tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<8x4xf32>
  %g = tensor.empty() : tensor<4x8xf32>
  %t = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<8x4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<8x4xf32>) outs(%e : tensor<8x4xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x4xf32>
  %u = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%g : tensor<4x8xf32>) attrs = {lathe.node = 2} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<4x8xf32>
  return %0, %u : tensor<8x4xf32>, tensor<4x8xf32>
}
