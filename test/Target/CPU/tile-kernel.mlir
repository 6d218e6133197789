// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-tile-kernel{cpu=x86-64-v4}))' | FileCheck %s

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// Panels are not cut, and the fill is computed per tile.
// CHECK: #[[GRID:.+]] = affine_map<() -> (32)>
// CHECK: lathe.kernel @matmul
// CHECK-SAME: lathe.grid = #[[GRID]]
// CHECK: scf.forall
// CHECK: linalg.fill
// CHECK: linalg.generic
// CHECK: tensor.parallel_insert_slice
lathe.kernel @matmul(%a: tensor<512x512xf32>, %b: tensor<16x512x32xf32>)
    -> (tensor<512x512xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<512x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
  %0 = linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<512x512xf32>, tensor<16x512x32xf32>)
      outs(%f : tensor<512x512xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<512x512xf32>
  lathe.yield %0 : tensor<512x512xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// A row that is reduced stays whole; the number of tiles depends on the size.
// CHECK: #[[GRID:.+]] = affine_map<()[s0] -> (s0 ceildiv {{[0-9]+}})>
// CHECK: lathe.kernel @rows
// CHECK-SAME: lathe.grid = #[[GRID]]
// CHECK: scf.forall (%{{.+}}) =
// CHECK: linalg.generic
// CHECK: linalg.generic
lathe.kernel @rows(%x: tensor<?x100xf32>, %s: index) -> (tensor<?x100xf32>)
    input_dims [[0]] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %er = tensor.empty(%s) : tensor<?xf32>
  %e = tensor.empty(%s) : tensor<?x100xf32>
  %f = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x100xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row, #id],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<?x100xf32>, tensor<?xf32>) outs(%e : tensor<?x100xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.divf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x100xf32>
  lathe.yield %0 : tensor<?x100xf32>
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
// The contraction's columns keep whole panels where the result is transposed.
// CHECK-LABEL: lathe.kernel @transposed
// CHECK: scf.forall {{.+}} step ({{32|64|128}}, {{[0-9]+}})
lathe.kernel @transposed(%a: tensor<512x512xf32>, %b: tensor<16x512x32xf32>)
    -> (tensor<512x512xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<512x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
  %0 = linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<512x512xf32>, tensor<16x512x32xf32>)
      outs(%f : tensor<512x512xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<512x512xf32>
  %1 = linalg.generic {indexing_maps = [#swap, #id],
      iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<512x512xf32>) outs(%e : tensor<512x512xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  } -> tensor<512x512xf32>
  lathe.yield %1 : tensor<512x512xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>

// A tile of a transpose has whole lines on both sides.
// CHECK-LABEL: lathe.kernel @turned
// CHECK: scf.forall {{.+}} step (64, 256)
lathe.kernel @turned(%a: tensor<4096x512xf32>) -> (tensor<512x4096xf32>) input_dims [[]] result_dims [[]] {
  %e = tensor.empty() : tensor<512x4096xf32>
  %0 = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4096x512xf32>) outs(%e : tensor<512x4096xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  } -> tensor<512x4096xf32>
  lathe.yield %0 : tensor<512x4096xf32>
}

// -----

#window = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#taps = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#out = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>

// Windows over an image of unknown size go over boxes of it.
// CHECK-LABEL: lathe.kernel @window
// CHECK: scf.forall {{.+}} step (4, 28, 48)
lathe.kernel @window(%x: tensor<1x?x?x480xf32>, %w: tensor<5x5x480xf32>, %m: index, %n: index)
    -> (tensor<1x?x?x480xf32>) input_dims [[0, 1], []] result_dims [[0, 1]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%m, %n) : tensor<1x?x?x480xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x?x480xf32>) -> tensor<1x?x?x480xf32>
  %0 = linalg.generic {indexing_maps = [#window, #taps, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x?x?x480xf32>, tensor<5x5x480xf32>) outs(%f : tensor<1x?x?x480xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x?x480xf32>
  lathe.yield %0 : tensor<1x?x?x480xf32>
}

// -----

#x = affine_map<(n, c, h, w) -> (n, h, w, c)>
#channel = affine_map<(n, c, h, w) -> (n, c)>
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#mean = affine_map<(n, h, w, c) -> (n, c)>

// A tile of a normalization with channels last has whole lines of each row.
// CHECK-LABEL: lathe.kernel @lines
// CHECK: scf.forall {{.+}} step (16)
lathe.kernel @lines(%x: tensor<1x32x32x128xf32>) -> (tensor<1x32x32x128xf32>) input_dims [[]] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %m = tensor.empty() : tensor<1x128xf32>
  %f = linalg.fill ins(%zero : f32) outs(%m : tensor<1x128xf32>) -> tensor<1x128xf32>
  %0 = linalg.generic {indexing_maps = [#x, #channel],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x : tensor<1x32x32x128xf32>) outs(%f : tensor<1x128xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x128xf32>
  %e = tensor.empty() : tensor<1x32x32x128xf32>
  %1 = linalg.generic {indexing_maps = [#id, #mean, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %0 : tensor<1x32x32x128xf32>, tensor<1x128xf32>) outs(%e : tensor<1x32x32x128xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.subf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x32x32x128xf32>
  lathe.yield %1 : tensor<1x32x32x128xf32>
}

// -----

#image = affine_map<(b, y, x, n, c) -> (b, y, x, c)>
#weights = affine_map<(b, y, x, n, c) -> (n floordiv 32, c, n mod 32)>
#made = affine_map<(b, y, x, n, c) -> (b, y, x, n)>
// An image of unknown size may be small: its tiles are a few of its rows.
// CHECK: #[[GRID:.+]] = affine_map<()[s0, s1] -> ((s0 ceildiv 2) * (s1 ceildiv {{[0-9]+}}))>
// CHECK: lathe.kernel @pointwise
// CHECK-SAME: lathe.grid = #[[GRID]]
lathe.kernel @pointwise(%x: tensor<1x?x?x256xf32>, %w: tensor<8x256x32xf32>, %m: index, %n: index)
    -> (tensor<1x?x?x256xf32>) input_dims [[0, 1], []] result_dims [[0, 1]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%m, %n) : tensor<1x?x?x256xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x?x256xf32>) -> tensor<1x?x?x256xf32>
  %0 = linalg.generic {indexing_maps = [#image, #weights, #made],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1x?x?x256xf32>, tensor<8x256x32xf32>)
      outs(%f : tensor<1x?x?x256xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x?x256xf32>
  lathe.yield %0 : tensor<1x?x?x256xf32>
}

// -----

#rows = affine_map<(l, m, n, k) -> (l, m, k)>
#turned = affine_map<(l, m, n, k) -> (m, l, k)>
#panels = affine_map<(l, m, n, k) -> (n floordiv 32, k, n mod 32)>
#out = affine_map<(l, m, n, k) -> (l, m, n)>

// Of two dimensions of rows the inner one may be short where its size is not
// known. If the outer one is long enough for blocks, or not known and the inner
// one of what is read, either gets enough.
// CHECK-LABEL: lathe.kernel @turned_rows
// CHECK: scf.forall {{.+}} step (14, 14, 256)
lathe.kernel @turned_rows(%a: tensor<?x?x512xf32>, %b: tensor<16x512x32xf32>, %s: index, %t: index)
    -> (tensor<?x?x512xf32>) input_dims [[1, 0], []] result_dims [[0, 1]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s, %t) : tensor<?x?x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?x512xf32>) -> tensor<?x?x512xf32>
  %0 = linalg.generic {indexing_maps = [#turned, #panels, #out],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?x512xf32>, tensor<16x512x32xf32>) outs(%f : tensor<?x?x512xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x?x512xf32>
  lathe.yield %0 : tensor<?x?x512xf32>
}

// CHECK-LABEL: lathe.kernel @known_rows
// CHECK: scf.forall {{.+}} step (16, 14, 256)
lathe.kernel @known_rows(%a: tensor<80x?x512xf32>, %b: tensor<16x512x32xf32>, %s: index)
    -> (tensor<80x?x512xf32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<80x?x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<80x?x512xf32>) -> tensor<80x?x512xf32>
  %0 = linalg.generic {indexing_maps = [#rows, #panels, #out],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<80x?x512xf32>, tensor<16x512x32xf32>) outs(%f : tensor<80x?x512xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<80x?x512xf32>
  lathe.yield %0 : tensor<80x?x512xf32>
}

// CHECK-LABEL: lathe.kernel @few_known_rows
// CHECK: scf.forall {{.+}} step (32, 1, 56)
lathe.kernel @few_known_rows(%a: tensor<3x?x512xf32>, %b: tensor<16x512x32xf32>, %s: index)
    -> (tensor<3x?x512xf32>) input_dims [[0], []] result_dims [[0]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s) : tensor<3x?x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x?x512xf32>) -> tensor<3x?x512xf32>
  %0 = linalg.generic {indexing_maps = [#rows, #panels, #out],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<3x?x512xf32>, tensor<16x512x32xf32>) outs(%f : tensor<3x?x512xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<3x?x512xf32>
  lathe.yield %0 : tensor<3x?x512xf32>
}

// CHECK-LABEL: lathe.kernel @rows_in_order
// CHECK: scf.forall {{.+}} step (2, 126, 256)
lathe.kernel @rows_in_order(%a: tensor<?x?x512xf32>, %b: tensor<16x512x32xf32>, %s: index, %t: index)
    -> (tensor<?x?x512xf32>) input_dims [[0, 1], []] result_dims [[0, 1]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%s, %t) : tensor<?x?x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?x512xf32>) -> tensor<?x?x512xf32>
  %0 = linalg.generic {indexing_maps = [#rows, #panels, #out],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?x512xf32>, tensor<16x512x32xf32>) outs(%f : tensor<?x?x512xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x?x512xf32>
  lathe.yield %0 : tensor<?x?x512xf32>
}

// -----

#px = affine_map<(n, h, w, c, i, j) -> (n, h + i, w + j, c)>
#pw = affine_map<(n, h, w, c, i, j) -> (i, j, c)>
#py = affine_map<(n, h, w, c, i, j) -> (n, h, w, c)>
#qx = affine_map<(n, h, w, f, c) -> (n, h, w, c)>
#qw = affine_map<(n, h, w, f, c) -> (c, f)>
#qy = affine_map<(n, h, w, f, c) -> (n, h, w, f)>
// Pixels of whole rows with all channels, of both sums; each of which has a
// fill of its own, though both start from the same.
// CHECK: #[[GRID:.+]] = affine_map<() -> (64)>
// CHECK: lathe.kernel @depthwise_pointwise
// CHECK-SAME: lathe.grid = #[[GRID]]
// CHECK: scf.forall (%{{.+}}) in (64)
// CHECK: %[[FILL:.+]] = linalg.fill {{.*}} -> tensor<1x1x112x64xf32>
// CHECK: %[[PIXELS:.+]] = linalg.generic {{.*}} outs(%[[FILL]] :
// CHECK: %[[OTHER:.+]] = linalg.fill {{.*}} -> tensor<1x1x112x64xf32>
// CHECK: linalg.generic {{.*}} ins(%[[PIXELS]], {{.*}} outs(%[[OTHER]] :
lathe.kernel @depthwise_pointwise(%x: tensor<1x66x114x64xf32>, %v: tensor<3x3x64xf32>, %w: tensor<64x64xf32>)
    -> (tensor<1x64x112x64xf32>) input_dims [[], [], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x64x112x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x64x112x64xf32>) -> tensor<1x64x112x64xf32>
  %0 = linalg.generic {indexing_maps = [#px, #pw, #py],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %v : tensor<1x66x114x64xf32>, tensor<3x3x64xf32>) outs(%f : tensor<1x64x112x64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x112x64xf32>
  %1 = linalg.generic {indexing_maps = [#qx, #qw, #qy],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%0, %w : tensor<1x64x112x64xf32>, tensor<64x64xf32>) outs(%f : tensor<1x64x112x64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  } -> tensor<1x64x112x64xf32>
  lathe.yield %1 : tensor<1x64x112x64xf32>
}

// -----

#map_x = affine_map<(m, n, k) -> (m, n floordiv 12, k)>
#map_w = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_y = affine_map<(m, n, k) -> (m, n)>
// Tiles end where both a panel and a group do.
// CHECK-LABEL: lathe.kernel @panels_and_groups
// CHECK: scf.forall ({{.+}}) = ({{.+}}) to ({{.+}}) step (1, {{96|192|288|384}})
lathe.kernel @panels_and_groups(%a: tensor<64x2048x64xf32>, %b: tensor<768x64x32xf32>)
    -> (tensor<64x24576xf32>) input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x24576xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x24576xf32>) -> tensor<64x24576xf32>
  %0 = linalg.generic {indexing_maps = [#map_x, #map_w, #map_y],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<64x2048x64xf32>, tensor<768x64x32xf32>)
      outs(%f : tensor<64x24576xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<64x24576xf32>
  lathe.yield %0 : tensor<64x24576xf32>
}

// -----

#all = affine_map<(i, j) -> (i, j)>
#columns = affine_map<(i, j) -> (j)>
// The size of an input is the size argument, also in what tiling makes.
// CHECK-LABEL: lathe.kernel @columns_of_two_results
// CHECK-NOT: tensor.dim
// CHECK: scf.forall
// CHECK-NOT: tensor.dim
// CHECK: lathe.yield
lathe.kernel @columns_of_two_results(%x: tensor<?x54xf32>, %n: index) -> (tensor<?x54xf32>, tensor<?x54xf32>)
    input_dims [[0]] result_dims [[0], [0]] {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<54xf32>
  %e = tensor.empty(%n) : tensor<?x54xf32>
  %f = linalg.fill ins(%zero : f32) outs(%es : tensor<54xf32>) -> tensor<54xf32>
  %sum = linalg.generic {indexing_maps = [#all, #columns], iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x54xf32>) outs(%f : tensor<54xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<54xf32>
  %0 = linalg.generic {indexing_maps = [#all, #columns, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<?x54xf32>, tensor<54xf32>) outs(%e : tensor<?x54xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.divf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x54xf32>
  %1 = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel"]}
      ins(%0, %0 : tensor<?x54xf32>, tensor<?x54xf32>) outs(%e : tensor<?x54xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x54xf32>
  lathe.yield %1, %0 : tensor<?x54xf32>, tensor<?x54xf32>
}
