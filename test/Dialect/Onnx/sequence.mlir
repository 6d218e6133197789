// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @sequence_construct(
// CHECK: onnx.SequenceConstruct %{{.*}} : (tensor<2xf32>, tensor<3xf32>) -> !onnx.seq<tensor<?xf32>, 2>
func.func @sequence_construct(%a: tensor<2xf32>, %b: tensor<3xf32>) {
  %s = onnx.SequenceConstruct %a, %b : (tensor<2xf32>, tensor<3xf32>) -> !onnx.seq<tensor<?xf32>, 2>
  return
}

// CHECK-LABEL: func @sequence_empty(
// CHECK: onnx.SequenceEmpty : () -> !onnx.seq<tensor<*xf32>, 0>
func.func @sequence_empty() {
  %s = onnx.SequenceEmpty : () -> !onnx.seq<tensor<*xf32>, 0>
  return
}

// CHECK-LABEL: func @sequence_insert(
// CHECK: onnx.SequenceInsert
func.func @sequence_insert(%s: !onnx.seq<tensor<2xf32>>, %t: tensor<2xf32>, %p: tensor<i64>) {
  %r = onnx.SequenceInsert %s, %t, %p : (!onnx.seq<tensor<2xf32>>, tensor<2xf32>, tensor<i64>) -> !onnx.seq<tensor<2xf32>>
  return
}

// CHECK-LABEL: func @sequence_erase(
// CHECK: onnx.SequenceErase
func.func @sequence_erase(%s: !onnx.seq<tensor<2xf32>>, %p: tensor<i64>) {
  %r = onnx.SequenceErase %s, %p : (!onnx.seq<tensor<2xf32>>, tensor<i64>) -> !onnx.seq<tensor<2xf32>>
  return
}

// CHECK-LABEL: func @sequence_at(
// CHECK: onnx.SequenceAt
func.func @sequence_at(%s: !onnx.seq<tensor<2xf32>>, %p: tensor<i64>) {
  %t = onnx.SequenceAt %s, %p : (!onnx.seq<tensor<2xf32>>, tensor<i64>) -> tensor<2xf32>
  return
}

// CHECK-LABEL: func @sequence_length(
// CHECK: onnx.SequenceLength
func.func @sequence_length(%s: !onnx.seq<tensor<2xf32>>) {
  %n = onnx.SequenceLength %s : (!onnx.seq<tensor<2xf32>>) -> tensor<i64>
  return
}

// CHECK-LABEL: func @split_to_sequence(
// CHECK: onnx.SplitToSequence
func.func @split_to_sequence(%x: tensor<2x3xf32>) {
  %none = onnx.None : () -> none
  %s = onnx.SplitToSequence %x, %none {axis = 1 : i64, keepdims = 0 : i64} : (tensor<2x3xf32>, none) -> !onnx.seq<tensor<2xf32>, 3>
  return
}

// CHECK-LABEL: func @concat_from_sequence(
// CHECK: onnx.ConcatFromSequence
func.func @concat_from_sequence(%s: !onnx.seq<tensor<1x3xf32>, 2>) {
  %y = onnx.ConcatFromSequence %s {axis = 0 : i64} : (!onnx.seq<tensor<1x3xf32>, 2>) -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func @optional(
// CHECK: onnx.Optional
// CHECK: onnx.OptionalHasElement
// CHECK: onnx.OptionalGetElement
func.func @optional(%x: tensor<2xf32>) {
  %o = onnx.Optional %x : (tensor<2xf32>) -> !onnx.opt<tensor<2xf32>>
  %b = onnx.OptionalHasElement %o : (!onnx.opt<tensor<2xf32>>) -> tensor<i1>
  %y = onnx.OptionalGetElement %o : (!onnx.opt<tensor<2xf32>>) -> tensor<2xf32>
  return
}

// CHECK-LABEL: func @identity(
// CHECK: onnx.Identity %{{.*}} : (!onnx.map<i64, tensor<f32>>) -> !onnx.map<i64, tensor<f32>>
func.func @identity(%x: !onnx.map<i64, tensor<f32>>) {
  %y = onnx.Identity %x : (!onnx.map<i64, tensor<f32>>) -> !onnx.map<i64, tensor<f32>>
  return
}
