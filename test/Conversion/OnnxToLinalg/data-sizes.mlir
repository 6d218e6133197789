// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// A size that differs between branches is yielded beside the tensor.
// CHECK-LABEL: @branches
// CHECK: %[[IF:.+]]:2 = scf.if
// CHECK:   scf.yield %{{.+}}, %{{.+}} : tensor<?xf32>, index
// CHECK: else
// CHECK:   scf.yield %{{.+}}, %{{.+}} : tensor<?xf32>, index
// CHECK: %[[N:.+]] = lathe.bind "n" = %[[IF]]#1
// CHECK: lathe.slice %[[IF]]#0[%{{.+}}] dims[%[[N]]]
func.func @branches(%c: tensor<i1>, %x: tensor<3xf32>, %y: tensor<2xf32>) -> tensor<?xf32> attributes {lathe.entry_symbols = 0 : i64, lathe.symbols = ["n"]} {
  %0 = onnx.If %c {lathe.shapes = {contents = [unit], operands = [affine_map<()[s0] -> ()>], results = [affine_map<()[s0] -> (s0)>]}} : (tensor<i1>) -> tensor<?xf32> {
    %1 = onnx.Relu %x {lathe.shapes = {contents = [unit], operands = [affine_map<()[s0] -> (3)>], results = [affine_map<()[s0] -> (3)>]}} : (tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 {lathe.shapes = {contents = [unit], operands = [affine_map<()[s0] -> (3)>], results = []}} : (tensor<3xf32>) -> ()
  }, {
    %1 = onnx.Relu %y {lathe.shapes = {contents = [unit], operands = [affine_map<()[s0] -> (2)>], results = [affine_map<()[s0] -> (2)>]}} : (tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %1 {lathe.shapes = {contents = [unit], operands = [affine_map<()[s0] -> (2)>], results = []}} : (tensor<2xf32>) -> ()
  }
  return %0 : tensor<?xf32>
}

// What a loop carries gets longer: its size is bound where a step begins, and
// after the loop.
// CHECK-LABEL: @grows
// CHECK: %[[LOOP:.+]]:2 = scf.for {{.*}} iter_args(%[[STATE:.+]] = %{{.+}}, %[[SIZE:.+]] = %{{.+}}) -> (tensor<?xf32>, index)
// CHECK:   %[[INSIDE:.+]] = lathe.bind "inside" = %[[SIZE]]
// CHECK:   lathe.slice %[[STATE]][%{{.+}}] dims[%[[INSIDE]]]
// CHECK:   %[[NEXT:.+]] = affine.apply #{{.+}}()[%[[INSIDE]]]
// CHECK:   scf.yield %{{.+}}, %{{.+}} : tensor<?xf32>, index
// CHECK: %[[N:.+]] = lathe.bind "n" = %[[LOOP]]#1
func.func @grows(%m: tensor<i64>, %x: tensor<1xf32>) -> tensor<?xf32> attributes {lathe.entry_symbols = 0 : i64, lathe.symbols = ["inside", "n"]} {
  %n = onnx.None : () -> none
  %0 = onnx.Loop %m, %n, %x {lathe.shapes = {arguments = [affine_map<()[s0, s1] -> ()>, affine_map<()[s0, s1] -> ()>, affine_map<()[s0, s1] -> (s0)>], contents = [unit, unit, unit], operands = [affine_map<()[s0, s1] -> ()>, unit, affine_map<()[s0, s1] -> (1)>], results = [affine_map<()[s0, s1] -> (s1)>]}} : (tensor<i64>, none, tensor<1xf32>) -> tensor<?xf32> {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %s: tensor<?xf32>):
    %1 = onnx.Concat %s, %x {axis = 0 : i64, lathe.shapes = {contents = [unit, unit], operands = [affine_map<()[s0, s1] -> (s0)>, affine_map<()[s0, s1] -> (1)>], results = [affine_map<()[s0, s1] -> (s0 + 1)>]}} : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf32>
    onnx.Yield %c, %1 {lathe.shapes = {contents = [unit, unit], operands = [affine_map<()[s0, s1] -> ()>, affine_map<()[s0, s1] -> (s0 + 1)>], results = []}} : (tensor<i1>, tensor<?xf32>) -> ()
  }
  return %0 : tensor<?xf32>
}

// Steps whose number is not known are added to memory that grows. A size that
// the model declares is checked.
// CHECK-LABEL: @stacks
// CHECK: %[[LOOP:.+]]:3 = scf.while
// CHECK:   lathe.insert %{{.+}} into %{{.+}}[%{{.+}}] grows
// CHECK: %[[OK:.+]] = arith.cmpi eq, %[[LOOP]]#0
// CHECK: lathe.check %[[OK]], "expects a size that the model declares in dimension 0 of output 1"
func.func @stacks(%m: tensor<i64>, %x: tensor<3xf32>) -> tensor<5x3xf32> {
  %n = onnx.None : () -> none
  %0, %1 = onnx.Loop %m, %n, %x : (tensor<i64>, none, tensor<3xf32>) -> (tensor<3xf32>, tensor<5x3xf32>) {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<3xf32>):
    onnx.Yield %c, %v, %v : (tensor<i1>, tensor<3xf32>, tensor<3xf32>) -> ()
  }
  return %1 : tensor<5x3xf32>
}
