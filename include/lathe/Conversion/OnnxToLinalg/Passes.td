// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_CONVERSION_ONNXTOLINALG_PASSES_TD
#define LATHE_CONVERSION_ONNXTOLINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertOnnxToLinalg : Pass<"convert-onnx-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lowers ONNX operators to loops over tensors";
  let description = [{
    Turns every `onnx` op of a program into `linalg`, `tensor`, `arith` and
    `math` ops; reshapes become `lathe.view`, constants `lathe.weight`, symbolic
    sizes `lathe.symbol` and `affine.apply`, control flow `scf`. Integers become
    signless and bool tensors hold `i8` zeros and ones; an argument or a result
    whose type changes by that keeps the old one as `lathe.type`.

    Shapes are read from `lathe.shapes` (see `annotate-shapes`). What has no
    lowering is reported, one error per node, all of them together. A lowering may
    make `onnx` ops: they are lowered, or refused, in their turn.

    ```mlir
    %0 = onnx.Relu %x {lathe.node = 3} : (tensor<4xf32>) -> tensor<4xf32>
    // becomes
    %e = tensor.empty() : tensor<4xf32>
    %0 = linalg.generic {...} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>)
           attrs = {lathe.node = 3} { ... }
    ```
  }];
  let dependentDialects = [
    "::lathe::LatheDialect", "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // LATHE_CONVERSION_ONNXTOLINALG_PASSES_TD
