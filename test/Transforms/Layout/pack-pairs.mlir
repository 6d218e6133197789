// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(pack-weights{panel-width=4 pairs}))' -mlir-print-local-scope | FileCheck %s --check-prefixes=CHECK,PAIRS
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(pack-weights{panel-width=4}))' -mlir-print-local-scope | FileCheck %s --check-prefixes=CHECK,STEPS
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(pack-weights{panel-width=8 pairs}))' -mlir-print-local-scope | FileCheck %s --check-prefix=NARROW

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// Two steps of the sum lie side by side, where a target takes them so.
// CHECK-LABEL: @pairs
// PAIRS: recipe [#lathe.panel<4>, #lathe.reshape<[2, 4, 2, 4]>, #lathe.permute<[0, 1, 3, 2]>] : tensor<2x4x4x2xbf16>
// PAIRS: affine_map<(d0, d1, d2) -> (d1 floordiv 4, d2 floordiv 2, d1 mod 4, d2 mod 2)>
// STEPS: recipe [#lathe.panel<4>] : tensor<2x8x4xbf16>
func.func @pairs(%x: tensor<2x8xbf16>, %o: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x8xbf16> : tensor<8x8xbf16>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x8xbf16>, tensor<8x8xbf16>) outs(%o : tensor<2x8xf32>) {
  ^bb0(%p: bf16, %q: bf16, %r: f32):
    %u = arith.extf %p : bf16 to f32
    %v = arith.extf %q : bf16 to f32
    %m = arith.mulf %u, %v : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// The constant factor may be the first one.
// CHECK-LABEL: @first
// PAIRS: affine_map<(d0, d1, d2) -> (d1 floordiv 4, d2 floordiv 2, d1 mod 4, d2 mod 2)>, affine_map<(d0, d1, d2) -> (d0, d2)>
func.func @first(%x: tensor<2x8xbf16>, %o: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x8xbf16> : tensor<8x8xbf16>
  %0 = linalg.generic {indexing_maps = [#b, #a, #c], iterator_types = #sum}
      ins(%w, %x : tensor<8x8xbf16>, tensor<2x8xbf16>) outs(%o : tensor<2x8xf32>) {
  ^bb0(%q: bf16, %p: bf16, %r: f32):
    %u = arith.extf %p : bf16 to f32
    %v = arith.extf %q : bf16 to f32
    %m = arith.mulf %u, %v : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// CHECK-LABEL: @odd_number_of_steps
// CHECK: recipe [#lathe.panel<4>] : tensor<2x7x4xbf16>
func.func @odd_number_of_steps(%x: tensor<2x7xbf16>, %o: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = lathe.weight dense<1.0> : tensor<7x8xbf16> : tensor<7x8xbf16>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x7xbf16>, tensor<7x8xbf16>) outs(%o : tensor<2x8xf32>) {
  ^bb0(%p: bf16, %q: bf16, %r: f32):
    %u = arith.extf %p : bf16 to f32
    %v = arith.extf %q : bf16 to f32
    %m = arith.mulf %u, %v : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// CHECK-LABEL: @other_factor_is_f32
// CHECK: recipe [#lathe.panel<4>] : tensor<2x8x4xbf16>
func.func @other_factor_is_f32(%x: tensor<2x8xf32>, %o: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x8xbf16> : tensor<8x8xbf16>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x8xf32>, tensor<8x8xbf16>) outs(%o : tensor<2x8xf32>) {
  ^bb0(%p: f32, %q: bf16, %r: f32):
    %v = arith.extf %q : bf16 to f32
    %m = arith.mulf %p, %v : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// Sums of lanes along the reduction read it step after step.
// NARROW-LABEL: @one_column
// NARROW-NOT: mod 2
// NARROW: return
func.func @one_column(%x: tensor<2x8xbf16>, %o: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x1xbf16> : tensor<8x1xbf16>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x8xbf16>, tensor<8x1xbf16>) outs(%o : tensor<2x1xf32>) {
  ^bb0(%p: bf16, %q: bf16, %r: f32):
    %u = arith.extf %p : bf16 to f32
    %v = arith.extf %q : bf16 to f32
    %m = arith.mulf %u, %v : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}
