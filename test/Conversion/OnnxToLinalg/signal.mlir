// RUN: lathe-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// A short transform is one product with the matrix of roots.
// CHECK-LABEL: @dft
// CHECK: linalg.generic {{.*}}"reduction", "reduction"]{{.*}} : tensor<1x1x16x1xf64>, tensor<1x2x16x16xf64>
func.func @dft(%x: tensor<1x16x1xf32>) -> tensor<1x16x2xf32> {
  %n = onnx.None : () -> none
  %y = onnx.DFT %x, %n, %n : (tensor<1x16x1xf32>, none, none) -> tensor<1x16x2xf32>
  return %y : tensor<1x16x2xf32>
}

// -----

// 400 = 20 * 20: two short ones.
// CHECK-LABEL: @dft_of_a_product
// CHECK: linalg.generic {{.*}}"reduction", "reduction"]{{.*}} : tensor<1x1x20x20xf64>, tensor<1x2x20x20xf64>
// CHECK: linalg.generic {{.*}}"reduction", "reduction"]{{.*}} : tensor<2x20x20x1xf64>, tensor<2x2x20x20xf64>
func.func @dft_of_a_product(%x: tensor<1x400x1xf32>) -> tensor<1x400x2xf32> {
  %n = onnx.None : () -> none
  %y = onnx.DFT %x, %n, %n : (tensor<1x400x1xf32>, none, none) -> tensor<1x400x2xf32>
  return %y : tensor<1x400x2xf32>
}

// -----

// A long prime is summed with a table of roots.
// CHECK-LABEL: @dft_of_a_prime
// CHECK: linalg.generic {{.*}}"reduction", "reduction"]
// CHECK: arith.remui
func.func @dft_of_a_prime(%x: tensor<1x257x1xf32>) -> tensor<1x257x2xf32> {
  %n = onnx.None : () -> none
  %y = onnx.DFT %x, %n, %n : (tensor<1x257x1xf32>, none, none) -> tensor<1x257x2xf32>
  return %y : tensor<1x257x2xf32>
}
