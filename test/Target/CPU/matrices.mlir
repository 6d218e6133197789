// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=sapphirerapids}))' | FileCheck %s
// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=cooperlake}))' | FileCheck %s --check-prefix=VECTORS
//
// Products of matrices in registers for them.
// VECTORS-NOT: tile

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#c = affine_map<(m, n, k) -> (m, n)>
// Two matrices of rows meet two of columns, each loaded once for a step of 64
// bytes; results go through a buffer by rows.
// CHECK-LABEL: lathe.kernel @bytes
// CHECK-SAME: lathe.sums = ["matrices of int8"]
// CHECK: %[[RESULTS:.+]] = memref.alloca() {{.+}} memref<32x32xi32>
// CHECK: arith.constant dense<[1, 0, {{.+}}, 16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0]> : vector<64xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
// CHECK: %[[STEP:.+]] = arith.constant 64 : index
// CHECK: scf.for {{.+}} step %[[STEP]] {
// CHECK: "llvm.x86.tileloadd64"
// CHECK: "llvm.x86.tileloadd64"
// CHECK: "llvm.x86.tdpbusd"
// CHECK: "llvm.x86.tileloadd64"
// CHECK: "llvm.x86.tdpbusd"
// CHECK: "llvm.x86.tileloadd64"
// CHECK-NOT: "llvm.x86.tileloadd64"
// CHECK: "llvm.x86.tdpbusd"
// CHECK: "llvm.x86.tdpbusd"
// CHECK: }
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK: scf.for
// CHECK: vector.load %[[RESULTS]]
// CHECK: vector.store {{.+}} memref<64x64xi32>, vector<16xi32>
// CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"
// VECTORS-LABEL: lathe.kernel @bytes
// VECTORS-SAME: lathe.sums = ["vectors of int8"]
lathe.kernel @bytes(%a: memref<64x256xi8>, %b: memref<2x64x32x4xi8>, %c: memref<64x64xi32>)
    -> (tensor<64x64xi32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0 : i32
  linalg.fill ins(%zero : i32) outs(%c : memref<64x64xi32>)
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x256xi8>, memref<2x64x32x4xi8>)
      outs(%c : memref<64x64xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %s = arith.addi %o, %p : i32
    linalg.yield %s : i32
  }
  lathe.yield
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#c = affine_map<(m, n, k) -> (m, n)>
// Signed bytes are multiplied as they are; that they count as moved up by 128
// is a sum per column, outside of the blocks. 19 rows are two overlapping
// matrices of 10.
// CHECK-LABEL: lathe.kernel @signed_bytes
// CHECK: dense<[1, 0, {{.+}}, 10, 10, 10, 10, 10, 10, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0]>
// CHECK: "llvm.x86.avx512.vpdpbusd.512"
// CHECK: "llvm.x86.tilezero"
// CHECK-NOT: vpdpbusd
// CHECK: "llvm.x86.tdpbssd"
lathe.kernel @signed_bytes(%a: memref<19x256xi8>, %b: memref<2x64x32x4xi8>, %c: memref<19x64xi32>)
    -> (tensor<19x64xi32>) input_dims [[], []] result_dims [[]] {
  %high = arith.constant -128 : i8
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<19x256xi8>, memref<2x64x32x4xi8>)
      outs(%c : memref<19x64xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %w = arith.xori %x, %high : i8
    %u = arith.extui %w : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %s = arith.addi %o, %p : i32
    linalg.yield %s : i32
  }
  lathe.yield
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 2, n mod 32, k mod 2)>
#c = affine_map<(m, n, k) -> (m, n)>
// The last step has registers of its own shape. What rows are left, where their
// number is not known, has a configuration, before and after.
// CHECK-LABEL: lathe.kernel @pairs
// CHECK-SAME: lathe.sums = ["matrices of bf16"]
// CHECK: "llvm.x86.ldtilecfg"
// CHECK: "llvm.x86.tdpbf16ps"
// CHECK: %[[A:.+]] = arith.constant 6 : i8
// CHECK: "llvm.x86.tileloadd64"(%[[A]],
// CHECK: "llvm.x86.tdpbf16ps"
// CHECK: memref.store {{.+}} memref<64xi8>
// CHECK: "llvm.x86.ldtilecfg"
// CHECK: "llvm.x86.tilezero"
// CHECK: "llvm.x86.ldtilecfg"
// CHECK: "llvm.x86.tilerelease"
// VECTORS-LABEL: lathe.kernel @pairs
// VECTORS-SAME: lathe.sums = ["vectors of bf16"]
lathe.kernel @pairs(%a: memref<?x80xbf16>, %b: memref<2x40x32x2xbf16>, %c: memref<?x64xf32>, %m: index)
    -> (tensor<?x64xf32>) input_dims [[0], []] result_dims [[0]] {
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<?x80xbf16>, memref<2x40x32x2xbf16>)
      outs(%c : memref<?x64xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: lathe.kernel @one_row
// CHECK-SAME: lathe.sums = ["vectors of int8, not matrices: one row"]
// CHECK-NOT: llvm.x86.tile
lathe.kernel @one_row(%a: memref<1x256xi8>, %b: memref<2x64x32x4xi8>, %c: memref<1x64xi32>)
    -> (tensor<1x64xi32>) input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<1x256xi8>, memref<2x64x32x4xi8>)
      outs(%c : memref<1x64xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %s = arith.addi %o, %p : i32
    linalg.yield %s : i32
  }
  lathe.yield
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n floordiv 32, k floordiv 4, n mod 32, k mod 4)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: lathe.kernel @few_products
// CHECK-SAME: lathe.sums = ["vectors of int8, not matrices: few products for each result"]
// CHECK-NOT: llvm.x86.tile
lathe.kernel @few_products(%a: memref<64x8xi8>, %b: memref<2x2x32x4xi8>, %c: memref<64x64xi32>)
    -> (tensor<64x64xi32>) input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x8xi8>, memref<2x2x32x4xi8>)
      outs(%c : memref<64x64xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %s = arith.addi %o, %p : i32
    linalg.yield %s : i32
  }
  lathe.yield
}

