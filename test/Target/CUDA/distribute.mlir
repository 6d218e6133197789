// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(lathe.kernel(cuda-distribute))' | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
// Every thread takes every 256th point.
// CHECK-LABEL: lathe.kernel @elementwise
// CHECK: %[[TID:.+]] = gpu.thread_id x
// CHECK: scf.for %[[P:.+]] = %[[TID]] to %{{.+}} step %c256
// CHECK: arith.remui %[[P]]
// CHECK: memref.load
// CHECK: arith.negf
// CHECK: memref.store
// CHECK: gpu.barrier
// CHECK-NOT: linalg
lathe.kernel @elementwise(%x: memref<4x512xf32>, %y: memref<4x512xf32>)
    -> (tensor<4x512xf32>) input_dims [[]] result_dims [[]] {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<4x512xf32>) outs(%y : memref<4x512xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.negf %a : f32
    linalg.yield %r : f32
  }
  lathe.yield
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// A warp for each row; the lanes fold by shuffles, and the op that follows is
// computed on what is in registers.
// CHECK-LABEL: lathe.kernel @warp_rows
// CHECK-NOT: memref.alloca
// CHECK: scf.for
// CHECK: scf.for {{.*}} step %c32{{.*}} iter_args
// CHECK: arith.addf
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: math.sqrt
// CHECK-COUNT-1: memref.store
// CHECK: gpu.barrier
lathe.kernel @warp_rows(%x: memref<8x100xf32>, %y: memref<8xf32>)
    -> (tensor<8xf32>) input_dims [[]] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<8xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x100xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
      iterator_types = ["parallel"]}
      ins(%y : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.sqrt %a : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#id = affine_map<(d0) -> (d0)>
#all = affine_map<(d0) -> ()>
// A block for one result: warps exchange through shared memory.
// CHECK-LABEL: lathe.kernel @whole_block
// CHECK: memref.alloca() {{.*}} : memref<256xf32>
// CHECK: scf.for {{.*}} step %c256{{.*}} iter_args
// CHECK: arith.maximumf
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: memref.store
// CHECK: gpu.barrier
// CHECK-COUNT-8: memref.load
// CHECK: gpu.barrier
lathe.kernel @whole_block(%x: memref<?xf32>, %y: memref<f32>, %s: index)
    -> (tensor<f32>) input_dims [[0]] result_dims [[]] {
  linalg.generic {indexing_maps = [#id, #all], iterator_types = ["reduction"]}
      ins(%x : memref<?xf32>) outs(%y : memref<f32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %o, %a : f32
    linalg.yield %m : f32
  }
  lathe.yield
}

// -----

#map_a = affine_map<(m, n, k) -> (m, k)>
#map_b = affine_map<(m, n, k) -> (k, n)>
#map_c = affine_map<(m, n, k) -> (m, n)>
// Tiles of both factors in shared memory, 16 sums in registers.
// CHECK-LABEL: lathe.kernel @matmul
// CHECK-COUNT-2: memref.alloca() {{.*}} : memref<16x65xf32>
// CHECK: scf.for {{.*}} step %c16{{.*}} iter_args
// CHECK-COUNT-8: memref.store
// CHECK: gpu.barrier
// CHECK: scf.for
// CHECK-COUNT-8: memref.load
// CHECK-COUNT-16: math.fma
// CHECK: gpu.barrier
lathe.kernel @matmul(%a: memref<64x?xf32>, %b: memref<?x64xf32>, %c: memref<64x64xf32>,
    %k: index) -> (tensor<64x64xf32>) input_dims [[0], [0]] result_dims [[]] {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<64x64xf32>)
  linalg.generic {indexing_maps = [#map_a, #map_b, #map_c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<64x?xf32>, memref<?x64xf32>) outs(%c : memref<64x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  lathe.yield
}

// -----

#id = affine_map<(d0) -> (d0)>
// Floats of 16 bits are read and written, not computed with.
// CHECK-LABEL: lathe.kernel @half
// CHECK: %[[X:.+]] = memref.load
// CHECK: %[[W:.+]] = arith.extf %[[X]] : f16 to f32
// CHECK: %[[Y:.+]] = arith.mulf %[[W]], %[[W]] : f32
// CHECK: %[[Z:.+]] = arith.addf %[[Y]], %[[W]] : f32
// CHECK: arith.truncf %[[Z]] : f32 to f16
lathe.kernel @half(%x: memref<64xf16>, %y: memref<64xf16>)
    -> (tensor<64xf16>) input_dims [[]] result_dims [[]] {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xf16>) outs(%y : memref<64xf16>) {
  ^bb0(%a: f16, %o: f16):
    %p = arith.mulf %a, %a : f16
    %s = arith.addf %p, %a : f16
    linalg.yield %s : f16
  }
  lathe.yield
}

// -----

// What writes by itself is left to the first thread.
// CHECK-LABEL: lathe.kernel @first_thread
// CHECK: %[[TID:.+]] = gpu.thread_id x
// CHECK: %[[FIRST:.+]] = arith.cmpi eq, %[[TID]], %c0
// CHECK: scf.if %[[FIRST]]
// CHECK: scf.for
// CHECK: memref.store
// CHECK: gpu.barrier
lathe.kernel @first_thread(%x: memref<16xf32>, %y: memref<16xf32>)
    -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  %sum = scf.for %i = %c0 to %c16 step %c1 iter_args(%s = %zero) -> f32 {
    %v = memref.load %x[%i] : memref<16xf32>
    %n = arith.addf %s, %v : f32
    memref.store %n, %y[%i] : memref<16xf32>
    scf.yield %n : f32
  }
  lathe.yield
}
