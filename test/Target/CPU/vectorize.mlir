// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=x86-64-v4}))' | FileCheck %s

#id = affine_map<(d0) -> (d0)>
// Full vectors in a loop, the rest under a mask.
// CHECK-LABEL: lathe.kernel @relu
// CHECK: scf.for
// CHECK: vector.load {{.+}} vector<16xf32>
// CHECK: vector.store
// CHECK: vector.create_mask
// CHECK: vector.maskedload
// CHECK: vector.maskedstore
// CHECK-NOT: memref.load
lathe.kernel @relu(%x: memref<1003xf32>, %y: memref<1003xf32>) -> (tensor<1003xf32>)
    input_dims [[]] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<1003xf32>) outs(%y : memref<1003xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  }
  lathe.yield
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#bias = affine_map<(m, n) -> (n)>
// A block of the result stays in registers, where the bias is added too.
// CHECK-LABEL: lathe.kernel @matmul
// CHECK-NOT: linalg
// CHECK: scf.for {{.+}} iter_args(
// CHECK-SAME: vector<16xf32>
// CHECK-NOT: vector.store
// CHECK: scf.yield
// CHECK: arith.addf
// CHECK: vector.store
// CHECK-NOT: memref.alloc
lathe.kernel @matmul(%a: memref<14x64xf32>, %b: memref<1x64x32xf32>, %v: memref<32xf32>, %c: memref<14x32xf32>)
    -> (tensor<14x32xf32>) input_dims [[], [], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %t = memref.alloca() : memref<14x32xf32>
  linalg.fill ins(%zero : f32) outs(%t : memref<14x32xf32>)
  linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<14x64xf32>, memref<1x64x32xf32>)
      outs(%t : memref<14x32xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #bias, #id],
      iterator_types = ["parallel", "parallel"]}
      ins(%t, %v : memref<14x32xf32>, memref<32xf32>) outs(%c : memref<14x32xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// Rows that full blocks leave over lie in one block or two, of just as many
// rows. One full block and one or two rows are two blocks, too.
// CHECK-LABEL: lathe.kernel @unknown_rows
// CHECK: scf.for {{.+}} step %c14
// CHECK: scf.for {{.+}} iter_args({{(%[a-z0-9]+ = %[a-z0-9]+(, )?){28}[)]}}
// CHECK: %[[HEIGHT:.+]] = arith.maxui
// CHECK: scf.for %[[ROW:.+]] = %{{.+}} to %[[SIZE:.+]] step %[[HEIGHT]]
// CHECK: %[[LEFT:.+]] = arith.subi %[[SIZE]], %[[ROW]]
// CHECK: %[[ROWS:.+]] = arith.minui %[[HEIGHT]], %[[LEFT]]
// CHECK: scf.index_switch %[[ROWS]]
// CHECK: case 1 {
// CHECK: scf.for {{.+}} iter_args({{(%[a-z0-9]+ = %[a-z0-9]+(, )?){2}[)]}}
// CHECK: case 7 {
// CHECK: scf.for {{.+}} iter_args({{(%[a-z0-9]+ = %[a-z0-9]+(, )?){14}[)]}}
// CHECK: default {
// CHECK: scf.for {{.+}} iter_args({{(%[a-z0-9]+ = %[a-z0-9]+(, )?){16}[)]}}
lathe.kernel @unknown_rows(%a: memref<?x64xf32>, %b: memref<1x64x32xf32>, %c: memref<?x32xf32>, %s: index)
    -> (tensor<?x32xf32>) input_dims [[0], []] result_dims [[0]] {
  linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<?x64xf32>, memref<1x64x32xf32>)
      outs(%c : memref<?x32xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s1 = arith.addf %o, %p : f32
    linalg.yield %s1 : f32
  }
  lathe.yield
}

// -----

