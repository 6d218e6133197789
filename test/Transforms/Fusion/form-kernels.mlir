// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels))' -split-input-file | FileCheck %s
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{cross-node=false}))' -split-input-file | FileCheck %s --check-prefix=NONE
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{disabled=elementwise,epilogue,prologue,row,attention,multi-output}))' -split-input-file | FileCheck %s --check-prefix=NONE
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{explain}))' -split-input-file | FileCheck %s --check-prefix=WHY
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{attention=false}))' -split-input-file | FileCheck %s --check-prefix=APART
// RUN: lathe-opt %s -pass-pipeline='builtin.module(func.func(form-kernels{max-ops=1}))' -split-input-file | FileCheck %s --check-prefix=LIMIT

#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: @elementwise
// CHECK: lathe.fused = "elementwise", lathe.group = 0
// CHECK: lathe.group = 0
// NONE-LABEL: @elementwise
// NONE: lathe.group = 1
// NONE: lathe.group = 0
// LIMIT-LABEL: @elementwise
// LIMIT: lathe.group = 1
// LIMIT: lathe.group = 0
func.func @elementwise(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %e = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  return %1 : tensor<8x16xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>

// The fill is part of the product in both builds.
// CHECK-LABEL: @epilogue
// CHECK: linalg.fill {lathe.group = 0 : i64}
// CHECK: lathe.fused = "epilogue", lathe.group = 0
// CHECK: lathe.group = 0
// NONE-LABEL: @epilogue
// NONE: linalg.fill {lathe.group = 1 : i64}
// NONE: lathe.group = 1
// NONE: lathe.group = 0
func.func @epilogue(%x: tensor<8x4xf32>, %w: tensor<4x16xf32>) -> tensor<8x16xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x16xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<8x4xf32>, tensor<4x16xf32>) outs(%f : tensor<8x16xf32>) attrs = {lathe.node = 0} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x16xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%p: f32, %q: f32):
    %r = arith.maximumf %p, %z : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  return %1 : tensor<8x16xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A row kernel: the sum of a row, and what divides the row by it; the exponent
