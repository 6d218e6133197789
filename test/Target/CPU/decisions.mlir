// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-tile-kernel{cpu=x86-64-v4},bufferize-kernel,cpu-vectorize{cpu=x86-64-v4}))' | FileCheck %s

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// The grid has tiles of the size that is decided, and a block of four rows by
// one vector is summed up in registers.
// CHECK: affine_map<() -> (16)>
// CHECK: lathe.kernel @decided
// CHECK: scf.forall (%{{.+}}, %{{.+}}) = (0, 0) to (512, 512) step (256, 64)
// CHECK: scf.for {{.+}} iter_args(
// CHECK-SAME: -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
lathe.kernel @decided(%a: tensor<512x512xf32>, %b: tensor<16x512x32xf32>)
    -> (tensor<512x512xf32>) input_dims [[], []] result_dims [[]]
    attributes {lathe.decisions = {tile = array<i64: 256, 64, 0>,
        nests = [{lanes = 1 : i64, vectors = 1 : i64, blocks = array<i64: 0, 4>}]}} {
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

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// Tiles run in the order that is decided, the one of columns slowest.
// CHECK: lathe.kernel @slowest
// CHECK: scf.forall (%[[N:.+]], %[[M:.+]]) = (0, 0) to (512, 256) step (64, 128)
// CHECK: affine.apply {{.+}}(%[[N]])
lathe.kernel @slowest(%a: tensor<256x64xf32>, %b: tensor<16x64x32xf32>)
    -> (tensor<256x512xf32>) input_dims [[], []] result_dims [[]]
    attributes {lathe.decisions = {tile = array<i64: 128, 64, 0>, slowest = 1 : i64}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x512xf32>) -> tensor<256x512xf32>
  %0 = linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<256x64xf32>, tensor<16x64x32xf32>)
      outs(%f : tensor<256x512xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<256x512xf32>
  lathe.yield %0 : tensor<256x512xf32>
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// A block that does not fit in the registers is no candidate: it is left to the
// model, as is a nest without decisions.
// CHECK: lathe.kernel @impossible
// CHECK: scf.for {{.+}} iter_args(
// CHECK-NOT: -> (vector<16xf32>) {
// CHECK: vector.store
lathe.kernel @impossible(%a: tensor<14x64xf32>, %b: tensor<1x64x32xf32>)
    -> (tensor<14x32xf32>) input_dims [[], []] result_dims [[]]
    attributes {lathe.decisions = {
        nests = [{lanes = 1 : i64, vectors = 8 : i64, blocks = array<i64: 0, 14>}, unit]}} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<14x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<14x32xf32>) -> tensor<14x32xf32>
  %0 = linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<14x64xf32>, tensor<1x64x32xf32>)
      outs(%f : tensor<14x32xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<14x32xf32>
  lathe.yield %0 : tensor<14x32xf32>
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// Who asks is told what else could be decided: tiles, then blocks for what is
// decided about tiles.
// CHECK: lathe.kernel @asked
// CHECK-SAME: lathe.candidates = {{\[}}[{{.*}}tile = array<i64:
// CHECK-SAME: [{nests = [{blocks = array<i64: 0,
// CHECK-SAME: vectors_inside
lathe.kernel @asked(%a: tensor<512x512xf32>, %b: tensor<16x512x32xf32>)
    -> (tensor<512x512xf32>) input_dims [[], []] result_dims [[]]
    attributes {lathe.candidates = []} {
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

#row = affine_map<(m, k) -> (m, k)>
#sum = affine_map<(m, k) -> (m)>
// Lanes along a reduction stay: others would sum up in another order.
// CHECK: lathe.kernel @rows
// CHECK-SAME: lathe.candidates = [
// CHECK-NOT: nests
// CHECK: scf.forall
lathe.kernel @rows(%a: tensor<512x512xf32>) -> (tensor<512xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.candidates = []} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<512xf32>) -> tensor<512xf32>
  %0 = linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%a : tensor<512x512xf32>) outs(%f : tensor<512xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.addf %o, %x : f32
    linalg.yield %s : f32
  } -> tensor<512xf32>
  lathe.yield %0 : tensor<512xf32>
}
