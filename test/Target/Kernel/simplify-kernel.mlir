// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(simplify-kernel))' | FileCheck %s

// A chain of elementwise ops is one.
// CHECK-LABEL: lathe.kernel @chain
// CHECK: linalg.generic
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK-NOT: linalg.generic
#id = affine_map<(d0) -> (d0)>
lathe.kernel @chain(%x: tensor<?xf32>, %s: index) -> (tensor<?xf32>)
    input_dims [[0]] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<?xf32>
  %0 = linalg.add ins(%x, %x : tensor<?xf32>, tensor<?xf32>)
                  outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%0 : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?xf32>
  lathe.yield %1 : tensor<?xf32>
}

// -----

// Padding reads the source where the point is inside.
// CHECK-LABEL: lathe.kernel @pad
// CHECK-NOT: tensor.pad
// CHECK: linalg.generic
// CHECK: arith.cmpi ult
// CHECK: tensor.extract
// CHECK: arith.select
lathe.kernel @pad(%x: tensor<5x4xf32>) -> (tensor<7x4xf32>)
    input_dims [[]] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.pad %x low[1, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<5x4xf32> to tensor<7x4xf32>
  lathe.yield %0 : tensor<7x4xf32>
}
