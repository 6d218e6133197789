// RUN: lathe-opt %s --split-input-file --annotate-shapes --convert-onnx-to-linalg --canonicalize | FileCheck %s

// What is no tensor of numbers becomes a value, and ops on it library calls.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[S:.+]]: !lathe.value {lathe.type = !onnx.seq<tensor<2x3xf32>>, lathe.value_type = "seq(tensor(float))"}
// CHECK-SAME: -> tensor<2x3xf32>
// CHECK: %[[T:.+]] = lathe.call "sequence_at"(%[[S]], %{{.+}}) {types = [none, i64, f32]} : (!lathe.value, tensor<i64>) -> tensor<2x3xf32>
// CHECK: return %[[T]]
func.func @main(%s: !onnx.seq<tensor<2x3xf32>>, %p: tensor<i64>) -> tensor<2x3xf32> {
  %t = onnx.SequenceAt %s, %p : (!onnx.seq<tensor<2x3xf32>>, tensor<i64>) -> tensor<2x3xf32>
  return %t : tensor<2x3xf32>
}

// -----

// A size that depends on data is bound by the value, which is then cast.
// CHECK-LABEL: func.func @main(
// CHECK: %[[V:.+]] = lathe.call "sequence_at"({{.+}}) {types = [none, i64, none]} : (!lathe.value, tensor<i64>) -> !lathe.value
// CHECK: %[[N:.+]] = lathe.value_size %[[V]][0]
// CHECK: %[[B:.+]] = lathe.bind "{{.+}}" = %[[N]]
// CHECK: lathe.call "identity"(%[[V]]) dims[%[[B]]] {types = [none, f32]} : (!lathe.value) -> tensor<?x3xf32>
func.func @main(%s: !onnx.seq<tensor<?x3xf32>>, %p: tensor<i64>) -> tensor<?x3xf32> {
  %t = onnx.SequenceAt %s, %p : (!onnx.seq<tensor<?x3xf32>>, tensor<i64>) -> tensor<?x3xf32>
  return %t : tensor<?x3xf32>
}

// -----

// An omitted operand is a literal without elements; bools keep their type.
// CHECK-LABEL: func.func @main(
// CHECK: %[[NONE:.+]] = lathe.literal unit
// CHECK: lathe.call "sequence_insert"(%{{.+}}, %{{.+}}, %[[NONE]]) {types = [none, i1, none, none]} : (!lathe.value, tensor<4xi8>, !lathe.value) -> !lathe.value
func.func @main(%s: !onnx.seq<tensor<4xi1>>, %x: tensor<4xi1>) -> !onnx.seq<tensor<4xi1>> {
  %none = onnx.None : () -> none
  %t = onnx.SequenceInsert %s, %x, %none : (!onnx.seq<tensor<4xi1>>, tensor<4xi1>, none) -> !onnx.seq<tensor<4xi1>>
  return %t : !onnx.seq<tensor<4xi1>>
}

// -----

// Strings are moved by their positions.
// CHECK-LABEL: func.func @main(
// CHECK: %[[I:.+]] = linalg.generic
// CHECK: lathe.call "string_take"(%{{.+}}, %arg0) {types = [i64, none, none]}
func.func @main(%x: tensor<2x3x!onnx.string>) -> tensor<3x2x!onnx.string> {
  %y = onnx.Transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3x!onnx.string>) -> tensor<3x2x!onnx.string>
  return %y : tensor<3x2x!onnx.string>
}

// -----

// Branches yield values, boxed where one of them is a tensor.
// CHECK-LABEL: func.func @main(
// CHECK: scf.if {{.+}} -> (!lathe.value)
// CHECK: lathe.call "identity"(%{{.+}}) {types = [f32, none]} : (tensor<2x1xf32>) -> !lathe.value
// CHECK: lathe.call "identity"(%{{.+}}) {types = [f32, none]} : (tensor<2xf32>) -> !lathe.value
func.func @main(%c: tensor<i1>, %x: tensor<2xf32>, %y: tensor<2x1xf32>) -> tensor<*xf32> {
  %r = onnx.If %c : (tensor<i1>) -> tensor<*xf32> {
    onnx.Yield %x : (tensor<2xf32>) -> ()
  }, {
    onnx.Yield %y : (tensor<2x1xf32>) -> ()
  }
  return %r : tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @main(
// CHECK-DAG: lathe.literal dense<[{{.+}}]> : tensor<{{.+}}xi64>
// CHECK: lathe.call "regex_full_match"
func.func @main(%x: tensor<2x!onnx.string>) -> tensor<2xi1> {
  %y = onnx.RegexFullMatch %x {pattern = "a+|b"} : (tensor<2x!onnx.string>) -> tensor<2xi1>
  return %y : tensor<2xi1>
}
