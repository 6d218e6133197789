// RUN: lathe-opt %s --split-input-file -pass-pipeline='builtin.module(merge-launches{max-tiles=8 max-parameters=12 max-shared-bytes=2048 explain})' -mlir-print-local-scope | FileCheck %s

lathe.kernel @rows(%x: memref<?x8xf32>, %w: memref<8xf32>, %y: memref<?x8xf32>, %n: index)
    -> (tensor<?x8xf32>) input_dims [[0], []] result_dims [[0]]
    attributes {lathe.grid = affine_map<()[s0] -> (s0 ceildiv 16)>, lathe.cost = affine_map<()[s0] -> (s0 * 8, s0 * 64)>,
                lathe.inplace = [array<i64: 0, 0>]} {
  %e = memref.alloca() : memref<16xf32>
  scf.forall (%i) = (0) to (%n) step (16) {
    %v = memref.load %x[%i, %i] : memref<?x8xf32>
    memref.store %v, %e[%i] : memref<16xf32>
    memref.store %v, %y[%i, %i] : memref<?x8xf32>
  }
  lathe.yield
}
lathe.kernel @point(%x: memref<4xf32>, %y: memref<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.grid = affine_map<() -> (1)>, lathe.cost = affine_map<() -> (4, 32)>} {
  %c = arith.constant 2 : index
  %v = memref.load %x[%c] : memref<4xf32>
  memref.store %v, %y[%c] : memref<4xf32>
  lathe.yield
}

// One loop goes through the tiles of both; what is no loop is one of them.
// CHECK-LABEL: lathe.kernel @rows_and_others(
// CHECK-SAME: %[[X:.+]]: memref<?x8xf32>, %[[W:.+]]: memref<8xf32>, %[[Z:.+]]: memref<4xf32>, %[[Y:.+]]: memref<?x8xf32>, %[[V:.+]]: memref<4xf32>, %[[N:.+]]: index)
// CHECK-SAME: input_dims {{\[}}[0], [], []] result_dims {{\[}}[0], []]
// CHECK-SAME: lathe.cost = affine_map<()[s0] -> (s0 * 8 + 4, s0 * 64 + 32)>
// CHECK-SAME: lathe.grid = affine_map<()[s0] -> (s0 ceildiv 16 + 1)>
// CHECK-SAME: lathe.inplace = [array<i64: 0, 0>]
// CHECK: %[[FIRST:.+]] = affine.apply affine_map<()[s0] -> (s0 ceildiv 16)>()[%[[N]]]
// CHECK: memref.alloca() : memref<16xf32>
// CHECK: %[[ALL:.+]] = affine.apply affine_map<()[s0] -> (s0 ceildiv 16 + 1)>()[%[[N]]]
// CHECK: scf.forall (%[[T:.+]]) in (%[[ALL]]) {
// CHECK: %[[A:.+]] = arith.subi %[[T]], %{{.+}}
// CHECK: %[[IS:.+]] = arith.cmpi ult, %[[A]], %{{.+}}
// CHECK: scf.if %[[IS]] {
// CHECK: memref.store %{{.+}}, %[[Y]]
// CHECK: %[[B:.+]] = arith.subi %[[T]], %[[FIRST]]
// CHECK: scf.if
// CHECK: memref.store %{{.+}}, %[[V]]
// CHECK-NOT: lathe.kernel @point
// CHECK-LABEL: func.func @two
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[W:.+]]: tensor<8xf32>, %[[Z:.+]]: tensor<4xf32>, %[[N:.+]]: index)
// CHECK: %[[R:.+]]:2 = lathe.launch @rows_and_others(%[[X]], %[[W]], %[[Z]]) [%[[N]]]
// CHECK-SAME: lathe.fusions = {epilogue = affine_map<()[s0] -> (1, s0 * 8)>, horizontal = affine_map<()[s0] -> (1, 0)>}
// CHECK-SAME: nodes = ["r", "p"]
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @two(%x: tensor<?x8xf32>, %w: tensor<8xf32>, %z: tensor<4xf32>, %n: index) -> (tensor<?x8xf32>, tensor<4xf32>) {
  %0 = lathe.launch @rows(%x, %w) [%n] {nodes = ["r"], lathe.fusions = {epilogue = affine_map<()[s0] -> (1, s0 * 8)>}} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %1 = lathe.launch @point(%z) {nodes = ["p"]} : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<4xf32>
}

