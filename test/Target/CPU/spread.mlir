// RUN: lathe-opt %s --pass-pipeline='builtin.module(lathe.kernel(simplify-kernel,cpu-tile-kernel{cpu=x86-64-v4},bufferize-kernel,cpu-vectorize{cpu=x86-64-v4}))' | FileCheck %s
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu x86-64-v4
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu x86-64-v3

#o = affine_map<(y, x, f, i, c, j) -> (y, x, f)>

// Sixteen filters of four groups take lanes of one vector, by the channel.
#x4 = affine_map<(y, x, f, i, c, j) -> (y + i, x + j, f floordiv 4, c)>
#w4 = affine_map<(y, x, f, i, c, j) -> (f floordiv 32, i, c, j, f mod 32)>
// CHECK-LABEL: lathe.kernel @four_in_four_out
// CHECK: %[[V:.+]] = vector.load {{.+}} : memref<9x11x12x4xf32{{.*}}>, vector<16xf32>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%[[V]], %{{.+}})
lathe.kernel @four_in_four_out(%x: tensor<9x11x12x4xf32>, %w: tensor<2x3x4x3x32xf32>)
    -> (tensor<7x9x48xf32>) input_dims [[], []] result_dims [[]] {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<7x9x48xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<7x9x48xf32>) -> tensor<7x9x48xf32>
  %0 = linalg.generic {indexing_maps = [#x4, #w4, #o],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<9x11x12x4xf32>, tensor<2x3x4x3x32xf32>)
      outs(%f : tensor<7x9x48xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<7x9x48xf32>
  lathe.yield %0 : tensor<7x9x48xf32>
}

// Six filters: where groups begin differs between three vectors, which make a
// block. The second has lanes of four groups, whose channels are more than a
// vector.
#x6 = affine_map<(y, x, f, i, c, j) -> (y * 2 + i, x * 2 + j, f floordiv 6, c)>
#w6 = affine_map<(y, x, f, i, c, j) -> (f floordiv 32, i, c, j, f mod 32)>
// CHECK-LABEL: lathe.kernel @five_in_six_out
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
// CHECK: vector.shuffle %{{.+}}, %{{.+}} [0, 0, 5, 5, 5, 5, 5, 5, 10, 10, 10, 10, 10, 10, 15, 15]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
lathe.kernel @five_in_six_out(%x: tensor<9x9x16x5xf32>, %w: tensor<3x3x5x3x32xf32>)
    -> (tensor<4x4x96xf32>) input_dims [[], []] result_dims [[]] {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4x96xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<4x4x96xf32>) -> tensor<4x4x96xf32>
  %0 = linalg.generic {indexing_maps = [#x6, #w6, #o],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<9x9x16x5xf32>, tensor<3x3x5x3x32xf32>)
      outs(%f : tensor<4x4x96xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<4x4x96xf32>
  lathe.yield %0 : tensor<4x4x96xf32>
}

// Eight filters of two groups of 24 channels: each group's is broadcast. The
// last group's lanes are masked.
#x8 = affine_map<(y, x, f, i, c, j) -> (y + i, x + j, f floordiv 8, c)>
#w8 = affine_map<(y, x, f, i, c, j) -> (i, c, j, f)>
// CHECK-LABEL: lathe.kernel @channels_of_two_vectors
// CHECK: vector.broadcast %{{.+}} : f32 to vector<16xf32>
// CHECK: vector.broadcast %{{.+}} : f32 to vector<16xf32>
// CHECK: arith.select %{{.+}}, %{{.+}}, %{{.+}} : vector<16xi1>, vector<16xf32>
lathe.kernel @channels_of_two_vectors(%x: tensor<5x5x3x24xf32>, %w: tensor<3x24x3x24xf32>)
    -> (tensor<3x3x24xf32>) input_dims [[], []] result_dims [[]] {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x3x24xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<3x3x24xf32>) -> tensor<3x3x24xf32>
  %0 = linalg.generic {indexing_maps = [#x8, #w8, #o],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<5x5x3x24xf32>, tensor<3x24x3x24xf32>)
      outs(%f : tensor<3x3x24xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<3x3x24xf32>
  lathe.yield %0 : tensor<3x3x24xf32>
}

// One filter of two channels: every other element of two vectors.
#x1 = affine_map<(y, x, f, i, c, j) -> (y + i, x + j, f, c)>
// CHECK-LABEL: lathe.kernel @two_in_one_out
// CHECK: vector.shuffle %{{.+}}, %{{.+}} [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]
lathe.kernel @two_in_one_out(%x: tensor<5x5x32x2xf32>, %w: tensor<3x2x3x32xf32>)
    -> (tensor<3x3x32xf32>) input_dims [[], []] result_dims [[]] {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x3x32xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<3x3x32xf32>) -> tensor<3x3x32xf32>
  %0 = linalg.generic {indexing_maps = [#x1, #w8, #o],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<5x5x32x2xf32>, tensor<3x2x3x32xf32>)
      outs(%f : tensor<3x3x32xf32>) {
  ^bb0(%p: f32, %q: f32, %a: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<3x3x32xf32>
  lathe.yield %0 : tensor<3x3x32xf32>
}