// is read inside of the kernel only.
// CHECK-LABEL: @row
// CHECK: lathe.fused = "prologue", lathe.group = 0
// CHECK: lathe.fused = "row", lathe.group = 0
// CHECK: lathe.group = 0
// NONE-LABEL: @row
// NONE: lathe.group = 2
// NONE: lathe.group = 1
// NONE: lathe.group = 0
func.func @row(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %g = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%z : f32) outs(%g : tensor<8xf32>) -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<8x16xf32>) outs(%f : tensor<8xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  %2 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %1 : tensor<8x16xf32>, tensor<8xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 2} {
  ^bb0(%a: f32, %s: f32, %b: f32):
    %r = arith.divf %a, %s : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  return %2 : tensor<8x16xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// CHECK-LABEL: @prologue
// CHECK: lathe.fused = "prologue", lathe.group = 0
// CHECK: lathe.group = 0
// NONE-LABEL: @prologue
// NONE: lathe.group = 1
// NONE: lathe.group = 0
func.func @prologue(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %g = tensor.empty() : tensor<8xf32>
  %f = linalg.fill ins(%z : f32) outs(%g : tensor<8xf32>) -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<8x16xf32>) outs(%f : tensor<8xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// A producer that the caller reads too is written by the same kernel.
// CHECK-LABEL: @multi_output
// CHECK: lathe.fused = "elementwise", lathe.group = 0
// CHECK: lathe.group = 0
// NONE-LABEL: @multi_output
// NONE: lathe.group = 1
// NONE: lathe.group = 0
func.func @multi_output(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
  %e = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  return %0, %1 : tensor<8x16xf32>, tensor<8x16xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: @no_elementwise_into_contraction
// CHECK: lathe.group = 1
// CHECK: lathe.group = 0
// WHY-LABEL: @no_elementwise_into_contraction
// WHY: lathe.apart = ["'exp' and 'product': a contraction or a window would compute it many times"]
func.func @no_elementwise_into_contraction(%x: tensor<8x4xf32>, %w: tensor<4x16xf32>) -> tensor<8x16xf32> {
  %z = arith.constant 0.0 : f32
  %g = tensor.empty() : tensor<8x4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x4xf32>) outs(%g : tensor<8x4xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x4xf32> loc("exp")
  %e = tensor.empty() : tensor<8x16xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<8x4xf32>, tensor<4x16xf32>) outs(%f : tensor<8x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x16xf32> loc("product")
  return %1 : tensor<8x16xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: @no_two_contractions
// CHECK: linalg.fill {lathe.group = 1 : i64}
// CHECK: lathe.group = 1
// CHECK: linalg.fill {lathe.group = 0 : i64}
// CHECK: lathe.group = 0
// WHY-LABEL: @no_two_contractions
// WHY: the kernel has a contraction or reduction already
func.func @no_two_contractions(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x8xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%w, %x : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) attrs = {lathe.node = 1} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x8xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %1 : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) attrs = {lathe.node = 2} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<8x8xf32>
  return %2 : tensor<8x8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
#one = affine_map<(d0) -> (d0)>

// CHECK-LABEL: @no_broadcast
// CHECK: lathe.group = 1
// CHECK: lathe.group = 0
// WHY-LABEL: @no_broadcast
// WHY: a broadcast would compute it many times
func.func @no_broadcast(%x: tensor<16xf32>) -> tensor<8x16xf32> {
  %g = tensor.empty() : tensor<16xf32>
  %0 = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%x : tensor<16xf32>) outs(%g : tensor<16xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<16xf32>
  %e = tensor.empty() : tensor<8x16xf32>
  %1 = linalg.generic {indexing_maps = [#col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<16xf32>) outs(%e : tensor<8x16xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<8x16xf32>
  return %1 : tensor<8x16xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>

// The product reads what the sum would make with the other reader of the same.
// CHECK-LABEL: @no_cycle
// CHECK: lathe.group = 2
// CHECK: linalg.fill {lathe.group = 1 : i64}
// CHECK: lathe.group = 1
// CHECK: lathe.group = 0
// WHY-LABEL: @no_cycle
// WHY: lathe.apart
// WHY-SAME: 'exp' and 'sum': the kernels would wait for each other
func.func @no_cycle(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<8x8xf32> loc("exp")
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) attrs = {lathe.node = 1} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %r, %m : f32
    linalg.yield %s : f32
  } -> tensor<8x8xf32> loc("product")
  %v = lathe.view %1 : tensor<8x8xf32> to tensor<64xf32>
  %u = lathe.view %v : tensor<64xf32> to tensor<8x8xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %u : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) attrs = {lathe.node = 2} {
  ^bb0(%p: f32, %q: f32, %r: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<8x8xf32> loc("sum")
  return %2 : tensor<8x8xf32>
}

// -----

#q = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#k = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>
#s = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#e = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#r = affine_map<(d0, d1, d2) -> (d0, d1)>

// Scores, what is computed over their rows, and the product with the values are
// one kernel. Values that are weights are shared by all rows, and stay apart.

// CHECK-LABEL: @attention
// CHECK: linalg.generic {{.*}}{lathe.fused = "row", lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.fused = "attention", lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// NONE-LABEL: @attention
// NONE: linalg.generic {{.*}}{lathe.group = 2
// NONE: linalg.generic {{.*}}{lathe.group = 1
// NONE: linalg.generic {{.*}}{lathe.group = 1
// NONE: linalg.generic {{.*}}{lathe.group = 0
// APART-LABEL: @attention
// APART: linalg.generic {{.*}}{lathe.group = 2
// APART: linalg.generic {{.*}}{lathe.group = 1
// APART: linalg.generic {{.*}}{lathe.group = 1
// APART: linalg.generic {{.*}}{lathe.group = 0
func.func @attention(%q: tensor<2x?x8xf32>, %k: tensor<2x8x?xf32>, %v: tensor<2x?x8xf32>, %m: index, %n: index) -> tensor<2x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %es = tensor.empty(%m, %n) : tensor<2x?x?xf32>
  %er = tensor.empty(%m) : tensor<2x?xf32>
  %ey = tensor.empty(%m) : tensor<2x?x8xf32>
  %fs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %0 = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : tensor<2x?x8xf32>, tensor<2x8x?xf32>) outs(%fs : tensor<2x?x?xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %c, %p : f32
    linalg.yield %t : f32
  } -> tensor<2x?x?xf32>
  %fr = linalg.fill ins(%low : f32) outs(%er : tensor<2x?xf32>) -> tensor<2x?xf32>
  %1 = linalg.generic {indexing_maps = [#e, #r], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%0 : tensor<2x?x?xf32>) outs(%fr : tensor<2x?xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %c: f32):
    %t = arith.maximumf %c, %a : f32
    linalg.yield %t : f32
  } -> tensor<2x?xf32>
  %2 = linalg.generic {indexing_maps = [#e, #r, #e], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0, %1 : tensor<2x?x?xf32>, tensor<2x?xf32>) outs(%es : tensor<2x?x?xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %t = arith.subf %a, %b : f32
    linalg.yield %t : f32
  } -> tensor<2x?x?xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  %3 = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%2, %v : tensor<2x?x?xf32>, tensor<2x?x8xf32>) outs(%fy : tensor<2x?x8xf32>) attrs = {lathe.node = 2} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %c, %p : f32
    linalg.yield %t : f32
  } -> tensor<2x?x8xf32>
  return %3 : tensor<2x?x8xf32>
}

// -----

#q = affine_map<(d0, d1, d2) -> (d0, d2)>
#k = affine_map<(d0, d1, d2) -> (d2, d1)>
#s = affine_map<(d0, d1, d2) -> (d0, d1)>
#e = affine_map<(d0, d1) -> (d0, d1)>

// Weights are shared by many rows.
// CHECK-LABEL: @layers
// CHECK: linalg.generic {{.*}}{lathe.fused = "epilogue", lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// WHY-LABEL: @layers
// WHY: lathe.apart = [{{.*}}a contraction or a window would compute it many times
func.func @layers(%x: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = lathe.weight dense<1.0> : tensor<8x8xf32> : tensor<8x8xf32>
  %e = tensor.empty() : tensor<64x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x8xf32>) -> tensor<64x8xf32>
  %0 = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<64x8xf32>, tensor<8x8xf32>) outs(%f : tensor<64x8xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %c, %p : f32
    linalg.yield %t : f32
  } -> tensor<64x8xf32>
  %1 = linalg.generic {indexing_maps = [#e, #e], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<64x8xf32>) outs(%e : tensor<64x8xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    %t = math.tanh %a : f32
    linalg.yield %t : f32
  } -> tensor<64x8xf32>
  %g = linalg.fill ins(%zero : f32) outs(%e : tensor<64x8xf32>) -> tensor<64x8xf32>
  %2 = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%1, %w : tensor<64x8xf32>, tensor<8x8xf32>) outs(%g : tensor<64x8xf32>) attrs = {lathe.node = 2} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %c, %p : f32
    linalg.yield %t : f32
  } -> tensor<64x8xf32>
  return %2 : tensor<64x8xf32>
}

