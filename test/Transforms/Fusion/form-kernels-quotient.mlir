// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{explain}))' -split-input-file | FileCheck %s

// Points that share what they compute stay out of the blocks of a reduction.
#part = affine_map<(d0, d1) -> (d0 floordiv 2, d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: @into_reduction
// CHECK: lathe.apart = ["{{.*}}a reduction's blocks would compute what points share many times{{.*}}"]
func.func @into_reduction(%x: tensor<4x16xf32>, %z: tensor<16xf32>) -> tensor<16xf32> {
  %e = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [#part, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["reduction", "parallel"]}
      ins(%0 : tensor<8x16xf32>) outs(%z : tensor<16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<16xf32>
  return %1 : tensor<16xf32>
}

// -----

// A copy to another layout would scatter them.
#part = affine_map<(d0, d1) -> (d0 floordiv 2, d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#turn = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: @into_transpose
// CHECK: lathe.apart = ["{{.*}}what reads it goes through its points in another order{{.*}}"]
func.func @into_transpose(%x: tensor<4x16xf32>) -> tensor<16x8xf32> {
  %e = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [#part, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %f = tensor.empty() : tensor<16x8xf32>
  %1 = linalg.generic {indexing_maps = [#turn, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x16xf32>) outs(%f : tensor<16x8xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<16x8xf32>
  return %1 : tensor<16x8xf32>
}
