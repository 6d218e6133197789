// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(choose-winograd{tile=2},expand-winograd{panel-width=4}))' -mlir-print-local-scope | FileCheck %s

#image = affine_map<(n, h, w, k, r, s, c) -> (n, h + r, w + s, c)>
#filter = affine_map<(n, h, w, k, r, s, c) -> (k, c, r, s)>
#result = affine_map<(n, h, w, k, r, s, c) -> (n, h, w, k)>
#all = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]

// An image of five rows: the third tile has one. The row before the image is
// padding; the last tile's rows 5 and 6 are past its end.
// CHECK-LABEL: @padded
// CHECK-SAME: %[[X:.+]]: tensor<?x5x8x3xf32>
// CHECK-DAG: %[[N:.+]] = lathe.symbol "n"
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>]
// CHECK-SAME: outs({{.*}} : tensor<4x4x?x3x3x3xf32>)
// CHECK: affine.apply affine_map<(d0) -> (d0 * 2 - 1)>
// CHECK: arith.cmpi ult
// CHECK: tensor.extract %[[X]]
// CHECK: %[[V:.+]] = lathe.view %{{[0-9]+}}[%{{.*}}] : tensor<4x4x?x3x3x3xf32> to tensor<16x?x3xf32>
// CHECK: %[[W:.+]] = lathe.weight dense<1.0{{.*}}> : tensor<8x3x3x3xf32>
// CHECK-SAME: recipe [#lathe.winograd<2>, #lathe.permute<[2, 3, 1, 0]>, #lathe.reshape<[16, 3, 8]>, #lathe.panel<4>, #lathe.permute<[1, 0, 2, 3]>] : tensor<16x2x3x4xf32>
// CHECK: linalg.generic
// CHECK-SAME: affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d2 floordiv 4, d3, d2 mod 4)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-SAME: lathe.node = 7
// CHECK: lathe.view {{.*}} to tensor<4x4x?x3x3x8xf32>
// CHECK: linalg.generic
// CHECK-SAME: affine_map<(d0, d1, d2, d3) -> (3, 3, d0, d1 floordiv 2, d2 floordiv 2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-SAME: outs({{.*}} : tensor<?x5x6x8xf32>)
func.func @padded(%x: tensor<?x5x8x3xf32> {lathe.dims = ["n", "", "", ""]}) -> tensor<?x5x6x8xf32> attributes {lathe.symbols = ["n"]} {
  %zero = arith.constant 0.0 : f32
  %n = lathe.symbol "n"
  %w = lathe.weight dense<1.0> : tensor<8x3x3x3xf32> : tensor<8x3x3x3xf32>
  %p = tensor.pad %x low[0, 1, 0, 0] high[0, 1, 0, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<?x5x8x3xf32> to tensor<?x7x8x3xf32>
  %e = tensor.empty(%n) : tensor<?x5x6x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x5x6x8xf32>) -> tensor<?x5x6x8xf32>
  %0 = linalg.generic {indexing_maps = [#image, #filter, #result], iterator_types = #all}
      ins(%p, %w : tensor<?x7x8x3xf32>, tensor<8x3x3x3xf32>) outs(%f : tensor<?x5x6x8xf32>) attrs = {lathe.node = 7 : i64} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x5x6x8xf32>
  return %0 : tensor<?x5x6x8xf32>
}
