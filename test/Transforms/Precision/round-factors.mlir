// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(narrow-factors{pairs}))' -mlir-print-local-scope | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#sum = ["parallel", "parallel", "reduction"]

// What both products read is rounded once, where it is computed, and belongs
// to the node that computes it.
// CHECK-LABEL: @once
// CHECK: %[[X:.+]] = linalg.generic
// CHECK: math.exp
// CHECK: %[[R:.+]] = linalg.generic {{.+}} ins(%[[X]] : tensor<2x8xf32>) outs(%{{.+}} : tensor<2x8xbf16>) attrs = {lathe.node = 3 : i64}
// CHECK-NEXT: ^bb0(%[[V:.+]]: f32
// CHECK-NEXT: %[[T:.+]] = arith.truncf %[[V]] : f32 to bf16
// CHECK-NEXT: linalg.yield %[[T]]
// CHECK-NOT: truncf
// CHECK: ins(%[[R]], %{{.+}} : tensor<2x8xbf16>, tensor<8x4xbf16>)
// CHECK: arith.mulf %{{.+}}, %{{.+}} : f32
// CHECK: ins(%[[R]], %{{.+}} : tensor<2x8xbf16>, tensor<8x4xbf16>)
// CHECK: return %{{.+}}, %{{.+}}, %[[X]]
func.func @once(%x: tensor<2x8xf32>, %o: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x8xf32>) {
  %e = tensor.empty() : tensor<2x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) attrs = {lathe.node = 3 : i64} {
  ^bb0(%p: f32, %q: f32):
    %m = math.exp %p : f32
    linalg.yield %m : f32
  } -> tensor<2x8xf32>
  %w = lathe.weight dense<1.0> : tensor<8x4xf32> : tensor<8x4xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%y, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%o : tensor<2x4xf32>) attrs = {lathe.node = 4 : i64} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  %v = lathe.weight dense<2.0> : tensor<8x4xf32> : tensor<8x4xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%y, %v : tensor<2x8xf32>, tensor<8x4xf32>) outs(%o : tensor<2x4xf32>) attrs = {lathe.node = 5 : i64} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  return %0, %1, %y : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x8xf32>
}

// What is narrow is padded, and seen as another shape.
// CHECK-LABEL: @before_padding
// CHECK-SAME: %[[X:[^:]+]]: tensor<16xf32>
// CHECK: linalg.generic {{.+}} ins(%[[X]] : tensor<16xf32>) outs(%{{.+}} : tensor<16xbf16>)
// CHECK: lathe.view %{{.+}} : tensor<16xbf16> to tensor<2x8xbf16>
// CHECK: tensor.pad
// CHECK: tensor<2x8xbf16> to tensor<4x8xbf16>
func.func @before_padding(%x: tensor<16xf32>, %o: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %v = lathe.view %x : tensor<16xf32> to tensor<2x8xf32>
  %y = tensor.pad %v low[1, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x8xf32> to tensor<4x8xf32>
  %w = lathe.weight dense<1.0> : tensor<8x4xf32> : tensor<8x4xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%y, %w : tensor<4x8xf32>, tensor<8x4xf32>) outs(%o : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: @odd_number_of_steps
// CHECK-NOT: truncf
// CHECK: ins(%{{.+}}, %{{.+}} : tensor<2x7xf32>, tensor<7x4xbf16>)
func.func @odd_number_of_steps(%x: tensor<2x7xf32>, %o: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = lathe.weight dense<1.0> : tensor<7x4xf32> : tensor<7x4xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<2x7xf32>, tensor<7x4xf32>) outs(%o : tensor<2x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: @steps_are_rows
// CHECK-NOT: truncf
// CHECK: ins(%{{.+}}, %{{.+}} : tensor<8x2xf32>, tensor<8x4xbf16>)
func.func @steps_are_rows(%x: tensor<8x2xf32>, %o: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x4xf32> : tensor<8x4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (k, m)>, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<8x2xf32>, tensor<8x4xf32>) outs(%o : tensor<2x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// The result's columns are not those of the constant.
// CHECK-LABEL: @constant_rows
// CHECK-NOT: truncf
// CHECK: ins(%{{.+}}, %{{.+}} : tensor<4x8xf32>, tensor<2x8xbf16>)
func.func @constant_rows(%x: tensor<4x8xf32>, %o: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %w = lathe.weight dense<1.0> : tensor<2x8xf32> : tensor<2x8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, k)>, #c], iterator_types = #sum}
      ins(%x, %w : tensor<4x8xf32>, tensor<2x8xf32>) outs(%o : tensor<2x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// Sizes that a symbol gives are those of what is made, too.
// CHECK-LABEL: @any_rows
// CHECK: %[[N:.+]] = lathe.symbol "n"
// CHECK: tensor.empty(%[[N]]) : tensor<?x8xbf16>
// CHECK: arith.truncf
func.func @any_rows(%x: tensor<?x8xf32> {lathe.dims = ["n", ""]}, %o: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = lathe.weight dense<1.0> : tensor<8x4xf32> : tensor<8x4xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = #sum}
      ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%o : tensor<?x4xf32>) {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
