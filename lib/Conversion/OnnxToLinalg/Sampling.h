// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading images between their elements, from the body of a loop.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_SAMPLING_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_SAMPLING_H

#include "Indexing.h"

namespace lathe {

/// Arithmetic on floats of one type.
struct FloatMath {
  mlir::ImplicitLocOpBuilder &b;
  mlir::Type type;

  mlir::Value constant(double value) const {
    return makeConstant(b, type, value);
  }
  mlir::Value add(mlir::Value x, mlir::Value y) const;
  mlir::Value sub(mlir::Value x, mlir::Value y) const;
  mlir::Value mul(mlir::Value x, mlir::Value y) const;
  mlir::Value div(mlir::Value x, mlir::Value y) const;
  /// Ordered comparison: false if one is NaN.
  mlir::Value less(mlir::Value x, mlir::Value y) const;
  mlir::Value select(mlir::Value c, mlir::Value t, mlir::Value f) const;
  mlir::Value floor(mlir::Value x) const;
  mlir::Value ceil(mlir::Value x) const;
  mlir::Value trunc(mlir::Value x) const;
  mlir::Value roundEven(mlir::Value x) const;
  /// `x` limited to [low, high]; `low` if it is NaN.
  mlir::Value limit(mlir::Value x, mlir::Value low, mlir::Value high) const;
  /// Between an index and its value.
  mlir::Value fromIndex(mlir::Value index) const;
  /// `x` is a whole number within 2^31.
  mlir::Value toIndex(mlir::Value x) const;
};

/// What is read for positions outside of an image.
enum class Outside { Zeros, Border, Reflection };

/// One element that a position along one dimension touches.
struct Tap {
  mlir::Value index; ///< Within the image, whatever the position.
  mlir::Value weight;
  mlir::Value inside; ///< Null where it always counts.
};

/// The two elements around `x` in a dimension of `size`, weighted linearly;
/// zeros outside.
llvm::SmallVector<Tap> getLinearTaps(const FloatMath &f, mlir::Value x,
                                     mlir::Value size);

/// The sum of the elements that all combinations of taps name, times their
/// weights: `taps` has a list per dimension after those of `at`. A tap without
/// weight counts once. Reads `image`, whose element is `element` in ONNX, and
/// computes in `type`.
mlir::Value sample(const IndexMath &m, mlir::Value image, mlir::Type element,
                   llvm::ArrayRef<mlir::Value> at,
                   llvm::ArrayRef<llvm::SmallVector<Tap>> taps,
                   mlir::Type type);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_SAMPLING_H
