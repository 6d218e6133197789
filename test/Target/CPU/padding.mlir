// RUN: lathe-opt %s --pass-pipeline='builtin.module(lathe.kernel(simplify-kernel,cpu-tile-kernel{cpu=x86-64-v4},bufferize-kernel,cpu-vectorize{cpu=x86-64-v4}))' | FileCheck %s
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu native
// RUN: %bin/lathe-kernel-bench %s --seconds 0 --cpu x86-64-v3

#in = affine_map<(n, h, w, k, r, s, c) -> (n, h + r, w + s, c)>
#weight = affine_map<(n, h, w, k, r, s, c) -> (r, s, c, k)>
#out = affine_map<(n, h, w, k, r, s, c) -> (n, h, w, k)>
#in_dilated = affine_map<(n, h, w, k, r, s, c) -> (n, h * 2 + r * 3, w * 2 + s * 3, c)>
#in_depth = affine_map<(n, h, w, c, r, s) -> (n, h * 2 + r, w * 2 + s, c)>
#weight_depth = affine_map<(n, h, w, c, r, s) -> (r, s, c)>
#out_depth = affine_map<(n, h, w, c, r, s) -> (n, h, w, c)>
#window = affine_map<(n, h, w, c, r, s) -> (r, s)>

// Rows of the image outside are not gone through, columns outside are left out
// of the blocks at the edges, and nothing is copied.
// CHECK-LABEL: lathe.kernel @convolution
// CHECK-NOT: memref.alloc
// CHECK: scf.forall
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK-NOT: arith.select
// CHECK: lathe.yield
lathe.kernel @convolution(%x: tensor<1x13x13x48xf32>, %w: tensor<3x3x48x32xf32>)
    -> (tensor<1x13x13x32xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x13x13x32xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<1x13x13x48xf32> to tensor<1x15x15x48xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x13x13x32xf32>) -> tensor<1x13x13x32xf32>
  %r = linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x15x15x48xf32>, tensor<3x3x48x32xf32>)
      outs(%f : tensor<1x13x13x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x13x13x32xf32>
  lathe.yield %r : tensor<1x13x13x32xf32>
}

// The window is wider than some of the image, and dilated.
// CHECK-LABEL: lathe.kernel @dilated
// CHECK-NOT: memref.alloc
lathe.kernel @dilated(%x: tensor<2x5x40x8xf32>, %w: tensor<3x3x8x16xf32>)
    -> (tensor<2x3x20x16xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3x20x16xf32>
  %p = tensor.pad %x low[0, 3, 3, 0] high[0, 3, 2, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<2x5x40x8xf32> to tensor<2x11x45x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3x20x16xf32>) -> tensor<2x3x20x16xf32>
  %r = linalg.generic {indexing_maps = [#in_dilated, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%p, %w : tensor<2x11x45x8xf32>, tensor<3x3x8x16xf32>)
      outs(%f : tensor<2x3x20x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x3x20x16xf32>
  lathe.yield %r : tensor<2x3x20x16xf32>
}

// Neighbours share what they load: a row of the window has no loop.
// CHECK-LABEL: lathe.kernel @depthwise
// CHECK-NOT: memref.alloc
lathe.kernel @depthwise(%x: tensor<1x27x29x40xf32>, %w: tensor<3x3x40xf32>)
    -> (tensor<1x14x15x40xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x14x15x40xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<1x27x29x40xf32> to tensor<1x29x31x40xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x14x15x40xf32>) -> tensor<1x14x15x40xf32>
  %r = linalg.generic {indexing_maps = [#in_depth, #weight_depth, #out_depth],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x29x31x40xf32>, tensor<3x3x40xf32>)
      outs(%f : tensor<1x14x15x40xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x14x15x40xf32>
  lathe.yield %r : tensor<1x14x15x40xf32>
}

// The neutral element of the maximum is left out.
// CHECK-LABEL: lathe.kernel @max_pool
// CHECK-NOT: memref.alloc() {{.+}} memref<1x
lathe.kernel @max_pool(%x: tensor<1x27x29x40xf32>)
    -> (tensor<1x14x15x40xf32>) input_dims [[]] result_dims [[]] {
  %low = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<1x14x15x40xf32>
  %k = tensor.empty() : tensor<3x3xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %low : f32
  } : tensor<1x27x29x40xf32> to tensor<1x29x31x40xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<1x14x15x40xf32>) -> tensor<1x14x15x40xf32>
  %r = linalg.generic {indexing_maps = [#in_depth, #window, #out_depth],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %k : tensor<1x29x31x40xf32>, tensor<3x3xf32>)
      outs(%f : tensor<1x14x15x40xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.maximumf %o, %a : f32
    linalg.yield %m : f32
  } -> tensor<1x14x15x40xf32>
  lathe.yield %r : tensor<1x14x15x40xf32>
}

// Padding with one changes a sum of products, so it is copied.
// CHECK-LABEL: lathe.kernel @padded_with_one
// CHECK: memref.alloc() {{.+}} memref<1x
lathe.kernel @padded_with_one(%x: tensor<1x13x13x48xf32>, %w: tensor<3x3x48x32xf32>)
    -> (tensor<1x13x13x32xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<1x13x13x32xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %one : f32
  } : tensor<1x13x13x48xf32> to tensor<1x15x15x48xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x13x13x32xf32>) -> tensor<1x13x13x32xf32>
  %r = linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x15x15x48xf32>, tensor<3x3x48x32xf32>)
      outs(%f : tensor<1x13x13x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x13x13x32xf32>
  lathe.yield %r : tensor<1x13x13x32xf32>
}
