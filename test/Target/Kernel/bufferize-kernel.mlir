// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(bufferize-kernel))' | FileCheck %s

#id = affine_map<(d0) -> (d0)>
// The result is written directly, and may replace the input.
// CHECK: #[[NONE:.+]] = affine_map<()[s0] -> (0)>
// CHECK: lathe.kernel @relu(%arg0: memref<?xf32>, %arg1: memref<?xf32>, %arg2: index)
// CHECK-SAME: lathe.inplace = {{\[}}array<i64: 0, 0>]
// CHECK-SAME: lathe.scratch = #[[NONE]]
// CHECK-NOT: alloc
// CHECK: linalg.generic
// CHECK-SAME: outs(%arg1
// CHECK-NOT: copy
// CHECK: lathe.yield
lathe.kernel @relu(%x: tensor<?xf32>, %s: index) -> (tensor<?xf32>)
    input_dims [[0]] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?xf32>
  lathe.yield %0 : tensor<?xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// A buffer whose size is symbolic lies in scratch memory.
// CHECK-DAG: #[[START:.+]] = affine_map<()[s0] -> (0)>
// CHECK-DAG: #[[BYTES:.+]] = affine_map<()[s0] -> ({{.*}}ceildiv 64) * 64)>
// CHECK: lathe.kernel @mean
// CHECK-SAME: lathe.scratch = #[[BYTES]]
// CHECK: memref.alloc(
// CHECK-SAME: lathe.offset = #[[START]]
lathe.kernel @mean(%x: tensor<?x100xf32>, %s: index) -> (tensor<?x100xf32>)
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

#id = affine_map<(d0, d1) -> (d0, d1)>
// What lies in another tensor has its strides, and no buffer takes over another.
// CHECK-LABEL: lathe.kernel @within
// CHECK-SAME: %[[X:.*]]: memref<?x16xf32>, %[[Y:.*]]: memref<?x16xf32, strided<[?, 1]>>, %[[Z:.*]]: memref<?x16xf32, strided<[48, 1]>>
// CHECK-NOT: lathe.inplace
// CHECK-NOT: alloc
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[X]], %[[Y]]
// CHECK-SAME: outs(%[[Z]]
// CHECK-NOT: copy
// CHECK: lathe.yield
lathe.kernel @within(%x: tensor<?x16xf32>, %y: tensor<?x16xf32>, %s: index, %k: index) -> (tensor<?x16xf32>)
    input_dims [[0], [0]] result_dims [[0]]
    attributes {lathe.within = [unit, affine_map<()[s0, s1] -> (s0, s1)>, affine_map<()[s0, s1] -> (s0, 48)>]} {
  %e = tensor.empty(%s) : tensor<?x16xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x16xf32>, tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.addf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<?x16xf32>
  lathe.yield %0 : tensor<?x16xf32>
}
