// RUN: lathe-opt %s --onnx-infer-shapes --split-input-file | FileCheck %s

// Sizes that all elements have in common are kept, and how many there are.
// CHECK-LABEL: func @construct(
// CHECK: -> !onnx.seq<tensor<?x4xf32>, 2>
func.func @construct(%a: tensor<2x4xf32>, %b: tensor<3x4xf32>) -> tensor<*x!onnx.unknown> {
  %s = onnx.SequenceConstruct %a, %b : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<*x!onnx.unknown>
  return %s : tensor<*x!onnx.unknown>
}

// -----

// An element of a sequence of equal ones is one of them, symbols and all.
// CHECK-LABEL: func @at(
// CHECK: onnx.SequenceAt {{.*}} -> tensor<?x4xf32>
// CHECK: onnx.Add {{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
func.func @at(%a: tensor<?x4xf32>, %p: tensor<i64>) -> tensor<*x!onnx.unknown> {
  %s = onnx.SequenceConstruct %a, %a : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<*x!onnx.unknown>
  %t = onnx.SequenceAt %s, %p : (tensor<*x!onnx.unknown>, tensor<i64>) -> tensor<*x!onnx.unknown>
  %r = onnx.Add %t, %a : (tensor<*x!onnx.unknown>, tensor<?x4xf32>) -> tensor<*x!onnx.unknown>
  return %r : tensor<*x!onnx.unknown>
}

// -----

// An empty sequence says nothing of its elements' shapes.
// CHECK-LABEL: func @insert(
// CHECK: onnx.SequenceEmpty : () -> !onnx.seq<tensor<*xf32>, 0>
// CHECK: onnx.SequenceInsert {{.*}} -> !onnx.seq<tensor<5xf32>, 1>
// CHECK: onnx.SequenceErase {{.*}} -> !onnx.seq<tensor<5xf32>, 0>
func.func @insert(%a: tensor<5xf32>) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  %e = onnx.SequenceEmpty : () -> tensor<*x!onnx.unknown>
  %s = onnx.SequenceInsert %e, %a, %none : (tensor<*x!onnx.unknown>, tensor<5xf32>, none) -> tensor<*x!onnx.unknown>
  %r = onnx.SequenceErase %s, %none : (tensor<*x!onnx.unknown>, none) -> tensor<*x!onnx.unknown>
  return %r : tensor<*x!onnx.unknown>
}

// -----

// CHECK-LABEL: func @split(
// CHECK: -> !onnx.seq<tensor<2x3xf32>, 2>
// CHECK: -> !onnx.seq<tensor<2xf32>, 6>
// CHECK: onnx.ConcatFromSequence {{.*}} -> tensor<2x6xf32>
// CHECK: onnx.ConcatFromSequence {{.*}} -> tensor<6x2xf32>
func.func @split(%x: tensor<2x6xf32>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) {
  %none = onnx.None : () -> none
  %three = onnx.Constant {value = dense<3> : tensor<i64>} : () -> tensor<i64>
  %a = onnx.SplitToSequence %x, %three {axis = -1 : i64} : (tensor<2x6xf32>, tensor<i64>) -> tensor<*x!onnx.unknown>
  %b = onnx.SplitToSequence %x, %none {axis = 1 : i64, keepdims = 0 : i64} : (tensor<2x6xf32>, none) -> tensor<*x!onnx.unknown>
  %y = onnx.ConcatFromSequence %a {axis = 1 : i64} : (tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
  %z = onnx.ConcatFromSequence %b {axis = 0 : i64, new_axis = 1 : i64} : (tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
  return %y, %z : tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>
}

// -----

// What a loop inserts may have another shape than what was there.
// CHECK-LABEL: func @loop(
// CHECK: onnx.Loop {{.*}} -> !onnx.seq<tensor<5xf32>>
func.func @loop(%m: tensor<i64>, %x: tensor<5xf32>) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  %e = onnx.SequenceEmpty : () -> tensor<*x!onnx.unknown>
  %s = onnx.Loop %m, %none, %e : (tensor<i64>, none, tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown> {
  ^bb0(%i: tensor<*x!onnx.unknown>, %c: tensor<*x!onnx.unknown>, %v: tensor<*x!onnx.unknown>):
    %w = onnx.SequenceInsert %v, %x, %none : (tensor<*x!onnx.unknown>, tensor<5xf32>, none) -> tensor<*x!onnx.unknown>
    onnx.Yield %c, %w : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) -> ()
  }
  return %s : tensor<*x!onnx.unknown>
}

// -----

// CHECK-LABEL: func @branches(
// CHECK: onnx.If {{.*}} -> !onnx.opt<!onnx.seq<tensor<5xf32>>>
func.func @branches(%c: tensor<i1>, %x: tensor<5xf32>) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  %r = onnx.If %c : (tensor<i1>) -> tensor<*x!onnx.unknown> {
    %s = onnx.SequenceConstruct %x : (tensor<5xf32>) -> tensor<*x!onnx.unknown>
    %o = onnx.Optional %s : (tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
    onnx.Yield %o : (tensor<*x!onnx.unknown>) -> ()
  }, {
    %o = onnx.Optional %none {type = !onnx.seq<tensor<5xf32>>} : (none) -> tensor<*x!onnx.unknown>
    onnx.Yield %o : (tensor<*x!onnx.unknown>) -> ()
  }
  return %r : tensor<*x!onnx.unknown>
}

// -----

// CHECK-LABEL: func @text(
// CHECK: onnx.StringSplit {{.*}} -> (tensor<3x?x!onnx.string>, tensor<3xi64>)
// CHECK: onnx.StringNormalizer {{.*}} -> tensor<3x!onnx.string>
// CHECK: onnx.StringNormalizer {{.*}} -> tensor<?x!onnx.string>
// CHECK: onnx.Equal {{.*}} -> tensor<3xi1>
func.func @text(%x: tensor<3x!onnx.string>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) {
  %a, %n = onnx.StringSplit %x : (tensor<3x!onnx.string>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>)
  %b = onnx.StringNormalizer %x : (tensor<3x!onnx.string>) -> tensor<*x!onnx.unknown>
  %c = onnx.StringNormalizer %x {stopwords = ["a"]} : (tensor<3x!onnx.string>) -> tensor<*x!onnx.unknown>
  %d = onnx.Equal %x, %x : (tensor<3x!onnx.string>, tensor<3x!onnx.string>) -> tensor<*x!onnx.unknown>
  return %a, %b, %c, %d : tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>
}

// -----

// CHECK-LABEL: func @maps(
// CHECK: onnx.ml.ZipMap {{.*}} -> !onnx.seq<!onnx.map<!onnx.string, tensor<f32>>, 4>
// CHECK: onnx.ml.DictVectorizer {{.*}} -> tensor<1x2xf64>
// CHECK: onnx.ml.CastMap {{.*}} -> tensor<1x?x!onnx.string>
func.func @maps(%x: tensor<4x2xf32>, %m: !onnx.map<i64, tensor<f64>>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) {
  %a = onnx.ml.ZipMap %x {classlabels_strings = ["a", "b"]} : (tensor<4x2xf32>) -> tensor<*x!onnx.unknown>
  %b = onnx.ml.DictVectorizer %m {int64_vocabulary = array<i64: 3, 5>} : (!onnx.map<i64, tensor<f64>>) -> tensor<*x!onnx.unknown>
  %c = onnx.ml.CastMap %m {cast_to = "TO_STRING"} : (!onnx.map<i64, tensor<f64>>) -> tensor<*x!onnx.unknown>
  return %a, %b, %c : tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>
}
