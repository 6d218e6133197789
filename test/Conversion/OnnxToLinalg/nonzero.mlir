// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(convert-onnx-to-linalg))' | FileCheck %s

// The count is bound before anything of its size is made.
// CHECK-LABEL: @nonzero
// CHECK: %[[FOUND:.+]]:2 = lathe.grid
// CHECK: %[[COUNT:.+]] = tensor.extract %[[FOUND]]#1
// CHECK: %[[INDEX:.+]] = arith.index_cast %[[COUNT]]
// CHECK: %[[ALL:.+]] = arith.constant 6 : index
// CHECK: %[[N:.+]] = lathe.bind "n" = %[[INDEX]] max %[[ALL]]
// CHECK: tensor.empty(%[[N]]) : tensor<2x?xi64>
// CHECK: linalg.generic
// CHECK: tensor.extract %[[FOUND]]#0
func.func @nonzero(%x: tensor<2x3xf32>) -> tensor<2x?xi64> attributes {lathe.entry_symbols = 0 : i64, lathe.symbols = ["n"]} {
  %0 = onnx.NonZero %x {lathe.shapes = {contents = [unit], operands = [affine_map<()[s0] -> (2, 3)>], results = [affine_map<()[s0] -> (2, s0)>]}} : (tensor<2x3xf32>) -> tensor<2x?xi64>
  return %0 : tensor<2x?xi64>
}