// -----

lathe.kernel @p(%x: memref<4xf32>, %y: memref<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.grid = affine_map<() -> (1)>} {
  %c = arith.constant 2 : index
  %v = memref.load %x[%c] : memref<4xf32>
  memref.store %v, %y[%c] : memref<4xf32>
  lathe.yield
}
lathe.kernel @large(%x: memref<4xf32>, %y: memref<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.grid = affine_map<() -> (8)>} {
  lathe.yield
}
lathe.kernel @scratch(%x: memref<4xf32>, %y: memref<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.grid = affine_map<() -> (1)>} {
  %0 = memref.alloc() : memref<4xf32>
  memref.copy %0, %y : memref<4xf32> to memref<4xf32>
  lathe.yield
}
lathe.kernel @shared(%x: memref<4xf32>, %y: memref<4xf32>) -> (tensor<4xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.grid = affine_map<() -> (1)>} {
  %0 = memref.alloca() : memref<511xf32>
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  lathe.yield
}

// Equal sequences share a kernel. A view moves with what reads it.
// CHECK-LABEL: func.func @chains
// CHECK-SAME: (%[[X:.+]]: tensor<4xf32>, %[[Z:.+]]: tensor<4xf32>, %[[U:.+]]: tensor<2x2xf32>)
// CHECK: %[[V:.+]] = lathe.view %[[U]]
// CHECK: %[[A:.+]]:3 = lathe.launch @p_and_others(%[[X]], %[[Z]], %[[V]])
// CHECK: %[[B:.+]]:3 = lathe.launch @p_and_others(%[[A]]#0, %[[A]]#1, %[[A]]#2)
// CHECK: return %[[B]]#0, %[[B]]#1, %[[B]]#2
func.func @chains(%x: tensor<4xf32>, %z: tensor<4xf32>, %u: tensor<2x2xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = lathe.launch @p(%0) : (tensor<4xf32>) -> tensor<4xf32>
  %2 = lathe.launch @p(%z) : (tensor<4xf32>) -> tensor<4xf32>
  %3 = lathe.launch @p(%2) : (tensor<4xf32>) -> tensor<4xf32>
  %v = lathe.view %u : tensor<2x2xf32> to tensor<4xf32>
  %4 = lathe.launch @p(%v) : (tensor<4xf32>) -> tensor<4xf32>
  %5 = lathe.launch @p(%4) : (tensor<4xf32>) -> tensor<4xf32>
  return %1, %3, %5 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @fills_the_device
// CHECK: lathe.launch @p(
// CHECK: lathe.launch @large(
func.func @fills_the_device(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = lathe.launch @large(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @has_scratch_memory
// CHECK: lathe.launch @p(
// CHECK: lathe.launch @scratch(
func.func @has_scratch_memory(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = lathe.launch @scratch(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// Launches that read the same say why they are apart.
// CHECK-LABEL: func.func @shares_too_much
// CHECK: lathe.launch @shared(
// CHECK: lathe.launch @shared({{.+}}lathe.apart = ["'a' and 'b': the kernel has as much shared memory as it can"]
func.func @shares_too_much(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = lathe.launch @shared(%x) {nodes = ["a"]} : (tensor<4xf32>) -> tensor<4xf32>
  %1 = lathe.launch @shared(%x) {nodes = ["b"]} : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @too_many_tensors
// CHECK: lathe.launch @p_and_others{{.*}}(%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}})
// CHECK: lathe.launch @p({{.+}}the kernel has as many tensors and sizes as it can
func.func @too_many_tensors(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %2 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %3 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %4 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %5 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %6 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %6 : tensor<4xf32>
}

// CHECK-LABEL: func.func @stays_behind_a_check
// CHECK: lathe.launch @p(
// CHECK: lathe.check
// CHECK: lathe.launch @p(
func.func @stays_behind_a_check(%x: tensor<4xf32>, %ok: i1) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  lathe.check %ok, "expects what it says"
  %1 = lathe.launch @p(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}
