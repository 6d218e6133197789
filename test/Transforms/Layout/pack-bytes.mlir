// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(pack-weights{panel-width=4}))' -mlir-print-local-scope | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// Four steps of the sum lie side by side.
// CHECK-LABEL: @groups
// CHECK: recipe [#lathe.panel<4>, #lathe.reshape<[2, 2, 4, 4]>, #lathe.permute<[0, 1, 3, 2]>] : tensor<2x2x4x4xi8>
// CHECK: affine_map<(d0, d1, d2) -> (d1 floordiv 4, d2 floordiv 4, d1 mod 4, d2 mod 4)>
func.func @groups(%x: tensor<2x8xi8>, %o: tensor<2x8xi32>) -> tensor<2x8xi32> {
  %w = lathe.weight dense<1> : tensor<8x8xi8> : tensor<8x8xi8>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x8xi8>, tensor<8x8xi8>) outs(%o : tensor<2x8xi32>) {
  ^bb0(%p: i8, %q: i8, %r: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %r, %m : i32
    linalg.yield %s : i32
  } -> tensor<2x8xi32>
  return %0 : tensor<2x8xi32>
}

// Also without panels, and where the left bytes are moved up.
// CHECK-LABEL: @narrow
// CHECK: recipe [#lathe.reshape<[2, 4, 3]>, #lathe.permute<[0, 2, 1]>] : tensor<2x3x4xi8>
// CHECK: affine_map<(d0, d1, d2) -> (d2 floordiv 4, d1, d2 mod 4)>
func.func @narrow(%x: tensor<2x8xi8>, %o: tensor<2x3xi32>) -> tensor<2x3xi32> {
  %high = arith.constant -128 : i8
  %w = lathe.weight dense<1> : tensor<8x3xi8> : tensor<8x3xi8>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x8xi8>, tensor<8x3xi8>) outs(%o : tensor<2x3xi32>) {
  ^bb0(%p: i8, %q: i8, %r: i32):
    %f = arith.xori %p, %high : i8
    %u = arith.extui %f : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %r, %m : i32
    linalg.yield %s : i32
  } -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// CHECK-LABEL: @no_multiple_of_four
// CHECK: recipe [#lathe.panel<4>] : tensor<2x6x4xi8>
func.func @no_multiple_of_four(%x: tensor<2x6xi8>, %o: tensor<2x8xi32>) -> tensor<2x8xi32> {
  %w = lathe.weight dense<1> : tensor<6x8xi8> : tensor<6x8xi8>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x6xi8>, tensor<6x8xi8>) outs(%o : tensor<2x8xi32>) {
  ^bb0(%p: i8, %q: i8, %r: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %r, %m : i32
    linalg.yield %s : i32
  } -> tensor<2x8xi32>
  return %0 : tensor<2x8xi32>
}

// CHECK-LABEL: @not_with_zero_points
// CHECK: recipe [#lathe.panel<4>] : tensor<2x8x4xi8>
func.func @not_with_zero_points(%x: tensor<2x8xi8>, %o: tensor<2x8xi32>) -> tensor<2x8xi32> {
  %three = arith.constant 3 : i32
  %w = lathe.weight dense<1> : tensor<8x8xi8> : tensor<8x8xi8>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x8xi8>, tensor<8x8xi8>) outs(%o : tensor<2x8xi32>) {
  ^bb0(%p: i8, %q: i8, %r: i32):
    %u = arith.extui %p : i8 to i32
    %z = arith.subi %u, %three : i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %z, %v : i32
    %s = arith.addi %r, %m : i32
    linalg.yield %s : i32
  } -> tensor<2x8xi32>
  return %0 : tensor<2x8xi32>
}
