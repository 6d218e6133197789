// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// CHECK-LABEL: @short
// CHECK: iterator_types = ["parallel", "reduction"]
func.func @short(%x: tensor<5xf32>) -> tensor<5xf32> {
  %a = onnx.Constant {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %0 = onnx.CumSum %x, %a : (tensor<5xf32>, tensor<i64>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

// Six doublings reach 64 elements.
// CHECK-LABEL: @long
// CHECK-COUNT-6: linalg.generic {{.*}}iterator_types = ["parallel"]
// CHECK-NOT: linalg.generic
func.func @long(%x: tensor<64xf32>) -> tensor<64xf32> {
  %a = onnx.Constant {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %0 = onnx.CumSum %x, %a : (tensor<64xf32>, tensor<i64>) -> tensor<64xf32>
  return %0 : tensor<64xf32>
}