// -----

#q = affine_map<(d0, d1, d2) -> (d0, d2)>
#k = affine_map<(d0, d1, d2) -> (d2, d1)>
#s = affine_map<(d0, d1, d2) -> (d0, d1)>
#e = affine_map<(d0, d1) -> (d0, d1)>
#t = affine_map<(d0, d1) -> (d1, d0)>

// The columns of a product would be stored one by one, far apart; few columns
// are anyhow.
// CHECK-LABEL: @scattered
// CHECK: linalg.generic {{.*}}{lathe.group = 1
// CHECK: linalg.generic {{.*}}{lathe.group = 0
// WHY-LABEL: @scattered
// WHY: lathe.apart = [{{.*}}what it makes side by side would be stored far apart
func.func @scattered(%x: tensor<64x8xf32>, %w: tensor<8x32xf32>) -> tensor<32x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x32xf32>) -> tensor<64x32xf32>
  %0 = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<64x8xf32>, tensor<8x32xf32>) outs(%f : tensor<64x32xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %c, %p : f32
    linalg.yield %t : f32
  } -> tensor<64x32xf32>
  %o = tensor.empty() : tensor<32x64xf32>
  %1 = linalg.generic {indexing_maps = [#t, #e], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<64x32xf32>) outs(%o : tensor<32x64xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<32x64xf32>
  return %1 : tensor<32x64xf32>
}

// -----

#q = affine_map<(d0, d1, d2) -> (d0, d2)>
#k = affine_map<(d0, d1, d2) -> (d2, d1)>
#s = affine_map<(d0, d1, d2) -> (d0, d1)>
#e = affine_map<(d0, d1) -> (d0, d1)>
#t = affine_map<(d0, d1) -> (d1, d0)>

// CHECK-LABEL: @few_columns
// CHECK: linalg.generic {{.*}} lathe.group = 0
// CHECK: linalg.generic {{.*}}{lathe.group = 0
func.func @few_columns(%x: tensor<64x8xf32>, %w: tensor<8x3xf32>) -> tensor<3x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x3xf32>) -> tensor<64x3xf32>
  %0 = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<64x8xf32>, tensor<8x3xf32>) outs(%f : tensor<64x3xf32>) attrs = {lathe.node = 0} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %c, %p : f32
    linalg.yield %t : f32
  } -> tensor<64x3xf32>
  %o = tensor.empty() : tensor<3x64xf32>
  %1 = linalg.generic {indexing_maps = [#t, #e], iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<64x3xf32>) outs(%o : tensor<3x64xf32>) attrs = {lathe.node = 1} {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<3x64xf32>
  return %1 : tensor<3x64xf32>
}
