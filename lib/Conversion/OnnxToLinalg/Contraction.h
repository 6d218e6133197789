// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_CONTRACTION_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_CONTRACTION_H

#include "Lowering.h"

namespace lathe {
struct Element;

/// Sums products of elements: `inputs` carry their indexing maps, the first
/// `dims.size()` loops are those of the result unless `resultMap` says else.
/// The result has the compute type of the inputs' element.
mlir::Value contract(Lowering &l, llvm::ArrayRef<Operand> inputs,
                     unsigned numLoops, DimsRef dims,
                     mlir::AffineMap resultMap = {});

/// How the factors of a matrix product are read. Loops are the batches, then
/// rows and columns (where there are any), then the sum; batches of size 1
/// broadcast.
struct MatMulMaps {
  mlir::AffineMap a, b;
};

/// Those of the product of operands `a` and `b`, as `numpy.matmul`.
MatMulMaps getMatMulMaps(Lowering &l, unsigned a, unsigned b);

/// `alpha * A' * B' + beta * C` of operands 0, 1 and, where it is there, 2.
struct Gemm {
  float alpha, beta;
  bool transA, transB;
  /// What is done to each element, if anything.
  llvm::function_ref<mlir::Value(const Element &, mlir::Value)> after = {};
};

mlir::LogicalResult lowerGemm(Lowering &l, const Gemm &gemm);

/// Brings a tensor of `element`'s compute type to its storage type.
mlir::Value store(Lowering &l, mlir::Value computed, DimsRef dims,
                  mlir::Type element);

/// The dimensions of a tensor permuted: by a step of the recipe where it is a
/// weight, else null.
mlir::Value permuteWeight(Lowering &l, mlir::Value tensor,
                          llvm::ArrayRef<int64_t> perm);

/// The two last dimensions of a matrix swapped: by a step of the recipe where
/// it is a weight, else null.
mlir::Value transposeWeight(Lowering &l, mlir::Value matrix);

/// A constant tensor in another static shape: by a step of the recipe where it
/// is a weight, else a view.
mlir::Value reshapeWeight(Lowering &l, mlir::Value weight,
                          llvm::ArrayRef<int64_t> shape);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_CONTRACTION_H
