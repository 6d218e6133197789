// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(merge-groups{lanes=16}))' -mlir-print-local-scope | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(merge-groups{lanes=0}))' -mlir-print-local-scope | FileCheck %s --check-prefix=APART
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(merge-groups{lanes=16},choose-layouts,materialize-layouts,pack-weights{panel-width=32}))' -mlir-print-local-scope | FileCheck %s --check-prefix=PACKED

// APART-NOT: floordiv

#x = affine_map<(n, g, f, y, x, c, i, j) -> (n, g, c, y * 2 + i, x * 2 + j)>
#w = affine_map<(n, g, f, y, x, c, i, j) -> (g, f, c, i, j)>
#o = affine_map<(n, g, f, y, x, c, i, j) -> (n, g, f, y, x)>

// The lanes of a vector are those of four groups. What is spread over them is
// used by all points of a window's row, so that goes last.
// CHECK-LABEL: @convolution
// CHECK: %[[W:.+]] = lathe.weight dense<1.0{{.*}}> : tensor<128x4x3x3xf32> recipe [#lathe.reshape<[32, 4, 4, 3, 3]>, #lathe.reshape<[128, 4, 3, 3]>] : tensor<128x4x3x3xf32>
// CHECK: %[[E:.+]] = tensor.empty(%{{.+}}) : tensor<?x128x7x7xf32>
// CHECK: %[[F:.+]] = linalg.fill ins(%{{.+}} : f32) outs(%[[E]]
// CHECK: %[[C:.+]] = linalg.generic {indexing_maps =
// CHECK-SAME: (d0, d1 floordiv 4, d4, d2 * 2 + d5, d3 * 2 + d6)>
// CHECK-SAME: (d1, d4, d5, d6)>
// CHECK-SAME: (d0, d1, d2, d3)>
// CHECK-SAME: ins(%{{.+}}, %[[W]] : {{.+}}) outs(%[[F]] : {{.+}}) attrs = {lathe.node = 3 : i64}
// CHECK: lathe.view %[[C]][%{{.+}}] : tensor<?x128x7x7xf32> to tensor<?x32x4x7x7xf32>
// PACKED-LABEL: @convolution
// PACKED: #lathe.panel<32>] : tensor<4x3x4x3x32xf32>
// PACKED: (d0, d1 * 2 + d4, d2 * 2 + d6, d3 floordiv 4, d5)>
// PACKED-SAME: (d3 floordiv 32, d4, d5, d6, d3 mod 32)>
func.func @convolution(%x: tensor<?x32x4x15x15xf32> {lathe.dims = ["b", "", "", "", ""]}, %b: index) -> tensor<?x32x4x7x7xf32> {
  %z = arith.constant 0.0 : f32
  %v = lathe.weight dense<1.0> : tensor<128x4x3x3xf32> : tensor<128x4x3x3xf32>
  %w = lathe.view %v : tensor<128x4x3x3xf32> to tensor<32x4x4x3x3xf32>
  %e = tensor.empty(%b) : tensor<?x32x4x7x7xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<?x32x4x7x7xf32>) -> tensor<?x32x4x7x7xf32>
  %0 = linalg.generic {indexing_maps = [#x, #w, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<?x32x4x15x15xf32>, tensor<32x4x4x3x3xf32>) outs(%f : tensor<?x32x4x7x7xf32>) attrs = {lathe.node = 3 : i64} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x32x4x7x7xf32>
  return %0 : tensor<?x32x4x7x7xf32>
}

#lx = affine_map<(n, g, f, t, c, k) -> (n, g, c, t + k)>
#lw = affine_map<(n, g, f, t, c, k) -> (g, f, c, k)>
#lo = affine_map<(n, g, f, t, c, k) -> (n, g, f, t)>

// Six filters, three vectors of which are eight groups.
// CHECK-LABEL: @six_filters
// CHECK: (d0, d1 floordiv 6, d3, d2 + d4)>
func.func @six_filters(%x: tensor<1x8x2x9xf32>) -> tensor<1x8x6x7xf32> {
  %z = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<8x6x2x3xf32> : tensor<8x6x2x3xf32>
  %e = tensor.empty() : tensor<1x8x6x7xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x8x6x7xf32>) -> tensor<1x8x6x7xf32>
  %0 = linalg.generic {indexing_maps = [#lx, #lw, #lo], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x2x9xf32>, tensor<8x6x2x3xf32>) outs(%f : tensor<1x8x6x7xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x8x6x7xf32>
  return %0 : tensor<1x8x6x7xf32>
}

// CHECK-LABEL: @filters_that_fill_a_vector
// CHECK-NOT: floordiv
func.func @filters_that_fill_a_vector(%x: tensor<1x8x2x9xf32>) -> tensor<1x8x16x7xf32> {
  %z = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<8x16x2x3xf32> : tensor<8x16x2x3xf32>
  %e = tensor.empty() : tensor<1x8x16x7xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x8x16x7xf32>) -> tensor<1x8x16x7xf32>
  %0 = linalg.generic {indexing_maps = [#lx, #lw, #lo], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x2x9xf32>, tensor<8x16x2x3xf32>) outs(%f : tensor<1x8x16x7xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x8x16x7xf32>
  return %0 : tensor<1x8x16x7xf32>
}

// CHECK-LABEL: @filters_that_nearly_fill_a_vector
// CHECK-NOT: floordiv
func.func @filters_that_nearly_fill_a_vector(%x: tensor<1x8x2x9xf32>) -> tensor<1x8x12x7xf32> {
  %z = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<8x12x2x3xf32> : tensor<8x12x2x3xf32>
  %e = tensor.empty() : tensor<1x8x12x7xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x8x12x7xf32>) -> tensor<1x8x12x7xf32>
  %0 = linalg.generic {indexing_maps = [#lx, #lw, #lo], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x2x9xf32>, tensor<8x12x2x3xf32>) outs(%f : tensor<1x8x12x7xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x8x12x7xf32>
  return %0 : tensor<1x8x12x7xf32>
}

// Seven vectors are a multiple of seven filters.
// CHECK-LABEL: @filters_without_a_short_period
// CHECK-NOT: floordiv
func.func @filters_without_a_short_period(%x: tensor<1x8x2x9xf32>) -> tensor<1x8x7x7xf32> {
  %z = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<8x7x2x3xf32> : tensor<8x7x2x3xf32>
  %e = tensor.empty() : tensor<1x8x7x7xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32>
  %0 = linalg.generic {indexing_maps = [#lx, #lw, #lo], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x2x9xf32>, tensor<8x7x2x3xf32>) outs(%f : tensor<1x8x7x7xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x8x7x7xf32>
  return %0 : tensor<1x8x7x7xf32>
}

// Four groups of 16 channels are four vectors; a vector of one group's channels
// is full.
// CHECK-LABEL: @many_channels
// CHECK-NOT: floordiv
func.func @many_channels(%x: tensor<1x8x16x9xf32>) -> tensor<1x8x4x7xf32> {
  %z = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<8x4x16x3xf32> : tensor<8x4x16x3xf32>
  %e = tensor.empty() : tensor<1x8x4x7xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x8x4x7xf32>) -> tensor<1x8x4x7xf32>
  %0 = linalg.generic {indexing_maps = [#lx, #lw, #lo], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x16x9xf32>, tensor<8x4x16x3xf32>) outs(%f : tensor<1x8x4x7xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x8x4x7xf32>
  return %0 : tensor<1x8x4x7xf32>
}

// CHECK-LABEL: @weight_of_the_caller
// CHECK-NOT: floordiv
func.func @weight_of_the_caller(%x: tensor<1x8x2x9xf32>, %w: tensor<8x4x2x3xf32>) -> tensor<1x8x4x7xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x8x4x7xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x8x4x7xf32>) -> tensor<1x8x4x7xf32>
  %0 = linalg.generic {indexing_maps = [#lx, #lw, #lo], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x2x9xf32>, tensor<8x4x2x3xf32>) outs(%f : tensor<1x8x4x7xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x8x4x7xf32>
  return %0 : tensor<1x8x4x7xf32>
}

// CHECK-LABEL: @bytes
// CHECK-NOT: floordiv
func.func @bytes(%x: tensor<1x8x4x9xi8>) -> tensor<1x8x4x7xi32> {
  %z = arith.constant 0 : i32
  %w = lathe.weight dense<1> : tensor<8x4x4x3xi8> : tensor<8x4x4x3xi8>
  %e = tensor.empty() : tensor<1x8x4x7xi32>
  %f = linalg.fill ins(%z : i32) outs(%e : tensor<1x8x4x7xi32>) -> tensor<1x8x4x7xi32>
  %0 = linalg.generic {indexing_maps = [#lx, #lw, #lo], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x4x9xi8>, tensor<8x4x4x3xi8>) outs(%f : tensor<1x8x4x7xi32>) {
  ^bb0(%p: i8, %q: i8, %r: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %r, %m : i32
    linalg.yield %s : i32
  } -> tensor<1x8x4x7xi32>
  return %0 : tensor<1x8x4x7xi32>
}
