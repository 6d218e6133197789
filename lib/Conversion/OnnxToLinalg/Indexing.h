// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading a tensor, from the body of a loop, at positions that are computed.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_INDEXING_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_INDEXING_H

#include "Lowering.h"

namespace lathe {

/// Arithmetic on `index` values in the body of a loop.
struct IndexMath {
  mlir::ImplicitLocOpBuilder &b;

  mlir::Value constant(int64_t value) const;
  /// The position of loop `i`.
  mlir::Value loop(unsigned i) const;
  mlir::Value add(mlir::Value x, mlir::Value y) const;
  mlir::Value sub(mlir::Value x, mlir::Value y) const;
  mlir::Value mul(mlir::Value x, mlir::Value y) const;
  mlir::Value min(mlir::Value x, mlir::Value y) const;
  mlir::Value max(mlir::Value x, mlir::Value y) const;
  mlir::Value both(mlir::Value x, mlir::Value y) const;
  mlir::Value equal(mlir::Value x, mlir::Value y) const;
  mlir::Value less(mlir::Value x, mlir::Value y) const;
  mlir::Value select(mlir::Value c, mlir::Value t, mlir::Value f) const;
  /// `x mod y` with the sign of `y`, which is positive.
  mlir::Value floorMod(mlir::Value x, mlir::Value y) const;
  /// The value of an integer element.
  mlir::Value fromInt(mlir::Value element) const;
  /// Brings an index of ONNX, which may count from the end, into [0, size):
  /// what is outside is limited.
  mlir::Value normalize(mlir::Value index, mlir::Value size) const;
  /// `x` limited to [0, size).
  mlir::Value clamp(mlir::Value x, mlir::Value size) const;
  /// An element of `source`, whose type in ONNX is `element`, as computed
  /// value.
  mlir::Value read(mlir::Value source, mlir::ValueRange at,
                   mlir::Type element) const;
};

/// The sizes as values that a body can use.
llvm::SmallVector<mlir::Value> toValues(Lowering &l, DimsRef dims);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_INDEXING_H
