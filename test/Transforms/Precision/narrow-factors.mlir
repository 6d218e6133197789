// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(narrow-factors))' -mlir-print-local-scope | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(narrow-factors{element=f16}))' -mlir-print-local-scope | FileCheck %s --check-prefixes=CHECK,F16
// RUN: not lathe-opt %s -pass-pipeline='builtin.module(func.func(narrow-factors{element=f8}))' 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: expected bf16 or f16, got 'f8'

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// CHECK-LABEL: @product
// BF16: %[[W:.+]] = lathe.weight dense<1.0{{.*}}> : tensor<8x3xf32> recipe [#lathe.convert<bf16>] : tensor<8x3xbf16>
// BF16: ins(%{{.+}}, %[[W]] : tensor<2x8xf32>, tensor<8x3xbf16>)
// BF16: ^bb0(%[[X:.+]]: f32, %[[Y:.+]]: bf16, %[[SUM:.+]]: f32)
// BF16: %[[WIDE:.+]] = arith.extf %[[Y]] : bf16 to f32
// BF16: %[[P:.+]] = arith.mulf %[[X]], %[[WIDE]] : f32
// BF16: arith.addf %[[SUM]], %[[P]] : f32
// F16: recipe [#lathe.convert<f16>] : tensor<8x3xf16>
// F16: arith.extf %{{.+}} : f16 to f32
func.func @product(%x: tensor<2x8xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x3xf32> : tensor<8x3xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x8xf32>, tensor<8x3xf32>) outs(%o : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Views become steps that go before.
// CHECK-LABEL: @behind_view
// BF16: recipe [#lathe.permute<[1, 0]>, #lathe.reshape<[8, 3]>, #lathe.convert<bf16>] : tensor<8x3xbf16>
func.func @behind_view(%x: tensor<2x8xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = lathe.weight dense<1.0> : tensor<6x4xf32> recipe [#lathe.permute<[1, 0]>] : tensor<4x6xf32>
  %v = lathe.view %w : tensor<4x6xf32> to tensor<8x3xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %v : tensor<2x8xf32>, tensor<8x3xf32>) outs(%o : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// What also reads the weight in another way keeps it.
// CHECK-LABEL: @other_reader
// CHECK-DAG: %[[WIDE:.+]] = lathe.weight dense<1.0{{.*}}> : tensor<8x3xf32> : tensor<8x3xf32>
// BF16-DAG: recipe [#lathe.convert<bf16>]
// CHECK: return %{{.+}}, %[[WIDE]]
func.func @other_reader(%x: tensor<2x8xf32>, %o: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<8x3xf32>) {
  %w = lathe.weight dense<1.0> : tensor<8x3xf32> : tensor<8x3xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x8xf32>, tensor<8x3xf32>) outs(%o : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x3xf32>
  return %0, %w : tensor<2x3xf32>, tensor<8x3xf32>
}

// CHECK-LABEL: @not_what_is_computed
// CHECK-NOT: bf16
// CHECK: return
func.func @not_what_is_computed(%x: tensor<2x8xf32>, %w: tensor<8x3xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x8xf32>, tensor<8x3xf32>) outs(%o : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: @not_doubles
// CHECK-NOT: bf16
// CHECK: return
func.func @not_doubles(%x: tensor<2x8xf64>, %o: tensor<2x3xf64>) -> tensor<2x3xf64> {
  %w = lathe.weight dense<1.0> : tensor<8x3xf64> : tensor<8x3xf64>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x8xf64>, tensor<8x3xf64>) outs(%o : tensor<2x3xf64>) {
  ^bb0(%p: f64, %q: f64, %r: f64):
    %m = arith.mulf %p, %q : f64
    %s = arith.addf %r, %m : f64
    linalg.yield %s : f64
  } -> tensor<2x3xf64>
  return %0 : tensor<2x3xf64>
}

// A table of distances is subtracted, too.
// CHECK-LABEL: @not_what_is_more_than_a_factor
// CHECK-NOT: bf16
// CHECK: return
func.func @not_what_is_more_than_a_factor(%x: tensor<2x8xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x3xf32> : tensor<8x3xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x8xf32>, tensor<8x3xf32>) outs(%o : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %d = arith.subf %m, %q : f32
    %s = arith.addf %r, %d : f32
    linalg.yield %s : f32
  } -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: @not_elementwise
// CHECK-NOT: bf16
// CHECK: return
func.func @not_elementwise(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = lathe.weight dense<1.0> : tensor<2x8xf32> : tensor<2x8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %w : tensor<2x8xf32>, tensor<2x8xf32>) outs(%x : tensor<2x8xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    linalg.yield %m : f32
  } -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// CHECK-LABEL: @not_depthwise
// CHECK-NOT: bf16
// CHECK: return
func.func @not_depthwise(%x: tensor<10x4xf32>, %o: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %w = lathe.weight dense<1.0> : tensor<3x4xf32> : tensor<3x4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(h, c, r) -> (h + r, c)>, affine_map<(h, c, r) -> (r, c)>, affine_map<(h, c, r) -> (h, c)>],
                       iterator_types = #sum}
      ins(%x, %w : tensor<10x4xf32>, tensor<3x4xf32>) outs(%o : tensor<8x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

// CHECK-LABEL: @not_vector
// CHECK-NOT: bf16
// CHECK: return
func.func @not_vector(%x: tensor<2x8xf32>, %o: tensor<2xf32>) -> tensor<2xf32> {
  %w = lathe.weight dense<1.0> : tensor<8xf32> : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (k)>, affine_map<(m, k) -> (m)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x, %w : tensor<2x8xf32>, tensor<8xf32>) outs(%o : tensor<2xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
