// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=znver4}))' | FileCheck %s
// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cpu-vectorize{cpu=sapphirerapids}))' | FileCheck %s --check-prefix=WIDE

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (k, n)>
#map_c = affine_map<(m, n, k) -> (m, n)>

// What is left of 24 columns is half of a vector.
// CHECK-LABEL: lathe.kernel @half
// CHECK: arith.addf {{.+}} : vector<16xf32>
// CHECK-NOT: mask
// CHECK: arith.addf {{.+}} : vector<8xf32>
// CHECK-NOT: mask
// CHECK: lathe.yield
// WIDE-LABEL: lathe.kernel @half
// WIDE-NOT: vector<8xf32>
// WIDE: vector.create_mask {{.+}} : vector<16xi1>
// WIDE-NOT: vector<8xf32>
lathe.kernel @half(%a: memref<56x32xf32>, %b: memref<32x24xf32>, %c: memref<56x24xf32>) -> (tensor<56x24xf32>)
    input_dims [[], []] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<56x24xf32>)
  linalg.generic {indexing_maps = [#map_a, #map_b, #map_c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<56x32xf32>, memref<32x24xf32>) outs(%c : memref<56x24xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (k, n)>
#map_c = affine_map<(m, n, k) -> (m, n)>

// Less than half has a mask, more than half a whole vector.
// CHECK-LABEL: lathe.kernel @less
// CHECK: vector.create_mask {{.+}} : vector<8xi1>
// CHECK-NOT: vector<16xi1>
// CHECK: lathe.yield
lathe.kernel @less(%a: memref<56x32xf32>, %b: memref<32x5xf32>, %c: memref<56x5xf32>) -> (tensor<56x5xf32>)
    input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#map_a, #map_b, #map_c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<56x32xf32>, memref<32x5xf32>) outs(%c : memref<56x5xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (k, n)>
#map_c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: lathe.kernel @more
// CHECK-NOT: vector<8x
// CHECK: vector.create_mask {{.+}} : vector<16xi1>
// CHECK-NOT: vector<8x
// CHECK: lathe.yield
lathe.kernel @more(%a: memref<56x32xf32>, %b: memref<32x25xf32>, %c: memref<56x25xf32>) -> (tensor<56x25xf32>)
    input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#map_a, #map_b, #map_c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<56x32xf32>, memref<32x25xf32>) outs(%c : memref<56x25xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (k, n)>
#map_c = affine_map<(m, n, k) -> (m, n)>

// Few rows cannot hide the latency of one vector's sums.
// CHECK-LABEL: lathe.kernel @few_rows
// CHECK-NOT: vector<8xf32>
// CHECK: lathe.yield
lathe.kernel @few_rows(%a: memref<2x32xf32>, %b: memref<32x24xf32>, %c: memref<2x24xf32>) -> (tensor<2x24xf32>)
    input_dims [[], []] result_dims [[]] {
  linalg.generic {indexing_maps = [#map_a, #map_b, #map_c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<2x32xf32>, memref<32x24xf32>) outs(%c : memref<2x24xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  lathe.yield
}