// -----

#a = affine_map<(b, m, n, k) -> (b, m, k)>
#b = affine_map<(b, m, n, k) -> (b, k floordiv 4, n, k mod 4)>
#c = affine_map<(b, m, n, k) -> (b, m, n)>
// CHECK-LABEL: lathe.kernel @ragged_columns
// CHECK-SAME: lathe.sums = ["vectors of int8, not matrices: columns that are no multiple of 16"]
// CHECK-NOT: llvm.x86.tile
lathe.kernel @ragged_columns(%a: memref<2x64x256xi8>, %b: memref<2x64x40x4xi8>, %c: memref<2x64x40xi32>)
    -> (tensor<2x64x40xi32>) input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<2x64x256xi8>, memref<2x64x40x4xi8>)
      outs(%c : memref<2x64x40xi32>) {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extui %x : i8 to i32
    %v = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %v : i32
    %s = arith.addi %o, %p : i32
    linalg.yield %s : i32
  }
  lathe.yield
}

// -----

#in = affine_map<(h, w, f, kh, kw, c) -> (h + kh, w + kw, c)>
#weight = affine_map<(h, w, f, kh, kw, c) -> (f floordiv 32, kh, kw, c floordiv 4, f mod 32, c mod 4)>
#out = affine_map<(h, w, f, kh, kw, c) -> (h, w, f)>
// Rows are points of a row of the image; 14 of them fill one matrix, and the
// next row of the image is the other one.
// CHECK-LABEL: lathe.kernel @window
// CHECK: dense<[1, 0, {{.+}}, 14, 14, 14, 14, 14, 14, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0]>
// CHECK: %[[PAIR:.+]] = arith.constant 2 : index
// CHECK: scf.for {{.+}} step %[[PAIR]] {
// CHECK-COUNT-4: "llvm.x86.tilezero"
// CHECK-COUNT-4: "llvm.x86.tdpbusd"
lathe.kernel @window(%x: memref<16x16x64xi8>, %w: memref<1x3x3x16x32x4xi8>, %y: memref<14x14x32xi32>)
    -> (tensor<14x14x32xi32>) input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : memref<16x16x64xi8>, memref<1x3x3x16x32x4xi8>)
      outs(%y : memref<14x14x32xi32>) {
  ^bb0(%p: i8, %q: i8, %o: i32):
    %u = arith.extui %p : i8 to i32
    %v = arith.extsi %q : i8 to i32
    %m = arith.muli %u, %v : i32
    %s = arith.addi %o, %m : i32
    linalg.yield %s : i32
  }
  lathe.yield
}
