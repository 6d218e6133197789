// RUN: lathe-opt %s | lathe-opt | FileCheck %s

// CHECK-LABEL: func @if(
// CHECK: onnx.If %{{.+}} : (tensor<i1>) -> tensor<2xf32> {
// CHECK:   onnx.Yield
// CHECK: }, {
// CHECK:   onnx.Yield
func.func @if(%cond: tensor<i1>, %a: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<2xf32> {
  %0 = onnx.If %cond : (tensor<i1>) -> tensor<2xf32> {
    onnx.Yield %a : (tensor<2xf32>) -> ()
  }, {
    onnx.Yield %b : (tensor<2xf32>) -> ()
  }
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func @loop(
// CHECK: onnx.Loop
// CHECK: ^bb0(
func.func @loop(%m: tensor<i64>, %none: none, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = onnx.Loop %m, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<2xf32>):
    %w = onnx.Relu %v : (tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %c, %w : (tensor<i1>, tensor<2xf32>) -> ()
  }
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func @scan(
// CHECK: onnx.Scan %{{.+}}, %{{.+}} {num_scan_inputs = 1 : i64}
func.func @scan(%s: tensor<2xf32>, %x: tensor<5x2xf32>) -> tensor<5x2xf32> {
  %0, %1 = onnx.Scan %s, %x {num_scan_inputs = 1 : i64} : (tensor<2xf32>, tensor<5x2xf32>) -> (tensor<2xf32>, tensor<5x2xf32>) {
  ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>):
    %c = onnx.Add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    onnx.Yield %c, %c : (tensor<2xf32>, tensor<2xf32>) -> ()
  }
  return %1 : tensor<5x2xf32>
}
