// RUN: lathe-opt %s -lathe-lower-program -split-input-file -verify-diagnostics | FileCheck %s

lathe.kernel @k(%x: memref<16xf32>, %y: memref<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.grid = affine_map<() -> (3)>} {
  lathe.yield
}

// A launch: addresses of inputs and outputs, then a call of the runtime with the
// number of tiles.
// CHECK: llvm.func @lathe_rt_launch(!llvm.ptr, i32, !llvm.ptr, !llvm.ptr, i64) -> i32
// CHECK: llvm.func @model_k(!llvm.ptr, i64, i64, !llvm.ptr) -> i32
// CHECK-LABEL: llvm.func @model_program(
// CHECK-DAG: %[[T:.*]] = llvm.mlir.constant(3 : i64)
// CHECK-DAG: %[[K:.*]] = llvm.mlir.addressof @model_k
// CHECK: llvm.call @lathe_rt_launch(%arg0, %{{.*}}, %[[K]], %{{.*}}, %[[T]])
// CHECK: llvm.call @lathe_rt_launch(
// CHECK: llvm.return
func.func @main(%x: tensor<16xf32> {lathe.name = "x"}) -> (tensor<16xf32> {lathe.name = "y"})
    attributes {lathe.slots = [array<i64: 1, 2>], lathe.offsets = array<i64: 0>, lathe.arena_bytes = 64 : i64} {
  %0 = lathe.launch @k(%x) {lathe.storage = [#lathe.arena<0>]} : (tensor<16xf32>) -> tensor<16xf32>
  %1 = lathe.launch @k(%0) {lathe.storage = [#lathe.output<0>]} : (tensor<16xf32>) -> tensor<16xf32>
  return %1 : tensor<16xf32>
}

// -----

lathe.kernel @k(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) -> (tensor<?xf32>) input_dims [[0]] result_dims [[0]]
    attributes {lathe.grid = affine_map<()[s0] -> (s0 ceildiv 8)>} {
  lathe.yield
}

// Symbolic sizes come from the table of values, which eval fills once per shape.
// CHECK-LABEL: llvm.func @model_program(
// CHECK: llvm.call @lathe_rt_launch
// CHECK-LABEL: llvm.func @model_eval(%arg0: !llvm.ptr, %arg1: !llvm.ptr) -> i32
// CHECK: llvm.store
// CHECK: llvm.return
func.func @main(%x: tensor<?xf32> {lathe.name = "x", lathe.dims = ["n"]}) -> (tensor<?xf32> {lathe.name = "y"})
    attributes {lathe.symbols = ["n"], lathe.slots = []} {
  %n = lathe.symbol "n"
  %0 = lathe.launch @k(%x) [%n] {lathe.storage = [#lathe.output<0>]} : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

lathe.kernel @k(%x: memref<16xf32>, %y: memref<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]] {
  lathe.yield
}

// expected-error @+1 {{expects a program after memory planning}}
func.func @main(%x: tensor<16xf32> {lathe.name = "x"}) -> (tensor<16xf32> {lathe.name = "y"}) {
  %0 = lathe.launch @k(%x) : (tensor<16xf32>) -> tensor<16xf32>
  return %0 : tensor<16xf32>
}

// -----

// expected-error @+1 {{expects inputs that are ranked tensors, got 'index'}}
func.func @main(%x: index) attributes {lathe.slots = []} {
  return
}
