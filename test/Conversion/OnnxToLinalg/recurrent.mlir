// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// One product of all steps before the loop, one of the state in each step.
// CHECK-LABEL: @rnn
// CHECK: %[[XW:.+]] = linalg.generic {{.*}}["parallel", "parallel", "reduction"]
// CHECK: %[[LOOP:.+]]:2 = scf.for %[[T:.+]] = %{{.+}} to %{{.+}} step %{{.+}} iter_args(%[[H:.+]] = %{{.+}}, %[[Y:.+]] = %{{.+}})
// CHECK: lathe.slice %[[XW]][%{{.+}}]{{.*}} : tensor<10x4xf32> to tensor<2x1x4xf32>
// CHECK: linalg.generic {{.*}}["parallel", "parallel", "reduction"]} ins(%[[H]],
// CHECK: math.tanh
// CHECK: lathe.insert %[[NEXT:.+]] into %[[Y]][%{{.+}}]{{.*}} : tensor<2x4xf32> into tensor<5x1x2x4xf32>
// CHECK: scf.yield %[[NEXT]],
func.func @rnn(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>) {
  %n = onnx.None : () -> none
  %0, %1 = onnx.RNN %x, %w, %r, %n, %n, %n : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, none, none, none) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return %0, %1 : tensor<5x1x2x4xf32>, tensor<1x2x4xf32>
}

// -----

// Steps are not kept where only the last state is read.
// CHECK-LABEL: @last_state
// CHECK: scf.for
// CHECK-NOT: lathe.insert
func.func @last_state(%x: tensor<5x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<1x2x4xf32> {
  %n = onnx.None : () -> none
  %0, %1, %2 = onnx.LSTM %x, %w, %r, %n, %n, %n, %n, %n : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, none, none, none, none, none) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return %1 : tensor<1x2x4xf32>
}

// -----

// The directions share a loop; the weights of each are a part of one tensor.
// CHECK-LABEL: @bidirectional
// CHECK-DAG: lathe.weight {{.*}} recipe [#lathe.slice<0, [4, 2]>, #lathe.permute<[1, 0]>]
// CHECK-DAG: lathe.weight {{.*}} recipe [#lathe.slice<8, [4, 2]>, #lathe.permute<[1, 0]>]
// CHECK: scf.for
// CHECK-COUNT-2: lathe.insert
// CHECK-NOT: scf.for
func.func @bidirectional(%x: tensor<5x2x2xf32>, %r: tensor<2x4x4xf32>) -> tensor<5x2x2x4xf32> {
  %n = onnx.None : () -> none
  %w = onnx.Constant {value = dense<[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], [[9.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]]> : tensor<2x4x2xf32>} : () -> tensor<2x4x2xf32>
  %0, %1 = onnx.RNN %x, %w, %r, %n, %n, %n {direction = "bidirectional"} : (tensor<5x2x2xf32>, tensor<2x4x2xf32>, tensor<2x4x4xf32>, none, none, none) -> (tensor<5x2x2x4xf32>, tensor<2x2x4xf32>)
  return %0 : tensor<5x2x2x4xf32>
}

// -----

// A sequence that has ended keeps its state.
// CHECK-LABEL: @lengths
// CHECK: scf.for
// CHECK: arith.cmpi slt
// CHECK: arith.select
func.func @lengths(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %l: tensor<2xi32>) -> tensor<1x2x4xf32> {
  %n = onnx.None : () -> none
  %0, %1 = onnx.RNN %x, %w, %r, %n, %l, %n : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, none, tensor<2xi32>, none) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return %1 : tensor<1x2x4xf32>
}

// -----

// Two products where the reset gate comes first, one where it comes last.
// CHECK-LABEL: @reset_first
// CHECK: scf.for
// CHECK-COUNT-2: ["parallel", "parallel", "reduction"]
func.func @reset_first(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>) -> tensor<1x2x4xf32> {
  %n = onnx.None : () -> none
  %0, %1 = onnx.GRU %x, %w, %r, %n, %n, %n : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>, none, none, none) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return %1 : tensor<1x2x4xf32>
}

// -----

// CHECK-LABEL: @reset_last
// CHECK: scf.for
// CHECK-COUNT-1: ["parallel", "parallel", "reduction"]
// CHECK-NOT: ["parallel", "parallel", "reduction"]
func.func @reset_last(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>) -> tensor<1x2x4xf32> {
  %n = onnx.None : () -> none
  %0, %1 = onnx.GRU %x, %w, %r, %n, %n, %n {linear_before_reset = 1 : i64} : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>, none, none, none) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return %1 : tensor<1x2x4xf32>
}
