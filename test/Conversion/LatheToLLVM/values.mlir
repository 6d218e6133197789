// RUN: lathe-opt %s -lathe-lower-program -split-input-file -verify-diagnostics | FileCheck %s

// A call: the addresses of tensors and their sizes, then other sizes; values are
// slots, of which the first are the inputs and outputs of the program.
// CHECK: llvm.func @lathe_rt_library(!llvm.ptr, i32, !llvm.ptr, !llvm.ptr)
// CHECK: llvm.func @lathe_rt_lib_sequence_at(!llvm.ptr) -> i32
// CHECK-LABEL: llvm.func @model_program(
// CHECK-DAG: %[[F:.*]] = llvm.mlir.addressof @lathe_rt_lib_sequence_at
// CHECK: llvm.store %{{.*}}, %[[ARGS:.*]] : !llvm.ptr, !llvm.ptr
// CHECK: llvm.call @lathe_rt_library(%arg0, %{{.*}}, %[[F]], %[[ARGS]])
// CHECK: llvm.return
func.func @main(%s: !lathe.value {lathe.name = "s", lathe.type = !onnx.seq<tensor<2xf32>>, lathe.value_type = "seq(tensor(float))"}, %p: tensor<i64> {lathe.name = "p"}) -> (tensor<2xf32> {lathe.name = "y"})
    attributes {lathe.slots = [], lathe.offsets = array<i64>, lathe.arena_bytes = 0 : i64} {
  %0 = lathe.call "sequence_at"(%s, %p) {types = [none, i64, f32], lathe.storage = [#lathe.output<0>]} : (!lathe.value, tensor<i64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// What branches yield is shared by the slot of the result (3), and that is moved
// to the output's (2).
// CHECK-LABEL: llvm.func @model_program(
// CHECK-DAG: %[[S0:.*]] = llvm.mlir.constant(0 : i32)
// CHECK-DAG: %[[S1:.*]] = llvm.mlir.constant(1 : i32)
// CHECK-DAG: %[[OUT:.*]] = llvm.mlir.constant(2 : i32)
// CHECK-DAG: %[[RESULT:.*]] = llvm.mlir.constant(3 : i32)
// CHECK: llvm.cond_br
// CHECK: llvm.call @lathe_rt_move(%arg0, %[[RESULT]], %[[S0]])
// CHECK: llvm.call @lathe_rt_move(%arg0, %[[RESULT]], %[[S1]])
// CHECK: llvm.call @lathe_rt_move(%arg0, %[[OUT]], %[[RESULT]])
func.func @main(%a: !lathe.value {lathe.name = "a", lathe.type = !onnx.seq<tensor<2xf32>>, lathe.value_type = "seq(tensor(float))"}, %b: !lathe.value {lathe.name = "b", lathe.type = !onnx.seq<tensor<2xf32>>, lathe.value_type = "seq(tensor(float))"}) -> (!lathe.value {lathe.name = "y", lathe.type = !onnx.seq<tensor<2xf32>>, lathe.value_type = "seq(tensor(float))"})
    attributes {lathe.slots = [], lathe.offsets = array<i64>, lathe.arena_bytes = 0 : i64} {
  %n = lathe.value_size %a[-1]
  %m = lathe.value_size %b[-1]
  %c = arith.cmpi eq, %n, %m : index
  %0 = scf.if %c -> (!lathe.value) {
    scf.yield %a : !lathe.value
  } else {
    scf.yield %b : !lathe.value
  } {lathe.storage = [unit]}
  return %0 : !lathe.value
}

// -----

// CHECK-LABEL: llvm.func @model_program(
// CHECK: llvm.cond_br
// CHECK: llvm.call @lathe_rt_move
// CHECK: llvm.call @lathe_rt_library
// CHECK: llvm.call @lathe_rt_move
// CHECK: llvm.call @lathe_rt_move
// CHECK: llvm.return
func.func @main(%a: !lathe.value {lathe.name = "a", lathe.type = tensor<*x!onnx.string>, lathe.value_type = "tensor(string)"}) -> (!lathe.value {lathe.name = "y", lathe.type = tensor<*x!onnx.string>, lathe.value_type = "tensor(string)"})
    attributes {lathe.slots = [], lathe.offsets = array<i64>, lathe.arena_bytes = 0 : i64} {
  %c0 = arith.constant 0 : index
  %n = lathe.value_size %a[-1]
  %b = lathe.literal dense<"none"> : tensor<1x!onnx.string>
  %c = arith.cmpi ne, %n, %c0 : index
  %0 = arith.select %c, %a, %b : !lathe.value
  return %0 : !lathe.value
}

// -----

// Values that a loop carries change places by way of others.
// CHECK-LABEL: llvm.func @model_program(
// CHECK-COUNT-4: llvm.call @lathe_rt_move
// CHECK: llvm.cond_br
// CHECK-COUNT-4: llvm.call @lathe_rt_move
// CHECK: llvm.br
// CHECK-COUNT-2: llvm.call @lathe_rt_move
// CHECK: llvm.return
func.func @main(%a: !lathe.value {lathe.name = "a", lathe.type = !onnx.seq<tensor<2xf32>>, lathe.value_type = "seq(tensor(float))"}) -> (!lathe.value {lathe.name = "y", lathe.type = !onnx.seq<tensor<2xf32>>, lathe.value_type = "seq(tensor(float))"}, !lathe.value {lathe.name = "z", lathe.type = !onnx.seq<tensor<2xf32>>, lathe.value_type = "seq(tensor(float))"})
    attributes {lathe.slots = [], lathe.offsets = array<i64>, lathe.arena_bytes = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = lathe.value_size %a[-1]
  %b = lathe.call "sequence"() {types = [none]} : () -> !lathe.value
  %0:2 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %a, %y = %b) -> (!lathe.value, !lathe.value) {
    scf.yield %y, %x : !lathe.value, !lathe.value
  } {lathe.storage = [unit, unit]}
  return %0#0, %0#1 : !lathe.value, !lathe.value
}
