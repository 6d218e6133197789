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

lathe.kernel @k(%h: memref<16xf32>, %n: memref<16xf32>) -> (tensor<16xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.grid = affine_map<() -> (1)>} {
  lathe.yield
}

// Nothing is written over a state once the run has failed.
// CHECK-LABEL: llvm.func @model_program(
// CHECK: llvm.call @lathe_rt_launch
// CHECK: %[[FINE:.+]] = llvm.icmp "eq"
// CHECK: %[[BYTES:.+]] = llvm.select %[[FINE]], %{{.+}}, %{{.+}} : i1, i64
// CHECK: "llvm.intr.memcpy"(%{{.+}}, %{{.+}}, %[[BYTES]])
func.func @main(%h: tensor<16xf32> {lathe.name = "h", lathe.state = {axis = -1 : i64, input = 0 : i64, max = -1 : i64, output = 0 : i64}})
    -> (tensor<16xf32> {lathe.name = "n"})
    attributes {lathe.slots = [array<i64: 1, 2>], lathe.offsets = array<i64: 0>, lathe.arena_bytes = 64 : i64} {
  %zero = arith.constant 0 : index
  %0 = lathe.launch @k(%h) {lathe.storage = [#lathe.arena<0>]} : (tensor<16xf32>) -> tensor<16xf32>
  %1 = lathe.insert %0 into %h[%zero] : tensor<16xf32> into tensor<16xf32>
  return %1 : tensor<16xf32>
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

// -----

// expected-error @+1 {{expects output 'next' of a state to have sizes that are known before a run, got one that depends on data}}
func.func @main(%past: tensor<?xf32> {lathe.name = "past", lathe.dims = ["p"], lathe.state = {axis = 0 : i64, input = 0 : i64, max = 8 : i64, output = 0 : i64}},
                %x: tensor<4xf32> {lathe.name = "x"}, %count: tensor<i64> {lathe.name = "count"})
    -> (tensor<?xf32> {lathe.name = "next"})
    attributes {lathe.symbols = ["p", "c"], lathe.slots = []} {
  %p = lathe.symbol "p"
  %0 = tensor.extract %count[] : tensor<i64>
  %1 = arith.index_cast %0 : i64 to index
  %c = lathe.bind "c" = %1
  %2 = lathe.insert %x into %past[%p] grows : tensor<4xf32> into tensor<?xf32>
  %3 = arith.addi %p, %c : index
  %4 = lathe.view %2[%3] : tensor<?xf32> to tensor<?xf32>
  return %4 : tensor<?xf32>
}

// -----

lathe.kernel @k(%x: memref<2x16xf32>, %y: memref<2x16xf32, strided<[48, 1]>>) -> (tensor<2x16xf32>) input_dims [[]] result_dims [[]]
    attributes {lathe.grid = affine_map<() -> (1)>, lathe.within = [unit, affine_map<() -> (2, 48)>]} {
  lathe.yield
}

// A part begins where those before it in its row end: 16 elements of 4 bytes on,
// each, in the caller's buffer.
// CHECK-LABEL: llvm.func @model_program(
// CHECK-DAG: %[[FOUR:.*]] = llvm.mlir.constant(4 : i64)
// CHECK-DAG: %[[SIXTEEN:.*]] = llvm.mlir.constant(16 : i64)
// CHECK: llvm.call @lathe_rt_launch(
// CHECK: %[[INNER:.*]] = llvm.mul %[[SIXTEEN]], %[[FOUR]]
// CHECK: llvm.getelementptr %{{.*}}[%[[INNER]]]
// CHECK: llvm.call @lathe_rt_launch(
// CHECK: %[[START:.*]] = llvm.getelementptr %{{.*}}[%[[INNER]]]
// CHECK: llvm.getelementptr %[[START]][%[[INNER]]]
// CHECK: llvm.call @lathe_rt_launch(
func.func @main(%x: tensor<2x16xf32> {lathe.name = "x"}) -> (tensor<2x48xf32> {lathe.name = "y"})
    attributes {lathe.slots = [], lathe.offsets = array<i64>, lathe.arena_bytes = 0 : i64} {
  %0 = lathe.launch @k(%x) {lathe.storage = [unit]} : (tensor<2x16xf32>) -> tensor<2x16xf32>
  %1 = lathe.launch @k(%x) {lathe.storage = [unit]} : (tensor<2x16xf32>) -> tensor<2x16xf32>
  %2 = lathe.launch @k(%x) {lathe.storage = [unit]} : (tensor<2x16xf32>) -> tensor<2x16xf32>
  %3 = lathe.concat %1, %2 axis 1 : (tensor<2x16xf32>, tensor<2x16xf32>) -> tensor<2x32xf32>
  %4 = lathe.concat %0, %3 axis 1 {lathe.storage = [#lathe.output<0>]} : (tensor<2x16xf32>, tensor<2x32xf32>) -> tensor<2x48xf32>
  return %4 : tensor<2x48xf32>
}
