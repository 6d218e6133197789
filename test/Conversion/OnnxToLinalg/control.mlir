// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @branches(
// CHECK-SAME: %[[COND:[a-z0-9]+]]: tensor<i8>
// CHECK: %[[BYTE:.+]] = tensor.extract %[[COND]][]
// CHECK: %[[IS:.+]] = arith.cmpi ne, %[[BYTE]],
// CHECK: scf.if %[[IS]] -> (tensor<3xf32>) {
// CHECK: math.exp
// CHECK: } else {
// CHECK: math.sqrt
func.func @branches(%c: tensor<i1>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<3xf32> {
    %1 = onnx.Sqrt %x : (tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : (tensor<3xf32>) -> ()
  }, {
    %1 = onnx.Exp %x : (tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : (tensor<3xf32>) -> ()
  }
  return %0 : tensor<3xf32>
}

// -----

// CHECK-LABEL: @known_branch
// CHECK-NOT: scf.if
// CHECK: math.exp
// CHECK-NOT: math.sqrt
func.func @known_branch(%x: tensor<3xf32>) -> tensor<3xf32> {
  %c = onnx.Constant {value = dense<true> : tensor<i1>} : () -> tensor<i1>
  %0 = onnx.If %c {lathe.shapes = {contents = [affine_map<() -> (1)>], operands = [affine_map<() -> ()>], results = [affine_map<() -> (3)>]}} : (tensor<i1>) -> tensor<3xf32> {
    %1 = onnx.Sqrt %x : (tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : (tensor<3xf32>) -> ()
  }, {
    %1 = onnx.Exp %x : (tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %1 : (tensor<3xf32>) -> ()
  }
  return %0 : tensor<3xf32>
}

// -----

// The condition passes through: the number of steps is M's.
// CHECK-LABEL: @counted(
// CHECK-SAME: %[[M:[a-z0-9]+]]: tensor<i64>
// CHECK: %[[LIMIT:.+]] = tensor.extract %[[M]][]
// CHECK: %[[STEPS:.+]] = arith.index_cast %[[LIMIT]]
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[STEPS]] step %{{.+}} iter_args
func.func @counted(%m: tensor<i64>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %n = onnx.None : () -> none
  %0 = onnx.Loop %m, %n, %x : (tensor<i64>, none, tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<3xf32>):
    %1 = onnx.Exp %v : (tensor<3xf32>) -> tensor<3xf32>
    onnx.Yield %c, %1 : (tensor<i1>, tensor<3xf32>) -> ()
  }
  return %0 : tensor<3xf32>
}

// -----

// CHECK-LABEL: @conditional
// CHECK: scf.while (%{{.+}} = %{{.+}}, %{{.+}} = %{{.+}}, %{{.+}} = %{{.+}}) : (index, i8, tensor<3xf32>)
// CHECK: scf.condition
func.func @conditional(%c: tensor<i1>, %x: tensor<3xf32>, %limit: tensor<f32>) -> tensor<3xf32> {
  %n = onnx.None : () -> none
  %0 = onnx.Loop %n, %c, %x : (none, tensor<i1>, tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%i: tensor<i64>, %d: tensor<i1>, %v: tensor<3xf32>):
    %1 = onnx.Exp %v : (tensor<3xf32>) -> tensor<3xf32>
    %2 = onnx.ReduceSum %1, %n {keepdims = 0 : i64} : (tensor<3xf32>, none) -> tensor<f32>
    %3 = onnx.Less %2, %limit : (tensor<f32>, tensor<f32>) -> tensor<i1>
    onnx.Yield %3, %1 : (tensor<i1>, tensor<3xf32>) -> ()
  }
  return %0 : tensor<3xf32>
}

// -----

// CHECK-LABEL: @scan
// CHECK: scf.for
// CHECK: lathe.slice
// CHECK: lathe.insert
func.func @scan(%s: tensor<2xf32>, %x: tensor<5x2xf32>) -> (tensor<2xf32>, tensor<5x2xf32>) {
  %0, %1 = onnx.Scan %s, %x {num_scan_inputs = 1 : i64} : (tensor<2xf32>, tensor<5x2xf32>) -> (tensor<2xf32>, tensor<5x2xf32>) {
  ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>):
    %c = onnx.Add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %c, %c : (tensor<2xf32>, tensor<2xf32>) -> ()
  }
  return %0, %1 : tensor<2xf32>, tensor<5x2xf32>
}

// -----

// CHECK-LABEL: @nested
// CHECK: scf.if
// CHECK: scf.if
// CHECK: linalg.generic
func.func @nested(%a: tensor<i1>, %b: tensor<i1>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = onnx.If %a : (tensor<i1>) -> tensor<3xf32> {
    %1 = onnx.If %b : (tensor<i1>) -> tensor<3xf32> {
      %2 = onnx.Neg %x : (tensor<3xf32>) -> tensor<3xf32>
      onnx.Yield %2 : (tensor<3xf32>) -> ()
    }, {
      onnx.Yield %x : (tensor<3xf32>) -> ()
    }
    onnx.Yield %1 : (tensor<3xf32>) -> ()
  }, {
    onnx.Yield %x : (tensor<3xf32>) -> ()
  }
  return %0 : tensor<3xf32>
}
