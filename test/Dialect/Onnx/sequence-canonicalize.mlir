// RUN: lathe-opt %s --canonicalize --split-input-file | FileCheck %s

// An element of a sequence that is made of known ones.
// CHECK-LABEL: func @at(
// CHECK-SAME: %[[A:.+]]: tensor<2xf32>, %[[B:.+]]: tensor<2xf32>
// CHECK-NEXT: return %[[B]], %[[A]]
func.func @at(%a: tensor<2xf32>, %b: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %p = onnx.Constant {value = dense<-2> : tensor<i64>} : () -> tensor<i64>
  %q = onnx.Constant {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %none = onnx.None : () -> none
  %e = onnx.SequenceEmpty : () -> !onnx.seq<tensor<*xf32>, 0>
  %s = onnx.SequenceInsert %e, %a, %none : (!onnx.seq<tensor<*xf32>, 0>, tensor<2xf32>, none) -> !onnx.seq<tensor<2xf32>, 1>
  %t = onnx.SequenceInsert %s, %b, %q : (!onnx.seq<tensor<2xf32>, 1>, tensor<2xf32>, tensor<i64>) -> !onnx.seq<tensor<2xf32>, 2>
  %u = onnx.SequenceErase %t, %none : (!onnx.seq<tensor<2xf32>, 2>, none) -> !onnx.seq<tensor<2xf32>, 1>
  %x = onnx.SequenceAt %u, %q : (!onnx.seq<tensor<2xf32>, 1>, tensor<i64>) -> tensor<2xf32>
  %v = onnx.SequenceConstruct %a, %b : (tensor<2xf32>, tensor<2xf32>) -> !onnx.seq<tensor<2xf32>, 2>
  %y = onnx.SequenceAt %v, %p : (!onnx.seq<tensor<2xf32>, 2>, tensor<i64>) -> tensor<2xf32>
  return %x, %y : tensor<2xf32>, tensor<2xf32>
}

// -----

// What is out of range is for the library function to report.
// CHECK-LABEL: func @at_out_of_range(
// CHECK: onnx.SequenceAt
func.func @at_out_of_range(%a: tensor<2xf32>) -> tensor<2xf32> {
  %p = onnx.Constant {value = dense<1> : tensor<i64>} : () -> tensor<i64>
  %s = onnx.SequenceConstruct %a : (tensor<2xf32>) -> !onnx.seq<tensor<2xf32>, 1>
  %x = onnx.SequenceAt %s, %p : (!onnx.seq<tensor<2xf32>, 1>, tensor<i64>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}

// -----

// CHECK-LABEL: func @at_unknown_position(
// CHECK: onnx.SequenceAt
func.func @at_unknown_position(%a: tensor<2xf32>, %p: tensor<i64>) -> tensor<2xf32> {
  %s = onnx.SequenceConstruct %a, %a : (tensor<2xf32>, tensor<2xf32>) -> !onnx.seq<tensor<2xf32>, 2>
  %x = onnx.SequenceAt %s, %p : (!onnx.seq<tensor<2xf32>, 2>, tensor<i64>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}

// -----

// A part of a split tensor is cut out of it.
// CHECK-LABEL: func @part(
// CHECK-DAG: %[[FOUR:.+]] = onnx.Constant {value = dense<4> : tensor<1xi64>}
// CHECK-DAG: %[[SIX:.+]] = onnx.Constant {value = dense<6> : tensor<1xi64>}
// CHECK: onnx.Slice %{{.+}}, %[[FOUR]], %[[SIX]], %{{.+}} -> tensor<3x2xf32>
// CHECK: onnx.Slice
// CHECK: onnx.Squeeze {{.+}} -> tensor<6xf32>
func.func @part(%x: tensor<3x6xf32>) -> (tensor<3x2xf32>, tensor<6xf32>) {
  %p = onnx.Constant {value = dense<-1> : tensor<i64>} : () -> tensor<i64>
  %k = onnx.Constant {value = dense<[4, 2]> : tensor<2xi64>} : () -> tensor<2xi64>
  %none = onnx.None : () -> none
  %s = onnx.SplitToSequence %x, %k {axis = 1 : i64} : (tensor<3x6xf32>, tensor<2xi64>) -> !onnx.seq<tensor<3x?xf32>, 2>
  %y = onnx.SequenceAt %s, %p : (!onnx.seq<tensor<3x?xf32>, 2>, tensor<i64>) -> tensor<3x2xf32>
  %t = onnx.SplitToSequence %x, %none {keepdims = 0 : i64} : (tensor<3x6xf32>, none) -> !onnx.seq<tensor<6xf32>, 3>
  %z = onnx.SequenceAt %t, %p : (!onnx.seq<tensor<6xf32>, 3>, tensor<i64>) -> tensor<6xf32>
  return %y, %z : tensor<3x2xf32>, tensor<6xf32>
}

// -----

// CHECK-LABEL: func @part_that_does_not_fit(
// CHECK: onnx.SplitToSequence
func.func @part_that_does_not_fit(%x: tensor<3x6xf32>) -> tensor<3x2xf32> {
  %p = onnx.Constant {value = dense<-1> : tensor<i64>} : () -> tensor<i64>
  %k = onnx.Constant {value = dense<[3, 2]> : tensor<2xi64>} : () -> tensor<2xi64>
  %s = onnx.SplitToSequence %x, %k {axis = 1 : i64} : (tensor<3x6xf32>, tensor<2xi64>) -> !onnx.seq<tensor<3x?xf32>, 2>
  %y = onnx.SequenceAt %s, %p : (!onnx.seq<tensor<3x?xf32>, 2>, tensor<i64>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: func @concat(
// CHECK-SAME: %[[A:.+]]: tensor<1x3xf32>, %[[B:.+]]: tensor<2x3xf32>
// CHECK: onnx.Concat %[[A]], %[[B]] {axis = 0 : i64}
// CHECK: %[[U:.+]] = onnx.Unsqueeze %[[A]]
// CHECK: onnx.Concat %[[U]], %{{.+}} {axis = 1 : i64} : (tensor<1x1x3xf32>, tensor<1x1x3xf32>) -> tensor<1x2x3xf32>
func.func @concat(%a: tensor<1x3xf32>, %b: tensor<2x3xf32>) -> (tensor<3x3xf32>, tensor<1x2x3xf32>) {
  %s = onnx.SequenceConstruct %a, %b : (tensor<1x3xf32>, tensor<2x3xf32>) -> !onnx.seq<tensor<?x3xf32>, 2>
  %y = onnx.ConcatFromSequence %s {axis = -2 : i64} : (!onnx.seq<tensor<?x3xf32>, 2>) -> tensor<3x3xf32>
  %t = onnx.SequenceConstruct %a, %a : (tensor<1x3xf32>, tensor<1x3xf32>) -> !onnx.seq<tensor<1x3xf32>, 2>
  %z = onnx.ConcatFromSequence %t {axis = 1 : i64, new_axis = 1 : i64} : (!onnx.seq<tensor<1x3xf32>, 2>) -> tensor<1x2x3xf32>
  return %y, %z : tensor<3x3xf32>, tensor<1x2x3xf32>
}
