// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(choose-layouts,materialize-layouts))' -mlir-print-local-scope | FileCheck %s

#in = affine_map<(n, f, y, x, c, i, j) -> (n, c, y + i, x + j)>
#w = affine_map<(n, f, y, x, c, i, j) -> (f, c, i, j)>
#out = affine_map<(n, f, y, x, c, i, j) -> (n, f, y, x)>

// An image of three channels is read as it lies, behind padding, too.
// CHECK-LABEL: @image
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x3x6x6xf32>
// CHECK: %[[P:.+]] = tensor.pad %[[X]] low[0, 0, 1, 1]
// CHECK: (d0, d6, d1 + d4, d2 + d5)>
// CHECK-SAME: ins(%[[P]],
func.func @image(%x: tensor<1x3x6x6xf32>, %w: tensor<4x3x3x3xf32>, %o: tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32> {
  %z = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %z : f32
  } : tensor<1x3x6x6xf32> to tensor<1x3x8x8xf32>
  %0 = linalg.generic {indexing_maps = [#in, #w, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) outs(%o : tensor<1x4x6x6xf32>) {
  ^bb0(%q: f32, %k: f32, %r: f32):
    %m = arith.mulf %q, %k : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  return %0 : tensor<1x4x6x6xf32>
}

// Eight channels are copied.
// CHECK-LABEL: @features
// CHECK: (d0, d1 + d4, d2 + d5, d6)>
func.func @features(%x: tensor<1x8x8x8xf32>, %w: tensor<4x8x3x3xf32>, %o: tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32> {
  %0 = linalg.generic {indexing_maps = [#in, #w, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x8x8xf32>, tensor<4x8x3x3xf32>) outs(%o : tensor<1x4x6x6xf32>) {
  ^bb0(%q: f32, %k: f32, %r: f32):
    %m = arith.mulf %q, %k : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x4x6x6xf32>
  return %0 : tensor<1x4x6x6xf32>
}
