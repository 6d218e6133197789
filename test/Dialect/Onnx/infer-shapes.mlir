// RUN: lathe-opt %s --onnx-infer-shapes --annotate-shapes | FileCheck %s

// CHECK-DAG: #[[MERGED:.+]] = affine_map<()[s0, s1] -> (s0, 12, s1, 64)>
// CHECK-DAG: #[[HALVES:.+]] = affine_map<()[s0, s1] -> (1, 8, (s0 + 3) floordiv 4, (s1 + 3) floordiv 4)>
// CHECK-DAG: #[[EQUAL:.+]] = affine_map<()[s0, s1] -> (s0, s1)>
// CHECK-DAG: #[[LESSONE:.+]] = affine_map<()[s0] -> (s0 - 1)>
// CHECK-DAG: #[[ATLEASTONE:.+]] = affine_map<()[s0] -> ((s0 - 1) floordiv 1099511627776, 0)>

// A target shape computed from the operand's shape, and -1 that stands for what
// is left: the symbols come out as they went in.
// CHECK-LABEL: func @shape_gather_concat_reshape(
// CHECK-SAME: lathe.constraints = []
// CHECK-SAME: lathe.symbols = ["batch", "length"]
// CHECK: onnx.Reshape {{.*}} -> tensor<?x?x12x64xf32>
// CHECK: onnx.Transpose {{.*}}results = [#[[MERGED]]]{{.*}} -> tensor<?x12x?x64xf32>
func.func @shape_gather_concat_reshape(%x: tensor<?x?x768xf32> {lathe.dims = ["batch", "length", ""]}) -> tensor<*x!onnx.unknown> {
  %zero = onnx.Constant {value = dense<0> : tensor<i64>} : () -> tensor<*x!onnx.unknown>
  %axis = onnx.Constant {value = dense<0> : tensor<1xi64>} : () -> tensor<*x!onnx.unknown>
  %left = onnx.Constant {value = dense<-1> : tensor<1xi64>} : () -> tensor<*x!onnx.unknown>
  %heads = onnx.Constant {value = dense<[12, 64]> : tensor<2xi64>} : () -> tensor<*x!onnx.unknown>
  %shape = onnx.Shape %x : (tensor<?x?x768xf32>) -> tensor<*x!onnx.unknown>
  %batch = onnx.Gather %shape, %zero : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
  %first = onnx.Unsqueeze %batch, %axis : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
  %target = onnx.Concat %first, %left, %heads {axis = 0 : i64} : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
  %split = onnx.Reshape %x, %target : (tensor<?x?x768xf32>, tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
  %0 = onnx.Transpose %split {perm = array<i64: 0, 2, 1, 3>} : (tensor<*x!onnx.unknown>) -> tensor<*x!onnx.unknown>
  return %0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @strided_windows_merge(
// CHECK: onnx.MaxPool {{.*}}results = [#[[HALVES]], #[[HALVES]]]
func.func @strided_windows_merge(%x: tensor<1x3x?x?xf32> {lathe.dims = ["", "", "h", "w"]}, %w: tensor<8x3x3x3xf32>) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  %0 = onnx.Conv %x, %w, %none {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<1x3x?x?xf32>, tensor<8x3x3x3xf32>, none) -> tensor<*x!onnx.unknown>
  %1:2 = onnx.MaxPool %0 {kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<*x!onnx.unknown>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>)
  return %1#0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @different_symbols_become_a_constraint(
// CHECK-SAME: lathe.constraints = [#[[EQUAL]]]
// CHECK: onnx.Add {{.*}} -> tensor<?xf32>
func.func @different_symbols_become_a_constraint(%a: tensor<?xf32> {lathe.dims = ["n"]}, %b: tensor<?xf32> {lathe.dims = ["m"]}) -> tensor<*x!onnx.unknown> {
  %0 = onnx.Add %a, %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<*x!onnx.unknown>
  return %0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @unnamed_dims_get_names(
// CHECK-SAME: lathe.dims = ["x_d0", "", "n"]
// CHECK-SAME: lathe.symbols = ["x_d0", "n"]
func.func @unnamed_dims_get_names(%x: tensor<?x3x?xf32> {lathe.name = "x", lathe.dims = ["", "", "n"]}) -> tensor<*x!onnx.unknown> {
  %0 = onnx.Relu %x : (tensor<?x3x?xf32>) -> tensor<*x!onnx.unknown>
  return %0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @slice_from_one(
// CHECK-SAME: lathe.constraints = [#[[ATLEASTONE]]]
// CHECK: onnx.Slice {{.*}}results = [#[[LESSONE]]]
func.func @slice_from_one(%x: tensor<?xf32> {lathe.dims = ["n"]}) -> tensor<*x!onnx.unknown> {
  %none = onnx.None : () -> none
  %start = onnx.Constant {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
  %end = onnx.Constant {value = dense<9223372036854775807> : tensor<1xi64>} : () -> tensor<1xi64>
  %0 = onnx.Slice %x, %start, %end, %none, %none : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<*x!onnx.unknown>
  return %0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @data_dependent_size_is_a_symbol(
// CHECK-SAME: lathe.entry_symbols = 0
// CHECK-SAME: lathe.symbols = ["NonZero_d1"]
// CHECK: onnx.NonZero {{.*}} -> tensor<2x?xi64>
func.func @data_dependent_size_is_a_symbol(%x: tensor<2x3xf32>) -> tensor<*x!onnx.unknown> {
  %0 = onnx.NonZero %x : (tensor<2x3xf32>) -> tensor<*x!onnx.unknown>
  return %0 : tensor<*x!onnx.unknown>
}

// CHECK-LABEL: func @branches_that_agree(
// CHECK: onnx.If {{.*}} -> tensor<?xf32>
// CHECK-LABEL: func @branches_that_differ(
// CHECK-SAME: lathe.symbols = ["n", "If_d0"]
// CHECK: onnx.If {{.*}} -> tensor<?x4xf32>
func.func @branches_that_agree(%c: tensor<i1>, %x: tensor<?xf32>) -> tensor<*x!onnx.unknown> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*x!onnx.unknown> {
    %1 = onnx.Relu %x : (tensor<?xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %1 : (tensor<*x!onnx.unknown>) -> ()
  }, {
    onnx.Yield %x : (tensor<?xf32>) -> ()
  }
  return %0 : tensor<*x!onnx.unknown>
}
func.func @branches_that_differ(%c: tensor<i1>, %x: tensor<?x4xf32> {lathe.dims = ["n", ""]}, %y: tensor<1x4xf32>) -> tensor<*x!onnx.unknown> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<*x!onnx.unknown> {
    onnx.Yield %x : (tensor<?x4xf32>) -> ()
  }, {
    onnx.Yield %y : (tensor<1x4xf32>) -> ()
  }
  return %0 : tensor<*x!onnx.unknown>
}

// A carried value that grows has another size in every iteration; the scan
// output has one slice per iteration.
// CHECK-LABEL: func @loop_that_grows(
// CHECK: onnx.Loop {{.*}} -> (tensor<?xf32>, tensor<5x2xf32>)
func.func @loop_that_grows(%x: tensor<2xf32>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) {
  %none = onnx.None : () -> none
  %m = onnx.Constant {value = dense<5> : tensor<i64>} : () -> tensor<i64>
  %0:2 = onnx.Loop %m, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>) {
  ^bb0(%i: tensor<*x!onnx.unknown>, %c: tensor<*x!onnx.unknown>, %v: tensor<*x!onnx.unknown>):
    %w = onnx.Concat %v, %x {axis = 0 : i64} : (tensor<*x!onnx.unknown>, tensor<2xf32>) -> tensor<*x!onnx.unknown>
    onnx.Yield %c, %w, %x : (tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>, tensor<2xf32>) -> ()
  }
  return %0#0, %0#1 : tensor<*x!onnx.unknown>, tensor<*x!onnx.unknown>
}
