// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the models of ai.onnx.ml have in common: features, and what is done with
// scores.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_POSTTRANSFORM_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_POSTTRANSFORM_H

#include "Lowering.h"

namespace lathe {

/// Operand 0 as numbers of `type`, of f32 where that is null.
Operand castInput(Lowering &l, mlir::Type type = {});

/// The same as a matrix of one row per sample, a vector being one.
Operand castFeatures(Lowering &l, mlir::Type type = {});

/// A constant of f32 numbers.
Operand makeFloats(Lowering &l, llvm::ArrayRef<float> values,
                   llvm::ArrayRef<int64_t> shape);

/// `scores`, floats of `dims` [rows, scores], after the `post_transform` of
/// that name.
mlir::Value applyPostTransform(Lowering &l, mlir::Value scores, DimsRef dims,
                               llvm::StringRef transform);

/// The label of the greatest of the first `labels.size()` scores of each row,
/// the first of several.
mlir::Value pickLabels(Lowering &l, mlir::Value scores,
                       llvm::ArrayRef<int64_t> labels, DimsRef dims);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_POSTTRANSFORM_H