#turned = affine_map<(l, m, n, k) -> (m, l, k)>
#panels = affine_map<(l, m, n, k) -> (n floordiv 32, k, n mod 32)>
#out = affine_map<(l, m, n, k) -> (l, m, n)>
#tile = affine_map<(d0)[s0] -> (-d0 + s0, 14)>
// Blocks of rows lie along the inner dimension if that is long enough or as long
// as the outer one, else along the outer one. Neither is generated once more for
// tiles of full size, which full blocks fill.
// CHECK-LABEL: lathe.kernel @either_rows
// CHECK: scf.forall (%[[L:.+]], %[[M:.+]]) =
// CHECK: %[[LL:.+]] = affine.min {{.+}}(%[[L]])
// CHECK: %[[MM:.+]] = affine.min {{.+}}(%[[M]])
// CHECK: %[[LIMIT:.+]] = arith.minui %[[LL]], %c8
// CHECK: %[[SHORT:.+]] = arith.cmpi ult, %[[MM]], %[[LIMIT]]
// CHECK: scf.if %[[SHORT]]
// CHECK: arith.remui %[[LL]], %c14
// CHECK: } else {
// CHECK: arith.remui %[[MM]], %c14
// CHECK-NOT: scf.if
// CHECK: lathe.yield
lathe.kernel @either_rows(%a: memref<?x?x64xf32>, %b: memref<1x64x32xf32>, %c: memref<?x?x32xf32>, %s: index, %t: index)
    -> (tensor<?x?x32xf32>) input_dims [[1, 0], []] result_dims [[0, 1]] {
  scf.forall (%l, %m) = (0, 0) to (%s, %t) step (14, 14) {
    %ll = affine.min #tile(%l)[%s]
    %mm = affine.min #tile(%m)[%t]
    %x = memref.subview %a[%m, %l, 0] [%mm, %ll, 64] [1, 1, 1]
        : memref<?x?x64xf32> to memref<?x?x64xf32, strided<[?, 64, 1], offset: ?>>
    %y = memref.subview %c[%l, %m, 0] [%ll, %mm, 32] [1, 1, 1]
        : memref<?x?x32xf32> to memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>
    linalg.generic {indexing_maps = [#turned, #panels, #out],
        iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
        ins(%x, %b : memref<?x?x64xf32, strided<[?, 64, 1], offset: ?>>, memref<1x64x32xf32>)
        outs(%y : memref<?x?x32xf32, strided<[?, 32, 1], offset: ?>>) {
    ^bb0(%v: f32, %w: f32, %o: f32):
      %p = arith.mulf %v, %w : f32
      %r = arith.addf %o, %p : f32
      linalg.yield %r : f32
    }
  }
  lathe.yield
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// Rows that are 4 KiB apart would evict each other: 14 of them make two blocks.
// CHECK-LABEL: lathe.kernel @conflicts
// CHECK: %[[SEVEN:.+]] = arith.constant 7 : index
// CHECK: scf.for {{.+}} step %[[SEVEN]]
// CHECK: scf.for {{.+}} iter_args(
lathe.kernel @conflicts(%a: memref<14x1024xf32>, %b: memref<1x1024x32xf32>, %c: memref<14x32xf32>)
    -> (tensor<14x32xf32>) input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<14x1024xf32>, memref<1x1024x32xf32>)
      outs(%c : memref<14x32xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#id = affine_map<(d0) -> (d0)>
// An op does not join one whose body reads, at other points, what it writes.
// CHECK-LABEL: lathe.kernel @overwritten_source
// CHECK: %[[T:.+]] = memref.alloca
// CHECK: memref.load %[[Y:[a-z0-9]+]]
// CHECK-NOT: vector.store {{.+}}, %[[Y]]
// CHECK: vector.store {{.+}}, %[[T]]
// CHECK: vector.load %[[T]]
// CHECK: vector.store {{.+}}, %[[Y]]
lathe.kernel @overwritten_source(%y: memref<1024xf32>) -> (tensor<1024xf32>)
    input_dims [] result_dims [[]] {
  %last = arith.constant 1023 : index
  %t = memref.alloca() : memref<1024xf32>
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%t : memref<1024xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %from = arith.subi %last, %i : index
    %v = memref.load %y[%from] : memref<1024xf32>
    linalg.yield %v : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%t : memref<1024xf32>) outs(%y : memref<1024xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    linalg.yield %m : f32
  }
  lathe.yield
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
// Squares are read by rows and turned in registers: four rounds of shuffles for
// sixteen lanes.
// CHECK-LABEL: lathe.kernel @transpose
// CHECK-NOT: memref.load
// CHECK-COUNT-16: vector.load {{.+}} vector<16xf32>
// CHECK-COUNT-64: vector.shuffle
// CHECK-NOT: vector.shuffle
// CHECK-COUNT-16: vector.store
// CHECK-NOT: vector.store
lathe.kernel @transpose(%x: memref<64x32xf32>, %y: memref<32x64xf32>) -> (tensor<32x64xf32>)
    input_dims [[]] result_dims [[]] {
  linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x32xf32>) outs(%y : memref<32x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  lathe.yield
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
// Rows that end within a square are read under a mask.
// CHECK-LABEL: lathe.kernel @edges
// CHECK-NOT: memref.load
// CHECK-COUNT-16: vector.maskedload
// CHECK: vector.shuffle
// CHECK-COUNT-11: vector.store
// CHECK-COUNT-16: vector.maskedload
// CHECK: vector.shuffle
// CHECK-COUNT-10: vector.store
// CHECK-NOT: vector.store
lathe.kernel @edges(%x: memref<64x21xf32>, %y: memref<21x64xf32>) -> (tensor<21x64xf32>)
    input_dims [[]] result_dims [[]] {
  linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x21xf32>) outs(%y : memref<21x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  lathe.yield
}

// -----

#part = affine_map<(h, c) -> (h floordiv 2, c)>
#id = affine_map<(h, c) -> (h, c)>
// Rows of one quotient are computed together: what they share is loaded once,
// and which of them a row is is known. The fifth row is alone.
// CHECK-LABEL: lathe.kernel @quotient
// CHECK-NOT: select
// CHECK-NOT: remui
// CHECK: scf.for
// CHECK: vector.load {{.+}} memref<3x16xf32>
// CHECK-NOT: vector.load
// CHECK-COUNT-2: vector.store
// CHECK: vector.load {{.+}} memref<3x16xf32>
// CHECK-COUNT-1: vector.store
// CHECK-NOT: vector.store
// CHECK: lathe.yield
lathe.kernel @quotient(%x: memref<3x16xf32>, %y: memref<5x16xf32>) -> (tensor<5x16xf32>)
    input_dims [[]] result_dims [[]] {
  linalg.generic {indexing_maps = [#part, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<3x16xf32>) outs(%y : memref<5x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %zero = arith.constant 0 : index
    %h = linalg.index 0 : index
    %r = affine.apply affine_map<(d0) -> (d0 mod 2)>(%h)
    %even = arith.cmpi eq, %r, %zero : index
    %n = arith.negf %a : f32
    %s = arith.select %even, %a, %n : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#id = affine_map<(p, c) -> (p, c)>
// All points of a dimension that only the body knows are one block; what is read
// outside of the image is zero by a mask.
// CHECK-LABEL: lathe.kernel @selected
// CHECK: scf.for
// CHECK: vector.maskedload
// CHECK-NOT: vector.maskedload
// CHECK-NOT: arith.select {{.+}} vector
// CHECK-COUNT-2: vector.store
// CHECK-NOT: vector.store
lathe.kernel @selected(%x: memref<4x64xf32>, %y: memref<2x64xf32>, %at: index) -> (tensor<2x64xf32>)
    input_dims [[]] result_dims [[]] {
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%y : memref<2x64xf32>) {
  ^bb0(%o: f32):
    %padding = arith.constant 0.0 : f32
    %zero = arith.constant 0 : index
    %four = arith.constant 4 : index
    %p = linalg.index 0 : index
    %c = linalg.index 1 : index
    %inside = arith.cmpi ult, %at, %four : index
    %row = arith.select %inside, %at, %zero : index
    %v = memref.load %x[%row, %c] : memref<4x64xf32>
    %a = arith.select %inside, %v, %padding : f32
    %first = arith.cmpi eq, %p, %zero : index
    %n = arith.negf %a : f32
    %s = arith.select %first, %a, %n : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#in = affine_map<(n, y, x, c, r, s) -> (n, y * 2 + r, x * 2 + s, c)>
#window = affine_map<(n, y, x, c, r, s) -> (r, s)>
#out = affine_map<(n, y, x, c, r, s) -> (n, y, x, c)>
// What a window with a stride reads of a row fills the registers soon, and is
// better read some vectors at a time: blocks of two points by four vectors.
// CHECK-LABEL: lathe.kernel @pool
// CHECK: scf.for
// CHECK-COUNT-8: vector.store {{.+}} vector<16xf32>
// CHECK-NOT: vector.store
// CHECK: }
lathe.kernel @pool(%x: memref<1x3x57x128xf32>, %y: memref<1x1x28x128xf32>)
    -> (tensor<1x1x28x128xf32>) input_dims [[]] result_dims [[]] {
  %low = arith.constant 0xFF800000 : f32
  %w = memref.alloca() : memref<3x3xf32>
  linalg.fill ins(%low : f32) outs(%y : memref<1x1x28x128xf32>)
  linalg.generic {indexing_maps = [#in, #window, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : memref<1x3x57x128xf32>, memref<3x3xf32>) outs(%y : memref<1x1x28x128xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.maximumf %o, %a : f32
    linalg.yield %m : f32
  }
  lathe.yield
}
